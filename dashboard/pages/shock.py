"""The story at a glance: what happened, who lost what, the claims checked, and what came after."""

from datetime import date

import streamlit as st

from dashboard.charts import words
from dashboard.pages import address
from dashboard.pages.markdown import plain
from dashboard.pages.shared import (
    event_chart,
    event_claims,
    event_story,
    event_words,
    known_events,
    require_state,
    show,
    theme,
)
from dashboard.views.claims import FAILS, HOLDS, IN_PART, Checked
from dashboard.views.request import DEFAULT_EVENT, NothingToShow
from dashboard.views.shock import HIGHLIGHTED

OTHER_DAY = "day"
MOST_IN_COLOUR = 8
BADGES = {HOLDS: "green", IN_PART: "orange", FAILS: "red"}


def choose_event(state: str) -> str:
    """The event, or the day, that the page tells the story of; both are in the address."""
    titles = {event.event_id: event.title for event in known_events(state)}
    titles[OTHER_DAY] = "Another day…"
    choices = list(titles)
    default = DEFAULT_EVENT if DEFAULT_EVENT in titles else choices[0]
    address.take_one("event", choices, default)
    chosen = st.selectbox(
        "The story of",
        choices,
        format_func=titles.__getitem__,
        key="event",
        on_change=address.keep,
        args=("event", default),
        width=360,
    )
    if chosen != OTHER_DAY:
        return str(chosen)
    day = st.date_input(
        "Day",
        value=date(2024, 9, 3),
        min_value=date(1970, 1, 1),
        max_value=date.today(),
        key="day",
        bind="query-params",
        width=360,
    )
    return day.isoformat()


def block(name: str, highlighted: tuple[str, ...] | None = None) -> None:
    """One chart of this event, in the reader's theme; a sentence where there is nothing to draw."""
    try:
        show(event_chart(state, event_id, name, theme(), highlighted))
    except NothingToShow as nothing:
        st.info(plain(str(nothing)), icon=":material/info:")


@st.fragment
def timeline_block() -> None:
    """The timeline with the choice of the companies drawn in colour."""
    names = told.traded_names
    default = [ticker for ticker in HIGHLIGHTED if ticker in names]
    address.take_many("show", names, default, MOST_IN_COLOUR)
    chosen = st.multiselect(
        "Companies in colour",
        list(names),
        format_func=names.__getitem__,
        key="show",
        max_selections=MOST_IN_COLOUR,
        on_change=address.keep,
        args=("show", default),
    )
    block("shock-timeline", tuple(chosen))


def claim_row(checked: Checked) -> None:
    """One claim: the sentence, our figure, how it came about, and the verdict."""
    claim = checked.claim
    with st.container(border=True):
        st.markdown(
            f":{BADGES.get(checked.verdict, 'gray')}-badge[{plain(checked.verdict)}] **“{plain(claim.text)}”**\n\n"
            f"**{plain(checked.figure)}.** {plain(checked.how)}  \n"
            f":small[Said by [{plain(claim.source)}]({claim.source_url})]"
        )


state = require_state()
event_id = choose_event(state)
try:
    told = event_story(state, event_id)
    headline, figures = event_words(state, event_id)
except NothingToShow as nothing:
    st.title("Nothing to show for this event", anchor=False)
    st.info(plain(str(nothing)), icon=":material/calendar_month:")
    st.stop()

st.title(plain(headline), anchor=False)
st.markdown(plain(told.event.description))
with st.grid(3, min_column_width=150, gap="medium"):
    for figure in figures:
        with st.container(gap=None):
            st.metric(plain(figure.label), figure.value, help=plain(figure.definition))
            st.caption(plain(figure.detail))

timeline_block()

st.header("Who lost what", anchor="losses")
left, right = st.columns(2, gap="large")
with left:
    block("shock-losses-dollars")
with right:
    block("shock-losses-percent")
block("shock-map")

checked_claims = event_claims(state, event_id)
if checked_claims:
    st.header("The claims, checked", anchor="claims")
    st.markdown(
        "Sentences of the coverage beside the figures of this warehouse, computed on "
        f"prices to {words.day(told.prices['date'].max().date())}."
    )
    for checked_claim in checked_claims:
        claim_row(checked_claim)

st.header("What came after", anchor="recovery")
block("shock-recovery")
