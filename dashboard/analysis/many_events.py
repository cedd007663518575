"""The market model before many sessions at once: mean abnormal returns of a group, and how sure one can be of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.event_study.models import MODELS
from dashboard.event_study.panel import FloatArray, Panel, read_panel
from dashboard.event_study.portfolio import portfolio
from dashboard.event_study.regression import Sample, fit
from dashboard.event_study.sampling import FEWEST_OBSERVATIONS, count_observations
from dashboard.event_study.study import ESTIMATION
from dashboard.event_study.time_series import portfolio_regression
from dashboard.event_study.windows import Window, make_scopes

PATH: Window = (-10, 20)
CHUNK_VALUES = 1_500_000
_MODEL = MODELS["market"]


@dataclass(frozen=True)
class Measured:
    """A group around B sessions: T days of the estimation window, W days of `window`; NaN where there is nothing.

    Attributes:
        window: first and last day of `aar`.
        aar: average abnormal return of each day (B × W), fractions; forecasts, except before day 0.
        residuals: the same on the days of the estimation window (B × T).
        present: which firms have an abnormal return on day 0 (B × N).
        t: of day 0 by the portfolio regression (B,).
        p: two-sided p-value of that (B,).
    """

    window: Window
    aar: FloatArray
    residuals: FloatArray
    present: NDArray[np.bool_]
    t: FloatArray
    p: FloatArray

    @property
    def firms(self) -> NDArray[np.int64]:
        """How many firms have an abnormal return on day 0 (B,)."""
        return self.present.sum(axis=1)

    def day(self, day: int) -> FloatArray:
        """The average abnormal return of one day (B,)."""
        return self.aar[:, day - self.window[0]]

    def over(self, first: int, last: int) -> FloatArray:
        """The cumulative one from the first to the last day (B,), NaN where a day is missing."""
        return self.aar[:, first - self.window[0] : last - self.window[0] + 1].sum(axis=1)


def panel_of(returns: pd.DataFrame, market: pd.Series) -> Panel:
    """Returns (sessions × firms, fractions) and the market's as arrays, checked; raises EventStudyError."""
    return read_panel(returns, market, _MODEL)


def measure(
    panel: Panel, positions: NDArray[np.int64], members: NDArray[np.bool_], window: Window = PATH
) -> Measured:
    """Fit each member's market model before each session and average what it does not account for.

    The same as `dashboard.event_study.run_study` (market model, sessions -260 to -11), for all sessions at once. A
    firm needs half of the sessions that the estimation window has, and 60 at least.

    Args:
        panel: as `panel_of` returns it.
        positions: rows of the panel's sessions (B,).
        members: the firms that belong to the group on each of them (B × N).
        window: days around the session; those outside the data are NaN.
    """
    days = ESTIMATION[1] - ESTIMATION[0] + window[1] - window[0] + 2
    some = np.asarray(members.any(axis=0))
    size = max(1, CHUNK_VALUES // max(1, int(some.sum()) * days))
    parts = [
        _measure(panel, positions[start : start + size], members[start : start + size], some, window)
        for start in range(0, len(positions), size)
    ]
    joined = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Measured(window, *joined)


def _measure(
    panel: Panel,
    positions: NDArray[np.int64],
    members: NDArray[np.bool_],
    some: NDArray[np.bool_],
    window: Window,
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_], FloatArray, FloatArray]:
    sample = _cut(panel, positions, members, some, window)
    fitted = fit(sample, constant=_MODEL.constant)
    present = np.zeros(members.shape, dtype=bool)
    present[:, some] = np.isfinite(fitted.abnormal[..., -window[0]])
    whole = positions + ESTIMATION[0] >= 0
    scopes = make_scopes(window, [(0, 0)], days=False)
    group = portfolio(fitted, scopes)
    test = portfolio_regression(group, scopes)
    t, p = (np.where(whole, figures[:, 0], np.nan) for figures in (test.statistic, test.p_value))
    return group.aar, group.estimation, present, t, p


def _cut(
    panel: Panel,
    positions: NDArray[np.int64],
    members: NDArray[np.bool_],
    some: NDArray[np.bool_],
    window: Window,
) -> Sample:
    """Estimation window and `window` around each session, NaN outside the data and for those who are no members."""
    estimation = np.arange(ESTIMATION[0], ESTIMATION[1] + 1)
    rows = positions[:, None] + np.concatenate([estimation, np.arange(window[0], window[1] + 1)])
    inside = (rows >= 0) & (rows < len(panel.sessions))
    rows = np.where(inside, rows, 0)
    returns = np.where(
        inside[:, None] & members[:, some, None], panel.returns[some][:, rows].swapaxes(0, 1), np.nan
    )
    factors = np.where(inside[..., None], panel.factors[rows], np.nan)[:, None]
    sample = Sample(returns, factors, len(estimation))
    seen, _ = count_observations(sample)
    available = inside[:, : len(estimation)].sum(axis=1, keepdims=True)
    returns[seen < np.maximum(FEWEST_OBSERVATIONS, np.ceil(available / 2))] = np.nan
    return sample
