"""How a lake is reached: databases that a process keeps for its readers, each with one snapshot attached."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import duckdb

from etl.errors import first_line
from etl.warehouse.errors import StateGoneError, WarehouseError, WarehouseMissingError
from etl.warehouse.reading import bounds, lock

CATALOG = "warehouse"
POSTGRES = "ducklake:postgres:"
SESSION = "SET enable_progress_bar = false; SET TimeZone = 'UTC'"
"""How every connection is set: times in UTC, and no bar on the standard output, which is for results."""
KEPT = 3  # databases that stay while nobody reads them

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
    """The readers' databases of one place: for each snapshot one that a process keeps, and one for the newest.

    Each can read the lake and nothing else, for which no other snapshot can be attached to it either. One is made when
    it is first needed, and again after a fault. A catalog in a file belongs to one connection at a time, and is let go
    of after each block of reads.
    """

    place: Place
    memory_limit: str = "2GB"
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _kept: dict[int | None, duckdb.DuckDBPyConnection] = field(default_factory=dict)
    _readers: Counter[int | None] = field(default_factory=Counter)
    _checked: bool = False  # the extensions' signatures, which takes a second

    @contextmanager
    def reading(self, snapshot: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that sees the snapshot of that number, or without one, in each query, the newest."""
        con = self._opened(snapshot)
        try:
            yield con
        except duckdb.Error:
            self._leave(con)
            raise
        else:
            con.close()
        finally:
            with self._lock:
                self._readers[snapshot] -= 1
            if not self.place.shared:
                self._leave()

    def _leave(self, *cursors: duckdb.DuckDBPyConnection) -> None:
        """Let go of what is kept, and of connections to it: the server that it spoke to may have gone."""
        with self._lock:
            kept, self._kept = self._kept, {}
        for con in (*cursors, *kept.values()):
            leave(con, self.place)

    def _opened(self, snapshot: int | None) -> duckdb.DuckDBPyConnection:
        try:
            return self._cursor(snapshot)
        except duckdb.Error as error:
            if "No snapshot found" in str(error):
                raise
            self._leave()  # it may have been kept since before the server began again
            return self._cursor(snapshot)

    def _cursor(self, snapshot: int | None) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if snapshot not in self._kept:
                self._make_room()
                self._kept[snapshot] = self._made(snapshot)
            con = self._kept[snapshot].cursor()
            self._readers[snapshot] += 1
        try:
            con.execute(f"USE {CATALOG}")
        except duckdb.Error:
            with self._lock:
                self._readers[snapshot] -= 1
            self._leave(con)
            raise
        return con

    def _made(self, snapshot: int | None) -> duckdb.DuckDBPyConnection:
        again = {"allow_unsigned_extensions": "true"} if self._checked else {}
        con = duckdb.connect(config=bounds(self.memory_limit, secrets.token_hex(8)) | again)
        try:
            con.execute(SESSION)
            self.place.load(con)
            self._checked = True
            version = [] if snapshot is None else [f"SNAPSHOT_VERSION {snapshot}"]
            self.place.attach(con, CATALOG, "READ_ONLY", *version)
            options = f"SELECT value FROM ducklake_options('{CATALOG}') WHERE option_name = 'data_path'"  # noqa: S608
            folders = ", ".join(quoted(str(path)) for (path,) in con.execute(options).fetchall())
            con.execute(f"SET allowed_directories = [{folders}]; SET enable_external_access = false")
            lock(con)
        except duckdb.Error:
            leave(con, self.place)
            raise
        return con

    def _make_room(self) -> None:
        """Let go of the databases of snapshots that nobody reads, the oldest first."""
        idle = [number for number in self._kept if number is not None and not self._readers[number]]
        for number in idle[: max(0, len(self._kept) - KEPT)]:
            con = self._kept.pop(number)
            try:
                con.execute(f"USE memory; DETACH {CATALOG}")
            except duckdb.Error:  # the server has gone since
                leave(con, self.place)
            else:
                con.close()


@lru_cache(maxsize=4)
def connections(place: Place, memory_limit: str) -> Connections:
    """The kept connections of this process to a place."""
    return Connections(place, memory_limit)


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
