"""The story: what happened and how much that is, who lost, where it stands among records, what came after."""

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from dashboard.app_pages import PAGES, address, markup
from dashboard.app_pages.audience import say_fault, say_nothing
from dashboard.app_pages.markdown import plain
from dashboard.app_pages.period import choose_event
from dashboard.app_pages.shared import (
    citation,
    event_chart,
    event_claims,
    event_minutes,
    event_story,
    event_words,
    picture,
    require_state,
    show,
    theme,
    under,
)
from dashboard.app_pages.signals_part import newer_signal
from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.timeline import MOST_LINES
from dashboard.views.context import onward
from dashboard.views.request import NothingToShow, Request
from dashboard.views.shock import FIRST
from dashboard.views.story import Story
from etl.entries import EntryError
from etl.product import NAME

MOST_IN_COLOUR = MOST_LINES - 1


def block(
    state: str,
    event_id: str,
    name: str,
    chosen: tuple[str, ...] | None = None,
    controls: Callable[[], None] | None = None,
    switch: Callable[[], None] | None = None,
    *,
    everybody: bool = False,
    later: bool = False,
) -> None:
    """One chart of this event, in the reader's theme; a sentence where there is nothing to draw."""
    try:
        chart = event_chart(state, event_id, name, theme(), chosen, everybody)
    except NothingToShow as nothing:
        say_nothing(nothing)
        return
    along = taking(state, event_id, chart, chosen, everybody=everybody)
    show(chart, along, controls, switch, later=later)


def taking(
    state: str, event_id: str, chart: Chart, chosen: tuple[str, ...] | None = None, *, everybody: bool = False
) -> markup.Taking:
    """What a reader who takes a chart of this event gets."""
    options = (("rows", "all"),) if everybody else ()
    return citation(state, chart, Request(event_id, chosen or (), theme=theme(), options=options))


def first_picture(state: str, event_id: str) -> Chart | None:
    """The chart that says fastest how much it was: in proportion, else by company; None where there is neither."""
    for name in FIRST:
        with suppress(NothingToShow):
            return event_chart(state, event_id, name, theme(), None, False)
    return None


@st.fragment
def timeline_block(state: str, told: Story) -> None:
    """The timeline and the choice of the companies in colour: 16 of the page’s 46 ms (measured)."""
    names, default = told.traded_names, list(event_words(state, told.event.event_id).in_colour)
    address.take_many("show", names, default, MOST_IN_COLOUR, "company")

    def switch() -> None:
        with st.popover("Companies in colour", type="tertiary"):
            st.multiselect(
                f"Companies in colour (up to {MOST_IN_COLOUR})",
                list(names),
                format_func=names.__getitem__,
                key="show",
                max_selections=MOST_IN_COLOUR,
                on_change=address.keep,
                args=("show", default),
            )

    block(state, told.event.event_id, "shock-timeline", tuple(st.session_state["show"]), switch=switch)


@st.fragment
def with_others(state: str, event_id: str, name: str, count: int, key: str) -> None:
    """A chart of the ten largest that opens to all, 1 of the page’s 46 ms (measured)."""

    def switch() -> None:
        if count > 0:
            st.toggle(f"All of them, {count} more", key=key)

    everybody = bool(st.session_state.get(key, False)) and count > 0
    block(state, event_id, name, switch=switch, everybody=everybody)


def first_screen(state: str, told: Story) -> str:
    """The sentence, one picture and three figures; returns the name of the chart that is the picture."""
    event_id = told.event.event_id
    told_in = event_words(state, event_id)
    st.html(markup.kicker(told_in.kicker))
    st.title(plain(told_in.sentence), anchor=False)
    chart = first_picture(state, event_id)
    left, right = st.columns([3, 1], gap="large")
    if chart is not None:
        with left:
            picture(chart, taking(state, event_id, chart), first=True)
    with right:
        st.html(told_in.figures)
    if chart is not None:
        under(chart, fold=False)
    if happened := markup.happened(told.event):
        st.html(happened)
    return "" if chart is None else chart.name


def minutes_block(state: str, event_id: str) -> None:
    """The day itself, where bars within it are held."""
    chart = event_minutes(state, event_id, theme())
    if chart is not None:
        st.html(markup.part("The day, minute by minute", "minutes"))
        show(chart, taking(state, event_id, chart), later=True)


def who_moved(state: str, told: Story, title: str, already: str) -> None:
    """Who lost and who gained: dollars and percent, what coverage leaves out, by segment."""
    event_id = told.event.event_id
    st.html(markup.part(title, "losses"))
    if already != "shock-losses":
        with_others(state, event_id, "shock-losses", told.changed - 10, "losers")
    st.html(event_words(state, event_id).breadth)
    block(state, event_id, "shock-map", later=True)


def claims_block(state: str, told: Story) -> None:
    """The claims with their verdicts, where somebody has made any about this event."""
    try:
        checked = event_claims(state, told.event.event_id)
    except EntryError as error:
        say_fault(error, "The claims about this event cannot be read at the moment.", ":material/edit:")
        return
    if checked:
        until = words.day(told.prices["date"].max().date())
        st.html(
            f"{markup.heading(2, 'The claims, checked', 'claims')}<p>Sentences of the coverage beside our figures, on "
            f"prices to {until}. Each verdict opens how it came about.</p>"
            f"{markup.claims(checked)}"
        )


@st.fragment
def tell(state: str) -> None:
    """The page; a fragment, so that another event leaves the frame around it as it is."""
    top = st.container(key="first")
    with st.container(horizontal=True, vertical_alignment="bottom", key="choice"):
        event = choose_event(state, "The story of", top=top)
        st.html(markup.COPY_ADDRESS)
    try:
        told = event_story(state, event.event_id)
    except NothingToShow as nothing:
        with top:
            st.html(markup.kicker("Outside the data"))
            st.title(plain(event.title), anchor=False)
            st.html(markup.happened(event))
            say_nothing(nothing, icon=":material/calendar_month:")
        return
    st.set_page_config(page_title=f"{event.title} · {NAME}")
    with top:
        already = first_screen(state, told)
    told_in = event_words(state, event.event_id)
    st.html(markup.part(told_in.drop_title, "drop"))
    timeline_block(state, told)
    minutes_block(state, event.event_id)
    who_moved(state, told, told_in.standing, already)
    st.html(markup.part("The record book", "records"))
    block(state, event.event_id, "record-book")
    if told.mean < 0 and not told.recoveries.empty:
        st.html(markup.part("What came after", "recovery"))
        with_others(state, event.event_id, "shock-recovery", len(told.recoveries) - 10, "recovered")
    claims_block(state, told)
    newer_signal(state, event.market_session)
    paths = [path for _, path in PAGES.values() if path]
    st.html(markup.heading(2, "Where to go next", "next") + markup.onward(onward(told, paths)))


tell(require_state())
