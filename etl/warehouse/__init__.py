"""The warehouse: where it lies, how it is read, and how a new state of it is published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from etl.errors import ConfigurationError
from etl.product import variable
from etl.settings import settings
from etl.warehouse.base import Warehouse
from etl.warehouse.errors import (
    StateGoneError,
    WarehouseBusyError,
    WarehouseError,
    WarehouseMissingError,
)
from etl.warehouse.files import FileWarehouse
from etl.warehouse.journal import Entry
from etl.warehouse.lake import LakeWarehouse
from etl.warehouse.states import Keep

__all__ = [
    "StateGoneError",
    "Warehouse",
    "WarehouseBusyError",
    "WarehouseError",
    "WarehouseMissingError",
    "connect_read_only",
    "open_warehouse",
    "published_version",
    "run_history",
    "run_history_version",
]


def open_warehouse(database: str | Path | None = None) -> Warehouse:
    """The warehouse at ``database``, by default the one that the setting `database` names."""
    options = settings()
    place = str(database or options.database)
    keep = Keep(options.keep_versions, options.keep_days, options.keep_daily, options.keep_monthly)
    if place.startswith("ducklake:"):
        return LakeWarehouse(
            place, options.data_path, keep, options.lock_timeout, options.keep_log_days, options.memory_limit
        )
    if place.startswith("md:"):
        raise ConfigurationError(
            f"{variable('database')} names MotherDuck, which is not supported: a lake is ducklake:…."
        )
    return FileWarehouse(
        Path(place).absolute(),
        keep,
        options.lock_timeout,
        options.memory_limit,
        options.keep_runs,
        options.keep_log_days,
    )


@contextmanager
def connect_read_only(
    database: str | Path | None = None, *, version: str | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to one state, closed at the end of the block.

    ``version`` is the name of a state, as ``published_version`` gives it; without one the published state is
    read. Whoever keeps what was read under the name of a state must name it here too: another one may be
    published between asking for the name and reading. Times come back in UTC. A connection keeps to its state
    and never blocks a refresh.

    Raises
    ------
    WarehouseMissingError
        When nothing has been published yet.
    StateGoneError
        When the state that was named is not kept any more.
    WarehouseError
        When what is there cannot be read.
    """
    with open_warehouse(database).reading(version) as con:
        yield con


def published_version(database: str | Path | None = None) -> str:
    """A short text that changes whenever another state is published: the key of every cache of its data.

    Raises
    ------
    WarehouseMissingError
        When nothing has been published yet.
    """
    return open_warehouse(database).version()


def run_history(database: str | Path | None = None) -> list[Entry]:
    """Every run that is remembered, oldest first, whether or not it published a state.

    An entry has the columns of ``etl_run``, and as ``items`` (item, status, message) what did not come as asked.

    Raises
    ------
    WarehouseError
        When what is there cannot be read.
    """
    return open_warehouse(database).history()


def run_history_version(database: str | Path | None = None) -> str:
    """A short text that changes with ``run_history``.

    Raises
    ------
    WarehouseMissingError
        When nothing has been published yet.
    """
    return open_warehouse(database).history_version()
