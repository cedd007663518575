"""What the tests of the dashboard share: the bundled warehouse and its league."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import duckdb
import pytest

from dashboard.views.league import League, read_league


@pytest.fixture(scope="session")
def streamlits_own_packages() -> list[metadata.Distribution]:
    return [one for one in metadata.distributions() if "streamlit" in one.name]


@pytest.fixture(scope="module", autouse=True)
def only_streamlits_own_packages(streamlits_own_packages: list[metadata.Distribution]) -> Iterator[None]:
    """Streamlit's test harness searches every installed package for components, each time that a page runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metadata, "distributions", lambda **_: streamlits_own_packages)
        yield


@pytest.fixture(scope="session")
def con(
    bundled_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the bundled warehouse, read only: the program opens that one itself, in another way."""
    path = tmp_path_factory.mktemp("read") / "market.duckdb"
    shutil.copyfile(bundled_database, path)
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.fixture(scope="session")
def told(con: duckdb.DuckDBPyConnection) -> League:
    """The league of all events: nobody may change it."""
    return read_league(con)
