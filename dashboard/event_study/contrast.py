"""Two groups on one date: the exposed firms against those that are not, as a long-short portfolio."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from dashboard.event_study.battery import run_battery
from dashboard.event_study.catalogue import TESTS
from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.panel import FloatArray, Market
from dashboard.event_study.portfolio import Portfolio, portfolio
from dashboard.event_study.study import ESTIMATION, EVENT_WINDOW, WINDOWS, Study, fit_study
from dashboard.event_study.tables import CONFIDENCE, band, placebo_table, tests_table
from dashboard.event_study.time_series import crude_dependence, placebo, portfolio_regression
from dashboard.event_study.validity import judge
from dashboard.event_study.windows import Scopes, Window, make_scopes


@dataclass(frozen=True)
class Contrast:
    """The result of `run_contrast`.

    Attributes:
        exposed: the study of the exposed firms.
        unexposed: the study of the others.
        aar: one row an event day: session, exposed, unexposed (their AARs), difference, difference_low,
            difference_high, cumulative, cumulative_low, cumulative_high (95% bands of the portfolio
            regression).
        tests: columns as in `Study.tests`; crude_dependence, portfolio_regression and placebo of the
            difference.
        placebo: columns as in `Study.placebo`, of the difference.
        gap: the difference as a portfolio (a batch of one).
    """

    exposed: Study
    unexposed: Study
    aar: pd.DataFrame
    tests: pd.DataFrame
    placebo: pd.DataFrame
    gap: Portfolio

    def path(self, first: int = 0) -> pd.DataFrame:
        """Both groups cumulated from day `first` on, from the session before it.

        Index day: session, exposed, unexposed, difference, difference_low and difference_high (where 95% of the
        differences lie when nothing sets the groups apart); fractions.
        """
        one, other = self.exposed.path(first), self.unexposed.path(first)
        days = self.aar.index.to_numpy()
        windows = [(first, int(day)) for day in days[days >= first]]
        scopes = make_scopes((int(days[0]), int(days[-1])), windows, days=False)
        half = stdtrit(self.gap.df[0, 0], (1 + CONFIDENCE) / 2) * self.gap.standard_error(scopes)[0]
        table = one[["session"]].assign(exposed=one["caar"], unexposed=other["caar"])
        table["difference"] = table["exposed"] - table["unexposed"]
        width = pd.Series(half, days[days >= first]).reindex(table.index).fillna(0.0)
        return table.assign(difference_low=-width, difference_high=width)


def run_contrast(
    returns: pd.DataFrame,
    market: Market,
    event_date: object,
    exposed: Sequence[str],
    unexposed: Sequence[str],
    model: str = "market",
    estimation: Window = ESTIMATION,
    event_window: Window = EVENT_WINDOW,
    windows: Sequence[Window] = WINDOWS,
    min_observations: int | None = None,
) -> Contrast:
    """Test d_t = AAR of the exposed - AAR of the unexposed, day by day and window by window.

    What moved all firms alike cancels, and so does most of what the benchmark took from the event. The
    group's own history gives the variance (Brown and Warner 1985; Karafiath 1988; Gelbach, Helland and
    Klick 2013).

    Args: `exposed` and `unexposed` are columns of `returns`, none in both; the others as in `run_study`.

    Raises:
        EventStudyError: as in `run_study`; a group is empty, names a firm that is not in the returns, or
            shares one with the other group.
    """
    _check_groups(returns, exposed, unexposed)
    settings = (market, event_date, model, estimation, event_window, windows, min_observations, "skip")
    one = fit_study(returns[list(exposed)], *settings)
    other = fit_study(returns[list(unexposed)], *settings)
    batteries = [run_battery(group.fit, group.scopes) for group in (one, other)]
    both = fit_study(returns[[*one.firms, *other.firms]], *settings)
    signs = np.repeat([1.0, -1.0], [len(one.firms), len(other.firms)])
    scopes = both.scopes
    difference = portfolio(both.fit, scopes, signs)
    outcomes = {
        "crude_dependence": crude_dependence(difference, scopes),
        "portfolio_regression": portfolio_regression(difference, scopes),
        "placebo": placebo(difference, scopes),
    }
    smaller = min(len(one.firms), len(other.firms))
    verdicts = judge(both.fit, scopes, (TESTS[name] for name in outcomes), smaller)
    fewest = np.minimum(batteries[0].n_firms, batteries[1].n_firms)[0]
    sessions = both.panel.sessions
    return Contrast(
        Study(one, batteries[0]),
        Study(other, batteries[1]),
        _table(sessions[both.event], scopes, [each.portfolio.aar[0] for each in batteries], difference),
        tests_table(outcomes, fewest, difference.caar[0], scopes, TESTS, verdicts),
        placebo_table(sessions[both.estimation], difference, scopes),
        difference,
    )


def _check_groups(returns: pd.DataFrame, exposed: Sequence[str], unexposed: Sequence[str]) -> None:
    for name, group in (("exposed", exposed), ("unexposed", unexposed)):
        if not len(group):
            raise EventStudyError(f"The {name} group is empty.")
        absent = [firm for firm in group if firm not in returns.columns]
        if absent:
            raise EventStudyError(f"{absent[0]!r} of the {name} group is not in the returns.")
    both = [firm for firm in exposed if firm in set(unexposed)]
    if both:
        raise EventStudyError(f"{both[0]!r} is in both groups.")


def _table(
    sessions: pd.DatetimeIndex, scopes: Scopes, groups: Sequence[FloatArray], gap: Portfolio
) -> pd.DataFrame:
    day_half, window_half = band(gap, scopes.days)
    difference = gap.aar[0]
    cumulative = np.cumsum(difference)
    exposed, unexposed = groups
    return pd.DataFrame(
        {
            "session": sessions,
            "exposed": exposed,
            "unexposed": unexposed,
            "difference": difference,
            "difference_low": difference - day_half,
            "difference_high": difference + day_half,
            "cumulative": cumulative,
            "cumulative_low": cumulative - window_half,
            "cumulative_high": cumulative + window_half,
        },
        index=pd.Index(scopes.days, name="day"),
    )
