"""A warehouse that many machines share: a DuckLake with its catalog in PostgreSQL, or MotherDuck.

A write is one transaction, so it becomes visible at once, as a snapshot; a block of reads keeps to one snapshot.
Writers take turns by an advisory lock of the PostgreSQL server, which a writer that dies lets go.
"""

from __future__ import annotations

import importlib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from etl.warehouse import runs
from etl.warehouse.errors import (
    NoSuchStateError,
    StateGoneError,
    WarehouseBusyError,
    WarehouseError,
    WarehouseMissingError,
)
from etl.warehouse.files import SESSION
from etl.warehouse.journal import Entry
from etl.warehouse.migrate import is_current, migrate

CATALOG = "warehouse"
LOCK = 7_221_925  # any number that nobody else on that server locks
_POSTGRES = "ducklake:postgres:"


@dataclass
class LakeWarehouse:
    """The lake at ``address``, such as ``ducklake:postgres:dbname=market host=db``.

    ``data_path`` (a folder or ``s3://…``) is needed once, when the lake is made.
    """

    address: str
    data_path: str | None = None
    keep_versions: int = 10
    lock_timeout: float = 60.0
    _depth: int = field(default=0, repr=False)

    @property
    def name(self) -> str:
        """The address without what is secret in it."""
        hidden = re.sub(r"((?:password|token)=)[^\s&]+", r"\1…", self.address, flags=re.IGNORECASE)
        return re.sub(r"//([^:/@\s]+):[^@\s]+@", r"//\1:…@", hidden)

    @property
    def commits_stay_private(self) -> bool:
        """False: what is committed is published."""
        return False

    def exists(self) -> bool:
        """Whether the lake has been made and holds the tables."""
        try:
            with self.reading():
                return True
        except WarehouseMissingError:
            return False

    def version(self) -> str:
        """The snapshot that is published; in MotherDuck, which has none, the last run.

        Raises
        ------
        WarehouseMissingError
            When there is none.
        """
        with self.reading() as con:
            return self._version(con)

    @contextmanager
    def reading(self, version: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that sees one snapshot: the one named ``version``, by default the newest.

        Raises
        ------
        WarehouseMissingError
            When there is none.
        StateGoneError
            When the snapshot that was named has expired.
        WarehouseError
            When the lake cannot be reached.
        """
        con = self._connect(read_only=True, snapshot=version)
        try:
            con.begin()
            tables = con.execute(
                "SELECT 1 FROM duckdb_tables() WHERE table_name = 'schema_migration'"
            ).fetchall()
            if not tables:
                raise WarehouseMissingError.at(self.name)
            yield con
        finally:
            con.close()

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the lake; what is committed in it is published.

        Raises
        ------
        WarehouseBusyError
            When another writer holds the lock for longer than the time to wait.
        WarehouseError
            When the lake cannot be reached.
        """
        with self.locked():
            con = self._connect(read_only=False)
            try:
                migrate(con, constraints=False)
                yield con
            finally:
                con.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out; may be entered again by the one who holds it.

        Raises
        ------
        WarehouseBusyError
            When another writer holds the lock for longer than the time to wait.
        """
        if self._depth or not self.address.startswith(_POSTGRES):
            yield
            return
        con = duckdb.connect()
        try:
            self._guarded(con, self._take_lock)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
        finally:
            con.close()  # the server lets go of the lock with the transaction

    def bring_up_to_date(self) -> bool:
        """Run the migrations that a published state of an older program has not seen; False where there is none."""
        if not self.exists():
            return False
        with self.reading() as con:
            current = is_current(con, constraints=False)
        if not current:
            with self.writing():
                pass
        return True

    def versions(self) -> list[str]:
        """The names of the snapshots that ``rollback`` offers, oldest first."""
        with self.reading() as con:
            if not self.address.startswith("ducklake:"):
                return [self._version(con)]
            found = con.execute(
                "SELECT snapshot_id FROM ducklake_snapshots($catalog) ORDER BY 1 DESC LIMIT $count",
                {"catalog": CATALOG, "count": self.keep_versions},
            ).fetchall()
        return [f"snapshot-{number}" for (number,) in reversed(found)]

    def rollback(self, version: str | None = None) -> str:
        """Make the tables what they were in a snapshot, by default the one before; this is a new snapshot.

        Raises
        ------
        WarehouseError
            When there is no such snapshot.
        """
        kept = self.versions()
        version = version or (kept[-2] if len(kept) > 1 else "none")
        if version not in kept:
            raise NoSuchStateError(f"There is no state {version!r}; kept are {', '.join(kept)}.")
        number = _number(version)
        with self.writing() as con:
            con.begin()
            names = con.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = $catalog", {"catalog": CATALOG}
            ).fetchall()
            for (name,) in names:
                con.execute(f'DELETE FROM "{name}"')  # noqa: S608
                con.execute(f'INSERT INTO "{name}" FROM "{name}" AT (VERSION => {number})')
            con.commit()
        return version

    def history(self) -> list[Entry]:
        """Every run that is remembered, oldest first."""
        if not self.exists():
            return []
        with self.reading() as con:
            return runs.entries_since(con, set())

    def history_version(self) -> str:
        """A short text that changes with ``history``: the newest snapshot."""
        return self.version()

    def disk_used(self) -> int | None:
        """None: the Parquet files may lie anywhere."""
        return None

    def _version(self, con: duckdb.DuckDBPyConnection) -> str:
        if self.address.startswith("ducklake:"):
            query = "SELECT 'snapshot-' || max(snapshot_id) FROM ducklake_snapshots('warehouse')"
        else:
            query = "SELECT coalesce(max(run_id), 'empty') FROM etl_run"
        return str(con.execute(query).fetchall()[0][0])

    def _connect(self, *, read_only: bool, snapshot: str | None = None) -> duckdb.DuckDBPyConnection:
        con = duckdb.connect()
        try:
            self._guarded(con, lambda con: self._attach(con, read_only=read_only, snapshot=snapshot))
        except WarehouseError:
            con.close()
            raise
        return con

    def _attach(
        self, con: duckdb.DuckDBPyConnection, *, read_only: bool, snapshot: str | None = None
    ) -> None:
        options = ["READ_ONLY"] if read_only else []
        if snapshot and self.address.startswith("ducklake:"):
            options.append(f"SNAPSHOT_VERSION {_number(snapshot)}")
        if self.address.startswith("ducklake:"):
            if self.address.startswith(_POSTGRES):
                load_extension(con, "postgres_scanner")
            load_extension(con, "ducklake")
            if self.data_path:
                options.append(f"DATA_PATH {_quoted(self.data_path)}")
                if self.data_path.startswith("s3://"):
                    load_extension(con, "httpfs")
        con.execute(SESSION)
        with_options = f" ({', '.join(options)})" if options else ""
        con.execute(f"ATTACH {_quoted(self.address)} AS {CATALOG}{with_options}")
        con.execute(f"USE {CATALOG}")

    def _take_lock(self, con: duckdb.DuckDBPyConnection) -> None:
        load_extension(con, "postgres_scanner")
        con.execute(f"ATTACH {_quoted(self.address.removeprefix(_POSTGRES))} AS server (TYPE postgres)")
        con.begin()  # a transaction keeps to one connection of the server, and so to the lock
        ask = f"FROM postgres_query('server', 'SELECT pg_try_advisory_xact_lock({LOCK})')"
        deadline = time.monotonic() + self.lock_timeout
        while not con.execute(ask).fetchall()[0][0]:
            if time.monotonic() > deadline:
                raise WarehouseBusyError(
                    f"Another refresh is writing {self.name} and did not end within {self.lock_timeout:g} "
                    "seconds: try again later, or raise AIMI_LOCK_TIMEOUT."
                )
            time.sleep(0.2)

    def _guarded(
        self, con: duckdb.DuckDBPyConnection, call: Callable[[duckdb.DuckDBPyConnection], None]
    ) -> None:
        try:
            call(con)
        except duckdb.Error as error:
            told = str(error).splitlines()[0]
            if "does not exist" in told and "DuckLake" in told:
                raise WarehouseMissingError.at(self.name) from None
            if "No snapshot found" in told:
                raise StateGoneError.of(told.rpartition(" ")[2]) from None
            told = told.replace(self.address, self.name)
            told = re.sub(r"((?:password|token)=)[^\s&'\"]+", r"\1…", told, flags=re.IGNORECASE)
            raise WarehouseError(f"{self.name} cannot be reached: {told}") from None


def _number(version: str) -> int:
    """The number of the snapshot that is called ``version``."""
    number = version.removeprefix("snapshot-")
    if not number.isdecimal():
        raise StateGoneError.of(version)
    return int(number)


def load_extension(con: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load an extension from its wheel, or else the way DuckDB does it."""
    try:
        package = importlib.import_module(f"duckdb_extension_{extension}")
        folder = Path(package.__file__ or "").parent / "extensions" / f"v{duckdb.__version__}"
        con.execute(f"LOAD {_quoted(str(folder / f'{extension}.duckdb_extension'))}")
    except ImportError:
        con.execute(f"INSTALL {extension}")
        con.execute(f"LOAD {extension}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
