"""Choices that the address names by id, where Streamlit's own binding would write the label that is shown.

The address is the source: each run sets the widget to what it says, and a change of the widget is written to it
before the run that follows. So back, forward and a shared link all show the same page.
"""

from collections.abc import Collection

import streamlit as st


def take_one(key: str, ids: Collection[str], default: str) -> None:
    """Set the widget `key`, before it is made, to the id that the address names, or to `default`."""
    wanted = st.query_params.get(key, default)
    st.session_state[key] = wanted if wanted in ids else default


def take_many(key: str, ids: Collection[str], default: Collection[str], most: int) -> None:
    """Set the widget `key`, before it is made, to the ids that the address names (at most `most`), or to `default`.

    `?key=` with nothing behind it chooses none; unknown ids are passed over.
    """
    wanted = st.query_params.get_all(key)
    known = [value for value in dict.fromkeys(wanted) if value in ids][:most]
    st.session_state[key] = known if known or wanted == [""] else [value for value in default if value in ids]


def keep(key: str, default: str | Collection[str]) -> None:
    """Write the widget's choice to the address, and nothing where it is the default: a widget's `on_change`."""
    chosen = st.session_state[key]
    if chosen == (default if isinstance(default, str) else list(default)):
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = chosen if chosen else ""
