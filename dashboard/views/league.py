"""The league of all events in one state of the warehouse: read and computed once, for the page and the exports."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.analysis import league as figures
from dashboard.analysis.many_events import PATH, Measured, measure, panel_of
from dashboard.charts import words
from dashboard.data import market
from dashboard.data.day_notes import day_notes
from dashboard.data.events import Event, events
from dashboard.data.study_inputs import (
    ALL_AI,
    NothingToStudyError,
    StudyInputs,
    groups,
    load_study_inputs,
    slug,
)
from dashboard.event_study import EventStudyError, simple_returns
from dashboard.event_study.panel import Panel
from dashboard.event_study.study import ESTIMATION
from dashboard.views.request import NothingToShow

YARDSTICK = "SPY"
LEVEL = 0.05
NO_SEGMENTS = ("Benchmark", "Sector fund", "Index")
OUTSIDE = "Outside AI"
"""Drawn last, to compare with."""
FEWEST_FOR_RIBBON = 71
"""The first session with the 60 returns before its gap of ten that a market model needs."""


@dataclass(frozen=True)
class League:
    """All events on one yardstick.

    Attributes:
        events: those with a session in the data, oldest first.
        table: one row an event by event_id, see `read_league`.
        moved: the AI companies' own moves in the first session after each event, see `analysis.league.reactions`.
        ai: the AI companies around each event's session.
        panel: returns of all firms and of the yardstick.
        members: firms (sessions × firms) that have the role AI in each session.
        companies: every company, as `dashboard.data.market.companies` returns them.
        segments: title of each segment by its short name.
        notes: see `dashboard.data.day_notes`.
        source: the source line.
    """

    events: tuple[Event, ...]
    table: pd.DataFrame = field(repr=False)
    moved: pd.DataFrame = field(repr=False)
    ai: Measured = field(repr=False)
    panel: Panel = field(repr=False)
    members: NDArray[np.bool_] = field(repr=False)
    companies: pd.DataFrame = field(repr=False)
    segments: dict[str, str] = field(repr=False)
    notes: pd.DataFrame = field(repr=False)
    source: str

    @property
    def ranked(self) -> pd.DataFrame:
        """The rows of the events that are no confounders."""
        return self.table[self.table["kind"] != figures.CONFOUNDER]

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """The row of each event's session in the panel."""
        return np.asarray(self.panel.sessions.get_indexer(pd.DatetimeIndex(self.table["session"])))

    @cached_property
    def paths(self) -> pd.DataFrame:
        """Cumulative average abnormal return of the AI companies, events × days −10 to +20; 0 at day −1."""
        return pd.DataFrame(from_the_day_before(self.ai), index=self.table.index, columns=_days(self.ai))

    @cached_property
    def days(self) -> pd.DataFrame:
        """One row a session: date, change (AI mean), companies, abnormal, firms, event_id, explanation, …

        `event_id` is that of the session's first event ("" without), `title` its title; `explanation`, `cause`,
        `note_source` and `note_url` come from the day's note ("" without). `abnormal` is missing on the first
        sessions, before which there is no history to fit a market model to.
        """
        sessions = self.panel.sessions
        change, companies = figures.mean_changes(self.panel.returns.T, self.members)
        days = pd.DataFrame({"date": sessions, "change": change, "companies": companies, "abnormal": np.nan})
        late = np.arange(min(FEWEST_FOR_RIBBON, len(sessions)), len(sessions))
        if len(late):
            days.loc[late, "abnormal"] = measure(self.panel, late, self.members[late], (0, 0)).day(0)
        return self._explained(days)

    def _explained(self, days: pd.DataFrame) -> pd.DataFrame:
        first = in_own_order(self.table).drop_duplicates("session")
        named = first.reset_index()[["session", "event_id", "title", "kind"]]
        noted = self.notes.rename(columns={"source": "note_source", "source_url": "note_url"})
        days = days.merge(named, how="left", left_on="date", right_on="session").drop(columns="session")
        days = days.merge(noted.assign(date=pd.to_datetime(noted["date"])), how="left", on="date")
        texts = ["event_id", "title", "kind", "cause", "explanation", "note_source", "note_url"]
        days[texts] = days[texts].fillna("")
        return days.drop(columns="confidence")

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row an event and segment: event_id, segment (short name), abnormal, firms, p, p_bh.

        `p_bh` is Benjamini and Hochberg's p-value among all cells of the events that are no confounders.
        """
        rows = []
        for name in self.segments:
            group = self.group(name)[self.positions]
            around = measure(self.panel, self.positions, group, (0, 0))
            rows.append(
                pd.DataFrame(
                    {
                        "event_id": self.table.index,
                        "segment": name,
                        "abnormal": around.day(0),
                        "firms": around.firms,
                        "p": around.p,
                    }
                )
            )
        cells = pd.concat(rows, ignore_index=True)
        ranked = cells["event_id"].isin(self.ranked.index)
        return cells.assign(p_bh=figures.adjusted(cells["p"], ranked)["p_bh"])

    @cached_property
    def group_names(self) -> dict[str, str]:
        """What can be set beside each other: "ai", the segments by short name, the companies by ticker, with names."""
        names = self.companies.set_index("ticker")["name"]
        firms = {ticker: str(names[ticker]) for ticker in self.panel.firms}
        return {ALL_AI: "AI companies", **self.segments, **firms}

    def group(self, name: str) -> NDArray[np.bool_]:
        """The members (sessions × firms) of one of the `group_names`."""
        firms = self.panel.firms
        if name == ALL_AI:
            return self.members
        if name in self.segments:
            inside = self.companies.loc[self.companies["segment"] == self.segments[name], "ticker"]
            return np.broadcast_to(firms.isin(inside), self.members.shape)
        return np.broadcast_to(firms == name, self.members.shape)

    def around(self, name: str, event_ids: Sequence[str]) -> Measured:
        """A group (see `group`) around the sessions of some events."""
        rows = self.table.index.get_indexer(list(event_ids))
        positions = self.positions[rows]
        return measure(self.panel, positions, self.group(name)[positions])


def in_own_order(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with the market's own events (moves, results, rules) first, confounders last; else as they stand."""
    first = ["market", "earnings", "policy", "investment"]
    place = table["kind"].map({**{kind: place for place, kind in enumerate(first)}, figures.CONFOUNDER: 9})
    return table.loc[place.fillna(len(first)).sort_values(kind="stable").index]


def from_the_day_before(measured: Measured) -> NDArray[np.float64]:
    """The average abnormal returns added up from day 0 on, and backwards before it, so that day −1 is 0 (B × W)."""
    zero = -measured.window[0]
    after = np.cumsum(measured.aar[:, zero:], axis=1)
    before = -np.cumsum(measured.aar[:, zero - 1 : 0 : -1], axis=1)[:, ::-1]
    return np.concatenate([before, np.zeros((len(after), 1)), after], axis=1)


def _days(measured: Measured) -> range:
    return range(measured.window[0], measured.window[1] + 1)


def read_league(con: duckdb.DuckDBPyConnection) -> League:
    """Read and compute the league.

    The columns of its table, by event_id, oldest first: title, kind, occurred_at, session; mean_change (of the AI
    companies that existed) and companies; abnormal, abnormal_0_1 (against the S&P 500 fund), firms and left_out (names
    of the companies of the mean that are not among them: they have too few earlier sessions); lost, gained,
    value_change (US dollars by the share counts of the day) and valued; lead, lead_name, lead_change; recovered
    (sessions, 0: did not fall, inf: not yet); ordinary_days, as_large, share (of ordinary days that moved as much); t,
    p, p_holm, p_bh; same_session, next_session, session_before (ids). Changes are fractions.

    Raises
    ------
    NothingToShow
        When there are no prices of the AI companies and the yardstick, or none around any event.
    """
    inputs, panel = _panel(con)
    known = [event for event in events(con) if pd.Timestamp(event.market_session) in panel.sessions]
    if not known:
        raise NothingToShow(
            "No event of the list lies inside the prices.",
            "`python -m etl refresh --since` brings in earlier ones.",
        )
    companies = market.companies(con)
    ai_from = companies[companies["role"] == "AI"].set_index("ticker")["ai_from"]
    members = figures.members_on(panel.firms, pd.to_datetime(ai_from), panel.sessions)
    table = _dated(known)
    positions = panel.sessions.get_indexer(pd.DatetimeIndex(table["session"]))
    ai = measure(panel, positions, members[positions])
    moved = _reactions(con, known, companies)
    parts = (
        _moved(inputs.universe, panel, members, positions, ai, table.index),
        _left_out(panel, members[positions], positions, ai, table.index, companies),
        _valued(moved, known),
        figures.overlaps(table.index, positions),
    )
    table = table.join(list(parts))
    table = table.join(figures.adjusted(table["p"], table["kind"] != figures.CONFOUNDER))
    return League(
        tuple(known),
        table,
        moved,
        ai,
        panel,
        members,
        companies,
        _segments(con),
        day_notes(con),
        _source(con, panel),
    )


def _segments(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    titles = [title for name, title in groups(con).items() if name != ALL_AI and title not in NO_SEGMENTS]
    titles.sort(key=lambda title: title == OUTSIDE)
    return {slug(title): title for title in titles}


def _panel(con: duckdb.DuckDBPyConnection) -> tuple[StudyInputs, Panel]:
    try:
        inputs = load_study_inputs(con, ALL_AI)
        if YARDSTICK not in inputs.benchmarks:
            raise NothingToShow(
                f"There are no prices of {YARDSTICK}, the yardstick of all events.",
                "`python -m etl refresh` brings them in.",
            )
        returns = simple_returns(inputs.universe)
        panel = panel_of(returns, simple_returns(inputs.benchmarks)[YARDSTICK])
    except (NothingToStudyError, EventStudyError) as error:
        raise NothingToShow(str(error), error.step) from error
    return inputs, panel


def _dated(known: Sequence[Event]) -> pd.DataFrame:
    rows = [
        (event.event_id, event.title, event.kind, event.occurred_at, event.market_session) for event in known
    ]
    table = pd.DataFrame(rows, columns=["event_id", "title", "kind", "occurred_at", "session"])
    return table.assign(session=pd.to_datetime(table["session"])).set_index("event_id")


def _moved(
    prices: pd.DataFrame,
    panel: Panel,
    members: NDArray[np.bool_],
    positions: NDArray[np.int64],
    ai: Measured,
    index: pd.Index,
) -> pd.DataFrame:
    """What the AI companies did around each event, and how unusual it was."""
    change, companies = figures.mean_changes(panel.returns.T[positions], members[positions])
    ordinary, as_large = figures.ordinary_days(ai, positions, ESTIMATION[0], positions)
    closes = prices[panel.firms].to_numpy(
        dtype=float
    )  # one row more than returns: the session before the first
    whole = positions + ESTIMATION[0] >= 0
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(whole & (ordinary > 0), as_large / ordinary, np.nan)
    return pd.DataFrame(
        {
            "mean_change": change,
            "companies": companies,
            "abnormal": ai.day(0),
            "abnormal_0_1": ai.over(0, 1),
            "firms": ai.firms,
            "recovered": figures.recovered_after(closes, positions + 1, members[positions]),
            "ordinary_days": np.where(whole, ordinary, 0),
            "as_large": np.where(whole, as_large, 0),
            "share": share,
            "t": ai.t,
            "p": ai.p,
        },
        index=index,
    )


def _left_out(
    panel: Panel,
    members: NDArray[np.bool_],
    positions: NDArray[np.int64],
    ai: Measured,
    index: pd.Index,
    companies: pd.DataFrame,
) -> pd.Series:
    """The companies of each event's mean that have no abnormal return, where others have one."""
    names = panel.firms.map(companies.set_index("ticker")["name"]).to_numpy()
    traded = members & np.isfinite(panel.returns.T[positions])
    without = traded & ~ai.present & ai.present.any(axis=1, keepdims=True)
    return pd.Series([list(names[row]) for row in without], index=index, name="left_out")


def _reactions(
    con: duckdb.DuckDBPyConnection, known: Sequence[Event], companies: pd.DataFrame
) -> pd.DataFrame:
    firms = companies.loc[companies["role"] == "AI", ["ticker", "exchange", "ai_from"]]
    exchanges = firms["exchange"].unique()
    sessions = pd.DataFrame(
        [
            (event.event_id, event.market_session, exchange, event.session_on(exchange))
            for event in known
            for exchange in exchanges
        ],
        columns=["event_id", "market_session", "exchange", "session"],
    )
    pairs = sessions.merge(firms, on="exchange")
    late = pd.to_datetime(pairs["ai_from"]) > pd.to_datetime(pairs["market_session"])
    pairs = pairs.loc[~late, ["event_id", "ticker", "session"]]
    moves = market.value_moves(con, start=min(event.market_session for event in known))
    return figures.reactions(moves, pairs)


def _valued(moved: pd.DataFrame, known: Sequence[Event]) -> pd.DataFrame:
    """Dollars lost and gained by the AI companies of the day, and the move of the company that leads the event."""
    named = pd.Series({event.event_id: getattr(event, "lead", "") or "" for event in known})
    return figures.dollars(moved).join(figures.leads(moved, named), how="outer")


def _source(con: duckdb.DuckDBPyConnection, panel: Panel) -> str:
    first, last = panel.sessions[0].date(), panel.sessions[-1].date()
    sources = words.listed(market.price_sources(con, first, last))
    return f"Source: {sources}; share counts: company reports; own calculation on prices to {words.day(last)}"


def cumulative(measured: Measured) -> pd.DataFrame:
    """`from_the_day_before` with the days as columns."""
    return pd.DataFrame(from_the_day_before(measured), columns=_days(measured))


__all__ = ["PATH", "League", "cumulative", "read_league"]
