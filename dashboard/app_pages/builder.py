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
def chart(state: str, name: str, request: Request) -> Chart | NothingToShow:
    """The chart called `name` in a published state, or why there is none: found out once for all readers."""
    with reading(state) as con:
        try:
            return CHARTS[name](con, request)
        except NothingToShow as nothing:
            return nothing.with_traceback(None)


def show_or_say(
    state: str,
    name: str,
    request: Request,
    controls: Callable[[], None] | None = None,
    *,
    first: bool = False,
) -> Chart | None:
    """Show a chart, the `first` of its page or not, or the sentence that says why there is none and what to do."""
    drawn = chart(state, name, request)
    if isinstance(drawn, NothingToShow):
        say_nothing(drawn)
        return None
    show(drawn, citation(state, drawn, request), controls, first=first)
    return drawn
