"""The same ETL on a DuckLake: its catalog in a file, and in PostgreSQL with writers and readers of several processes.

What needs PostgreSQL is left out where there is none; what needs only DuckDB's extension runs everywhere.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from etl import answers
from etl.bundled import load_bundled
from etl.product import variable
from etl.runlog import RunLog
from etl.settings import PROJECT_ROOT
from etl.warehouse import StateGoneError, WarehouseError, WarehouseMissingError
from etl.warehouse.files import FileWarehouse
from etl.warehouse.lake import LakeWarehouse
from etl.warehouse.states import Keep
from tests.conftest import SOAK, get
from tests.loopback.postgres import EXTENSION, Server, postgres, programs
from tests.loopback.s3 import S3

pytest.importorskip("duckdb_extension_ducklake", reason="needs DuckDB's extension as a package")

long_form = pytest.mark.skipif(not SOAK, reason="a long form: make soak")

WRITES, READS = (5, 12) if SOAK else (1, 1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    binaries = programs()
    if binaries is None or not EXTENSION:
        pytest.skip("needs PostgreSQL (Debian: apt-get install postgresql)")
    with postgres(binaries) as running:
        yield running


def lake_at(address: str, folder: Path) -> LakeWarehouse:
    return LakeWarehouse(
        address, str(folder / "lake"), Keep(newest=3, days=0, daily=0, monthly=0), lock_timeout=30
    )


@pytest.fixture
def shared_lake(server: Server, tmp_path: Path) -> LakeWarehouse:
    """A lake of its own, empty, with its catalog in PostgreSQL."""
    return lake_at(f"ducklake:postgres:{server.make(f'lake{secrets.token_hex(4)}')}", tmp_path)


@pytest.fixture
def lake(tmp_path: Path) -> LakeWarehouse:
    """A lake of its own, empty, with its catalog in a file."""
    return lake_at(f"ducklake:{tmp_path / 'catalog.ducklake'}", tmp_path)


@pytest.fixture
def any_lake(request: pytest.FixtureRequest) -> LakeWarehouse:
    """A shared lake where there is PostgreSQL, and else one whose catalog is in a file."""
    return request.getfixturevalue("shared_lake" if EXTENSION and programs() else "lake")


def rows(warehouse: LakeWarehouse, query: str) -> list[tuple]:
    with warehouse.reading() as con:
        return con.execute(query).fetchall()


def test_the_bundle_loads_and_loading_again_changes_nothing(lake):
    with pytest.raises(WarehouseMissingError, match="load-bundled"), lake.reading():
        pass
    first = load_bundled(lake, PROJECT_ROOT / "data")
    again = load_bundled(lake, PROJECT_ROOT / "data")
    assert sum(item.inserted for item in first.items if item.received) == first.total("received")
    assert (again.total("inserted"), again.total("updated")) == (0, 0)
    change = "SELECT round(max(close) FILTER (date = '2025-01-27') / max(close) FILTER (date = '2025-01-24') - 1, 4) "
    assert rows(lake, f"{change} FROM price_daily WHERE ticker = 'NVDA'") == [(-0.1697,)]


def test_the_command_line_merges_revises_replays_and_rolls_back(operator, any_lake, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "place", lambda warehouse: tmp_path / "answers")
    operator.set(variable("database"), any_lake.address)
    operator.set(variable("data_path"), str(any_lake.data_path))
    words = ("refresh", "--source", "prices", "--tickers", "NVDA", "--json")
    assert operator.run(*words).returncode == 0
    nvidia = operator.yahoo.listings["NVDA"]
    day = max(nvidia.bars)
    old = nvidia.bars[day].close
    nvidia.bars[day].close = nvidia.bars[day].adjusted = old + 0.5
    done = operator.run(*words)
    (told,) = json.loads(done.stdout)["sources"]
    assert (done.returncode, told["rows_updated"], told["rows_inserted"]) == (0, 1, 0)
    query = "SELECT close FROM price_daily WHERE ticker = 'NVDA' ORDER BY date DESC LIMIT 1"
    assert rows(any_lake, query) == [(old + 0.5,)]
    assert operator.run("rollback").stdout.startswith("Published again: snapshot-")
    assert rows(any_lake, query) == [(old,)]
    kept = any_lake.versions()
    steps = operator.run("clean").stdout.removeprefix("States removed: ")
    assert (int(steps) > 5, any_lake.versions()) == (True, kept)  # those of the migrations
    operator.yahoo.listings.clear()
    done = operator.run("refresh", "--replay", "--json")
    (told,) = json.loads(done.stdout)["sources"]
    assert (done.returncode, told["rows_updated"], told["rows_inserted"]) == (0, 1, 0)
    assert rows(any_lake, query) == [(old + 0.5,)]


def test_a_block_of_reads_sees_one_snapshot(shared_lake):
    insert = "INSERT INTO price_daily (ticker, date, close) VALUES ('A', '2025-01-27', 1)"
    with shared_lake.writing() as con:
        con.execute(insert)
    with shared_lake.reading() as con:
        with shared_lake.writing() as writer:
            writer.execute("DELETE FROM price_daily")
        assert con.execute("SELECT count(*) FROM price_daily").fetchall() == [(1,)]
    assert rows(shared_lake, "SELECT count(*) FROM price_daily") == [(0,)]


def test_a_reader_that_names_a_snapshot_gets_that_snapshot(any_lake):
    with any_lake.writing() as con:
        con.execute("INSERT INTO price_daily (ticker, date, close) VALUES ('A', '2025-01-27', 1)")
    name = any_lake.version()
    with any_lake.writing() as con:
        con.execute("UPDATE price_daily SET close = 2")
    assert rows(any_lake, "SELECT close FROM price_daily") == [(2,)]
    with any_lake.reading(name) as con:
        assert con.execute("SELECT close FROM price_daily").fetchall() == [(1,)]
    for gone in ("snapshot-999", "x.duckdb"):
        with pytest.raises(StateGoneError, match="not kept any more"), any_lake.reading(gone):
            pass


def test_readers_reach_nothing_but_the_lake(any_lake, tmp_path):
    with any_lake.writing() as con:
        con.execute("INSERT INTO price_daily (ticker, date, close) VALUES ('A', '2025-01-27', 1)")
    for version in (None, any_lake.version()):
        with any_lake.reading(version) as con:
            assert con.execute("SELECT close FROM price_daily").fetchall() == [(1,)]
            for statement in (
                "FROM read_csv('/etc/passwd')",
                f"COPY (SELECT 1) TO '{tmp_path}/copied.csv'",
                f"ATTACH '{tmp_path}/other.duckdb' AS other",
                "SET enable_external_access = true",
                "SET threads = 900",
                "SET allowed_directories = ['/']",
            ):
                with pytest.raises(duckdb.Error, match=r"disabled|locked|Cannot access|Cannot change"):
                    con.execute(statement)
            assert con.execute("SELECT close FROM price_daily").fetchall() == [(1,)]


WRITER = """
import sys
from etl.warehouse import open_warehouse
for number in range(int(sys.argv[1])):
    with open_warehouse().writing() as con:
        con.begin()
        con.execute("UPDATE price_daily SET volume = coalesce(volume, 0) + 1")
        con.commit()
"""
READER = """
import sys
from etl.warehouse import connect_read_only
for number in range(int(sys.argv[1])):
    with connect_read_only() as con:
        seen = con.execute("SELECT DISTINCT volume FROM price_daily").fetchall()
        assert len(seen) == 1, seen
"""


@long_form
def test_two_writers_and_three_readers_of_separate_processes(shared_lake, tell):
    with shared_lake.writing() as con:
        con.execute(
            "INSERT INTO price_daily (ticker, date, close, volume) "
            "SELECT 'T' || i, '2025-01-27', 1, 0 FROM range(50) t(i)"
        )
    environment = {
        "PATH": os.environ["PATH"],
        variable("database"): shared_lake.address,
        variable("data_path"): str(shared_lake.data_path),
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(rounds)],
            cwd=PROJECT_ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for program, rounds in [(WRITER, WRITES)] * 2 + [(READER, READS)] * 3
    ]
    told = [one.communicate(timeout=90)[1] for one in running]
    failed = sum(one.returncode != 0 for one in running)
    tell("processes on one lake", len(running), failed)
    assert not failed, told
    assert rows(shared_lake, "SELECT DISTINCT volume FROM price_daily") == [(2 * WRITES,)]


@long_form
@pytest.mark.timeout(600)
@pytest.mark.tried("two dashboards on one lake")
def test_two_dashboards_on_one_lake_follow_one_writer_and_outlive_a_restart(
    server, shared_lake, start_dashboard
):
    load_bundled(shared_lake, PROJECT_ROOT / "data")
    both = [start_dashboard(shared_lake.address) for _ in range(2)]
    with shared_lake.writing() as con:
        con.execute("UPDATE price_daily SET close = close + 1 WHERE ticker = 'NVDA' AND date = '2025-01-27'")
    server.restart("immediate")
    until = time.monotonic() + 120
    for dashboard in both:
        while (told := get(f"{dashboard.url}/published"))[0] != 200 and time.monotonic() < until:
            time.sleep(0.5)
        assert json.loads(told[2])["state"] == shared_lake.version()
        assert get(f"{dashboard.url}/readyz")[0] == 200
    tables = {get(f"{dashboard.url}/table/price_daily.csv")[2] for dashboard in both}
    assert len(tables) == 1
    assert b"119.42" in tables.pop()


RESTARTS = 10 if SOAK else 1
READING = """
import sys, time
from etl.warehouse import WarehouseError, connect_read_only, published_version
read = faults = 0
while time.monotonic() < float(sys.argv[1]):
    try:
        with connect_read_only(version=published_version()) as con:
            assert con.execute("SELECT count(DISTINCT volume) FROM price_daily").fetchall() == [(1,)]
        read += 1
    except WarehouseError:
        faults += 1
        time.sleep(0.05)
print(read, faults)
"""
WRITING = """
import sys, time
from etl.warehouse import WarehouseError, open_warehouse
while time.monotonic() < float(sys.argv[1]):
    try:
        with open_warehouse().writing() as con:
            con.begin()
            con.execute("UPDATE price_daily SET volume = volume + 1")
            con.commit()
    except WarehouseError:
        time.sleep(0.05)
print("ended")
"""


@long_form
def test_a_restart_of_the_server_ends_no_process(server, shared_lake, tell):
    with shared_lake.writing() as con:
        con.execute(
            "INSERT INTO price_daily (ticker, date, close, volume) "
            "SELECT 'T' || i, '2025-01-27', 1, 0 FROM range(50) t(i)"
        )
    until = time.monotonic() + 8 + 3 * RESTARTS
    environment = {
        "PATH": os.environ["PATH"],
        variable("database"): shared_lake.address,
        variable("data_path"): str(shared_lake.data_path),
        variable("lock_timeout"): "5",
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(until)],
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for program in (READING, READING, WRITING)
    ]
    for number in range(RESTARTS):
        time.sleep(2)
        server.restart("immediate" if number % 2 else "fast")
    told = [(*one.communicate(timeout=120), one.returncode) for one in running]
    died = sum(code != 0 for *_, code in told)
    tell("processes at a restart of PostgreSQL", len(running) * RESTARTS, died)
    assert not died, told
    assert shared_lake.version()
    assert rows(shared_lake, "SELECT count(DISTINCT volume) FROM price_daily") == [(1,)]


def test_a_run_that_brings_nothing_is_no_state(any_lake):
    for value in (1, 2):
        with any_lake.writing() as con:
            con.begin()
            con.execute("DELETE FROM dividend")
            con.execute("INSERT INTO dividend (ticker, amount) VALUES ('A', ?)", [value])
            con.commit()
    version, kept = any_lake.version(), any_lake.versions()
    for number in range(3):
        with any_lake.writing() as con:
            RunLog(f"r{number}", "yahoo").write(con)
    assert (any_lake.version(), any_lake.versions()) == (version, kept)
    assert [run["run_id"] for run in any_lake.history()] == ["r0", "r1", "r2"]
    any_lake.rollback()
    assert rows(any_lake, "SELECT amount FROM dividend") == [(1,)]
    assert len(any_lake.history()) == 3


@long_form
@pytest.mark.tried("growth of a lake")
def test_a_lake_does_not_grow_for_ever(any_lake):
    for value in range(12):
        with any_lake.writing() as con:
            con.execute("INSERT INTO dividend (ticker, amount) VALUES ('A', ?)", [value])
    assert len(any_lake.versions()) == 12
    first = any_lake.versions()[3]
    assert any_lake.clean() > 5
    assert len(any_lake.versions()) <= 4
    with pytest.raises(StateGoneError), any_lake.reading(first):
        pass
    assert rows(any_lake, "SELECT count(*) FROM dividend") == [(12,)]
    assert any_lake.clean() <= 1


@long_form
@pytest.mark.tried("readers of a lake beside those of a file")
def test_readers_of_a_lake_wait_no_longer_than_twice_those_of_a_file(shared_lake, bundled_database):
    load_bundled(shared_lake, PROJECT_ROOT / "data")
    query = "SELECT date, close FROM price_daily WHERE ticker = 'NVDA'"

    def seconds(warehouse, rounds: int = 15) -> float:
        spent = []
        for _ in range(rounds):
            started = time.perf_counter()
            with warehouse.reading(warehouse.version()) as con:
                con.execute(query).fetchall()
            spent.append(time.perf_counter() - started)
        return sorted(spent)[rounds // 2]

    seconds(shared_lake, 1)
    assert seconds(shared_lake) <= 2 * seconds(FileWarehouse(bundled_database)) + 0.03


@pytest.mark.tried("a lake in a bucket")
def test_the_lake_lies_in_a_bucket_and_readers_need_the_catalog_alone(any_lake, monkeypatch):
    pytest.importorskip("duckdb_extension_httpfs", reason="needs DuckDB's extension as a package")
    with S3() as store:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.endpoint)
        bucket = LakeWarehouse(any_lake.address, "s3://market/lake/", any_lake.keep, any_lake.lock_timeout)
        log = load_bundled(bucket, PROJECT_ROOT / "data")
        assert sum(name.endswith(".parquet") for name in store.objects) > 3
        assert not store.unsigned
        reader = LakeWarehouse(any_lake.address)
        assert rows(reader, "SELECT count(*) > 0 FROM price_daily") == [(True,)]
        assert log.total("received")
        bucket.clean()
        assert rows(reader, "SELECT count(*) > 0 FROM price_daily") == [(True,)]


def test_motherduck_is_refused_by_name(operator):
    done = operator.run("status", **{variable("database"): "md:market"})
    assert (done.returncode, "MotherDuck, which is not supported" in done.stderr) == (3, True)


def test_a_lake_that_cannot_be_reached_is_named_without_its_password():
    pytest.importorskip("duckdb_extension_postgres_scanner", reason="needs DuckDB's extension as a package")
    lake = LakeWarehouse(
        "ducklake:postgres:dbname=x host=/no/such/place user=u password=hunter2", "/tmp/none"
    )
    with pytest.raises(WarehouseError, match="cannot be reached") as caught, lake.reading():
        pass
    assert "hunter2" not in str(caught.value)
