"""p-values adjusted for the number of firms looked at."""

from collections.abc import Callable

import numpy as np

from dashboard.event_study.panel import FloatArray


def holm(p_values: FloatArray) -> FloatArray:
    """Holm (1979) step-down: controls the chance of one false rejection. NaN are left out of the count."""
    return _by_rank(p_values, lambda p, m: np.maximum.accumulate((m - np.arange(m)) * p))


def benjamini_hochberg(p_values: FloatArray) -> FloatArray:
    """Benjamini and Hochberg (1995) step-up: controls the share of false ones among the rejections."""
    return _by_rank(p_values, lambda p, m: np.minimum.accumulate((m / np.arange(1, m + 1) * p)[::-1])[::-1])


def _by_rank(p_values: FloatArray, adjust: Callable[[FloatArray, int], FloatArray]) -> FloatArray:
    adjusted = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    if len(known):
        order = known[np.argsort(p_values[known], kind="stable")]
        adjusted[order] = np.minimum(1.0, adjust(p_values[order], len(order)))
    return adjusted
