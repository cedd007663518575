"""The league of events as pages show it: read, drawn and written once for all readers of a published state."""

import streamlit as st

from dashboard.analysis.league import CONFOUNDER
from dashboard.app_pages import events_markup
from dashboard.app_pages.reading import reading
from dashboard.app_pages.shared import ready
from dashboard.charts.chart import Chart
from dashboard.views import events as view
from dashboard.views.league import League, read_league

FIRST_ROWS = 10
TABLES = {"events-league": "league", "events-segments": "segments", "events-biggest": "biggest"}
"""The charts that stand in the page as HTML, and the part that each is in `table_of`."""


@st.cache_resource(max_entries=2, show_spinner="Measuring every event…")
def the_league(state: str) -> League:
    """The league of a published state, computed once for all readers."""
    with reading(state) as con:
        return read_league(con)


@st.cache_resource(max_entries=120, show_spinner="Drawing the chart…")
def chart_of(state: str, name: str, choice: view.Choice, theme: str) -> Chart:
    """One of the charts, drawn once for all readers."""
    return view.draw(the_league(state), name, choice, theme)


@st.cache_resource(max_entries=60, show_spinner=False)
def table_of(state: str, part: str, choice: view.Choice, rows: int | None, theme: str) -> str:
    """A part of the page as HTML, written once for all readers: "league", "others", "biggest" or "segments".

    `rows` is how many of the events are shown, None: all.
    """
    told = the_league(state)
    if part == "biggest":
        measure = "change" if choice.by == "change" else "abnormal"
        return events_markup.biggest(view.largest(told, measure), measure, first=FIRST_ROWS)
    chosen = view.chosen(told, choice)
    other = chosen["kind"] == CONFOUNDER
    if part == "others":
        table = events_markup.league(told, chosen[other], theme, view.OTHERS, ranked=False)
        return table if other.any() else ""
    shown = chosen[~other].iloc[:rows]
    if part == "segments":
        return events_markup.segments(told, shown, theme)
    return events_markup.league(told, shown, theme)


def ahead(state: str) -> None:
    """Fill the caches of what the page shows first; raises `NothingToShow` where there is no league."""
    choice = view.Choice()
    for shade in ("light", "dark"):
        for name in view.CHARTS:
            drawn = chart_of(state, name, choice, shade)
            if name not in TABLES:
                ready(drawn.figure)
        for part in TABLES.values():
            table_of(state, part, choice, None if part == "biggest" else FIRST_ROWS, shade)
        table_of(state, "others", choice, FIRST_ROWS, shade)
