"""What refreshes noticed by themselves, as a part of pages: apart from the events that people have named."""

from datetime import date, datetime
from html import escape

import pandas as pd
import streamlit as st

from dashboard.app_pages import markup
from dashboard.app_pages.reading import reading
from dashboard.data.signals import signal_after, signals, signals_computed
from dashboard.serving import base_path

SHOWN = 12


@st.cache_resource(max_entries=4, show_spinner=False)
def newest(state: str) -> pd.DataFrame:
    """The newest signals of a published state."""
    with reading(state) as con:
        return signals(con, SHOWN)


@st.cache_resource(max_entries=4, show_spinner=False)
def computed(state: str) -> tuple[datetime, date, float] | None:
    """When the signals of a published state were computed, to which session, for how many a year."""
    with reading(state) as con:
        return signals_computed(con)


@st.cache_resource(max_entries=64, show_spinner=False)
def after(state: str, session: date) -> tuple[str, str] | None:
    """The newest signal of a published state after a session."""
    with reading(state) as con:
        return signal_after(con, session)


def signals_list(state: str) -> None:
    """The newest signals, each with a link to its draft story, told apart from events."""
    found = newest(state)
    head = markup.heading(2, "Noticed, not explained", "signals")
    about = (
        "Each refresh looks for moves, losses and gains of market value and rises in the app stores that hardly ever "
        f'happen. Nothing here claims a cause. As a feed: <a href="{base_path()}/feed.atom">Atom</a>, '
        f'<a href="{base_path()}/feed.json">JSON</a>.'
    )
    if found.empty:
        st.html(f"{head}<p>{about}</p><p>No signal yet.</p>")
        return
    lines = "".join(
        f'<li><a href="{base_path()}/?event={escape(row.signal_id)}" target="_self">{escape(row.title)}</a>: '
        f"{escape(row.detail)}. <i>{escape(row.event) or 'No cause on record yet'}.</i></li>"
        for row in found.itertuples()
    )
    st.html(f'{head}<p>{about}</p><ul class="signals">{lines}</ul>')


def newer_signal(state: str, session: date) -> None:
    """One line where something was noticed after the session that the page is about."""
    found = after(state, session)
    if found is not None:
        signal_id, title = found
        st.html(
            f'<p class="newer">Noticed since: <a href="{base_path()}/?event={escape(signal_id)}" target="_self">'
            f"{escape(title)}</a></p>"
        )


def computed_line(state: str) -> str:
    """When the signals were last computed, in a sentence."""
    found = computed(state)
    if found is None:
        return "Signals have not been computed yet."
    moment, through, alarms = found
    return (
        f"Signals were last computed on {moment:%-d %B %Y} at {moment:%H:%M} UTC, to the session of "
        f"{through:%-d %B %Y}, for about {alarms:g} sessions a year with an abnormal move."
    )
