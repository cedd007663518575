"""The story of one event: what the warehouse holds on it, and its charts by name."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import duckdb
import pandas as pd

from dashboard.analysis.losses import MAX_DELAY_DAYS, Totals, session_changes, totals
from dashboard.analysis.ranks import first_at_top, on_market_clock
from dashboard.analysis.recovery import recoveries
from dashboard.charts import words
from dashboard.data import market, rankings
from dashboard.data.events import Event, events
from dashboard.data.study_inputs import NEW_YORK
from dashboard.views.request import NothingToShow, asked_event

BEFORE = timedelta(days=21)
AFTER = timedelta(days=44)
"""What the timeline shows around the session: two weeks of trading before it, and the thirty sessions after."""
ELSEWHERE = timedelta(days=2 * MAX_DELAY_DAYS)
"""How far from New York's session another exchange's may lie, its holidays and a missing price included."""
RIVALS = ("DeepSeek", "ChatGPT")
MARKET = "SPY"


@dataclass(frozen=True)
class Story:
    """What the warehouse holds on one event, read once.

    `prices`: every bar from three weeks before the event's session to the end of the data (see
    `dashboard.data.market.daily_prices`); `sessions`: the first session of each ticker that could react; `changes`:
    see `dashboard.analysis.losses.session_changes`;
    `ranks`: the rivals' ranks on the market's clock; `first_at_top`: the first rank at no. 1 of the first rival in
    all of the data, None where there is none.
    """

    event: Event
    timeline_events: tuple[Event, ...]
    companies: pd.DataFrame = field(repr=False)
    prices: pd.DataFrame = field(repr=False)
    sessions: pd.Series = field(repr=False)
    changes: pd.DataFrame = field(repr=False)
    ranks: pd.DataFrame = field(repr=False)
    first_at_top: pd.Series | None = field(repr=False)
    price_sources: tuple[str, ...]

    @cached_property
    def ai(self) -> pd.DataFrame:
        """The rows of `changes` of the AI companies."""
        return self.changes[self.changes["role"] == "AI"]

    @cached_property
    def on_the_day(self) -> pd.Series:
        """Which rows of `ai` traded in the event's own session in New York."""
        at_home = self.ai["exchange"].isin(NEW_YORK) & self.ai["change"].notna()
        return at_home & (self.ai["on"] == pd.Timestamp(self.event.market_session))

    @cached_property
    def mean(self) -> float:
        """The mean change of the AI companies that traded in New York's session, each counted alike (a fraction)."""
        return float(self.ai.loc[self.on_the_day, "change"].mean())

    @property
    def traded(self) -> int:
        """How many companies that mean is of."""
        return int(self.on_the_day.sum())

    @property
    def changed(self) -> int:
        """How many AI companies have a change, also those whose exchange opened later."""
        return int(self.ai["change"].notna().sum())

    @property
    def fell(self) -> int:
        """How many AI companies fell."""
        return int((self.ai["change"] < 0).sum())

    @property
    def rose(self) -> int:
        """How many AI companies rose."""
        return int((self.ai["change"] > 0).sum())

    def change_of(self, ticker: str) -> float:
        """The change of a company or fund in the session (a fraction); NaN where it has none."""
        rows = self.changes.loc[self.changes["ticker"] == ticker, "change"]
        return float(rows.iloc[0]) if len(rows) else float("nan")

    def value_of(self, ticker: str) -> float:
        """The change of a company's market value in the session, in US dollars; NaN where it is not known."""
        rows = self.changes.loc[self.changes["ticker"] == ticker, "value_change"]
        return float(rows.iloc[0]) if len(rows) else float("nan")

    @property
    def market(self) -> float:
        """The change of the S&P 500 in the session (a fraction)."""
        return self.change_of(MARKET)

    @cached_property
    def traded_names(self) -> dict[str, str]:
        """The names of the AI companies with a change, by ticker, in the order of the names; equal ones told apart."""
        traded = self.ai.dropna(subset=["change"])
        twice = traded["name"].duplicated(keep=False)
        names = traded["name"].where(~twice, traded["name"] + " (" + traded["ticker"] + ")")
        return dict(sorted(zip(traded["ticker"], names, strict=True), key=lambda pair: pair[1].casefold()))

    @cached_property
    def totals(self) -> Totals:
        """Market value that the AI companies lost and gained in the event's session."""
        return totals(self.changes)

    @cached_property
    def recoveries(self) -> pd.DataFrame:
        """Drawdown and recovery of the AI companies that fell."""
        tickers = set(self.ai["ticker"])
        return recoveries(self.prices[self.prices["ticker"].isin(tickers)], self.sessions)

    @cached_property
    def source(self) -> str:
        """The source line of the price charts."""
        last = self.prices["date"].max().date()
        return f"Source: {words.listed(list(self.price_sources))}; prices to the close of {words.day(last)}"

    @cached_property
    def source_with_counts(self) -> str:
        """The source line of charts that also use share counts."""
        return f"{self.source}; share counts: company reports"


def no_prices_around(session: date, span: tuple[date, date] | None) -> NothingToShow:
    """What to say and do about a session that the prices do not reach."""
    reach = f"they reach from {words.day(span[0])} to {words.day(span[1])}" if span else "there are none yet"
    return NothingToShow(
        f"There are no prices around {words.day(session)} ({reach}): choose an event inside the data.",
        f"`python -m etl refresh --since {session - BEFORE}` brings them in.",
    )


def read_story(con: duckdb.DuckDBPyConnection, event_id: str) -> Story:
    """Read all that the story of an event, or of a day ("2024-09-03"), needs, in one state of the warehouse.

    Raises
    ------
    NothingToShow
        When the event is not known, or there are no prices on both sides of it.
    """
    known = events(con)
    event = asked_event(con, event_id)
    session = event.market_session
    start, last = session - BEFORE, (market.span(con) or (session, session))[1]
    prices = market.daily_prices(con, start, last)
    companies = market.companies(con, on=session)
    sessions = event.sessions_of(companies)
    moves = market.value_moves(con, session - ELSEWHERE, session + ELSEWHERE)
    changes = session_changes(prices, companies, moves, sessions)
    if not (changes["change"].notna() & (changes["role"] == "AI")).any():
        raise no_prices_around(session, market.span(con))
    ranks = on_market_clock(rankings.ranks(con, date.min, session + AFTER, RIVALS))
    return Story(
        event=event,
        timeline_events=tuple(e for e in known if start <= e.occurred_at.date() <= session + AFTER),
        companies=companies,
        prices=prices,
        sessions=sessions,
        changes=changes,
        ranks=ranks[ranks["moment"] >= pd.Timestamp(start)],
        first_at_top=first_at_top(ranks, RIVALS[0]),
        price_sources=tuple(market.price_sources(con, start, session + AFTER)),
    )
