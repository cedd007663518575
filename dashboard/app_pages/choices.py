"""Choices among named options, each kept in the address by its id."""

from collections.abc import Mapping

import streamlit as st

from dashboard.app_pages import address


def pick(label: str, choices: Mapping[str, str], key: str, default: str, *, disabled: bool = False) -> str:
    """One of a few options, all in sight; `choices` maps ids to what is shown."""
    address.take_one(key, choices, default)
    chosen = st.segmented_control(
        label,
        list(choices),
        required=True,
        format_func=choices.__getitem__,
        key=key,
        on_change=address.keep,
        args=(key, default),
        disabled=disabled,
        wrap=True,
    )
    return default if chosen is None else str(chosen)


def select(label: str, choices: Mapping[str, str], key: str, default: str, width: int = 360) -> str:
    """One of many options, in a list that can be searched."""
    address.take_one(key, choices, default)
    chosen = st.selectbox(
        label,
        list(choices),
        format_func=choices.__getitem__,
        key=key,
        on_change=address.keep,
        args=(key, default),
        width=width,
    )
    return default if chosen is None else str(chosen)


def select_many(
    label: str, choices: Mapping[str, str], key: str, default: list[str], most: int, kind: str = "company"
) -> tuple[str, ...]:
    """Up to `most` of many options, in the order of choosing."""
    address.take_many(key, choices, default, most, kind)
    chosen = st.multiselect(
        label,
        list(choices),
        format_func=choices.__getitem__,
        key=key,
        on_change=address.keep,
        args=(key, default),
        max_selections=most,
        select_all=False,
    )
    return tuple(value for value in chosen if value in choices)
