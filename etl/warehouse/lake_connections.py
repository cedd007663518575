"""How a lake is reached: one DuckDB that a process keeps for its readers, in which each snapshot is attached once."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import duckdb

from etl.errors import first_line
from etl.warehouse.errors import StateGoneError, WarehouseError, WarehouseMissingError

CATALOG = "warehouse"
LAKE = "ducklake:"
POSTGRES = "ducklake:postgres:"
SESSION = "SET enable_progress_bar = false; SET TimeZone = 'UTC'"
"""How every connection is set: times in UTC, and no bar on the standard output, which is for results."""
ATTACHED = 4  # snapshots that stay attached while nobody reads them

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Place:
    """Where a lake is: the ``address`` of its catalog, and ``data_path``, which is needed once, when it is made."""

    address: str
    data_path: str | None = None

    @property
    def name(self) -> str:
        """The address without what is secret in it."""
        hidden = re.sub(r"((?:password|token)=)[^\s&]+", r"\1…", self.address, flags=re.IGNORECASE)
        return re.sub(r"//([^:/@\s]+):[^@\s]+@", r"//\1:…@", hidden)

    @property
    def shared(self) -> bool:
        """Whether the catalog is in PostgreSQL; one in a file belongs to one connection at a time."""
        return self.address.startswith(POSTGRES)

    def load(self, con: duckdb.DuckDBPyConnection) -> None:
        """Load what DuckDB needs to read the lake."""
        if self.shared:
            load_extension(con, "postgres_scanner")
        load_extension(con, "ducklake")
        packed = importlib.util.find_spec("duckdb_extension_httpfs") is not None
        if (
            packed if self.data_path is None else self.data_path.startswith("s3://")
        ):  # else the catalog knows where
            prepare_s3(con)

    def attach(self, con: duckdb.DuckDBPyConnection, alias: str, *options: str) -> None:
        """Attach the lake under a name."""
        data_path = [f"DATA_PATH {quoted(self.data_path)}"] if self.data_path else []
        every = ", ".join([*options, *data_path])
        con.execute(f"ATTACH {quoted(self.address)} AS {alias}{f' ({every})' if every else ''}")

    def guarded(self, call: Callable[[], Answer]) -> Answer:
        """What ``call`` returns; the engine's errors become those of the warehouse, without secrets."""
        try:
            return call()
        except duckdb.Error as error:
            raise self.explained(error) from None

    def explained(self, error: duckdb.Error) -> WarehouseError:
        """What an error of the engine means."""
        told = first_line(error)
        if "does not exist" in told and "DuckLake" in told:
            return WarehouseMissingError.at(self.name)
        if "No snapshot found" in told:
            return StateGoneError.of(f"snapshot-{told.rpartition(' ')[2]}")
        told = told.replace(self.address, self.name).replace(self.address.removeprefix(POSTGRES), "…")
        told = re.sub(r"((?:password|token)=)[^\s&'\"]+", r"\1…", told, flags=re.IGNORECASE)
        return WarehouseError(f"{self.name} cannot be reached: {told}")


@dataclass
class Connections:
    """The readers' DuckDB of one place, made when it is first needed and again after a fault.

    A catalog in a file belongs to one connection at a time, and is let go of after each block of reads.
    """

    place: Place
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _con: duckdb.DuckDBPyConnection | None = None
    _readers: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def reading(self, snapshot: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that sees the snapshot of that number, or without one, in each query, the newest."""
        con, alias = self._opened(snapshot)
        try:
            yield con
        except duckdb.Error:
            self._leave(con)
            raise
        else:
            con.close()
        finally:
            with self._lock:
                if alias in self._readers:
                    self._readers[alias] -= 1
            if not self.place.shared:
                self._leave()

    def _leave(self, *cursors: duckdb.DuckDBPyConnection) -> None:
        """Let go of the kept DuckDB, and of connections to it: the server that it spoke to may have gone."""
        with self._lock:
            kept, self._con, self._readers = self._con, None, {}
        for con in (*cursors, kept):
            if con is not None:
                leave(con, self.place)

    def _opened(self, snapshot: int | None) -> tuple[duckdb.DuckDBPyConnection, str]:
        try:
            return self._attached(snapshot)
        except duckdb.Error as error:
            if "No snapshot found" in str(error):
                raise
            self._leave()  # it may have been kept since before the server began again
            return self._attached(snapshot)

    def _attached(self, snapshot: int | None) -> tuple[duckdb.DuckDBPyConnection, str]:
        alias = CATALOG if snapshot is None else f"snapshot_{snapshot}"
        with self._lock:
            if self._con is None:
                self._con = duckdb.connect()
                self._con.execute(SESSION)
                self.place.load(self._con)
            if alias not in self._readers:
                self._make_room()
                options = (
                    ("READ_ONLY",) if snapshot is None else ("READ_ONLY", f"SNAPSHOT_VERSION {snapshot}")
                )
                self.place.attach(self._con, alias, *options)
                self._readers[alias] = 0
            con = self._con.cursor()
            self._readers[alias] += 1
        try:
            con.execute(SESSION)
            con.execute(f"USE {alias}")
        except duckdb.Error:
            self._leave(con)
            raise
        return con, alias

    def _make_room(self) -> None:
        """Detach snapshots that nobody reads, the oldest first."""
        idle = [alias for alias, readers in self._readers.items() if not readers and alias != CATALOG]
        for alias in idle[: max(0, len(self._readers) - ATTACHED)]:
            if self._con is not None:
                self._con.execute(f"DETACH {alias}")
            del self._readers[alias]


@lru_cache(maxsize=4)
def connections(place: Place) -> Connections:
    """The kept connections of this process to a place."""
    return Connections(place)


def leave(con: duckdb.DuckDBPyConnection, place: Place) -> None:
    """Let go of a connection after a fault.

    Where there is a server, it is left as it is for as long as the process lives: to close it would roll back in a
    destructor, where an answer that does not come ends the process.
    """
    if place.shared:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(con))
        return
    with suppress(duckdb.Error):
        con.rollback()
    con.close()


def snapshot_number(version: str) -> int:
    """The number of the snapshot that is called ``version``.

    Raises
    ------
    StateGoneError
        When no snapshot is called so.
    """
    number = version.removeprefix("snapshot-")
    if not number.isdecimal():
        raise StateGoneError.of(version)
    return int(number)


def load_extension(con: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load an extension from its wheel, or else the way DuckDB does it."""
    try:
        package = importlib.import_module(f"duckdb_extension_{extension}")
        folder = Path(package.__file__ or "").parent / "extensions" / f"v{duckdb.__version__}"
        con.execute(f"LOAD {quoted(str(folder / f'{extension}.duckdb_extension'))}")
    except ImportError:
        con.execute(f"INSTALL {extension}")
        con.execute(f"LOAD {extension}")


def prepare_s3(con: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB read s3://, with the key, region and endpoint of the usual ``AWS_`` variables."""
    load_extension(con, "httpfs")
    given = {
        "KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID"),
        "SECRET": os.environ.get("AWS_SECRET_ACCESS_KEY"),
        "SESSION_TOKEN": os.environ.get("AWS_SESSION_TOKEN"),
        "REGION": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
    }
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options = [f"{name} {quoted(value)}" for name, value in given.items() if value]
    if endpoint:
        scheme, _, host = endpoint.rpartition("://")
        ssl = "false" if scheme == "http" else "true"
        options += [f"ENDPOINT {quoted(host.rstrip('/'))}", "URL_STYLE 'path'", f"USE_SSL {ssl}"]
    if options:
        con.execute(f"CREATE OR REPLACE SECRET lake (TYPE s3, {', '.join(options)})")


def quoted(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"
