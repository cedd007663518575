from __future__ import annotations

from pathlib import Path

import pytest

from etl.bundled import load_bundled
from etl.settings import PROJECT_ROOT
from etl.warehouse.files import FileWarehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> FileWarehouse:
    """An empty place for a warehouse."""
    return FileWarehouse(tmp_path / "market.duckdb", keep_versions=3, lock_timeout=0.2)


@pytest.fixture
def bundled(warehouse: FileWarehouse) -> FileWarehouse:
    """A warehouse that holds the bundled data."""
    load_bundled(warehouse, PROJECT_ROOT / "data")
    return warehouse
