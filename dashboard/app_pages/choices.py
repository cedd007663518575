"""Choices among named options, each kept in the address by its id."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.app_pages import address


def pick(
    label: str, choices: Mapping[str, str], key: str, default: str, *, kind: str = "", disabled: bool = False
) -> str:
    """One of a few options, all in sight; `choices` maps ids to what is shown.

    `kind` is what the options are where the key does not say it, for the sentence about an unknown one.
    """
    address.take_one(key, choices, default, kind)
    chosen = st.segmented_control(
        label, list(choices), required=True, disabled=disabled, wrap=True, **_kept(choices, key, default)
    )
    return default if chosen is None else str(chosen)


def select(
    label: str, choices: Mapping[str, str], key: str, default: str, *, kind: str = "", width: int = 360
) -> str:
    """As `pick`, one of many options, in a list that can be searched."""
    address.take_one(key, choices, default, kind)
    chosen = st.selectbox(label, list(choices), width=width, **_kept(choices, key, default))
    return default if chosen is None else str(chosen)


def select_many(
    label: str, choices: Mapping[str, str], key: str, default: list[str], most: int, kind: str = "company"
) -> tuple[str, ...]:
    """Up to `most` of many options, in the order of choosing."""
    address.take_many(key, choices, default, most, kind)
    how = _kept(choices, key, default)
    chosen = st.multiselect(label, list(choices), max_selections=most, select_all=False, **how)
    return tuple(value for value in chosen if value in choices)


def _kept(choices: Mapping[str, str], key: str, default: str | list[str]) -> dict[str, Any]:
    """How a choice is shown, and that it is kept in the address."""
    return {
        "key": key,
        "format_func": choices.__getitem__,
        "on_change": address.keep,
        "args": (key, default),
    }
