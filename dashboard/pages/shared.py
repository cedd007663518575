"""What every page shares: the published state, cached stories and charts, and how a chart is shown."""

from collections.abc import Callable

import streamlit as st

from dashboard.charts.chart import Chart
from dashboard.charts.style import CONFIG
from dashboard.data.events import Event, events
from dashboard.views import shock, story
from etl.warehouse import WarehouseError, connect_read_only, published_version

LOOK_AGAIN_SECONDS = 20


def require_state() -> str:
    """The published state of the warehouse; where there is none, says so with the next step and stops the page."""
    try:
        return published_version()
    except WarehouseError as error:
        st.title("No data yet")
        st.warning(str(error), icon=":material/database:")
        st.stop()


@st.fragment(run_every=LOOK_AGAIN_SECONDS)
def watch_for_refresh(state: str) -> None:
    """Draw the page again when another state has been published than the one it shows."""
    try:
        changed = published_version() != state
    except WarehouseError:
        changed = False
    if changed:
        st.rerun()


@st.cache_resource(max_entries=4, show_spinner=False)
def known_events(state: str) -> list[Event]:
    """All events of a published state."""
    with connect_read_only() as con:
        return events(con)


@st.cache_resource(max_entries=24, show_spinner="Reading prices and ranks…")
def event_story(state: str, event_id: str) -> story.Story:
    """The story of an event in a published state, read once for all readers."""
    with connect_read_only() as con:
        return story.read_story(con, event_id)


@st.cache_resource(max_entries=240, show_spinner="Drawing the chart…")
def event_chart(state: str, event_id: str, name: str, theme: str, highlighted: tuple[str, ...]) -> Chart:
    """A chart of an event's story, drawn once for all readers."""
    return shock.draw(event_story(state, event_id), name, theme, highlighted)


def theme() -> str:
    """The theme that the reader sees: "light" or "dark"."""
    return "dark" if st.context.theme.type == "dark" else "light"


def show(chart: Chart, controls: Callable[[], None] | None = None) -> None:
    """A chart with its title, measure, source, notes, and the same numbers as a table and as a file."""
    st.subheader(chart.title, anchor=chart.name)
    st.caption(chart.subtitle)
    if controls:
        controls()
    st.plotly_chart(chart.figure, theme=None, config=CONFIG, key=chart.name, alt=chart.alt)
    st.caption("  \n".join(line for line in (chart.note, f"{chart.source}.") if line))
    with st.expander("Table and data", icon=":material/table:"):
        st.dataframe(chart.table, hide_index=True, alt=f"The numbers of the chart: {chart.title}")
        st.download_button(
            "Download CSV",
            data=lambda: chart.table.to_csv(index=False).encode("utf-8"),
            file_name=f"{chart.name}.csv",
            mime="text/csv",
            key=f"{chart.name}-csv",
            icon=":material/download:",
            on_click="ignore",
        )
