"""A host that runs nothing but the dashboard still gets its data."""

import asyncio
from pathlib import Path

from dashboard.warm import warmed


def test_a_start_without_a_warehouse_builds_it_where_the_operator_says_so(tmp_path: Path, monkeypatch):
    database = tmp_path / "market.duckdb"
    monkeypatch.setenv("AIMI_DATABASE", str(database))
    asyncio.run(_started())
    assert not database.exists()
    monkeypatch.setenv("AIMI_LOAD_BUNDLED", "1")
    asyncio.run(_started())
    assert database.exists()


async def _started() -> None:
    async with warmed(None):  # type: ignore[arg-type]
        pass
