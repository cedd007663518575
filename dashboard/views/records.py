"""The record book of a published state."""

import duckdb

from dashboard.analysis.record_book import Records
from dashboard.data.market import value_moves
from dashboard.data.records import index_changes, reported_moves


def read_records(con: duckdb.DuckDBPyConnection) -> Records:
    """All one-day moves of market value, computed and reported."""
    return Records(value_moves(con, valued=True), reported_moves(con), index_changes(con))
