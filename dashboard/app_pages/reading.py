"""How a page reads the warehouse: the state that it names, and the newest where that one is gone."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import streamlit as st

from dashboard.state import shown_state
from etl.warehouse import StateGoneError, connect_read_only


@contextmanager
def reading(state: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the state by whose name the page keeps what it reads.

    Where that state is not kept any more, the page is run again, with the newest; outside a page, as at the start of
    the server, `StateGoneError` is raised.
    """
    try:
        with connect_read_only(version=state) as con:
            yield con
    except StateGoneError:
        if shown_state().name != state:
            st.rerun()
        raise
