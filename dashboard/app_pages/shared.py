"""What every page shares: the published state, its age, cached stories and charts, and how a chart is shown."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.analysis.freshness import Freshness, Level, freshness
from dashboard.app_pages.audience import say_unreadable
from dashboard.app_pages.markdown import plain
from dashboard.app_pages.markup import above, below
from dashboard.app_pages.reading import reading
from dashboard.app_pages.watch import watch
from dashboard.charts.chart import Chart
from dashboard.charts.style import CONFIG
from dashboard.data.claims import claims, written
from dashboard.data.events import Event, events
from dashboard.data.status import reach
from dashboard.state import Shown, shown_state
from dashboard.views import headline, shock, story
from dashboard.views.claims import Checked, LargestLosses, check, read_largest_losses
from dashboard.views.coverage import dateline_words
from etl.settings import settings as warehouse_settings
from etl.warehouse import WarehouseError

_MARKS = {
    Level.LATE: ":yellow[:material/schedule: {}]",
    Level.STALE: ":red[:material/warning: {}]",
}


def require_state() -> str:
    """The published state of the warehouse; where there is none, says so with the next step and stops the page."""
    try:
        return shown_state().name
    except WarehouseError as error:
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
    except WarehouseError:
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


@st.cache_resource(max_entries=200, show_spinner=False)
def event_words(state: str, event_id: str) -> tuple[str, list[headline.Figure]]:
    """The headline of an event and the figures below it, computed once for all readers."""
    told = event_story(state, event_id)
    return headline.headline(told), headline.figures(told)


def event_claims(state: str, event_id: str) -> list[Checked]:
    """The claims about an event as they are written now, checked."""
    return _checked(state, event_id, written(warehouse_settings().data_dir))


@st.cache_resource(max_entries=200, show_spinner=False)
def _checked(state: str, event_id: str, as_of: int) -> list[Checked]:
    """Once for all readers and for each version of the claims."""
    told = event_story(state, event_id)
    coverage = claims(warehouse_settings().data_dir, told.event.event_id)
    return [check(claim, told, largest_losses(state)) for claim in coverage]


@st.cache_resource(max_entries=4, show_spinner="Comparing the largest losses…")
def largest_losses(state: str) -> LargestLosses:
    """The largest one-day losses of a published state."""
    with reading(state) as con:
        return read_largest_losses(con)


@st.cache_resource(max_entries=240, show_spinner="Drawing the chart…")
def event_chart(
    state: str, event_id: str, name: str, theme: str, highlighted: tuple[str, ...] | None
) -> Chart:
    """A chart of an event's story, drawn once for all readers."""
    return shock.draw(event_story(state, event_id), name, theme, highlighted)


def theme() -> str:
    """The theme that the reader sees: "light" or "dark"."""
    return "dark" if st.context.theme.type == "dark" else "light"


class Ready(go.Figure):
    """A figure that will not change, in the form that goes to the browser: Plotly would make that anew each time."""

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


def show(chart: Chart, controls: Callable[[], None] | None = None, body: str = "") -> None:
    """A chart with its title, measure, source, notes, and the same numbers as a table and as a file.

    `body` is HTML that stands in the page in place of the figure, and of the note that explains it.
    """
    st.html(above(chart))
    if controls:
        controls()
    if body:
        st.html(body)
    else:
        st.plotly_chart(ready(chart.figure), theme=None, config=CONFIG, key=chart.name, alt=chart.alt)
    st.html(below(replace(chart, note="") if body else chart))
    if st.button("Table and data", type="tertiary", key=f"{chart.name}-table"):
        table_and_data(chart)


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
        data=lambda: chart.table.to_csv(index=False).encode("utf-8"),
        file_name=f"{chart.name}.csv",
        mime="text/csv",
        key=f"{chart.name}-csv",
        icon=":material/download:",
        on_click="ignore",
    )
