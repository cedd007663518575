"""A warehouse that many machines share: a DuckLake, with its catalog in PostgreSQL.

A write is one transaction, so it becomes visible at once, as a snapshot; a block of reads keeps to one snapshot.
Writers take turns by an advisory lock of the PostgreSQL server, which a writer that dies lets go.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb

from etl.product import SLUG, variable
from etl.temporary import spill_folder
from etl.warehouse import runs
from etl.warehouse.compare import LOG, QUARANTINE
from etl.warehouse.errors import NoSuchStateError, WarehouseBusyError, WarehouseError, WarehouseMissingError
from etl.warehouse.journal import Entry
from etl.warehouse.lake_connections import (
    CATALOG,
    POSTGRES,
    SESSION,
    Place,
    connections,
    leave,
    load_extension,
    quoted,
    snapshot_number,
)
from etl.warehouse.migrate import bring_up_to_date, migrate
from etl.warehouse.retention import forget
from etl.warehouse.states import Keep, State

LOCK = 7_221_925  # any number that nobody else on that server locks
ASKED_EVERY = 1.0
"""Seconds for which the name of the published snapshot is believed before the server is asked again."""
UNUSED_DAYS = (
    2  # a file is taken away only so long after its snapshots have expired: somebody may still read it
)
MIGRATIONS = "schema_migration"
_versions: dict[Place, tuple[str, float]] = {}


@dataclass
class LakeWarehouse:
    """The lake at ``address``, such as ``ducklake:postgres:dbname=market host=db``.

    ``data_path`` (a folder or ``s3://…``) is needed once, when the lake is made.
    """

    address: str
    data_path: str | None = None
    keep: Keep = field(default_factory=Keep)
    lock_timeout: float = 60.0
    log_days: int = 800
    memory_limit: str = "2GB"
    _depth: int = field(default=0, repr=False)

    @property
    def place(self) -> Place:
        """Where the lake is."""
        return Place(self.address, self.data_path)

    @property
    def name(self) -> str:
        """The address without what is secret in it."""
        return self.place.name

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
        """The snapshot that is published: the newest in which more than the run log changed.

        A process asks at most once a second.

        Raises
        ------
        WarehouseMissingError
            When there is none.
        WarehouseError
            When the lake cannot be reached.
        """
        known, asked = _versions.get(self.place, ("", 0.0))
        if known and time.monotonic() - asked < ASKED_EVERY:
            return known
        name = self._states(but=LOG)[-1].name
        _versions[self.place] = name, time.monotonic()
        return name

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
            When the lake cannot be reached, or does not hold what is read.
        """
        number = self._states(but=())[-1].number if version is None else snapshot_number(version)
        try:
            with connections(self.place, self.memory_limit).reading(number) as con:
                yield con
        except duckdb.Error as error:
            raise self.place.explained(error) from error

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
            con = duckdb.connect(config=self._bounds())
            try:
                con.execute(SESSION)
                self.place.load(con)
                self.place.attach(con, CATALOG)
                con.execute(f"USE {CATALOG}")
                migrate(con, constraints=False)
                yield con
            except duckdb.Error as error:
                leave(con, self.place)
                raise self.place.explained(error) from error
            finally:
                _versions.pop(self.place, None)
            con.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out; may be entered again by the one who holds it.

        Raises
        ------
        WarehouseBusyError
            When another writer holds the lock for longer than the time to wait.
        WarehouseError
            When the server cannot be reached.
        """
        if self._depth or not self.place.shared:
            yield
            return
        con = duckdb.connect()
        try:
            self.place.guarded(lambda: self._take_lock(con))
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
        finally:
            self._let_go(con)

    def bring_up_to_date(self) -> bool:
        """Run the migrations that a published state of an older program has not seen; False where there is none."""
        return bring_up_to_date(self, constraints=False)

    def versions(self) -> list[str]:
        """The names of the snapshots that ``rollback`` offers, oldest first."""
        return [state.name for state in self._offered()]

    def rollback(self, version: str | None = None) -> str:
        """Make the tables what they were in a snapshot, by default the one that the present came from.

        This is a new snapshot, whose commit names the one that a further rollback returns to.

        Raises
        ------
        NoSuchStateError
            When there is no such snapshot.
        """
        with self.locked():
            kept = self._offered()
            chosen = _chosen(kept, version)
            before = chosen.came_from(kept)
            with self.writing() as con:
                con.begin()
                tables = con.execute(
                    "SELECT table_name FROM duckdb_tables() WHERE database_name = $catalog",
                    {"catalog": CATALOG},
                ).fetchall()
                for (name,) in tables:
                    if name in (*LOG, MIGRATIONS):
                        continue  # what happened has happened, and the columns stay as they are
                    _bring_back(con, name, chosen.number)
                told = f"'{CATALOG}', '{SLUG}', 'rollback to {chosen.name}'"
                parent = before.number if before else 0
                con.execute(f"CALL ducklake_set_commit_message({told}, extra_info => '{parent}')")
                con.commit()
        return chosen.name

    def clean(self) -> int:
        """Let snapshots thin out as kept states do, merge small files, take away what nobody needs.

        Returns how many snapshots have expired.
        """
        with self.locked():
            states, published = self._states(but=()), self._offered()
            stay = self.keep.kept(published, datetime.now(UTC)) | {states[-1], published[-1]}
            gone = [state.number for state in states if state not in stay]
            with self.writing() as con:
                forget(con, self.log_days)
                if gone:
                    con.execute(f"CALL ducklake_expire_snapshots('{CATALOG}', versions => {gone})")
                con.execute(f"CALL ducklake_merge_adjacent_files('{CATALOG}')")
                old = f"older_than => now() - INTERVAL {UNUSED_DAYS} DAY"
                con.execute(f"CALL ducklake_cleanup_old_files('{CATALOG}', {old})")
        return len(gone)

    def history(self) -> list[Entry]:
        """Every run that is remembered, oldest first."""
        if not self.exists():
            return []
        with self.reading() as con:
            return runs.entries_since(con, set())

    def history_version(self) -> str:
        """A short text that changes with ``history``."""
        return self._states(but=())[-1].name

    def disk_used(self) -> int | None:
        """The bytes of the Parquet files that the catalog knows of."""
        query = f"SELECT sum(file_size_bytes) FROM ducklake_table_info('{CATALOG}')"  # noqa: S608
        return int(self._asked(query)[0][0][0] or 0)

    def _states(self, but: tuple[str, ...]) -> list[State]:
        """The snapshots in which another table than those was changed, oldest first.

        Raises
        ------
        WarehouseMissingError
            When the lake holds no table.
        """
        every = self._snapshots()
        found = [state for state, changed in every if not but or changed - set(but)]
        return found or [every[-1][0]]

    def _offered(self) -> list[State]:
        """The snapshots that a rollback may return to, oldest first: none of those on the way of a migration."""
        found = [one for one in self._snapshots() if one[1] - {*LOG, QUARANTINE}]
        return [state for state, changed in found if MIGRATIONS not in changed or state == found[-1][0]]

    def _snapshots(self) -> list[tuple[State, set[str]]]:
        """Every snapshot with the tables that it changed, oldest first."""
        info, rows = self._asked(
            f"SELECT table_id, table_name FROM ducklake_table_info('{CATALOG}')",  # noqa: S608
            f"SELECT * EXCLUDE (author, commit_message) FROM ducklake_snapshots('{CATALOG}') ORDER BY 1",  # noqa: S608
        )
        tables = {str(number): name for number, name in info}
        if MIGRATIONS not in tables.values():
            raise WarehouseMissingError.at(self.name)
        return [
            (
                State(
                    number, f"snapshot-{number}", int(parent) if (parent or "").isdecimal() else None, moment
                ),
                {tables.get(table, table.removeprefix("main.").strip('"')) for table in _changed(changes)},
            )
            for number, moment, _, changes, parent in rows
        ]

    def _asked(self, *queries: str) -> list[list[tuple[Any, ...]]]:
        """The rows of queries about the newest snapshot."""

        def ask() -> list[list[tuple[Any, ...]]]:
            with connections(self.place, self.memory_limit).reading() as con:
                return [con.execute(query).fetchall() for query in queries]

        try:
            return self.place.guarded(ask)
        except WarehouseMissingError:
            raise
        except WarehouseError:
            return self.place.guarded(ask)  # the first may have met a connection from before a restart

    def _bounds(self) -> dict[str, Any]:
        return {"memory_limit": self.memory_limit, "temp_directory": spill_folder(secrets.token_hex(8))}

    def _let_go(self, con: duckdb.DuckDBPyConnection) -> None:
        """Let go of the lock, by the end of its transaction."""
        try:
            con.execute("FROM postgres_query('server', 'SELECT 1')").fetchall()
        except duckdb.Error:  # the server has let go of it already
            leave(con, self.place)
            return
        con.rollback()
        con.close()

    def _take_lock(self, con: duckdb.DuckDBPyConnection) -> None:
        load_extension(con, "postgres_scanner")
        con.execute(f"ATTACH {quoted(self.address.removeprefix(POSTGRES))} AS server (TYPE postgres)")
        con.begin()  # a transaction keeps to one connection of the server, and so to the lock
        ask = f"FROM postgres_query('server', 'SELECT pg_try_advisory_xact_lock({LOCK})')"
        deadline = time.monotonic() + self.lock_timeout
        while not con.execute(ask).fetchall()[0][0]:
            if time.monotonic() > deadline:
                raise WarehouseBusyError(
                    f"Another refresh is writing {self.name} and did not end within {self.lock_timeout:g} "
                    f"seconds: try again later, or raise {variable('lock_timeout')}."
                )
            time.sleep(0.2)


def _chosen(kept: Sequence[State], version: str | None) -> State:
    """The snapshot to return to: the one of that name, or the one that the newest came from."""
    if version is None:
        found = kept[-1].came_from(kept)
        if found is None:
            raise NoSuchStateError("There is no earlier state to return to.")
        return found
    for state in kept:
        if state.name == version:
            return state
    names = ", ".join(state.name for state in kept)
    raise NoSuchStateError(f"There is no state {version!r}; kept are {names}.")


def _bring_back(con: duckdb.DuckDBPyConnection, name: str, snapshot: int) -> None:
    """Make the rows of a table what they were; one that is younger than the snapshot becomes empty.

    They are read before any is taken out: of a small table, whose rows lie in the catalog, a transaction no longer sees
    those of an earlier snapshot once it has deleted the present ones.
    """
    try:
        con.execute(f'CREATE OR REPLACE TEMP TABLE earlier AS FROM "{name}" AT (VERSION => {snapshot})')
    except duckdb.CatalogException:
        con.execute(f'CREATE OR REPLACE TEMP TABLE earlier AS FROM "{name}" LIMIT 0')
    con.execute(f'DELETE FROM "{name}"')  # noqa: S608
    con.execute(f'INSERT INTO "{name}" BY NAME FROM earlier')


def _changed(changes: dict[str, list[str]]) -> set[str]:
    """The tables, by number or by name, whose rows or columns a snapshot changed."""
    kinds = ("inserted", "insert", "deleted", "delete", "created", "altered", "dropped")
    return {
        name
        for kind, names in changes.items()
        if kind.startswith(("tables_", "inlined_")) and kind.endswith((*kinds, "_into", "_from"))
        for name in names
    }
