"""Whatever lies at the database's place, or becomes of its disk: one sentence, 2 or 3, and nothing published."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from etl.product import variable
from etl.settings import PROJECT_ROOT
from tests.etl.conftest import Operator

DATA = str(PROJECT_ROOT / "data")


def _sqlite(place: Path) -> None:
    con = sqlite3.connect(place)
    con.execute("CREATE TABLE price_daily (x)")
    con.commit()
    con.close()


def _foreign(place: Path) -> None:
    with duckdb.connect(str(place)) as con:
        con.execute("CREATE TABLE price_daily (ticker VARCHAR, price INTEGER)")


def _cut(place: Path) -> None:
    _foreign(place)
    place.write_bytes(place.read_bytes()[:5000])


def _loop(place: Path) -> None:
    place.symlink_to(place.with_name("other"))
    place.with_name("other").symlink_to(place)


PLACES: dict[str, Callable[[Path], object]] = {
    "a text": lambda place: place.write_text("ticker,date,close\n" * 100),
    "an empty file": lambda place: place.touch(),
    "a SQLite file": _sqlite,
    "another project's DuckDB file": _foreign,
    "a file cut short": _cut,
    "a directory": lambda place: place.mkdir(),
    "a loop of links": _loop,
}
COMMANDS = (("status",), ("load-bundled",), ("load-bundled", "--if-missing"), ("refresh",), ("rollback",))


def told_in_one_sentence(done: subprocess.CompletedProcess[str]) -> bool:
    lines = done.stderr.strip().splitlines()
    return done.returncode in (2, 3) and len(lines) == 1 and "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_what_is_no_warehouse_is_said_and_left_alone(
    operator: Operator, place: Callable[[Path], object]
) -> None:
    path = operator.warehouse.path
    place(path)
    before = path.lstat().st_ino, path.lstat().st_size
    for words in COMMANDS:
        if words == ("load-bundled", "--if-missing") and place in (_foreign, _cut):
            continue  # it looks no deeper than whether a database is there
        done = operator.run(*words, **{variable("data_dir"): DATA})
        assert told_in_one_sentence(done), (words, done)
    assert (path.lstat().st_ino, path.lstat().st_size) == before
    assert not operator.warehouse.versions()


LIMITED = """
import resource, signal, sys
from etl.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
size = int(sys.argv.pop(1))
import etl.bundled, etl.warehouse
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
main()
"""


@pytest.mark.parametrize("size", [4_096, 1_000_000, 3_000_000])
def test_a_disk_that_fills_up_costs_nothing_but_the_run(operator: Operator, size: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(size), "load-bundled", "--data", DATA],
        cwd=PROJECT_ROOT,
        env=operator.surroundings(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told_in_one_sentence(done), done
    assert not operator.warehouse.exists()
    assert not list(operator.warehouse.folder.glob("*.duckdb*"))


@pytest.mark.parametrize(
    "call", ["shutil.copyfile", "os.fsync", "pathlib.Path.replace", "pathlib.Path.symlink_to"]
)
def test_whichever_step_finds_the_disk_full_leaves_the_published_state(
    loaded: Operator, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    published = loaded.warehouse.version(), loaded.warehouse.versions()
    loaded.yahoo.listings["NVDA"].bars[max(loaded.yahoo.listings["NVDA"].bars)].volume += 1

    def full(*args: object, **words: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(call, full)
        done = loaded.run("refresh", "--source", "prices")
    assert told_in_one_sentence(done), done
    assert "No space left on device" in done.stderr
    assert (loaded.warehouse.version(), loaded.warehouse.versions()) == published
    assert loaded.run("refresh", "--source", "prices").returncode == 0


def test_rows_doubled_before_the_keys_came_are_said(operator: Operator, bundled_database: Path) -> None:
    with duckdb.connect(str(operator.warehouse.path)) as con:
        con.execute(f"ATTACH '{bundled_database.resolve()}' AS bundle (READ_ONLY)")
        for (name,) in con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'bundle'"
        ).fetchall():
            con.execute(f"CREATE TABLE {name} AS FROM bundle.{name}")
        con.execute("DELETE FROM schema_migration WHERE number = 2")
        con.execute("INSERT INTO price_daily FROM price_daily LIMIT 1")
        con.execute("DETACH bundle")
    done = operator.run("load-bundled", **{variable("data_dir"): DATA})
    assert told_in_one_sentence(done), done
    assert not operator.warehouse.versions()


def test_a_missing_column_is_said(operator: Operator, bundled_database: Path) -> None:
    operator.warehouse.path.write_bytes(bundled_database.read_bytes())
    with duckdb.connect(str(operator.warehouse.path)) as con:
        con.execute("ALTER TABLE ranking_capture DROP COLUMN depth")
    for words in (("status",), ("load-bundled",)):
        done = operator.run(*words, **{variable("data_dir"): DATA})
        assert told_in_one_sentence(done), done
        assert "depth" in done.stderr
    assert not operator.warehouse.versions()
