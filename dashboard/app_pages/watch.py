"""A component without looks that tells the server when an open page is out of date; `watch.js` is its other half."""

from pathlib import Path

import streamlit as st

from dashboard.serving import base_path
from dashboard.settings import settings
from dashboard.state import Shown

AWAY = "The data cannot be reached at the moment; this page shows what was last read."

_component = st.components.v2.component(
    "watch", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
)


def watch(shown: Shown | None, prices: str, theme: str) -> None:
    """Have the page drawn again once its published state, the age of its prices or its theme is not this any more.

    While the server says that the warehouse is away, the page stays as it is, below a line that says so.

    A fragment that runs again by the clock would do the same, at the cost of a redrawn page each time.
    """
    _component(
        key="watch",
        data={
            "state": shown and shown.name,
            "gone": bool(shown and shown.away),
            "prices": prices,
            "theme": theme,
            "seconds": settings().look_again,
            "address": f"{base_path()}/published",
            "away": AWAY,
        },
        on_changed_change=lambda: None,
    )
