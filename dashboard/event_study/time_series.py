"""Tests that compare the event day (or window) with the group's own history.

The group is one portfolio: the correlation of its firms is inside its variance, so these hold when all
firms share the event date.
"""

import numpy as np
from numpy.typing import NDArray

from dashboard.event_study.outcome import Outcome, student
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.regression import Fit, cumulate
from dashboard.event_study.windows import Scopes


def average(values: FloatArray, valid: NDArray[np.bool_] | None) -> FloatArray:
    """Mean over the firms (axis 1) that have a value; NaN on days without any."""
    if valid is None:
        return values.mean(axis=1)
    n = valid.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(valid, values, 0.0).sum(axis=1) / n


def average_abnormal(fitted: Fit) -> tuple[FloatArray, FloatArray]:
    """AAR of the estimation days (B × T) and of the event days (B × W); NaN on days without a firm."""
    inside = np.isfinite(fitted.abnormal)
    return average(fitted.residuals, fitted.valid), average(fitted.abnormal, None if inside.all() else inside)


def crude_dependence(estimation: FloatArray, caar: FloatArray, lengths: NDArray[np.int64]) -> Outcome:
    """t = CAAR/(s_p·√L), df = T - 1, s_p the standard deviation of the AARs of the estimation window.

    Brown and Warner (1980, 1985 Journal of Financial Economics 14, 3-31), the crude dependence adjustment.

    Args:
        estimation: AAR of the estimation days (B × T).
        caar: B × D.
        lengths: days of each scope (D,).
    """
    days = np.isfinite(estimation).sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.nanstd(estimation, axis=-1, ddof=1, keepdims=True)
        return student(caar / (deviation * np.sqrt(lengths)), days - 1.0)


def portfolio_regression(portfolio: Fit, scopes: Scopes) -> Outcome:
    """t of the event-day dummies in the regression of the equal-weight portfolio, with forecast error; df =
    T - k.

    Karafiath (1988), Salinger (1992), Lamb (1995): equals the t-ratio of a dummy for the day in an OLS of the
    portfolio's return on the estimation window and that day. Over a window the dummies are summed with their
    covariances. With gaps the portfolio of a day holds the firms that have a return. The R package estudy2
    (`lamb`) is larger by √((T - 1)/(T - 2)), and adds daily statistics over √L for a window.
    """
    sums = cumulate(portfolio, scopes)
    return student(sums.scar[:, 0], portfolio.df)


def placebo(estimation: FloatArray, caar: FloatArray, lengths: NDArray[np.int64]) -> Outcome:
    """Share of the estimation window's days (or overlapping blocks of L days) with an AAR at least as large.

    Two-sided p = (1 + #{|e| ≥ |CAAR|})/(n + 1), n = T - L + 1 blocks (Gelbach, Helland and Klick 2013,
    American Law and Economics Review 15, 495-541, applied to the group). The statistic is the CAAR itself.
    """
    p_value = np.full(caar.shape, np.nan)
    for length in np.unique(lengths):
        here = lengths == length
        blocks = np.abs(block_sums(estimation, int(length)))
        n = np.isfinite(blocks).sum(axis=-1)[:, None]
        size = np.abs(caar[:, here])
        reached = (blocks[:, None, :] >= size[..., None]).sum(axis=-1)
        p_value[:, here] = np.where((n > 0) & np.isfinite(size), (1 + reached) / (n + 1), np.nan)
    return Outcome(caar, np.full(caar.shape, np.nan), p_value)


def block_sums(series: FloatArray, length: int) -> FloatArray:
    """Sums of all overlapping blocks of `length` days of the last axis; NaN where a day is missing."""
    days = series.shape[-1]
    if length == 1:
        return series
    if length > days:
        return np.empty((*series.shape[:-1], 0))
    missing = np.isnan(series)
    gaps = missing.any()
    total = np.cumsum(np.where(missing, 0.0, series) if gaps else series, axis=-1)
    blocks = total[..., length - 1 :].copy()
    blocks[..., 1:] -= total[..., :-length]
    if gaps:
        count = np.cumsum(missing, axis=-1)
        holes = count[..., length - 1 :].copy()
        holes[..., 1:] -= count[..., :-length]
        blocks[holes > 0] = np.nan
    return blocks
