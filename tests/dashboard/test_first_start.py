"""A host that runs nothing but the dashboard still gets its data."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dashboard.warm import warmed
from etl.product import variable


def test_a_start_without_a_warehouse_builds_it_where_the_operator_says_so(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("dashboard.warm.leave", lambda: None)  # the process of the tests goes on
    database = tmp_path / "market.duckdb"
    monkeypatch.setenv(variable("database"), str(database))
    start()
    assert not database.exists()
    monkeypatch.setenv(variable("load_bundled"), "1")
    start()
    assert database.exists()


def start() -> None:
    """In a thread of its own, since a test's browser may hold the loop of this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(_started())).result()


async def _started() -> None:
    async with warmed(None):  # type: ignore[arg-type]
        pass
