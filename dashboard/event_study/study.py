"""One event, one group of firms: the study."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from dashboard.event_study.battery import Battery, run_battery
from dashboard.event_study.catalogue import TESTS
from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.firm_tables import car_table, firms_table
from dashboard.event_study.models import Model, find_model
from dashboard.event_study.panel import FloatArray, Market, Panel, read_panel
from dashboard.event_study.portfolio import Portfolio, quadratic
from dashboard.event_study.regression import Fit, Sample, fit
from dashboard.event_study.sampling import choose_firms, default_minimum, keep_firms, take_sample
from dashboard.event_study.tables import CONFIDENCE, aar_table, path_table, placebo_table, tests_table
from dashboard.event_study.validity import judge
from dashboard.event_study.windows import (
    EventPlace,
    Scopes,
    Window,
    check_windows,
    leave_out,
    locate_event,
    make_scopes,
    place_windows,
)

ESTIMATION: Window = (-260, -11)
EVENT_WINDOW: Window = (-10, 10)
WINDOWS: tuple[Window, ...] = ((0, 0), (-1, 1), (0, 1), (-4, 0), (0, 10))


@dataclass(frozen=True)
class Fitted:
    """A study before its tables: what `run_study` and the two-group contrast share."""

    model: Model
    panel: Panel
    position: int
    requested: pd.Timestamp
    estimation: NDArray[np.int64] | slice
    event: slice
    scopes: Scopes
    firms: pd.Index
    raw: FloatArray
    sample: Sample
    fit: Fit
    dropped: pd.DataFrame
    notes: tuple[str, ...]


class Study:
    """The result of `run_study`. Returns are fractions of the price, days are sessions around the event.

    Attributes:
        tests: every test on every day and window, see `tables.tests_table`.
        aar: one row an event day, see `tables.aar_table`.

    The other tables are made when they are first looked at.
    """

    def __init__(self, fitted: Fitted, battery: Battery) -> None:
        """Hold what the fit and the tests left; `run_study` makes it."""
        self._fitted = fitted
        self._battery = battery
        scopes = fitted.scopes
        verdicts = judge(fitted.fit, scopes, TESTS.values())
        self.tests = tests_table(
            battery.outcomes, battery.n_firms[0], battery.portfolio.caar[0], scopes, TESTS, verdicts
        )
        self.aar = aar_table(self.event_sessions, scopes, fitted.raw, fitted.fit.abnormal[0], battery)

    @property
    def model(self) -> str:
        """Name of the model of the normal return."""
        return self._fitted.model.name

    @property
    def requested_date(self) -> pd.Timestamp:
        """The date asked for."""
        return self._fitted.requested

    @property
    def event_session(self) -> pd.Timestamp:
        """The session used as day 0."""
        return self._fitted.panel.sessions[self._fitted.position]

    @property
    def rolled(self) -> bool:
        """Whether the date asked for was no session and the next one was taken."""
        return bool(self.event_session != self.requested_date)

    @property
    def estimation_sessions(self) -> pd.DatetimeIndex:
        """The sessions of the estimation window."""
        return self._fitted.panel.sessions[self._fitted.estimation]

    @property
    def event_sessions(self) -> pd.DatetimeIndex:
        """The sessions of the event window."""
        return self._fitted.panel.sessions[self._fitted.event]

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows of the cumulative abnormal return."""
        return self._fitted.scopes.windows

    @property
    def span(self) -> Window:
        """First and last day of the event window."""
        return int(self._fitted.scopes.days[0]), int(self._fitted.scopes.days[-1])

    @property
    def place(self) -> EventPlace:
        """The sessions of the estimation and the event window."""
        days = self._fitted.scopes.days
        return EventPlace(self.event_session, self.estimation_sessions, self.event_sessions, days)

    @property
    def portfolio(self) -> Portfolio:
        """The group as one portfolio (a batch of one)."""
        return self._battery.portfolio

    @property
    def degrees_of_freedom(self) -> float:
        """Of the portfolio regression."""
        return float(self.portfolio.df[0, 0])

    def standard_error(self, window: Window) -> float:
        """Standard deviation of the CAAR over a window, forecast error and correlation included; fraction."""
        return float(self.portfolio.standard_error(make_scopes(self.span, [window], days=False))[0, 0])

    def estimate(self, window: Window) -> tuple[float, float, float]:
        """The CAAR over a window with its 95% band: (caar, low, high), fractions."""
        caar = float(self.aar.loc[window[0] : window[1], "aar"].sum(skipna=False))
        half = float(stdtrit(self.degrees_of_freedom, (1 + CONFIDENCE) / 2)) * self.standard_error(window)
        return caar, caar - half, caar + half

    def widening(self, window: Window) -> FloatArray:
        """What sums of the estimation window's residuals are multiplied by, see `Portfolio.widening` (blocks,)."""
        return self.portfolio.widening(make_scopes(self.span, [window], days=False))[0]

    def path(self, first: int = 0) -> pd.DataFrame:
        """How the event went, cumulated from day `first` on, see `tables.path_table`."""
        return path_table(self.aar, self.portfolio, self._fitted.scopes, first)

    @cached_property
    def residuals(self) -> pd.DataFrame:
        """Residuals of the estimation window (sessions × firms, fractions), NaN where missing."""
        fitted = self._fitted.fit
        values = (
            fitted.residuals[0]
            if fitted.valid is None
            else np.where(fitted.valid[0], fitted.residuals[0], np.nan)
        )
        return pd.DataFrame(values.T, self.estimation_sessions, self._fitted.firms)

    @cached_property
    def standardised_squares(self) -> pd.Series:
        """Mean over the firms of (abnormal return/its standard deviation)², by day; 1 when nothing happens.

        The days of the estimation window, which end before the event window, come first; forecast error included.
        """
        fitted, days = self._fitted.fit, self._fitted.scopes.days
        inside = quadratic(fitted.inverse[0], np.nan_to_num(fitted.design_estimation[0]))
        ahead = quadratic(fitted.inverse[0], np.nan_to_num(fitted.design[0]))
        sigma = fitted.sigma[0][:, None]
        before = (self.residuals.to_numpy().T / sigma) ** 2 / (1 - inside)
        event = (fitted.abnormal[0] / sigma) ** 2 / (1 + ahead)
        index = np.concatenate([np.arange(-before.shape[1], 0) + days[0], days])
        values = pd.DataFrame(np.concatenate([before, event], axis=1), columns=index)
        return values.mean()

    @property
    def mean_correlation(self) -> float:
        """r̄, the mean correlation of the firms' residuals; NaN for a single firm."""
        return float(self._battery.dependence.overall[0])

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know about the input, in sentences."""
        if not self.rolled:
            return self._fitted.notes
        asked, taken = f"{self.requested_date:%Y-%m-%d}", f"{self.event_session:%Y-%m-%d}"
        rolled = f"{asked} is not a session: the next one, {taken}, is day 0."
        return (rolled, *self._fitted.notes)

    @property
    def dropped(self) -> pd.DataFrame:
        """Firms left out: firm, reason."""
        return self._fitted.dropped

    @cached_property
    def abnormal_returns(self) -> pd.DataFrame:
        """Event day × firm; NaN where the firm has no return."""
        return self._by_day(self._fitted.fit.abnormal[0])

    @cached_property
    def raw_returns(self) -> pd.DataFrame:
        """Event day × firm, as handed in."""
        return self._by_day(self._fitted.raw)

    @cached_property
    def placebo(self) -> pd.DataFrame:
        """The group's own history, see `tables.placebo_table`."""
        return placebo_table(self.estimation_sessions, self.portfolio, self._fitted.scopes)

    @cached_property
    def car(self) -> pd.DataFrame:
        """One row a firm and window, see `firm_tables.car_table`."""
        fitted = self._fitted
        return car_table(fitted.firms, fitted.fit, self._battery.sums, fitted.scopes, fitted.raw)

    @cached_property
    def firms(self) -> pd.DataFrame:
        """One row a firm, see `firm_tables.firms_table`."""
        fitted = self._fitted
        explained = fitted.sample.returns[0, :, : fitted.sample.estimation_days]
        if fitted.sample.span is not None:
            explained = explained / np.sqrt(fitted.sample.span[0, :, : fitted.sample.estimation_days])
        return firms_table(fitted.firms, fitted.fit, fitted.model, explained)

    def _by_day(self, values: FloatArray) -> pd.DataFrame:
        days = pd.Index(self._fitted.scopes.days, name="day")
        return pd.DataFrame(values.T, index=days, columns=self._fitted.firms)


def run_study(
    returns: pd.DataFrame,
    market: Market,
    event_date: object,
    model: str = "market",
    estimation: Window = ESTIMATION,
    event_window: Window = EVENT_WINDOW,
    windows: Sequence[Window] = WINDOWS,
    min_observations: int | None = None,
    gaps: str = "skip",
    exclude: Iterable[object] = (),
) -> Study:
    """Measure what an event did to a group of firms.

    Args:
        returns: sessions × firms, simple returns (fractions), NaN where missing. Its index is the calendar:
            all offsets count its rows.
        market: return of the benchmark on the same index, or a frame of factors for the models that need them
            (columns Mkt-RF, SMB, HML, RMW, CMA, Mom, RF in fractions), or None for the mean-adjusted model.
        event_date: rolls FORWARD to the next session when it is none.
        model: "mean", "market-adjusted", "market", "dimson" (with the market's return of the day before and
            after), "capm", "ff3", "carhart" or "ff5".
        estimation: first and last session of the estimation window, inclusive, before the event window.
        event_window: first and last session around the event.
        windows: windows of the cumulative abnormal return, inside the event window.
        min_observations: returns a firm needs in the estimation window; default max(60, half of it).
        gaps: "skip" leaves missing days missing (a CAR over one is missing); "trade-to-trade" takes the first
            return after a gap as the return over it (Maynes and Rumsey 1993).
        exclude: dates of other events: their sessions are left out of the estimation window.

    Raises:
        EventStudyError: names what is wrong with the input.
    """
    fitted = fit_study(
        returns, market, event_date, model, estimation, event_window, windows, min_observations, gaps, exclude
    )
    battery = run_battery(fitted.fit, fitted.scopes)
    return Study(fitted, battery)


def fit_study(
    returns: pd.DataFrame,
    market: Market,
    event_date: object,
    model: str,
    estimation: Window,
    event_window: Window,
    windows: Sequence[Window],
    min_observations: int | None,
    gaps: str,
    exclude: Iterable[object] = (),
) -> Fitted:
    """Check the input, choose the firms and fit the model; see `run_study`."""
    chosen = find_model(model)
    if gaps not in ("skip", "trade-to-trade"):
        raise EventStudyError(f"gaps must be 'skip' or 'trade-to-trade', not {gaps!r}.")
    checked = check_windows(estimation, event_window, windows)
    panel = read_panel(returns, market, chosen)
    position, requested = locate_event(panel.sessions, event_date)
    before, around, notes = place_windows(panel.sessions, position, estimation, event_window)
    notes += _check_market(panel, position, around)
    kept, left_out = leave_out(panel.sessions, before, exclude)
    notes += left_out
    minimum = default_minimum(estimation, min_observations, chosen)
    sample = take_sample(panel, kept, around, gaps)
    keep, dropped = choose_firms(panel, sample, kept, minimum)
    sample = keep_firms(sample, keep)
    fitted = fit(sample, constant=chosen.constant)
    firms = panel.firms[keep]
    _check_exact(fitted, firms)
    return Fitted(
        chosen,
        panel,
        position,
        requested,
        kept,
        around,
        make_scopes(event_window, checked),
        firms,
        panel.returns[:, around][keep],
        sample,
        fitted,
        dropped,
        (*panel.notes, *notes),
    )


def _check_market(panel: Panel, position: int, around: slice) -> list[str]:
    known = np.isfinite(panel.factors).all(axis=1) & np.isfinite(panel.subtract)
    if not known[position]:
        last = panel.sessions[known][-1:]
        ends = (
            f" (its returns end on {last[0]:%Y-%m-%d})"
            if len(last) and last[0] < panel.sessions[position]
            else ""
        )
        raise EventStudyError(
            f"The market has no return on the event session {panel.sessions[position]:%Y-%m-%d}{ends}."
        )
    missing = panel.sessions[around][~known[around]]
    if not len(missing):
        return []
    days = ", ".join(f"{session:%Y-%m-%d}" for session in missing)
    return [
        f"The market has no return on {days}: there is no abnormal return on such a day of the event window."
    ]


def _check_exact(fitted: Fit, firms: pd.Index) -> None:
    for firm in firms[fitted.exact[0]]:
        raise EventStudyError(
            f"The returns of {firm!r} are an exact function of the market's: leave it out or choose "
            "another benchmark."
        )
