"""One folder of temporary files for each process, which goes with it, or, where it was killed, at the next start."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import tempfile
import threading
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from etl.product import SLUG

PREFIX = f"{SLUG}-run-"
_LOCK = ".lock"
_ATTEMPTS = 5  # a sweep of another process may take an empty folder before its lock is held
_held: list[FileLock] = []
_making = threading.Lock()


def own_folder(part: str) -> Path:
    """A folder for one part of this process's temporary files, below the folder that `TMPDIR` names.

    Raises
    ------
    OSError
        When it cannot be made.
    """
    with _making:  # threads that ask at once for the first time would get a folder each
        folder = _home(os.getpid()) / part
    folder.mkdir(exist_ok=True)
    return folder


@lru_cache(maxsize=1000)
def spill_folder(database: str) -> str:
    """Where DuckDB puts what memory does not hold; "" (nowhere) where no temporary file can be made.

    By itself it takes a folder beside the file, or in the working folder, and names in it that are the same in each
    process: two readers of one state would write over each other. ``database`` tells those of one process apart.
    """
    with suppress(OSError):
        return str(own_folder("spill") / sha256(database.encode()).hexdigest()[:16])
    return ""


def sweep() -> int:
    """Take away the folders of processes that have ended without doing so; returns how many.

    A living process holds the lock of its folder, which the system lets go when it dies, however it dies. What belongs
    to another user, or is not a folder, is left alone.
    """
    with suppress(OSError):
        return sum(_taken_away(folder) for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))
    return 0


@lru_cache(maxsize=1)
def _home(process: int) -> Path:
    """The folder of the process of that number: a fork makes one of its own."""
    sweep()
    for _ in range(_ATTEMPTS):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = FileLock(folder / _LOCK)
        with suppress(OSError, Timeout):
            lock.acquire(timeout=0)
            if (folder / _LOCK).exists():
                _held[:] = [lock]
                atexit.register(_leave, folder, process)
                return folder
    raise OSError(f"No folder of temporary files could be made in {tempfile.gettempdir()}")


def leave() -> None:
    """Take the folder of this process away, at an end that runs nothing of what is registered for it (a signal).

    A process that goes on all the same gets another when it next asks.
    """
    if _home.cache_info().currsize:
        _leave(_home(os.getpid()), os.getpid())
        _home.cache_clear()
        spill_folder.cache_clear()


def _leave(folder: Path, process: int) -> None:
    if process == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)


def _taken_away(folder: Path) -> bool:
    with suppress(OSError, Timeout):
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
            return False
        lock = FileLock(folder / _LOCK)
        lock.acquire(timeout=0)
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            lock.release()
        shutil.rmtree(folder, ignore_errors=True)  # Windows keeps a file that is open
        return not folder.exists()
    return False
