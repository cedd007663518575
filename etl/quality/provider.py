"""Tells closes of another provider that are on a basis of their own from those that merely differ here and there."""

from __future__ import annotations

import numpy as np

FARTHEST = 0.02
"""What the closes of two providers may differ by in the middle, as a fraction, to be those of one listing."""
ROUNDED_BY, AGREES_WITHIN = 0.005, 1e-4
"""What the closes of two providers differ by though they are the same: an amount, since some round to cents, and
a fraction."""
ADJUSTED = "adjusted for dividends, which the stored closes are not"


def apart(shift: np.ndarray, close: np.ndarray) -> np.ndarray:
    """Which closes are not those that are stored; ``shift`` is the logarithm of the one over the other."""
    return np.asarray(np.abs(shift) > _near(close))


def other_basis(shift: np.ndarray, close: np.ndarray, paid: np.ndarray) -> str | None:
    """Why closes cannot stand beside those that are stored, or None when they can; NaN where one of both is missing.

    They cannot where they lie far off, differ by one factor, or by what the known dividends come to up to some day.
    ``paid`` is the logarithm of the stored adjusted close over the stored close, session by session.
    """
    both = np.isfinite(shift)
    off = both & apart(shift, close)
    if not off.any():
        return None
    middle = float(np.median(shift[both]))
    times = f" (×{np.exp(middle):.4g})"
    if abs(middle) > FARTHEST:
        return times
    if (
        off.sum() > 1
        and 2 * off.sum() >= both.sum()
        and _agree(shift[off] - np.median(shift[off]), close[off])
    ):
        return times
    for until in np.unique(np.round(paid[np.isfinite(paid)], 9)):
        lower = np.minimum(paid - until, 0.0)  # an adjustment that ends with that dividend
        expected = both & apart(lower, close)
        if 2 * off.sum() >= expected.sum() > 0 and _agree((shift - lower)[off], close[off]):
            return f": they are {ADJUSTED}"
    return None


def _agree(difference: np.ndarray, close: np.ndarray) -> bool:
    return bool(np.median(np.abs(difference) - _near(close)) <= 0)


def _near(close: np.ndarray) -> np.ndarray:
    return AGREES_WITHIN + ROUNDED_BY / close
