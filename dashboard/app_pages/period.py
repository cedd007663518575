"""The choice of an event and of a stretch of time, bound to the address of the page."""

from contextlib import nullcontext
from datetime import date

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.analysis.periods import period
from dashboard.app_pages import address
from dashboard.app_pages.audience import say_nothing
from dashboard.app_pages.choices import pick
from dashboard.app_pages.reading import reading
from dashboard.charts import words
from dashboard.data import market
from dashboard.data.events import Event, events
from dashboard.data.naming import UnknownName, day_named, event_named
from dashboard.views.request import DEFAULT_EVENT, NothingToShow
from dashboard.views.story import no_prices_around

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
def event_of(state: str, wanted: str) -> Event:
    """The event with an id, or the session of a day, in a published state; raises `UnknownName`."""
    with reading(state) as con:
        return event_named(con, wanted)


@st.cache_resource(max_entries=4, show_spinner=False)
def listed_events(state: str) -> tuple[dict[str, str], frozenset[str], date]:
    """What each event is called in the list, those without prices last; those that have prices; the last session."""
    with reading(state) as con:
        known, span = events(con), market.span(con)
    first, last = span or (date.max, date.min)
    told = [event for event in known if first < event.market_session <= last]
    names = {event.event_id: f"{event.title} · {spoken(event)}" for event in reversed(told)}
    names[OTHER_DAY] = "Another day…"
    silent = [event for event in known if event not in told]
    names |= {event.event_id: f"{event.title} · {spoken(event)} (no prices)" for event in silent}
    return names, frozenset(event.event_id for event in told), last


def spoken(event: Event) -> str:
    """The day of an event in words."""
    return words.day(event.occurred_at.date(), weekday=False)


def choose_event(
    state: str, label: str = "Event", *, priced: bool = False, top: DeltaGenerator | None = None
) -> Event:
    """The event, or another day, that the reader chooses and the address names by `event`.

    What nobody knows is refused by name and stops the page; so does, where the page needs prices (`priced`), an event
    that lies outside them. Where the page has no title yet, a refusal brings one, into its `top`.
    """
    names, told, last = listed_events(state)
    default = DEFAULT_EVENT if DEFAULT_EVENT in names else next(iter(names))
    wanted = st.query_params.get("event", OTHER_DAY if "day" in st.query_params else default)
    dated = wanted == OTHER_DAY
    event, unknown = _named(state, st.query_params.get("day", last.isoformat()) if dated else wanted, dated)
    known = event is not None and event.event_id in names
    st.session_state["event"] = (event.event_id if known else OTHER_DAY) if event is not None else None
    st.selectbox(
        label,
        list(names),
        format_func=names.__getitem__,
        key="event",
        placeholder="Choose an event",
        on_change=_keep_event,
        args=(default, last),
        width=420,
    )
    if event is None:
        with top or nullcontext():
            if top is not None:
                st.title("Nothing to show", anchor=False)
            address.refuse(unknown)
        st.stop()
    if not known:
        _choose_day(event)
    address.carried(None if event.event_id == default else event.event_id)
    if priced and known and event.event_id not in told:
        say_nothing(outside(state, event), ":material/event_busy:")
        st.stop()
    return event


def _named(state: str, wanted: str, dated: bool) -> tuple[Event | None, str]:
    try:
        if dated or wanted[:4].isdigit():
            wanted = day_named(wanted).isoformat()
        return event_of(state, wanted), ""
    except UnknownName as unknown:
        return None, str(unknown)


def _choose_day(event: Event) -> None:
    named_by_day = event.event_id[:4].isdigit()  # else by the name of a signal
    st.session_state["day"] = date.fromisoformat(event.event_id) if named_by_day else event.market_session
    st.date_input(
        "Day",
        min_value=date(1970, 1, 1),
        max_value=date.max,  # days without data are refused in words, not by another day's story
        key="day",
        on_change=_keep_day,
        width=200,
        format="DD/MM/YYYY",
    )


def _keep_event(default: str, last: date) -> None:
    chosen = st.session_state["event"]
    st.query_params.pop("day", None)
    if chosen == default:
        st.query_params.pop("event", None)
    else:
        st.query_params["event"] = last.isoformat() if chosen == OTHER_DAY else chosen


def _keep_day() -> None:
    st.query_params.pop("day", None)
    st.query_params["event"] = st.session_state["day"].isoformat()


def outside(state: str, event: Event) -> NothingToShow:
    """Why an event cannot be shown, in one sentence."""
    with reading(state) as con:
        return no_prices_around(event.market_session, market.span(con))


def choose_period(
    first: date, last: date, session: date, keys: tuple[str, str, str], default: str
) -> tuple[date, date]:
    """First and last day that the reader chooses within the data (`first` to `last`).

    `keys` are the names of the period, the first and the last day in the page's address.
    """
    name = pick("Time", PERIODS, keys[0], "dates" if address.names_any(*keys[1:]) else default)
    start, end = period(name, first, last, session)
    if name != "dates":
        return start, end
    address.check_days(*keys[1:], data=(first, last))
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
    start, end = chosen
    if start > end:
        address.refuse(f"{words.day(start)} comes after {words.day(end)}: shown are the days between them.")
    return min(chosen), max(chosen)


def usual_period(first: date, last: date, session: date) -> str:
    """The weeks around the event where the data reach into them, else all."""
    start, end = period("event", first, last, session)
    return "event" if start <= end else "max"
