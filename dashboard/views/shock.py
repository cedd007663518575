"""The charts of an event's story, by the names that pages and exports use."""

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pandas as pd

from dashboard.analysis.record_book import Records
from dashboard.analysis.returns import equal_weighted, rebase
from dashboard.charts.chart import Chart
from dashboard.charts.losses import losses_dollars, losses_percent
from dashboard.charts.market_map import market_map
from dashboard.charts.recovery import recovery
from dashboard.charts.timeline import timeline
from dashboard.charts.who_moved import who_moved
from dashboard.views.headline import lead
from dashboard.views.proportion import in_proportion
from dashboard.views.record_book import book
from dashboard.views.records import read_records
from dashboard.views.request import Heeds, Maker, NothingToShow, Request
from dashboard.views.story import AFTER, Story, read_story

ALL = ("rows", "all")
LARGE = 10


@dataclass(frozen=True)
class Drawing:
    """What a chart of a story is drawn from.

    `chosen` tickers are in colour; `everybody`: every company and not the largest alone; `records` only where the
    chart needs them.
    """

    story: Story
    theme: str
    chosen: tuple[str, ...]
    everybody: bool = False
    records: Records | None = None


def _timeline(asked: Drawing) -> Chart:
    story, session = asked.story, asked.story.event.market_session
    near = story.prices[story.prices["date"] <= pd.Timestamp(session + AFTER)]
    ai = near[near["ticker"].isin([*story.ai["ticker"], *asked.chosen])]
    rebased = rebase(ai, story.sessions)
    average = equal_weighted(rebased, story.ai.loc[story.on_the_day, "ticker"].tolist())
    return timeline(
        rebased,
        average,
        story.ranks,
        story.companies,
        story.timeline_events,
        story.event,
        asked.chosen,
        _with_rank_sources(story),
        asked.theme,
    )


def _with_rank_sources(story: Story) -> str:
    return (
        f"{story.source}; ranks: publications named on each point" if not story.ranks.empty else story.source
    )


def _percent(asked: Drawing) -> Chart:
    story = asked.story
    return losses_percent(story.ai, story.event.market_session, story.source, asked.theme)


def _dollars(asked: Drawing) -> Chart:
    story = asked.story
    if story.ai["value_change"].isna().all():
        raise NothingToShow(
            "No share counts are known from before this session, so there are no dollars to show."
        )
    return losses_dollars(story.ai, story.event.market_session, story.source_with_counts, asked.theme)


def _who(asked: Drawing) -> Chart:
    story = asked.story
    return who_moved(
        story.ai,
        story.event.market_session,
        story.source_with_counts,
        asked.theme,
        everybody=asked.everybody,
    )


def _market_map(asked: Drawing) -> Chart:
    story = asked.story
    return market_map(story.ai, story.event.market_session, story.source, asked.theme)


def _recovery(asked: Drawing) -> Chart:
    story = asked.story
    if story.recoveries.empty:
        raise NothingToShow("No AI company fell in this session, so there is nothing to recover.")
    order = story.ai.sort_values("value_change", na_position="last")["ticker"].tolist()
    names = story.companies.set_index("ticker")["name"]
    return recovery(story.recoveries, order, names, story.source, asked.theme, everybody=asked.everybody)


def _proportion(asked: Drawing) -> Chart:
    return in_proportion(asked.story, asked.records, asked.theme)


def _record_book(asked: Drawing) -> Chart:
    if asked.records is None:
        raise NothingToShow("No moves are known to compare.")
    return book(asked.story, asked.records, asked.theme)


_DRAW: dict[str, Callable[[Drawing], Chart]] = {
    "shock-proportion": _proportion,
    "shock-timeline": _timeline,
    "shock-losses": _who,
    "shock-losses-percent": _percent,
    "shock-losses-dollars": _dollars,
    "shock-map": _market_map,
    "record-book": _record_book,
    "shock-recovery": _recovery,
}
ON_THE_PAGE = tuple(name for name in _DRAW if name not in ("shock-losses-percent", "shock-losses-dollars"))
FIRST = ("shock-proportion", "shock-losses")
"""What says fastest how much it was: a story opens with the first of these that it has."""
WITH_RECORDS = ("shock-proportion", "record-book")
WITH_ROWS = ("shock-losses", "shock-recovery")


def highlighted(story: Story) -> tuple[str, ...]:
    """The companies to draw in colour, the lead first.

    The two that moved most with it in dollars, of the ten largest the one furthest in percent, and the largest that
    went the other way.
    """
    top = lead(story)
    ranked = story.ai.dropna(subset=["change"]).assign(
        size=lambda rows: rows["value_change"].abs().fillna(0), move=lambda rows: rows["change"].abs()
    )
    along = (ranked["change"] < 0) == (story.mean < 0 if top.company is None else top.falls)
    with_it, against = ranked[along], ranked[~along]
    chosen = [top.ticker] if top.ticker else []
    largest = with_it.sort_values("size", ascending=False)["ticker"]
    chosen += [ticker for ticker in largest if ticker not in chosen][: 3 - len(chosen)]
    large = with_it.sort_values("size", ascending=False).head(LARGE)
    chosen += list(large.sort_values("move", ascending=False)["ticker"].head(1))
    chosen += list(against.sort_values("size", ascending=False)["ticker"].head(1))
    return tuple(dict.fromkeys(chosen))


def draw(
    story: Story,
    name: str,
    theme: str,
    chosen: tuple[str, ...] | None = None,
    records: Records | None = None,
    *,
    everybody: bool = False,
) -> Chart:
    """The chart called `name` of a story that has been read; `chosen` tickers (or our own choice) in colour."""
    own = highlighted(story) if chosen is None else chosen
    return _DRAW[name](Drawing(story, theme, own, everybody, records))


def _maker(name: str) -> Maker:
    def make(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
        return draw(
            read_story(con, request.event_id),
            name,
            request.theme,
            request.tickers or None,
            read_records(con) if name in WITH_RECORDS else None,
            everybody=ALL in request.options,
        )

    return make


CHARTS: dict[str, Maker] = {name: _maker(name) for name in _DRAW}
HEEDS: dict[str, Heeds] = {
    name: Heeds(
        tickers="company" if name == "shock-timeline" else "",
        options={"rows": ("largest", "all")} if name in WITH_ROWS else {},
    )
    for name in _DRAW
}
