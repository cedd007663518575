"""A warehouse in DuckDB files: immutable states in a folder, and a symbolic link to the published one.

Readers open a state read-only and are never blocked; a writer works on a private copy that becomes visible
in one step, by swapping the link. A writer that dies leaves nothing but a working copy, swept by the next.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from etl.errors import first_line
from etl.product import variable
from etl.warehouse import runs
from etl.warehouse.compare import QUARANTINE, differences
from etl.warehouse.errors import (
    NoSuchStateError,
    StateGoneError,
    WarehouseBusyError,
    WarehouseError,
    WarehouseMissingError,
    foreign,
    unreadable,
    unwritable,
)
from etl.warehouse.journal import Entry, Journal
from etl.warehouse.kept import KeptStates, flush, plain_name
from etl.warehouse.lake_connections import SESSION
from etl.warehouse.migrate import bring_up_to_date, migrate
from etl.warehouse.pointer import pointed_at
from etl.warehouse.reading import open_file, open_packed
from etl.warehouse.retention import forget
from etl.warehouse.states import Keep, State

logger = logging.getLogger("etl")
_READ_ATTEMPTS = 3  # the published state can be pruned between reading its name and opening its file


@dataclass(frozen=True)
class FileWarehouse:
    """The warehouse at ``path``, whose states lie beside it in ``<name>.versions/``.

    ``keep`` says how long states are kept for a rollback; a writer waits ``lock_timeout`` seconds for another.
    """

    path: Path
    keep: Keep = field(default_factory=Keep)
    lock_timeout: float = 60.0
    memory_limit: str = "2GB"
    runs_kept: int = 2000
    log_days: int = 800

    @property
    def folder(self) -> Path:
        """The folder of the states."""
        return self.path.with_name(self.path.name + ".versions")

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return str(self.path)

    @property
    def commits_stay_private(self) -> bool:
        """True: a commit goes to the private copy, and only its publication shows it."""
        return True

    def exists(self) -> bool:
        """Whether a state has been published.

        Raises
        ------
        WarehouseError
            When what lies there is no warehouse, or the published state is lost while others are kept.
        """
        return self._published() is not None

    def version(self) -> str:
        """The name of the published state; another name means other contents.

        Raises
        ------
        WarehouseMissingError
            When nothing has been published.
        WarehouseError
            When what lies there is no warehouse, or the published state is lost while others are kept.
        """
        current = self._published()
        if current is None:
            raise WarehouseMissingError.at(self.name)
        if current.parent == self.folder.resolve():
            return current.name
        return plain_name(self.path.name, current)

    @contextmanager
    def reading(self, version: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to the state named ``version``, by default the published one; it keeps to it.

        Raises
        ------
        WarehouseMissingError
            When nothing has been published.
        StateGoneError
            When the state that was named is not kept any more.
        WarehouseError
            When the file cannot be read as a database of this project.
        """
        con = self._open_published() if version is None else self._open_state(version)
        try:
            yield con
        except duckdb.Error as error:
            raise unreadable(self.name, error) from error
        finally:
            con.close()

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to a private copy, which is published when the block ends without an exception.

        Where no data differ in the end, nothing is published, and the journal alone tells of the run.

        Raises
        ------
        WarehouseBusyError
            When another writer holds the lock for longer than the time to wait.
        WarehouseError
            When it cannot be written, for which the message gives the reason; nothing is then published.
        """
        with self.locked():
            self._sweep()
            work = self.folder / f".work-{secrets.token_hex(4)}.duckdb"
            try:
                current = self._published()
                if current is not None:
                    shutil.copyfile(current, work)
                con = duckdb.connect(str(work))
                try:
                    self._prepare(con)
                    known = runs.known(con)
                    yield con
                    entries = runs.entries_since(con, known)
                    changed = differences(con, current)
                    if changed:
                        forget(con, self.log_days)
                    con.execute("CHECKPOINT")
                finally:
                    con.close()
                if changed:
                    self._publish(work, changed <= {QUARANTINE})
                self._remember(entries)
            except (duckdb.Error, OSError) as error:
                raise unwritable(self.name, error) from error
            finally:
                work.unlink(missing_ok=True)
                work.with_name(work.name + ".wal").unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers out; a thread that holds the lock may enter again.

        Raises
        ------
        WarehouseBusyError
            When another writer holds the lock for longer than the time to wait.
        WarehouseError
            When the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock", is_singleton=True)
            lock.acquire(timeout=self.lock_timeout)
        except Timeout:
            raise WarehouseBusyError(
                f"Another refresh is writing {self.path} and did not end within {self.lock_timeout:g} "
                f"seconds: try again later, or raise {variable('lock_timeout')}."
            ) from None
        except OSError as error:
            raise WarehouseError(
                f"{self.folder} cannot be written ({first_line(error)}): set {variable('database')} elsewhere."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def bring_up_to_date(self) -> bool:
        """Run the migrations that a published state of an older program has not seen; False where there is none."""
        return bring_up_to_date(self, constraints=True)

    def versions(self) -> list[str]:
        """The names of the states that are kept, oldest first."""
        return [state.name for state in self._kept.states()]

    def rollback(self, version: str | None = None) -> str:
        """Publish a kept state again: ``version``, or the one that the present one came from. Returns its name.

        Raises
        ------
        NoSuchStateError
            When there is no such state.
        WarehouseError
            When it cannot be published.
        """
        with self.locked():
            states = {state.name: state for state in self._kept.states()}
            if version is None:
                version = self._before(self.version())
            if version not in states:
                raise NoSuchStateError(
                    f"There is no state {version!r}; kept are {', '.join(states) or 'none'}."
                )
            try:
                self._kept.restore(version)
                self._point_to(version)
            except OSError as error:
                raise unwritable(self.name, error) from error
            self._kept.pack(version)
        return version

    def clean(self) -> int:
        """Let kept states thin out; how many have gone."""
        with self.locked():
            before = len(self.versions())
            self._prune()
            return before - len(self.versions())

    def history(self) -> list[Entry]:
        """Every run that is remembered, oldest first, whether or not it published a state."""
        held: list[Entry] = []
        if self.exists():
            with self.reading() as con:
                held = runs.entries_since(con, set())
        return runs.joined(held, self._journal.read())

    def history_version(self) -> str:
        """A short text that changes with ``history``."""
        try:
            return f"{self.version()} {self._journal.path.stat().st_mtime_ns}"
        except OSError:
            return self.version()

    def disk_used(self) -> int:
        """The bytes that the published and the kept states take."""
        files = {path.resolve() for path in [self.path, *self._kept.files()]}
        return sum(path.stat().st_size for path in files if path.is_file())

    @property
    def _kept(self) -> KeptStates:
        return KeptStates(self.folder, self.path.name)

    @property
    def _journal(self) -> Journal:
        return Journal(self.folder / "runs.jsonl", self.runs_kept)

    def _remember(self, entries: list[Entry]) -> None:
        try:
            self._journal.add(entries)
        except OSError as error:  # what was published stays so
            logger.warning("The journal %s cannot be written: %s", self._journal.path, first_line(error))

    def _published(self) -> Path | None:
        return pointed_at(self.path, self.versions())

    def _prepare(self, con: duckdb.DuckDBPyConnection) -> None:
        """Set the connection of a writer, and bring the copy to the newest schema."""
        con.execute(SESSION)
        con.execute("SET memory_limit = $limit", {"limit": self.memory_limit})
        names = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if names and "schema_migration" not in names:
            raise foreign(self.name, f"it holds the tables of something else, such as {min(names)!r}")
        migrate(con, constraints=True)

    def _before(self, version: str) -> str:
        """The state that a rollback from ``version`` returns to."""
        states = self._kept.states()
        now = next((state for state in states if state.name == version), None)
        earlier = now.came_from(states) if now else None
        if earlier is None:
            raise NoSuchStateError("There is no earlier state to return to.")
        return earlier.name

    def _open_published(self) -> duckdb.DuckDBPyConnection:
        for attempt in range(1, _READ_ATTEMPTS + 1):
            try:
                return self._open_state(self.version())
            except StateGoneError:
                if attempt == _READ_ATTEMPTS:
                    raise
        raise AssertionError  # the loop returns or raises

    def _open_state(self, version: str) -> duckdb.DuckDBPyConnection:
        """Open a state, which never changes."""
        kept = self._kept
        path = self.path.resolve() if "@" in version else kept.whole(version)
        if "@" in version and not (path and path.is_file() and plain_name(self.path.name, path) == version):
            version = kept.called(version)
            path = kept.whole(version)
        if path is None:
            return open_packed(kept, version, self.memory_limit)
        try:
            return open_file(path, self.memory_limit)
        except duckdb.Error as error:
            if not path.exists():
                return open_packed(kept, version, self.memory_limit)
            raise foreign(self.name, first_line(error)) from error

    def _publish(self, work: Path, only_log: bool) -> None:
        """Make the working copy a state and point to it; one that differs by a log takes its parent's place."""
        with ExitStack() as undo:
            now = self._present(undo)
            parent = None if now is None else (now.parent or 0) if only_log else now.number
            state = State.after(self.path.stem, self._kept.states(), parent, secrets.token_hex(2))
            flush(work)
            if now is None and not self.versions():
                # A link to nothing is not a state: whoever dies here has lost nothing.
                self._point_to(state.name)
            undo.callback((self.folder / state.name).unlink, missing_ok=True)
            work.replace(self.folder / state.name)
            flush(self.folder)
            self._point_to(state.name)
            undo.pop_all()
        self._prune()

    def _present(self, undo: ExitStack) -> State | None:
        """The published state; a plain file becomes one of the kept ones."""
        current = self._published()
        if current is None:
            return None
        if current.parent == self.folder.resolve():
            return next((state for state in self._kept.states() if state.name == current.name), None)
        state = State.after(self.path.stem, self._kept.states(), None, secrets.token_hex(2))
        os.link(current, self.folder / state.name)
        undo.callback((self.folder / state.name).unlink)
        return state

    def _prune(self) -> None:
        """Pack what is not published any more, and let go of what is not to be kept."""
        published = self.version()
        self._kept.pack(published)
        states = self._kept.states()
        gone = {state.name for state in set(states) - self.keep.kept(states, datetime.now(UTC))}
        self._kept.remove(gone - {published})

    def _point_to(self, version: str) -> None:
        link = self.folder / f".link-{secrets.token_hex(4)}"
        link.symlink_to(Path(self.folder.name) / version)
        link.replace(self.path)
        flush(self.path.parent)

    def _sweep(self) -> None:
        for leftover in [*self.folder.glob(".work-*"), *self.folder.glob(".link-*")]:
            if leftover.is_dir():  # what the memory of a writer did not hold
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)
