"""Choices that the address names by id, where Streamlit's own binding would write the label that is shown.

The address is the source: each run sets the widget to what it says, and a change of the widget is written to it
before the run that follows. So back, forward and a shared link all show the same page. What the address names and
nobody knows is refused above the widget, by name.
"""

from collections.abc import Collection
from datetime import date

import streamlit as st

from dashboard.app_pages.markdown import plain
from dashboard.charts import words
from dashboard.data.naming import MOST_NAMED, UnknownName, day_named, resolve

CARRIED, PAGE = "_event", "_page"
COUNTERS = ("utm_", "fbclid", "gclid", "mc_")
"""How the parameters begin that newsletters and social networks put behind a link."""


def refuse(sentence: object) -> None:
    """Say what of the address is not known, in the words that every way in has for it."""
    st.warning(plain(str(sentence)), icon=":material/link_off:")


def _known(kind: str, wanted: str, ids: Collection[str]) -> str | None:
    try:
        otherwise = "choose from the list" if len(ids) > MOST_NAMED else ""
        return resolve(kind, wanted, ids, otherwise)
    except UnknownName as unknown:
        refuse(unknown)
        return None


def check_names(names: Collection[str]) -> None:
    """Refuse the first parameter of the address that the page, which reads `names`, would drop in silence.

    In other letters' case it is taken for the one that it spells; what counts visitors is passed over.
    """
    for key in [key for key in st.query_params if key not in names and not key.startswith(COUNTERS)]:
        try:
            st.query_params[resolve("parameter", key, names)] = st.query_params.get_all(key)
            del st.query_params[key]
        except UnknownName as unknown:
            refuse(unknown)
            return


def names_any(*keys: str) -> bool:
    """Whether the address names one of `keys`: what holds their controls is open then, with what is refused there."""
    return any(key in st.query_params for key in keys)


def take_one(key: str, ids: Collection[str], default: str, kind: str = "") -> None:
    """Set the widget `key`, before it is made, to the id that the address names, or to `default`.

    `kind` is what the ids are where the key does not say it, as `resolve` takes it.
    """
    wanted = st.query_params.get(key, default)
    found = _known(kind or key, wanted, ids)
    st.session_state[key] = default if found is None else found


def take_many(key: str, ids: Collection[str], default: Collection[str], most: int, kind: str = "") -> None:
    """Set the widget `key`, before it is made, to the ids that the address names (at most `most`), or to `default`.

    `?key=` with nothing behind it chooses none; of those that are not known, the first is refused.
    """
    wanted = list(dict.fromkeys(st.query_params.get_all(key)))
    if not wanted:
        st.session_state[key] = [value for value in default if value in ids]
        return
    try:
        found = [resolve(kind or key, value, ids, "choose from the list") for value in wanted if value]
    except UnknownName as unknown:
        refuse(unknown)
        found = [value for value in wanted if value in ids] or [value for value in default if value in ids]
    st.session_state[key] = list(dict.fromkeys(found))[:most]


def check_days(*keys: str, data: tuple[date, date] | None = None) -> None:
    """Refuse what the address gives for a day and is none, or lies outside of the `data`, whose ends are given.

    The widget bound to it passes it over.
    """
    for key in keys:
        try:
            day = day_named(wanted) if (wanted := st.query_params.get(key)) else None
        except UnknownName as unknown:
            refuse(unknown)
            continue
        if day and data and not data[0] <= day <= data[1]:
            first, last = map(words.day, data)
            refuse(f"{words.day(day)} is outside of the data, which reach from {first} to {last}.")


def keep(key: str, default: str | Collection[str]) -> None:
    """Write the widget's choice to the address, and nothing where it is the default: a widget's `on_change`."""
    chosen = st.session_state[key]
    if chosen == (default if isinstance(default, str) else list(default)):
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = chosen if chosen else ""


def carry_event(page: str) -> None:
    """On another page than before, take the event of the page before along in the address."""
    before, event = st.session_state.get(PAGE), st.session_state.get(CARRIED)
    st.session_state[PAGE] = page
    if event and before not in (None, page) and "event" not in st.query_params:
        st.query_params["event"] = event


def carried(event: str | None) -> None:
    """Remember the event of this page for the next one; None where it is the usual one."""
    st.session_state[CARRIED] = event
