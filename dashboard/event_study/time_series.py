"""Tests that compare the event day (or window) with the group's own history.

The group is one portfolio: the correlation of its firms is inside its variance, so these hold when all
firms share the event date.
"""

import numpy as np

from dashboard.event_study.outcome import Outcome, student
from dashboard.event_study.portfolio import Portfolio
from dashboard.event_study.windows import Scopes


def crude_dependence(group: Portfolio, scopes: Scopes) -> Outcome:
    """t = CAAR/(s_p·√L), df = T - 1, s_p the standard deviation of the AARs of the estimation window.

    Brown and Warner (1980, 1985 Journal of Financial Economics 14, 3-31), the crude dependence adjustment. It
    knows neither forecast error nor a change of the firms.
    """
    days = np.isfinite(group.estimation).sum(axis=-1, keepdims=True)
    measured = np.isfinite(group.standard_error(scopes))
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.nanstd(group.estimation, axis=-1, ddof=1, keepdims=True)
        statistic = group.caar / (deviation * np.sqrt(scopes.lengths))
    return student(np.where(measured, statistic, np.nan), days - 1.0)


def portfolio_regression(group: Portfolio, scopes: Scopes) -> Outcome:
    """t of the CAAR in the regression of the portfolio with dummies for the event days; df = T - k.

    Karafiath (1988), Salinger (1992), Lamb (1995): on complete data it equals the t-ratio of a dummy for the
    day in an OLS of the portfolio's return on the estimation window and that day; over a window the dummies
    are summed with their covariances. With gaps or unequal histories it is the mean of the firms' own
    residuals over its standard deviation, that of the very firms that are averaged, and df is the mean of
    theirs. The R package estudy2 (`lamb`) is larger by √((T - 1)/(T - 2)), and adds daily statistics over √L
    for a window.
    """
    return student(group.caar / group.standard_error(scopes), group.df)


def placebo(group: Portfolio, scopes: Scopes) -> Outcome:
    """Share of the estimation window's days (or overlapping blocks of L days) with an AAR at least as large.

    Two-sided p = (1 + #{|z| ≥ |z₀|})/(n + 1), n = T - L + 1 blocks (Gelbach, Helland and Klick 2013,
    American Law and Economics Review 15, 495-541, applied to the group). z is the sum over its standard
    deviation, which for residuals of the estimation window is √(v·(L - q)) and for the event √(v·(L + q))
    with the forecast error q: a forecast misses by more than a fit. The statistic shown is the CAAR itself.
    """
    size = np.abs(group.caar / group.standard_error(scopes))
    p_value = np.full(size.shape, np.nan)
    for length in np.unique(scopes.lengths):
        here = scopes.lengths == length
        blocks = np.abs(group.blocks(int(length)))
        n = np.isfinite(blocks).sum(axis=-1)[:, None]
        reached = (blocks[:, None, :] >= size[:, here, None]).sum(axis=-1)
        p_value[:, here] = np.where((n > 0) & np.isfinite(size[:, here]), (1 + reached) / (n + 1), np.nan)
    return Outcome(group.caar, np.full(size.shape, np.nan), p_value)
