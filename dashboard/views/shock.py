"""The charts of an event's story, by the names that pages and exports use."""

from collections.abc import Callable

import duckdb
import pandas as pd

from dashboard.analysis.losses import by_segment
from dashboard.analysis.returns import equal_weighted, rebase
from dashboard.charts.chart import Chart
from dashboard.charts.losses import losses_dollars, losses_percent
from dashboard.charts.market_map import WHOLE, market_map
from dashboard.charts.recovery import recovery
from dashboard.charts.timeline import timeline
from dashboard.views.request import Heeds, Maker, NothingToShow, Request
from dashboard.views.story import AFTER, Story, read_story

HIGHLIGHTED = ("NVDA", "AVGO", "TSM", "VRT", "MSFT", "META", "AAPL")


def _timeline(story: Story, theme: str, highlighted: tuple[str, ...]) -> Chart:
    session = story.event.market_session
    near = story.prices[story.prices["date"] <= pd.Timestamp(session + AFTER)]
    ai = near[near["ticker"].isin(story.ai["ticker"])]
    rebased = rebase(ai, story.sessions)
    # What an exchange closed before the event on the day of New York's session is no part of the session's mean.
    early = (rebased["date"] >= pd.Timestamp(session)) & (
        rebased["date"] < rebased["ticker"].map(story.sessions)
    )
    average = equal_weighted(rebased[~early], story.ai["ticker"].tolist())
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
    return (
        f"{story.source}; ranks: publications named on each point" if not story.ranks.empty else story.source
    )


def _percent(story: Story, theme: str, highlighted: tuple[str, ...]) -> Chart:
    return losses_percent(story.ai, story.event.market_session, story.source, theme)


def _require_dollars(story: Story) -> None:
    if story.ai["value_change"].isna().all():
        raise NothingToShow(
            "No share counts are known from before this session, so there are no dollars to show."
        )


def _dollars(story: Story, theme: str, highlighted: tuple[str, ...]) -> Chart:
    _require_dollars(story)
    return losses_dollars(story.ai, story.event.market_session, story.source_with_counts, theme)


def _market_map(story: Story, theme: str, highlighted: tuple[str, ...]) -> Chart:
    _require_dollars(story)
    return market_map(
        story.ai, by_segment(story.ai, WHOLE), story.event.market_session, story.source_with_counts, theme
    )


def _recovery(story: Story, theme: str, highlighted: tuple[str, ...]) -> Chart:
    if story.recoveries.empty:
        raise NothingToShow("No AI company fell in this session, so there is nothing to recover.")
    names = story.companies.set_index("ticker")["name"]
    return recovery(story.recoveries, names, story.source, theme)


_DRAW: dict[str, Callable[[Story, str, tuple[str, ...]], Chart]] = {
    "shock-timeline": _timeline,
    "shock-losses-percent": _percent,
    "shock-losses-dollars": _dollars,
    "shock-map": _market_map,
    "shock-recovery": _recovery,
}


def draw(story: Story, name: str, theme: str, highlighted: tuple[str, ...] | None = None) -> Chart:
    """The chart called `name` of a story that has been read; `highlighted` tickers (or our own choice) in colour."""
    return _DRAW[name](story, theme, HIGHLIGHTED if highlighted is None else highlighted)


def _maker(name: str) -> Maker:
    def make(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
        return draw(read_story(con, request.event_id), name, request.theme, request.tickers or None)

    return make


CHARTS: dict[str, Maker] = {name: _maker(name) for name in _DRAW}
HEEDS: dict[str, Heeds] = {name: Heeds() for name in _DRAW}
