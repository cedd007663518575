"""What every page shares: the published state, its age, cached stories and charts, and how a chart is shown."""

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.analysis.record_book import Records
from dashboard.app_pages import markup
from dashboard.app_pages.audience import say_unreadable
from dashboard.app_pages.markdown import plain
from dashboard.app_pages.markup import Taking
from dashboard.app_pages.reading import reading
from dashboard.app_pages.watch import watch
from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.style import CONFIG
from dashboard.data.claims import claims, written
from dashboard.data.events import Event, events
from dashboard.data.spreadsheet import csv_text
from dashboard.data.status import reach
from dashboard.state import Shown, shown_state
from dashboard.views import context, headline, minutes, shock, story
from dashboard.views.claims import Checked, check
from dashboard.views.coverage import dateline_words
from dashboard.views.records import read_records
from dashboard.views.registry import HEEDS
from dashboard.views.request import NothingToShow, Request
from etl.errors import ProductError
from etl.freshness import Freshness, Level, freshness
from etl.product import NAME
from etl.settings import settings as warehouse_settings

WITHIN_QUOTES = str.maketrans("“”", "‘’")
_MARKS = {
    Level.LATE: ":yellow[:material/schedule: {}]",
    Level.STALE: ":red[:material/warning: {}]",
}


def require_state() -> str:
    """The published state of the warehouse; where there is none, says so with the next step and stops the page."""
    try:
        return shown_state().name
    except ProductError as error:
        st.title("No data yet")
        say_unreadable(error)
        st.stop()


def dateline() -> None:
    """Says as of when the numbers are, and has the page drawn again once they, or the reader's theme, are others."""
    shown, age = published_now()
    watch(shown, dateline_words(age), theme())
    if age is not None:
        st.caption(_MARKS.get(age.level, "{}").format(dateline_words(age)))


def published_now() -> tuple[Shown | None, Freshness | None]:
    """The state that pages show and how fresh its prices are; None for each that there is not."""
    try:
        shown = shown_state()
        return shown, price_freshness(shown.name)
    except ProductError:
        return None, None


@st.cache_resource(max_entries=4, ttl="1m", show_spinner=False)
def price_freshness(state: str) -> Freshness | None:
    """How far the prices of a published state reach, as of this minute."""
    return freshness(price_reach(state), pd.Timestamp.now("UTC"))


@st.cache_resource(max_entries=4, show_spinner=False)
def price_reach(state: str) -> pd.DataFrame:
    """How far the prices of each company reach in a published state."""
    with reading(state) as con:
        return reach(con)


@st.cache_resource(max_entries=4, show_spinner=False)
def known_events(state: str) -> list[Event]:
    """All events of a published state."""
    with reading(state) as con:
        return events(con)


@st.cache_resource(max_entries=24, show_spinner="Reading prices and ranks…")
def event_story(state: str, event_id: str) -> story.Story:
    """The story of an event in a published state, read once for all readers."""
    with reading(state) as con:
        return story.read_story(con, event_id)


@dataclass(frozen=True)
class Words:
    """What a story says and whom it shows: half of the time of its page was spent to find it anew (measured)."""

    kicker: str
    sentence: str
    figures: str
    """As HTML."""
    breadth: str
    """As HTML."""
    drop_title: str
    standing: str
    in_colour: tuple[str, ...]
    """Companies drawn in colour where the reader chooses none."""


@st.cache_resource(max_entries=200, show_spinner=False)
def event_words(state: str, event_id: str) -> Words:
    """The words and figures of an event's story, computed once for all readers."""
    told = event_story(state, event_id)
    return Words(
        headline.kicker(told),
        headline.headline(told),
        markup.figures(headline.figures(told)),
        markup.context(context.breadth(told)),
        headline.drop_title(told),
        headline.standing(told),
        shock.highlighted(told),
    )


def event_claims(state: str, event_id: str) -> list[Checked]:
    """The claims about an event as they are written now, checked."""
    return _checked(state, event_id, written(warehouse_settings().data_dir))


@st.cache_resource(max_entries=200, show_spinner=False)
def _checked(state: str, event_id: str, as_of: int) -> list[Checked]:
    """Once for all readers and for each version of the claims."""
    told = event_story(state, event_id)
    coverage = claims(warehouse_settings().data_dir, told.event.event_id)
    return [check(claim, told, records(state)) for claim in coverage]


@st.cache_resource(max_entries=2, show_spinner="Comparing the largest moves…")
def records(state: str) -> Records:
    """All one-day moves of market value of a published state."""
    with reading(state) as con:
        return read_records(con)


@st.cache_resource(max_entries=240, show_spinner="Drawing the chart…")
def event_chart(
    state: str,
    event_id: str,
    name: str,
    theme: str,
    chosen: tuple[str, ...] | None,
    everybody: bool,
) -> Chart:
    """A chart of an event's story, drawn once for all readers."""
    known = records(state) if name in shock.WITH_RECORDS else None
    return shock.draw(event_story(state, event_id), name, theme, chosen, known, everybody=everybody)


@st.cache_resource(max_entries=60, show_spinner="Drawing the chart…")
def event_minutes(state: str, event_id: str, theme: str) -> Chart | None:
    """The day of an event, minute by minute, drawn once for all readers; None where no bars within it are held."""
    told = event_story(state, event_id)
    with reading(state) as con:
        bars = minutes.read_bars(con, told)
    try:
        return minutes.by_minutes(told, bars, (), theme)
    except NothingToShow:
        return None


def citation(state: str, chart: Chart, request: Request) -> Taking:
    """What a reader who takes a chart gets: its picture's address, and what to cite, down to state and date."""
    heeds = HEEDS[chart.name]
    days = (("start", request.start), ("end", request.end)) if heeds.days else ()
    query = [("event", request.event_id)] if heeds.event else []
    query += [("theme", request.theme)]
    query += [("tickers", ticker) for ticker in request.tickers if heeds.tickers]
    query += [(edge, day.isoformat()) for edge, day in days if day]
    query += [(f"option.{name}", value) for name, value in request.options]
    today = words.day(pd.Timestamp.now("UTC").date(), weekday=False)
    title = chart.title.translate(WITHIN_QUOTES)
    cite = (
        f"{NAME}, “{title}”, {chart.source.removeprefix('Source: ')}; state {state}. "
        f"{{address}}#{chart.name}, retrieved {today}."
    )
    return Taking(urlencode(query), cite)


def theme() -> str:
    """The theme that the reader sees: "light" or "dark"."""
    return "dark" if st.context.theme.type == "dark" else "light"


class Ready(go.Figure):
    """A figure that will not change, in the form that goes to the browser: Plotly would make that again each time.

    Measured on three charts of the story: 1.7 ms a run of the page instead of 8.5.
    """

    def __init__(self, figure: go.Figure) -> None:
        """Keep that form of a figure."""
        super().__init__()
        self._sent = json.loads(figure.to_json())

    def to_dict(self) -> dict[str, Any]:
        """That form, shared by all readers: nobody may change it."""
        kept: dict[str, Any] = self._sent
        return kept


def ready(figure: go.Figure) -> go.Figure:
    """A figure of a cached chart as `Ready`, made once."""
    if getattr(figure, "_ready", None) is None:
        figure._ready = Ready(figure)
    return figure._ready


def show(
    chart: Chart,
    taking: Taking | None = None,
    controls: Callable[[], None] | None = None,
    switch: Callable[[], None] | None = None,
    body: str = "",
    *,
    later: bool = False,
    first: bool = False,
) -> None:
    """A chart with its title, measure, source, notes, and the same numbers as a table and as a file.

    `taking` says how it is taken along; `controls`, and a `switch` that is small, stand below the picture that they
    change. `body` is HTML that stands in the page in place of the figure, and of the note that explains it. What can be
    seen `later` is folded on a phone; the `first` chart of a page has no heading between its own and the page's.
    """
    with st.container() if later else nullcontext():
        picture(chart, taking, body, later=later, first=first)
        under(replace(chart, note="") if body else chart, controls, switch)


def picture(
    chart: Chart, taking: Taking | None = None, body: str = "", *, later: bool = False, first: bool = False
) -> None:
    """The title and the measure of a chart, and the chart."""
    st.html(markup.above(chart, taking, later=later, first=first))
    if body:
        st.html(body)
        return
    st.plotly_chart(ready(chart.figure), theme=None, config=CONFIG, key=chart.name, alt=chart.alt)


def under(
    chart: Chart,
    controls: Callable[[], None] | None = None,
    switch: Callable[[], None] | None = None,
    *,
    fold: bool = True,
) -> None:
    """The note (folded where it is long) and the source of a chart, what changes it, and its numbers."""
    st.html(markup.below(chart, fold=fold))
    if controls:
        controls()
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key=f"{chart.name}-under"):
        if switch:
            switch()
        opened = st.button("Table and data", type="tertiary", key=f"{chart.name}-table")
    if opened:
        table_and_data(chart)


def grid(rows: pd.DataFrame, alt: str, columns: Mapping[str, Any] | None = None) -> None:
    """A table to scroll and to sort on the screen, and its rows on paper."""
    st.dataframe(rows, hide_index=True, alt=alt, column_config=dict(columns or {}))
    st.html(markup.on_paper(rows, alt))


@st.dialog("Table and data", width="large")
def table_and_data(chart: Chart) -> None:
    """The numbers of a chart, sent to the reader once asked for."""
    st.caption(plain(chart.title))
    days = {
        name: st.column_config.DateColumn(format="YYYY-MM-DD")
        for name, kind in chart.table.dtypes.items()
        if pd.api.types.is_datetime64_dtype(kind)  # a session; a moment has a zone
    }
    alt = f"The numbers of the chart: {chart.title}"
    st.dataframe(chart.table, hide_index=True, alt=alt, column_config=days)
    st.download_button(
        "Download CSV",
        data=lambda: csv_text(chart.table).encode("utf-8"),
        file_name=f"{chart.name}.csv",
        mime="text/csv",
        key=f"{chart.name}-csv",
        icon=":material/download:",
        on_click="ignore",
    )
