"""A warehouse in DuckDB files: immutable versions in a folder, and a symbolic link to the published one.

Readers open the link read-only and are never blocked; a writer works on a private copy that becomes visible
in one step, by swapping the link. A writer that dies leaves nothing but a working copy, swept by the next.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from etl.warehouse.errors import (
    NoSuchStateError,
    StateGoneError,
    WarehouseBusyError,
    WarehouseError,
    WarehouseMissingError,
)
from etl.warehouse.migrate import migrate

SESSION = "SET enable_progress_bar = false; SET TimeZone = 'UTC'"
"""How every connection is set: times in UTC, and no bar on the standard output, which is for results."""
_READ_ATTEMPTS = 3  # the published state can be pruned between reading its name and opening its file


@dataclass(frozen=True)
class FileWarehouse:
    """The warehouse at ``path``, whose versions lie beside it in ``<name>.versions/``.

    ``keep_versions`` states are kept for a rollback; a writer waits ``lock_timeout`` seconds for another.
    """

    path: Path
    keep_versions: int = 10
    lock_timeout: float = 60.0
    memory_limit: str = "2GB"

    @property
    def folder(self) -> Path:
        """The folder of the versions."""
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
        """Whether a state has been published."""
        return self.path.exists()

    def version(self) -> str:
        """The name of the published state; another name means other contents.

        Raises
        ------
        WarehouseMissingError
            When nothing has been published.
        """
        try:
            current = self.path.resolve(strict=True)
            if current.parent == self.folder.resolve():
                return current.name
            stat = current.stat()
            return f"{current.name}@{stat.st_ino}-{stat.st_mtime_ns}"
        except FileNotFoundError:
            raise WarehouseMissingError.at(str(self.path)) from None

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
            When the file cannot be read as a DuckDB database.
        """
        con = self._open_published() if version is None else self._open_state(version)
        try:
            con.execute(SESSION)
            yield con
        finally:
            con.close()

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to a private copy, which is published when the block ends without an exception.

        Raises
        ------
        WarehouseBusyError
            When another writer holds the lock for longer than the time to wait.
        WarehouseError
            When the folder cannot be written.
        """
        with self.locked():
            self._sweep()
            work = self.folder / f".work-{secrets.token_hex(4)}.duckdb"
            try:
                if self.exists():
                    shutil.copyfile(self.path, work)
                con = duckdb.connect(str(work))
                try:
                    con.execute(SESSION)
                    con.execute("SET memory_limit = $limit", {"limit": self.memory_limit})
                    migrate(con, constraints=True)
                    yield con
                    con.execute("CHECKPOINT")
                finally:
                    con.close()
                self._publish(work)
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
                "seconds: try again later, or raise AIMI_LOCK_TIMEOUT."
            ) from None
        except OSError as error:
            raise WarehouseError(
                f"{self.folder} cannot be written ({error.strerror or error}): set AIMI_DATABASE elsewhere."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def versions(self) -> list[str]:
        """The names of the states that are kept, oldest first."""
        return sorted(path.name for path in self.folder.glob(f"{self.path.stem}-*.duckdb"))

    def rollback(self, version: str | None = None) -> str:
        """Publish a kept state again: ``version``, or the one before the present one. Returns its name.

        Raises
        ------
        WarehouseError
            When there is no such state.
        """
        with self.locked():
            kept = self.versions()
            if version is None:
                earlier = [name for name in kept if name < self.version()]
                if not earlier:
                    raise NoSuchStateError("There is no earlier state to return to.")
                version = earlier[-1]
            if version not in kept:
                raise NoSuchStateError(
                    f"There is no state {version!r}; kept are {', '.join(kept) or 'none'}."
                )
            self._point_to(version)
        return version

    def _open_published(self) -> duckdb.DuckDBPyConnection:
        for attempt in range(1, _READ_ATTEMPTS + 1):
            try:
                return self._open_state(self.version())
            except StateGoneError:
                if attempt == _READ_ATTEMPTS:
                    raise
        raise AssertionError  # the loop returns or raises

    def _open_state(self, version: str) -> duckdb.DuckDBPyConnection:
        """Open the file of a state, which never changes; a plain file has no name but the one of its contents."""
        plain = "@" in version
        path = self.path.resolve() if plain else self.folder.resolve() / Path(version).name
        if self.version() != version if plain else not path.is_file():
            raise StateGoneError.of(version)
        try:
            con = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as error:
            if not path.exists():
                raise StateGoneError.of(version) from None
            raise WarehouseError(
                f"{self.path} cannot be read as a DuckDB database: {str(error).splitlines()[0]}"
            ) from error
        if plain and self.version() != version:
            con.close()
            raise StateGoneError.of(version)
        return con

    def _publish(self, work: Path) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        target = self.folder / f"{self.path.stem}-{stamp}-{secrets.token_hex(2)}.duckdb"
        _flush(work)
        work.replace(target)
        _flush(self.folder)
        if self.path.exists() and not self.path.is_symlink():
            os.link(self.path, self.folder / f"{self.path.stem}-00000000-adopted.duckdb")
        self._point_to(target.name)
        for name in self.versions()[: -self.keep_versions]:
            if name != self.version():
                (self.folder / name).unlink(missing_ok=True)

    def _point_to(self, version: str) -> None:
        link = self.folder / f".link-{secrets.token_hex(4)}"
        link.symlink_to(Path(self.folder.name) / version)
        link.replace(self.path)
        _flush(self.path.parent)

    def _sweep(self) -> None:
        for leftover in [*self.folder.glob(".work-*"), *self.folder.glob(".link-*")]:
            leftover.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
