"""Who looks at a page: any reader, or the operator, who is also told what to do about what is missing."""

import logging

import streamlit as st

from dashboard.app_pages.markdown import plain
from dashboard.settings import settings
from dashboard.views.request import NothingToShow
from etl.errors import ProductError
from etl.warehouse import WarehouseMissingError

NO_DATA = "There are no data here yet."
UNREADABLE = "The data cannot be read at the moment: reload the page in a minute."

logger = logging.getLogger(__name__)


def is_operator() -> bool:
    """Whether the operator looks: the setting `operator` says so of everybody, `operator_emails` of who has logged in.

    A login is Streamlit's own (OpenID Connect, the `[auth]` part of its secrets).
    """
    if settings().operator:
        return True
    allowed = settings().operator_emails
    if not allowed or not getattr(st.user, "is_logged_in", False):
        return False
    return bool(st.user.get("email_verified", False)) and str(st.user.get("email", "")).casefold() in allowed


def say_nothing(nothing: NothingToShow, icon: str = ":material/info:") -> None:
    """Why there is nothing to show, and for the operator what to do."""
    sentence = plain(str(nothing))
    if nothing.step and is_operator():
        sentence = f"{sentence} {_said(nothing.step)}"
    st.info(sentence, icon=icon)


def say_unreadable(error: ProductError) -> None:
    """That the warehouse cannot be read, and for the operator why; readers learn nothing of where it lies."""
    sentence = NO_DATA if isinstance(error, WarehouseMissingError) else UNREADABLE
    say_fault(error, sentence, ":material/database:")


def say_fault(error: ProductError, sentence: str, icon: str) -> None:
    """A sentence in place of what a fault of the server says, which the operator is told, and the log."""
    if is_operator():
        st.warning(_said(str(error)), icon=icon)
        return
    logger.warning("%s", error)
    st.warning(sentence, icon=icon)


def _said(sentence: str) -> str:
    """A message as Markdown: commands between back quotes as code, all else as it is."""
    parts = sentence.split("`")
    if len(parts) % 2 == 0:
        return plain(sentence)
    return " ".join(f"`{part}`" if at % 2 else plain(part) for at, part in enumerate(parts)).strip()
