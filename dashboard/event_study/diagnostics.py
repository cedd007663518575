"""Are a firm's residuals what the tests assume: uncorrelated, of steady volatility, normal?"""

from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from dashboard.event_study.panel import FloatArray

# Lags of the ARCH test: a trading week.
ARCH_LAGS = 5


def autocorrelation(residuals: FloatArray, valid: NDArray[np.bool_] | None) -> FloatArray:
    """First-order autocorrelation Σ e_t·e_{t-1}/Σ e_t² of each firm (N × T), pairs with a gap left out."""
    e = _centre(residuals, valid)
    return np.einsum("nt,nt->n", e[:, 1:], e[:, :-1]) / np.einsum("nt,nt->n", e, e)


def jarque_bera(residuals: FloatArray, valid: NDArray[np.bool_] | None) -> tuple[FloatArray, FloatArray]:
    """n/6·(skewness² + (kurtosis - 3)²/4) and its p-value from χ²(2) (Jarque and Bera 1980)."""
    e = _centre(residuals, valid)
    n = e.shape[1] if valid is None else valid.sum(axis=1)
    square = e * e
    second = square.sum(axis=1) / n
    skewness = np.einsum("nt,nt->n", square, e) / n / second**1.5
    kurtosis = np.einsum("nt,nt->n", square, square) / n / second**2
    statistic = n / 6 * (skewness**2 + (kurtosis - 3) ** 2 / 4)
    return statistic, np.exp(-statistic / 2)


def arch_lm(
    residuals: FloatArray, valid: NDArray[np.bool_] | None, lags: int = ARCH_LAGS
) -> tuple[FloatArray, FloatArray]:
    """Engle's (1982) n·R² of e_t² on its last `lags` values, and its p-value, χ² with `lags` degrees of
    freedom.

    Days whose own or lagged residual is missing are left out. NaN for a firm with too few such days.
    """
    e = _centre(residuals, valid)
    square = e * e
    days = square.shape[1] - lags
    lagged = [square[:, lags - lag : lags - lag + days] for lag in range(lags + 1)]
    n = np.full(len(e), float(days))
    weighted = lagged
    if valid is not None:
        used = np.lib.stride_tricks.sliding_window_view(valid, lags + 1, axis=1).all(axis=-1)
        n = used.sum(axis=1).astype(np.float64)
        weighted = [column * used for column in lagged]
    sums = np.stack([column.sum(axis=1) for column in weighted], axis=1)
    moments = np.empty((len(e), lags + 1, lags + 1))
    for i, j in combinations_with_replacement(range(lags + 1), 2):
        moments[:, i, j] = moments[:, j, i] = np.einsum("nt,nt->n", weighted[i], lagged[j])
    enough = n > 2 * lags + 1
    n_safe = np.where(enough, n, 1.0)
    moments -= sums[:, :, None] * sums[:, None, :] / n_safe[:, None, None]
    scale = np.sqrt(np.where(enough[:, None], np.einsum("nii->ni", moments), 1.0))
    correlation = np.where(
        enough[:, None, None], moments / (scale[:, :, None] * scale[:, None, :]), np.eye(lags + 1)
    )
    cross = correlation[:, 1:, 0]
    slopes = np.linalg.solve(correlation[:, 1:, 1:], cross[..., None])[..., 0]
    statistic = np.where(enough, n * (cross * slopes).sum(axis=1), np.nan)
    return statistic, chdtrc(lags, statistic)


def _centre(residuals: FloatArray, valid: NDArray[np.bool_] | None) -> FloatArray:
    if valid is None:
        return residuals - residuals.mean(axis=1, keepdims=True)
    mean = residuals.sum(axis=1, keepdims=True) / valid.sum(axis=1, keepdims=True)
    return (residuals - mean) * valid
