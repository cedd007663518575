"""Connections for readers: they see one state, and nothing else of the machine."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import duckdb

from etl.temporary import own_folder, spill_folder
from etl.warehouse.errors import StateGoneError
from etl.warehouse.kept import KeptStates

THREADS = min(4, os.cpu_count() or 1)
UNPACKED = 2  # packed states that a process keeps open
_locking, _unpacking = threading.Lock(), threading.Lock()
_unpacked: OrderedDict[tuple[KeptStates, str], duckdb.DuckDBPyConnection] = OrderedDict()


def open_file(path: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a database file, which can read no other file and change no setting.

    Raises
    ------
    duckdb.Error
        When it cannot be opened.
    """
    options = {"enable_external_access": "false", **bounds(memory_limit, str(path))}
    con = duckdb.connect(str(path), read_only=True, config=options)
    lock(con)
    return con


def bounds(memory_limit: str, database: str) -> dict[str, Any]:
    """What a reader's database may take, and where it puts what memory does not hold."""
    return {"memory_limit": memory_limit, "threads": THREADS, "temp_directory": spill_folder(database)}


def lock(con: duckdb.DuckDBPyConnection) -> None:
    """Set times in UTC for every connection to the database of this one, and let no setting be changed any more."""
    with _locking:
        if not con.execute("SELECT current_setting('lock_configuration')").fetchall()[0][0]:
            con.execute("SET GLOBAL TimeZone = 'UTC'; SET lock_configuration = true")


def open_packed(kept: KeptStates, version: str, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """The same for a state that is packed: unpacked once for a process, into a file that goes with it.

    Raises
    ------
    StateGoneError
        When it is not kept.
    WarehouseError
        When it cannot be put together.
    """
    if not kept.holds(version):
        raise StateGoneError.of(version)
    with _unpacking:
        key = kept, version
        if key not in _unpacked:
            with tempfile.TemporaryDirectory(dir=own_folder("state"), ignore_cleanup_errors=True) as folder:
                file = Path(folder) / "state.duckdb"
                kept.unpack(version, file)
                _unpacked[key] = open_file(file, memory_limit)
        _unpacked.move_to_end(key)
        con = _unpacked[key].cursor()
        while len(_unpacked) > UNPACKED:
            _unpacked.popitem(last=False)[1].close()
        return con
