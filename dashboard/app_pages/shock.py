"""The story at a glance: what happened, who lost what, the claims checked, and what came after."""

from datetime import date
from html import escape

import streamlit as st

from dashboard.app_pages import address, markup
from dashboard.app_pages.audience import say_nothing
from dashboard.app_pages.markdown import plain
from dashboard.app_pages.period import choose_event
from dashboard.app_pages.shared import (
    event_chart,
    event_claims,
    event_story,
    event_words,
    require_state,
    show,
    theme,
)
from dashboard.charts import words
from dashboard.views.claims import Checked
from dashboard.views.request import NothingToShow
from dashboard.views.shock import HIGHLIGHTED

MOST_IN_COLOUR = 8


def block(state: str, event_id: str, name: str, highlighted: tuple[str, ...] | None = None) -> None:
    """One chart of this event, in the reader's theme; a sentence where there is nothing to draw."""
    try:
        show(event_chart(state, event_id, name, theme(), highlighted))
    except NothingToShow as nothing:
        say_nothing(nothing)


@st.fragment
def timeline_block(state: str, event_id: str, names: dict[str, str]) -> None:
    """The timeline with the choice of the companies drawn in colour."""
    default = [ticker for ticker in HIGHLIGHTED if ticker in names]
    address.take_many("show", names, default, MOST_IN_COLOUR, "company")
    chosen = st.multiselect(
        "Companies in colour",
        list(names),
        format_func=names.__getitem__,
        key="show",
        max_selections=MOST_IN_COLOUR,
        on_change=address.keep,
        args=("show", default),
    )
    block(state, event_id, "shock-timeline", tuple(chosen))


def claims_block(checked: list[Checked], until: date) -> None:
    """The claims with their verdicts, where somebody has made any about this event."""
    if checked:
        st.html(
            f"{markup.heading(2, 'The claims, checked', 'claims')}<p>Sentences of the coverage beside the figures of "
            f"this warehouse, computed on prices to {words.day(until)}.</p>{markup.claims(checked)}"
        )


@st.fragment
def tell(state: str) -> None:
    """The page; a fragment, so that another event leaves the frame around it as it is."""
    event_id = choose_event(state, "The story of", titled=False).event_id
    try:
        told = event_story(state, event_id)
        headline, figures = event_words(state, event_id)
    except NothingToShow as nothing:
        st.title("Nothing to show for this event", anchor=False)
        say_nothing(nothing, ":material/calendar_month:")
        return
    st.title(plain(headline), anchor=False)
    st.html(f"<p>{escape(told.event.description)}</p>{markup.figures(figures)}")
    timeline_block(state, event_id, told.traded_names)
    st.html(markup.heading(2, "Who lost what", "losses"))
    left, right = st.columns(2, gap="large")
    with left:
        block(state, event_id, "shock-losses-dollars")
    with right:
        block(state, event_id, "shock-losses-percent")
    block(state, event_id, "shock-map")
    claims_block(event_claims(state, event_id), told.prices["date"].max().date())
    st.html(markup.heading(2, "What came after", "recovery"))
    block(state, event_id, "shock-recovery")


tell(require_state())
