"""A PostgreSQL server of the tests' own, for the catalog of a lake: Debian's programs, in a folder that goes again."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PORT = 54329
EXTENSION = importlib.util.find_spec("duckdb_extension_postgres_scanner") is not None


@dataclass
class Server:
    """A server, reached by a socket."""

    make: Callable[[str], str]
    """Makes a database and gives its address."""
    restart: Callable[[str], None]
    """Restarts it, by a mode of ``pg_ctl``."""


def programs() -> Path | None:
    """The folder of PostgreSQL's programs; None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("initdb")
    return found[-1] if found else (Path(on_path).parent if on_path else None)


@contextmanager
def postgres(binaries: Path) -> Iterator[Server]:
    """A server that runs until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="market-pg-"))  # short, since the path of a socket must be
    as_postgres: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]

    def run(program: str, *words: str) -> None:
        command = [*as_postgres, str(binaries / program), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    def make(name: str) -> str:
        """A new database."""
        run("createdb", "-h", str(folder), "-p", str(PORT), "-U", "market", name)
        return f"dbname={name} host={folder} port={PORT} user=market"

    run("initdb", "-D", str(folder / "db"), "-A", "trust", "-U", "market", "--no-sync")
    options = f"-k {folder} -p {PORT} -c listen_addresses= -c fsync=off"
    run("pg_ctl", "-D", str(folder / "db"), "-o", options, "-l", str(folder / "log"), "-w", "start")

    def restart(mode: str) -> None:
        words = ("-D", str(folder / "db"), "-m", mode, "-o", options, "-l", str(folder / "log"), "-w")
        run("pg_ctl", *words, "restart")

    try:
        yield Server(make, restart)
    finally:
        run("pg_ctl", "-D", str(folder / "db"), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
