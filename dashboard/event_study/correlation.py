"""Mean correlation of the firms' estimation-window residuals, r̄ of Kolari and Pynnönen (2010)."""

import numpy as np
from numpy.typing import NDArray

from dashboard.event_study.panel import FloatArray

BLOCK = 512


def mean_correlation(residuals: FloatArray, valid: NDArray[np.bool_] | None) -> FloatArray:
    """r̄ of each sample: mean Pearson correlation over the pairs i < j, never the diagonal.

    Args:
        residuals: B × N × T, 0 where missing.
        valid: B × N × T, or None when nothing is missing. Then each pair's correlation is taken over the days
            that both firms have (pairwise complete, rule M6); pairs with fewer than two such days do not
            count.

    Returns:
        B values; NaN with fewer than two firms.

    On complete data r̄ = (‖Σ z_i‖² - N)/(N(N - 1)) with z_i the firm's residuals centred and scaled to unit
    length: no N × N matrix is built.
    """
    if valid is None:
        return _complete(residuals)
    return np.array([_pairwise(e, v) for e, v in zip(residuals, valid, strict=True)])


def _complete(residuals: FloatArray) -> FloatArray:
    n = residuals.shape[1]
    if n < 2:
        return np.full(len(residuals), np.nan)
    mean = residuals.mean(axis=-1)
    days = residuals.shape[-1]
    length = np.sqrt(np.einsum("bnt,bnt->bn", residuals, residuals) - days * mean**2)
    summed = ((1 / length)[:, None, :] @ residuals)[:, 0] - (mean / length).sum(axis=-1)[:, None]
    return ((summed**2).sum(axis=-1) - n) / (n * (n - 1))


def _pairwise(residuals: FloatArray, valid: NDArray[np.bool_]) -> float:
    """Complete firms by the row-sum identity, pairs with an incomplete one by matrix products."""
    some = valid.any(axis=-1)
    residuals, valid = residuals[some], valid[some]
    if len(residuals) < 2:
        return float("nan")
    whole = valid[:, valid.any(axis=0)].all(axis=-1)
    order = np.argsort(whole, kind="stable")
    residuals, valid = residuals[order], valid[order]
    gappy = int((~whole).sum())
    present = valid.astype(np.float64)
    total, pairs = 0.0, 0
    for start in range(0, gappy, BLOCK):
        stop = min(start + BLOCK, gappy)
        correlations = _correlate(
            residuals[start:stop], present[start:stop], residuals[start:], present[start:]
        )
        later = np.arange(len(residuals) - start) > np.arange(stop - start)[:, None]
        counted = later & np.isfinite(correlations)
        total += float(correlations[counted].sum())
        pairs += int(counted.sum())
    rest = len(residuals) - gappy
    if rest > 1:
        days = valid.any(axis=0)
        total += float(_complete(residuals[None, gappy:][..., days])[0]) * rest * (rest - 1) / 2
        pairs += rest * (rest - 1) // 2
    return total / pairs if pairs else float("nan")


def _correlate(a: FloatArray, in_a: FloatArray, b: FloatArray, in_b: FloatArray) -> FloatArray:
    """Pearson correlations (rows of a × rows of b), each over the days both have; NaN with fewer than two."""
    n = in_a @ in_b.T
    with np.errstate(invalid="ignore", divide="ignore"):
        sum_a, sum_b = a @ in_b.T, in_a @ b.T
        square_a = (a * a) @ in_b.T - sum_a**2 / n
        square_b = in_a @ (b * b).T - sum_b**2 / n
        return np.where(n >= 2, (a @ b.T - sum_a * sum_b / n) / np.sqrt(square_a * square_b), np.nan)
