"""Benchmarks, and how much the answer depends on them.

A value-weighted market that fell BECAUSE of the event absorbs part of what is to be measured: the same
study against an equal-weight benchmark and against the market without the treated firms shows how much. A
benchmark that consists of the treated firms measures them by themselves and is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dashboard.event_study.catalogue import TESTS
from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.gaps import simple_returns
from dashboard.event_study.study import Study, run_study

EQUAL_WEIGHT, EX_TREATED, EX_TREATED_VALUE = "equal-weight", "ex-treated", "ex-treated-value"
# Share of the AI companies in the index whose worth may be unknown.
MOST_UNKNOWN = 0.1
INDEX_EX_AI, INDEX_FUND = "sp500-ex-ai", "SPY"
# Share of a benchmark that the event may treat, and the fewest members that are more than these firms' own news.
MOST_TREATED, FEWEST_MEMBERS = 0.2, 5


@dataclass(frozen=True)
class Benchmark:
    """A benchmark's return, and where its members are known how many they are and which share the event treats.

    `about` says in words what it is where that is more than its members.
    """

    name: str
    returns: pd.Series
    firms: int | None = None
    treated: int | None = None
    about: str = ""

    @property
    def fair(self) -> bool:
        """Whether it has five members and at most a fifth of them are treated by the event; a fund counts as fair."""
        if self.firms is None:
            return True
        return self.firms >= FEWEST_MEMBERS and (self.treated or 0) <= MOST_TREATED * self.firms

    def describe(self) -> str:
        """Its members in words."""
        if self.about:
            return self.about
        if self.firms is None:
            return "a fund, whose members are not followed"
        members = f"{self.firms} firm{'' if self.firms == 1 else 's'}"
        return f"{members}, {(self.treated or 0) / self.firms:.0%} of them treated by the event"


def equal_weight_benchmark(returns: pd.DataFrame) -> pd.Series:
    """Mean return of all firms that have one, session by session (NaN where none has)."""
    return returns.mean(axis=1).rename("equal-weight")


def market_without(
    returns: pd.DataFrame, treated: Sequence[str], weights: pd.Series | None = None
) -> pd.Series:
    """Return of the market less the treated firms.

    Args:
        returns: sessions × all firms of the market.
        treated: columns to leave out; names that are no column are not an error.
        weights: one positive number a firm (its market value before the estimation window, say); equal when
            None.

    Raises:
        EventStudyError: nothing is left, or a firm has no weight.
    """
    rest = returns.drop(columns=[firm for firm in treated if firm in returns.columns])
    if not rest.shape[1]:
        raise EventStudyError("The market without the treated firms is empty.")
    if weights is None:
        return rest.mean(axis=1).rename("ex-treated")
    share = weights.reindex(rest.columns)
    if share.isna().any() or (share <= 0).any():
        raise EventStudyError(f"{share.index[share.isna() | (share <= 0)][0]!r} has no positive weight.")
    there = rest.notna().mul(share, axis=1)
    return (rest.mul(share, axis=1).sum(axis=1) / there.sum(axis=1).replace(0.0, np.nan)).rename("ex-treated")


@dataclass(frozen=True)
class IndexParts:
    """What the S&P 500 was worth, and what its AI companies were.

    Attributes:
        worth: US dollars of the whole index at the close before each session, NaN where not known.
        moves: one row an AI company in the index and session: date, value_before (US dollars at the close before, NaN
            where not known), change (fraction).
        session: of the event, or a date that rolls forward to it.
    """

    session: pd.Timestamp
    worth: pd.Series
    moves: pd.DataFrame

    def without(self, fund: pd.Series) -> Benchmark | None:
        """The index without its AI companies, by value: (R·V - Σ r·v)/(V - Σ v) on each session.

        R is the return of a fund on the index, V its worth and r and v those of the companies. No return on a session
        on which the worth of more than a tenth of them is not known; None where that of the event is such a one.
        """
        inside = self.moves.assign(gain=self.moves["value_before"] * self.moves["change"])
        daily = inside.groupby("date").agg(
            gain=("gain", "sum"),
            value=("value_before", "sum"),
            known=("gain", "count"),
            firms=("gain", "size"),
        )
        daily = daily[daily["known"] >= (1 - MOST_UNKNOWN) * daily["firms"]].reindex(fund.index)
        worth = self.worth.reindex(fund.index)
        returns = (fund * worth - daily["gain"]) / (worth - daily["value"])
        day = returns.index.searchsorted(self.session)
        if day == len(returns) or pd.isna(returns.iloc[day]):
            return None
        count, share = int(daily["known"].iloc[day]), daily["value"].iloc[day] / worth.iloc[day]
        about = (
            f"the S&P 500 (SPY) less {count} AI companies in it, {share:.0%} of its value, counting all their shares, "
            "not only those that trade freely"
        )
        return Benchmark(INDEX_EX_AI, returns.rename(INDEX_EX_AI), about=about)


def benchmark_choices(
    funds: pd.DataFrame,
    universe: pd.DataFrame,
    treated: Sequence[str],
    values: pd.Series | None = None,
    index: IndexParts | None = None,
) -> dict[str, Benchmark]:
    """Every benchmark that prices allow: each fund, the mean of all firms, and the untreated ones.

    Args:
        funds: sessions × funds, dividend-adjusted prices.
        universe: sessions × followed firms, dividend-adjusted prices.
        treated: firms that the event treats: they are left out of the "ex-treated" ones.
        values: market value of each firm before the event; without them none is weighted by value.
        index: what the S&P 500 and its AI companies were worth.

    Returns:
        Name → benchmark: the funds' tickers, "equal-weight", and where a firm is left "ex-treated" and, of those with
        a value, "ex-treated-value"; "sp500-ex-ai" where `index` allows it.
    """
    fund_returns = simple_returns(funds) if funds.shape[1] else funds
    returns = simple_returns(universe)
    choices = {str(ticker): Benchmark(str(ticker), fund_returns[ticker]) for ticker in fund_returns}
    hit = [firm for firm in returns if firm in set(treated)]
    without = index.without(fund_returns[INDEX_FUND]) if index and INDEX_FUND in fund_returns else None
    if without:
        choices[INDEX_EX_AI] = without
    choices[EQUAL_WEIGHT] = Benchmark(
        EQUAL_WEIGHT, equal_weight_benchmark(returns), returns.shape[1], len(hit)
    )
    rest = returns.drop(columns=hit)
    if rest.shape[1]:
        choices[EX_TREATED] = Benchmark(EX_TREATED, market_without(returns, treated), rest.shape[1], 0)
    known = rest.columns[(values.reindex(rest.columns) > 0)] if values is not None else []
    if len(known):
        weighted = market_without(rest[known], [], values)
        choices[EX_TREATED_VALUE] = Benchmark(EX_TREATED_VALUE, weighted, len(known), 0)
    return choices


def choose_benchmark(choices: Mapping[str, Benchmark], name: str) -> Benchmark:
    """The benchmark called `name`.

    Raises:
        EventStudyError: more than a fifth of its members are firms that the event treats, or it has fewer than five.
    """
    chosen = choices[name]
    if chosen.firms is not None and chosen.firms < FEWEST_MEMBERS:
        raise EventStudyError(
            f"The benchmark {name!r} is refused: it is made of {chosen.describe()}, and {FEWEST_MEMBERS} are needed. "
            "Take SPY or RSP."
        )
    if not chosen.fair:
        raise EventStudyError(
            f"The benchmark {name!r} is refused: it is made of {chosen.describe()}, and more than "
            f"{MOST_TREATED:.0%} would measure the event by itself. Take SPY, RSP or ex-treated."
        )
    return chosen


def run_benchmark_check(
    returns: pd.DataFrame, benchmarks: Mapping[str, pd.Series], event_date: object, **settings: Any
) -> pd.DataFrame:
    """Run the same study against each benchmark.

    Args:
        returns: as in `run_study`.
        benchmarks: name → return on the sessions of the firms.
        event_date: as in `run_study`.
        settings: further arguments of `run_study`.

    Returns:
        One row a benchmark and window (in that order): benchmark, start, end, benchmark_return (compounded),
        mean_return (mean over firms of the raw return, summed over the days), caar, n (fewest firms of a
        day), and for each valid test its two-sided p-value, `<test>_p`. A benchmark that does not allow the study
        (its history is too short) is not among them: the table's `attrs["left_out"]` has a sentence for each.

    Raises:
        EventStudyError: as in `run_study`, when none allows it.
    """
    rows, left_out, last = [], [], None
    for name, benchmark in benchmarks.items():
        try:
            study = run_study(returns, benchmark, event_date, **settings)
        except EventStudyError as error:
            last = error
            left_out.append(f"{name} is not among the benchmarks. {error}")
            continue
        rows += _rows(name, benchmark, study)
    if not rows and last:
        raise last
    table = pd.DataFrame(rows)
    table.attrs["left_out"] = left_out
    return table


def _rows(name: str, benchmark: pd.Series, study: Study) -> list[dict[str, Any]]:
    """A row for each window of a study against a benchmark."""
    rows = []
    daily = benchmark.set_axis(pd.DatetimeIndex(benchmark.index)).reindex(study.event_sessions)
    daily.index = study.aar.index
    windowed = study.tests[study.tests["scope"] == "window"]
    for start, end in study.windows:
        days = study.aar.loc[start:end]
        row = {
            "benchmark": name,
            "start": start,
            "end": end,
            "benchmark_return": float((1 + daily.loc[start:end]).prod(skipna=False) - 1),
            "mean_return": float(days["mean_return"].sum(skipna=False)),
            "caar": float(days["aar"].sum(skipna=False)),
            "n": int(days["n"].min()),
        }
        here = windowed[(windowed["start"] == start) & (windowed["end"] == end)].set_index("test")["p_value"]
        row |= {f"{test.name}_p": here[test.name] for test in TESTS.values() if test.allows_correlation}
        rows.append(row)
    return rows
