"""All AI events on one yardstick: the league, the days, the segments, and any events beside each other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from dashboard.app_pages import events_markup, markup
from dashboard.app_pages.audience import say_nothing
from dashboard.app_pages.choices import pick, select, select_many
from dashboard.app_pages.league import FIRST_ROWS, chart_of, table_of, the_league
from dashboard.app_pages.markdown import plain
from dashboard.app_pages.shared import citation, require_state, show, theme
from dashboard.app_pages.signals_part import signals_list
from dashboard.data.study_inputs import ALL_AI
from dashboard.views import events as view
from dashboard.views.league import League
from dashboard.views.request import NothingToShow

STYLE = Path(__file__).resolve().parent.parent / "events.css"
MEASURES = {"abnormal": "Against the market", "change": "As they are"}


def filters(told: League) -> view.Choice:
    """What the reader keeps and in which order; all of it is in the address."""
    table = told.ranked
    years = {str(year): str(year) for year in sorted(table["session"].dt.year.unique(), reverse=True)}
    led = table.dropna(subset=["lead"]).sort_values("lead_name", key=lambda names: names.str.casefold())
    companies = {row.lead: row.lead_name for row in led.itertuples() if row.lead in told.panel.firms}
    kinds = {kind: title for kind, title in view.KINDS.items() if (table["kind"] == kind).any()}
    with st.container(horizontal=True, gap="medium"):
        kind = select("Kind", {view.ALL: "All kinds", **kinds}, "kind", view.ALL, width=190)
        year = select(
            "Year",
            {view.ALL: "All years", **years},
            "year",
            view.ALL,
            kind="year {} with an event",
            width=110,
        )
        segment = select(
            "Led by segment",
            {view.ALL: "All segments", **told.segments},
            "segment",
            view.ALL,
            width=190,
        )
        company = select(
            "Led by company",
            {view.ALL: "All companies", **companies},
            "company",
            view.ALL,
            kind="company {} that leads an event",
            width=190,
        )
        sort = select("Sorted by", view.SORTS, "sort", "abnormal", kind="order", width=190)
    return view.Choice(kind, year, segment, company, sort)


def block(
    state: str,
    name: str,
    choice: view.Choice,
    body: str = "",
    controls: Callable[[], None] | None = None,
    *,
    first: bool = False,
) -> None:
    """One of the charts, or its HTML in place of the figure; a sentence where there is nothing."""
    try:
        chart = chart_of(state, name, choice, theme())
        taking = citation(state, chart, view.request_of(name, choice, theme()))
        show(chart, taking, controls, body=body, first=first)
    except NothingToShow as nothing:
        say_nothing(nothing)


@st.fragment
def ranking(state: str) -> None:
    """The league and the segments, with the filters that both follow: 17 of the page’s 44 ms (measured)."""
    told = the_league(state)
    choice = filters(told)
    try:
        view.ranked(told, choice)
    except NothingToShow as nothing:
        say_nothing(nothing, ":material/filter_alt_off:")
        return
    count = len(view.ranked(told, choice))
    rows = None
    if count > FIRST_ROWS:
        shown = {"first": f"The first {FIRST_ROWS}", "all": f"All {count}"}
        rows = None if pick("Rows", shown, "rows", "first", kind="choice of rows") == "all" else FIRST_ROWS
    block(state, "events-league", choice, table_of(state, "league", choice, rows, theme()), first=True)
    others = table_of(state, "others", choice, rows, theme())
    if others:
        heading = markup.heading(3, "Days that would be mistaken for AI events", "confounders")
        st.html(
            heading + events_markup.folded("Tariffs, rates and other causes that moved AI shares", others)
        )
    block(state, "events-segments", choice, table_of(state, "segments", choice, rows, theme()))


@st.fragment
def big_days(state: str) -> None:
    """The biggest days by the measure chosen, 1 of the page’s 44 ms (measured)."""
    by = pick("Moves", MEASURES, "by", "abnormal", kind="measure")
    choice = view.Choice(by=by)
    block(state, "events-biggest", choice, table_of(state, "biggest", choice, None, theme()))


@st.fragment
def beside(state: str) -> None:
    """Any events beside each other, 5 of the page’s 44 ms (measured)."""
    told = the_league(state)
    titles = {
        row.Index: f"{row.title}, {row.session:%Y}" for row in told.table.sort_values("session").itertuples()
    }
    usual = [event_id for event_id in view.USUAL_COMPARED if event_id in titles]
    compared = select_many("Events", titles, "events", usual, view.MOST_COMPARED, "event")
    group = select("Of", told.group_names, "of", ALL_AI, kind="group")
    if not compared:
        st.info("Choose at least one event.", icon=":material/add_chart:")
        return
    block(state, "events-compare", replace(view.Choice(), of=group, compared=compared))


def page(state: str) -> None:
    """The whole page."""
    try:
        told = the_league(state)
    except NothingToShow as nothing:
        st.title("Nothing to show of these events", anchor=False)
        say_nothing(nothing, ":material/calendar_month:")
        return
    st.html(STYLE)
    st.title(plain(view.finding(told)), anchor=False)
    st.html(f"<p>{view.standing(told)}</p>")
    ranking(state)
    st.html(markup.heading(2, "Where the day stands", "days"))
    block(state, "events-days", view.Choice())
    st.html(markup.heading(2, "The biggest AI days, explained and unexplained", "biggest"))
    big_days(state)
    st.html(markup.heading(2, "Events beside each other", "beside"))
    beside(state)
    signals_list(state)


page(require_state())
