"""Ranks in the app stores: over time, the first ten, and the day each app led in each country."""

import pandas as pd
import streamlit as st

from dashboard.app_pages import markup
from dashboard.app_pages.audience import say_nothing
from dashboard.app_pages.builder import show_or_say
from dashboard.app_pages.choices import pick, select, select_many
from dashboard.app_pages.period import choose_event, choose_period, usual_period
from dashboard.app_pages.reading import reading
from dashboard.app_pages.shared import grid, require_state, theme
from dashboard.charts import rank_words
from dashboard.data.captures import Ranking, apps, rankings
from dashboard.views.app_rankings import (
    MOST_APPS,
    captured_elsewhere,
    choices,
    country_name,
    default_apps,
    default_ranking,
    no_rankings,
)
from dashboard.views.request import Request


@st.cache_resource(max_entries=4, show_spinner="Looking up the charts…")
def known_rankings(state: str) -> pd.DataFrame:
    """Every chart of which a published state knows anything."""
    with reading(state) as con:
        return rankings(con)


@st.cache_resource(max_entries=60, show_spinner="Looking up the apps…")
def known_apps(state: str, ranking: Ranking) -> pd.DataFrame:
    """The apps of a chart in a published state."""
    with reading(state) as con:
        return apps(con, ranking)


def choose_ranking(known: pd.DataFrame) -> Ranking:
    """The store, country, chart and device that the reader chooses among those that are known."""
    usual = default_ranking(known)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        stores = choices(known, "store", usual.store, rank_words.store_name)
        store = pick("Store", stores, "store", next(iter(stores)))
        known = known[known["store"] == store]
        countries = choices(known, "country", usual.country, country_name)
        country = select(
            "Country",
            countries,
            "country",
            next(iter(countries)),
            kind="country {} with ranks here",
            width=220,
        )
        known = known[known["country"] == country]
        charts = choices(known, "chart", usual.chart, rank_words.chart_name)
        chart = select(
            "Chart", charts, "chart", next(iter(charts)), kind="chart {} with ranks here", width=220
        )
        known = known[known["chart"] == chart]
        devices = choices(known, "device", usual.device, rank_words.device_name)
        if len(devices) == 1:
            return Ranking(store, country, chart, next(iter(devices)))
        return Ranking(store, country, chart, pick("Device", devices, "device", next(iter(devices))))


state = require_state()
known = known_rankings(state)
st.title("Who led the app stores, and who says so", anchor=False)
if known.empty:
    say_nothing(no_rankings(), ":material/leaderboard:")
    st.stop()
ranking = choose_ranking(known)
elsewhere = captured_elsewhere(known, ranking)
if elsewhere:
    st.html(markup.captured_charts(elsewhere))
reach = known.merge(pd.DataFrame([ranking.parameters()]))
first, last = reach["first"].iloc[0].date(), reach["last"].iloc[0].date()
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    event = choose_event(state)
    usual = usual_period(first, last, event.market_session)
    start, end = choose_period(first, last, event.market_session, ("period", "since", "until"), usual)
if start > end:
    st.info(
        "The ranks of this chart lie outside the weeks around the event: choose “All”.",
        icon=":material/calendar_month:",
    )
    st.stop()


@st.fragment
def chosen_apps() -> None:
    """The apps over time and in the first ten, with their choice: 67 of the page’s 91 ms (measured)."""
    here = known_apps(state, ranking)
    names = dict(zip(here["app"], here["name"], strict=True))
    chosen = select_many("Apps", names, "apps", default_apps(here), MOST_APPS, "app {} in this chart")
    if not chosen:
        st.info("Choose at least one app.", icon=":material/apps:")
        return
    settings = tuple(ranking.parameters().items())
    asked = Request(event.event_id, chosen, start, end, theme(), settings)
    drawn = show_or_say(state, "rank-history", asked, first=True)
    show_or_say(state, "rank-bump", asked)
    show_or_say(state, "rank-first-days", Request(event.event_id, chosen, theme=theme(), options=settings))
    if drawn:
        st.subheader("Every point and where it comes from", anchor="points")
        grid(
            drawn.table,
            "Every rank that is drawn, with the capture or the report that it comes from",
            {
                "link": st.column_config.LinkColumn("link", display_text="open"),
                "note": st.column_config.TextColumn("note", width="large"),
            },
        )


chosen_apps()
