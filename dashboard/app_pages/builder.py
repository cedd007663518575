"""Any chart of the dashboard by name, drawn once for all readers."""

from collections.abc import Callable

import streamlit as st

from dashboard.app_pages.audience import say_nothing
from dashboard.app_pages.reading import reading
from dashboard.app_pages.shared import citation, show
from dashboard.charts.chart import Chart
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow, Request


@st.cache_resource(max_entries=400, show_spinner="Reading and drawing…")
def chart(state: str, name: str, request: Request) -> Chart:
    """The chart called `name` in a published state; raises `NothingToShow` where there is none."""
    with reading(state) as con:
        return CHARTS[name](con, request)


def show_or_say(
    state: str,
    name: str,
    request: Request,
    controls: Callable[[], None] | None = None,
    *,
    first: bool = False,
) -> Chart | None:
    """Show a chart, the `first` of its page or not, or the sentence that says why there is none and what to do."""
    try:
        drawn = chart(state, name, request)
    except NothingToShow as nothing:
        say_nothing(nothing)
        return None
    show(drawn, citation(state, drawn, request), controls, first=first)
    return drawn
