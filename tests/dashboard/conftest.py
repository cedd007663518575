"""What the tests of the dashboard share: the bundled warehouse and its league."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dashboard.views.league import League, read_league


@pytest.fixture(scope="session")
def con(bundled_database: Path) -> duckdb.DuckDBPyConnection:
    """The bundled warehouse, read only."""
    connection = duckdb.connect(str(bundled_database.resolve()), read_only=True)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@pytest.fixture(scope="session")
def told(con: duckdb.DuckDBPyConnection) -> League:
    """The league of all events: nobody may change it."""
    return read_league(con)
