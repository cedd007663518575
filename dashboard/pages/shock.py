"""The story at a glance: what happened, who lost what, and what came after."""

import streamlit as st

from dashboard.pages.shared import (
    event_chart,
    event_story,
    known_events,
    require_state,
    show,
    theme,
    watch_for_refresh,
)
from dashboard.views.headline import figures, headline
from dashboard.views.request import DEFAULT_EVENT, NothingToShow
from dashboard.views.shock import HIGHLIGHTED

state = require_state()
titles = {event.event_id: event.title for event in known_events(state)}
if not titles:
    st.title("No events yet")
    st.info("The warehouse has no events: run `python -m etl load-bundled`.", icon=":material/event_busy:")
    st.stop()
ids = list(titles)

event_id = st.selectbox(
    "Event",
    ids,
    index=ids.index(DEFAULT_EVENT) if DEFAULT_EVENT in ids else len(ids) - 1,
    format_func=lambda key: titles[key],
    key="event",
    bind="query-params",
    label_visibility="collapsed",
)
try:
    told = event_story(state, event_id)
except NothingToShow as nothing:
    st.title(titles[event_id])
    st.info(str(nothing), icon=":material/calendar_month:")
    st.stop()

st.title(headline(told), anchor=False)
st.markdown(told.event.description)
with st.grid(3, min_column_width=165, gap="medium"):
    for figure in figures(told):
        with st.container(gap=None):
            st.metric(figure.label, figure.value, help=figure.definition)
            st.caption(figure.detail)


def block(name: str, highlighted: tuple[str, ...] = ()) -> None:
    """One chart of this event, in the reader's theme."""
    show(event_chart(state, event_id, name, theme(), highlighted))


@st.fragment
def timeline_block() -> None:
    """The timeline with the choice of the companies drawn in colour."""
    names = told.companies.set_index("ticker")["name"]
    traded = sorted(told.ai.dropna(subset=["change"])["ticker"], key=lambda ticker: names[ticker].casefold())
    chosen = st.multiselect(
        "Companies in colour",
        traded,
        default=[ticker for ticker in HIGHLIGHTED if ticker in traded],
        format_func=lambda ticker: f"{names[ticker]} ({ticker})",
        key="show",
        max_selections=8,
        bind="query-params",
    )
    block("shock-timeline", tuple(chosen))


timeline_block()
st.header("Who lost what", anchor="losses")
for column, name in zip(
    st.columns(2, gap="large"), ("shock-losses-dollars", "shock-losses-percent"), strict=True
):
    with column:
        block(name)
block("shock-map")
st.header("What came after", anchor="recovery")
block("shock-recovery")
watch_for_refresh(state)
