"""The story of one event: its figures, and each of its charts by a stable name.

This is where data, analysis and charts meet; pages and exports ask here and compute nothing themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import duckdb
import pandas as pd

from dashboard.analysis.losses import Totals, session_changes, totals
from dashboard.analysis.ranks import on_market_clock
from dashboard.analysis.recovery import recoveries
from dashboard.analysis.returns import equal_weighted, rebase
from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.losses import losses, market_map
from dashboard.charts.recovery import recovery
from dashboard.charts.timeline import timeline
from dashboard.data import market, rankings
from dashboard.data.events import Event, events

BEFORE = timedelta(days=14)
AFTER = timedelta(days=18)
RIVALS = ("DeepSeek", "ChatGPT")
HIGHLIGHTED = ("NVDA", "AVGO", "TSM", "VRT", "MSFT", "META", "AAPL")


class NothingToShow(Exception):
    """The warehouse has no prices around the event; the message says so and names the next step."""


@dataclass(frozen=True)
class Story:
    """What the warehouse holds on one event, read once.

    `prices`: every bar from two weeks before the event's session to the end of the data (see
    `dashboard.data.market.daily_prices`); `changes`: see `dashboard.analysis.losses.session_changes`;
    `ranks`: the rivals' ranks on the market's clock.
    """

    event: Event
    timeline_events: tuple[Event, ...]
    companies: pd.DataFrame = field(repr=False)
    prices: pd.DataFrame = field(repr=False)
    changes: pd.DataFrame = field(repr=False)
    ranks: pd.DataFrame = field(repr=False)
    price_sources: tuple[str, ...]

    @cached_property
    def ai(self) -> pd.DataFrame:
        """The rows of `changes` of the AI companies."""
        return self.changes[self.changes["role"] == "AI"]

    @cached_property
    def totals(self) -> Totals:
        """Market value that the AI companies lost and gained in the event's session."""
        return totals(self.changes)

    @cached_property
    def recoveries(self) -> pd.DataFrame:
        """Drawdown and recovery of the AI companies that fell."""
        tickers = set(self.ai["ticker"])
        return recoveries(self.prices[self.prices["ticker"].isin(tickers)], self.event.market_session)

    @cached_property
    def source(self) -> str:
        """The source line of the price charts."""
        last = self.prices["date"].max().date()
        return f"Source: {words.listed(list(self.price_sources))}; prices to the close of {words.day(last)}"

    @cached_property
    def source_with_counts(self) -> str:
        """The source line of charts that also use share counts."""
        return f"{self.source}; share counts: company reports"


def read_story(con: duckdb.DuckDBPyConnection, event_id: str) -> Story:
    """Read all that the story of an event needs, in one state of the warehouse.

    Raises
    ------
    NothingToShow
        When the event is not known, or there are no prices on both sides of it.
    """
    known = events(con)
    event = next((candidate for candidate in known if candidate.event_id == event_id), None)
    if event is None:
        raise NothingToShow(f"There is no event called “{event_id[:60]}”: choose one from the list.")
    session = event.market_session
    start, last = session - BEFORE, (market.span(con) or (session, session))[1]
    prices = market.daily_prices(con, start, last)
    companies = market.companies(con)
    changes = session_changes(
        prices, companies, market.shares_at(con, session), market.dollar_rates_at(con, session), session
    )
    if not (changes["change"].notna() & (changes["role"] == "AI")).any():
        raise NothingToShow(
            f"There are no prices around {words.day(session)}. Bring them in with `python -m etl refresh --since "
            f"{start}`, or choose an event inside the data."
        )
    ranks = rankings.ranks(con, start, session + AFTER, RIVALS)
    return Story(
        event=event,
        timeline_events=tuple(e for e in known if start <= e.occurred_at.date() <= session + AFTER),
        companies=companies,
        prices=prices,
        changes=changes,
        ranks=on_market_clock(ranks),
        price_sources=tuple(market.price_sources(con, start, session + AFTER)),
    )


def _timeline(story: Story, theme: str, highlighted: tuple[str, ...]) -> Chart:
    session = story.event.market_session
    near = story.prices[story.prices["date"] <= pd.Timestamp(session + AFTER)]
    ai = near[near["ticker"].isin(story.ai["ticker"])]
    rebased = rebase(ai, session)
    average = equal_weighted(rebased, story.ai["ticker"].tolist())
    return timeline(
        rebased,
        average,
        story.ranks,
        story.companies,
        story.timeline_events,
        story.event,
        highlighted,
        _with_rank_sources(story),
        theme,
    )


def _with_rank_sources(story: Story) -> str:
    return f"{story.source}; ranks: publications named on each point" if not story.ranks.empty else story.source


def _losses(story: Story, theme: str, highlighted: tuple[str, ...]) -> Chart:
    return losses(story.ai, story.event.market_session, story.source_with_counts, theme)


def _market_map(story: Story, theme: str, highlighted: tuple[str, ...]) -> Chart:
    return market_map(story.ai, story.event.market_session, story.source_with_counts, theme)


def _recovery(story: Story, theme: str, highlighted: tuple[str, ...]) -> Chart:
    names = story.companies.set_index("ticker")["name"]
    return recovery(story.recoveries, names, story.source, theme)


CHARTS: dict[str, Callable[[Story, str, tuple[str, ...]], Chart]] = {
    "shock-timeline": _timeline,
    "shock-losses": _losses,
    "shock-map": _market_map,
    "shock-recovery": _recovery,
}


def draw(story: Story, name: str, theme: str = "light", highlighted: tuple[str, ...] = HIGHLIGHTED) -> Chart:
    """The chart called `name` (a key of `CHARTS`) of a story, in the theme "light" or "dark"."""
    return CHARTS[name](story, theme, highlighted)


@dataclass(frozen=True)
class Figure:
    """One of the figures at the top of the page: label, value in words, what it means, and as of when."""

    label: str
    value: str
    detail: str
    definition: str


def headline(story: Story) -> str:
    """What happened, in one sentence with computed figures."""
    top = _lead(story)
    verb = "lost" if top["value_change"] < 0 else "gained"
    day = words.day(top["on"].date())
    first = _first_at_top(story)
    tail = f", the session after {first['app']} reached no. 1 on Apple’s US App Store" if first is not None else ""
    return f"{top['name']} {verb} {words.billions(abs(top['value_change']))} of market value on {day}{tail}."


def _lead(story: Story) -> pd.Series:
    return story.ai.loc[story.ai["value_change"].abs().idxmax()]


def _first_at_top(story: Story) -> pd.Series | None:
    top = story.ranks[(story.ranks["rank"] == 1) & (story.ranks["app"] == RIVALS[0])]
    session = pd.Timestamp(story.event.market_session)
    near = top[(top["moment"] < session + pd.Timedelta(hours=16)) & (top["moment"] > session - pd.Timedelta(days=4))]
    return None if near.empty else near.iloc[0]


def figures(story: Story) -> list[Figure]:
    """The figures at the top of the page, each with its definition and its date."""
    return [*_lead_figures(story), _total_figure(story), *_benchmark_figures(story), *_rank_figures(story), _back(story)]


def _lead_figures(story: Story) -> list[Figure]:
    top = _lead(story)
    day = words.day(top["on"].date())
    counted = words.day(top["shares_as_of"].date(), weekday=False)
    return [
        Figure(
            f"{top['name']}, share price",
            words.percent(top["change"], 2),
            f"{words.price(top['close_before'], top['currency'])} → {words.price(top['close'], top['currency'])}, {day}",
            f"Change of the closing price with dividends, from {words.day(top['before'].date())} to {day}.",
        ),
        Figure(
            f"{top['name']}, market value",
            words.billions(top["value_change"]),
            f"{top['shares'] / 1e6:,.0f} million shares, {counted}",
            f"Change of the close times the shares outstanding at the latest count before the day ({top['basis']}, "
            f"{counted}). Other counts give slightly other sums.",
        ),
    ]


def _total_figure(story: Story) -> Figure:
    both = story.totals
    return Figure(
        "AI companies, value lost",
        words.billions(both.lost),
        f"{both.losers} fell; {both.gainers} rose by {words.billions(both.gained)}",
        f"The sum of the falls in market value of {both.losers} AI companies on {words.day(story.event.market_session)}; "
        f"on balance with the winners {words.billions(both.net)}. {both.unknown} without a share count are left out.",
    )


def _benchmark_figures(story: Story) -> list[Figure]:
    rows = story.changes[(story.changes["ticker"] == "QQQ") & story.changes["change"].notna()]
    return [
        Figure(
            "Nasdaq-100 (QQQ)",
            words.percent(row.change, 2),
            words.day(row.on.date()),
            "Change of the QQQ fund’s closing price with dividends. The AI companies weigh heavily in it, so it "
            "fell because of the event itself and is no neutral yardstick.",
        )
        for row in rows.itertuples()
    ]


def _rank_figures(story: Story) -> list[Figure]:
    first = _first_at_top(story)
    if first is None:
        return []
    return [
        Figure(
            f"{first['app']}, US App Store",
            f"no. {first['rank']}",
            f"since {words.day(first['moment'].date())}, {first['evidence']}",
            f"Rank among Apple’s top free iPhone apps in the US, {first['evidence']} by {first['source']}. {first['note']}",
        )
    ]


def _back(story: Story) -> Figure:
    top = _lead(story)
    rows = story.recoveries[story.recoveries["ticker"] == top["ticker"]]
    definition = "Sessions until the first close, with dividends, at or above the last close before the event."
    if rows.empty:
        return Figure("Sessions to recover", "0", f"{top['name']} did not fall", definition)
    row = rows.iloc[0]
    if pd.isna(row["recovered"]):
        gap = words.percent(row["last_change"])
        return Figure("Sessions to recover", "not yet", f"{gap} at {words.day(row['last'].date())}", definition)
    return Figure(
        "Sessions to recover", str(row["sessions"]), f"{top['name']} was back on {words.day(row['recovered'].date())}", definition
    )


