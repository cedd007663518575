"""The story's day within the session: which companies are drawn, from which close, and which news fall into it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import duckdb
import pandas as pd

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.minutes import Day, day_by_minutes
from dashboard.data.events import Event
from dashboard.data.intraday import bars_within
from dashboard.data.market import source_words
from dashboard.views.headline import lead
from dashboard.views.request import Heeds, Maker, NothingToShow, Request
from dashboard.views.shock import highlighted
from dashboard.views.story import Story, read_story
from etl import calendars

BENCHMARKS = ("SPY", "QQQ", "SOXX")
MOST_COMPANIES, MOST_NEWS = 3, 4


def make(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
    """The chart of an event's session, minute by minute.

    Raises
    ------
    NothingToShow
        When the event is not known, there are no prices around it, or no bars within its day.
    """
    story = read_story(con, request.event_id)
    return by_minutes(story, read_bars(con, story), request.tickers, request.theme)


def read_bars(con: duckdb.DuckDBPyConnection, story: Story) -> pd.DataFrame:
    """The bars within the sessions of the story's companies, as `dashboard.data.intraday.bars_within` returns them."""
    return bars_within(con, (day.date() for day in story.changes["on"].dropna().unique()))


CHARTS: dict[str, Maker] = {"shock-minutes": make}
HEEDS = {"shock-minutes": Heeds(tickers="company")}


def by_minutes(story: Story, within: pd.DataFrame, asked: Sequence[str], theme: str) -> Chart:
    """The chart of a story that has been read: of the companies `asked` for, else of those that it is about.

    `within` as `dashboard.data.intraday.bars_within` returns it.

    Raises
    ------
    NothingToShow
        When no intraday bars of them are held.
    """
    top = lead(story)
    own = [top.ticker] if top.ticker else []
    rows = story.changes.set_index("ticker", drop=False)
    held = [
        ticker
        for ticker in dict.fromkeys(asked or [*own, *highlighted(story)])
        if _is_held(within, rows, ticker)
    ]
    if not held or (own and not asked and held[0] != own[0]):
        raise _nothing(story.event.market_session if not own else rows.at[own[0], "on"].date())
    first = rows.loc[held[0]]
    zone, session = calendars.time_zone(first["exchange"]), first["on"]
    most = len(held) if asked else 1 if own else MOST_COMPANIES
    tickers = [
        ticker
        for ticker in dict.fromkeys([*held[:most], *BENCHMARKS])
        if _is_held(within, rows, ticker)
        and rows.at[ticker, "on"] == session
        and calendars.time_zone(rows.at[ticker, "exchange"]) == zone
    ]
    bars = _lines(within, rows, tickers, session)
    names = story.companies.set_index("ticker")["name"]
    without = [str(names.get(ticker, ticker)) for ticker in asked if ticker not in tickers]
    day = replace(_day(story, first, bars, rows, zone), without=without)
    return day_by_minutes(day, _source(bars, story), theme)


def _is_held(within: pd.DataFrame, rows: pd.DataFrame, ticker: str) -> bool:
    """Whether there are bars of a company on its session, and a close before it to compare them with."""
    if (
        ticker not in rows.index
        or pd.isna(rows.at[ticker, "close_before"])
        or pd.isna(rows.at[ticker, "close"])
    ):
        return False
    return bool(((within["ticker"] == ticker) & (within["session"] == rows.at[ticker, "on"])).any())


def _nothing(session: date) -> NothingToShow:
    return NothingToShow(
        f"No intraday bars of {words.day(session)} are held: they are saved for days that were signalled or have an "
        "event, as long as Yahoo still has them.",
        f"`python -m etl refresh --source intraday --session {session}` brings them within 60 days, and "
        "`python -m etl import-prices FILE --interval 5m` takes a file.",
    )


def _lines(
    within: pd.DataFrame, rows: pd.DataFrame, tickers: Sequence[str], session: pd.Timestamp
) -> pd.DataFrame:
    parts = []
    for ticker in tickers:
        bars = within[(within["ticker"] == ticker) & (within["session"] == session)]
        length = pd.to_timedelta(bars["minutes"], unit="min")
        parts.append(
            bars.assign(
                name=rows.at[ticker, "name"],
                benchmark=bool(rows.at[ticker, "is_benchmark"]),
                ends=bars["local_time"] + length,
                ends_at=bars["starts_at"] + length,
                change=bars["close"] / rows.at[ticker, "close_before"] - 1,
            )
        )
    return pd.concat(parts, ignore_index=True)


def _day(story: Story, first: pd.Series, bars: pd.DataFrame, rows: pd.DataFrame, zone: str) -> Day:
    known = calendars.calendar(first["exchange"])
    place = known.sessions.get_loc(first["on"])
    opens, closes, before = (
        moment.tz_convert(zone).tz_localize(None)
        for moment in (known.opens[place], known.closes[place], known.closes[max(place - 1, 0)])
    )
    dated = [_on_clock(event, zone) for event in story.timeline_events if event.time_known]
    begin, end = min(bars["ends"].min(), opens), max(bars["ends"].max(), closes)
    news = [event for event in dated if begin <= event.occurred_at <= end]
    near = sorted(news, key=lambda event: (event.event_id != story.event.event_id, event.occurred_at))[
        :MOST_NEWS
    ]
    moment = known.opens[place].tz_convert(zone)
    city = zone.rpartition("/")[2].replace("_", " ")
    return Day(
        session=first["on"].date(),
        before=first["before"].date(),
        bars=bars,
        closed={
            ticker: float(rows.at[ticker, "close"] / rows.at[ticker, "close_before"] - 1)
            for ticker in bars["ticker"].unique()
        },
        opens=opens,
        closes=closes,
        clock=f"{city} time ({moment:%Z})",
        news=sorted(near, key=lambda event: event.occurred_at),
        focus=_on_clock(story.event, zone),
        earlier=[event for event in dated if before <= event.occurred_at < begin],
    )


def _on_clock(event: Event, zone: str) -> Event:
    """The event with its time on another clock; one whose time is not known stays as it is."""
    if not event.time_known:
        return event
    local = pd.Timestamp(event.moment, tz="UTC").tz_convert(zone).tz_localize(None)
    return replace(event, occurred_at=local.to_pydatetime())


def _source(bars: pd.DataFrame, story: Story) -> str:
    names = source_words(sorted(bars["source"].unique()))
    return f"Source: {words.listed(names)}; closes: {words.listed(list(story.price_sources))}"
