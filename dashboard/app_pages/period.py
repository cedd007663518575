"""The choice of an event and of a stretch of time, bound to the address of the page."""

from datetime import date

import streamlit as st

from dashboard.analysis.periods import period
from dashboard.app_pages.choices import pick, select
from dashboard.app_pages.reading import reading
from dashboard.app_pages.shared import known_events
from dashboard.data.events import Event, find_event
from dashboard.views.request import DEFAULT_EVENT

OTHER_DAY = "day"
PERIODS = {
    "event": "Around the event",
    "1m": "1 month",
    "6m": "6 months",
    "ytd": "Year to date",
    "1y": "1 year",
    "max": "All",
    "dates": "Dates…",
}


@st.cache_resource(max_entries=64, show_spinner=False)
def event_of(state: str, wanted: str) -> Event | None:
    """The event with an id, or the session of a day, in a published state."""
    with reading(state) as con:
        return find_event(con, wanted)


def choose_event(state: str) -> Event:
    """The event, or another day, that the reader chooses; what lies outside the data stops the page with a word."""
    titles = {event.event_id: event.title for event in known_events(state)} | {OTHER_DAY: "Another day…"}
    default = DEFAULT_EVENT if DEFAULT_EVENT in titles else next(iter(titles))
    wanted = select("Event", titles, "event", default)
    if wanted == OTHER_DAY:
        day = st.date_input(
            "Day",
            value=date(2024, 9, 3),
            min_value=date(1970, 1, 1),
            max_value=date.today(),
            key="day",
            bind="query-params",
            width=360,
        )
        wanted = day.isoformat()
    event = event_of(state, wanted)
    if event is None:
        st.info(
            "There is no session on or after that day in the data: choose another.",
            icon=":material/event_busy:",
        )
        st.stop()
    return event


def choose_period(
    first: date, last: date, session: date, keys: tuple[str, str, str], default: str
) -> tuple[date, date]:
    """First and last day that the reader chooses within the data (`first` to `last`).

    `keys` are the names of the period, the first and the last day in the page's address.
    """
    name = pick("Time", PERIODS, keys[0], default)
    start, end = period(name, first, last, session)
    if name != "dates":
        return start, end
    with st.container(horizontal=True):
        chosen = [
            st.date_input(
                label,
                day,
                min_value=first,
                max_value=last,
                key=key,
                bind="query-params",
                width=170,
                format="DD/MM/YYYY",
            )
            for label, day, key in (("From", first, keys[1]), ("To", last, keys[2]))
        ]
    days = sorted(chosen)
    return days[0], days[-1]


def usual_period(first: date, last: date, session: date) -> str:
    """The weeks around the event where the data reach into them, else all."""
    start, end = period("event", first, last, session)
    return "event" if start <= end else "max"
