"""A refresh costs little more than the download itself, and a bulk load little more than the database's own."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date

import duckdb
import pytest

from etl.settings import PROJECT_ROOT
from tests.loopback.yahoo import listing, sessions

SOAK = os.environ.get("AIMI_SOAK") == "1"
TICKERS, YEARS = (10_000, 10) if SOAK else (20, 2)


def test_an_incremental_refresh_asks_once_for_each_ticker(operator):
    operator.refresh("prices")
    operator.world.asked.clear()
    operator.refresh("prices")
    charts = [asked for asked in operator.world.asked if "/chart/" in asked.path]
    assert sorted(asked.path.rsplit("/", 1)[1] for asked in charts) == sorted(operator.yahoo.listings)
    days = (int(charts[0].query["period2"]) - int(charts[0].query["period1"])) / 86400
    assert len(sessions(date(2025, 3, 3), date(2025, 3, 14))) == 10
    assert len({asked.query["period1"] for asked in charts}) <= 2  # one for each time zone
    assert days > 10  # the sessions that this server will never have are asked for too


DOWNLOAD = """
import sys, tempfile, time, yfinance
yfinance.cache.set_cache_location(tempfile.mkdtemp())
started = time.monotonic()
frame = yfinance.download(sys.argv[1].split(","), start="2023-01-03", end="2025-01-01", auto_adjust=False,
                          actions=True, progress=False)
assert frame["Close"].notna().all().all()
print(time.monotonic() - started)
"""
REFRESH = """
import sys, time
from etl.refresh import refresh
from etl.warehouse import open_warehouse
import etl.sources.yahoo
started = time.monotonic()
assert refresh(open_warehouse(), ["yahoo"], tickers=sys.argv[1].split(",")).exit_code == 0
print(time.monotonic() - started)
"""


@pytest.mark.skipif(not SOAK, reason="times two programs against each other, which needs a quiet machine")
@pytest.mark.timeout(600)
def test_a_refresh_takes_at_most_a_third_longer_than_the_download_alone(operator):
    names = [f"T{number:02}" for number in range(50)]
    operator.follow(*((name, "XNYS", "USD") for name in names))
    operator.yahoo.listings = {name: listing(name, date(2023, 1, 3), date(2024, 12, 31)) for name in names}
    operator.set("AIMI_HISTORY_START", "2023-01-03")

    def seconds(program: str, number: int) -> float:
        operator.set("AIMI_DATABASE", str(operator.warehouse.path.with_name(f"{number}.duckdb")))
        done = subprocess.run(
            [sys.executable, "-c", program, ",".join(names)],
            cwd=PROJECT_ROOT,
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **operator.variables},
            capture_output=True,
            text=True,
            check=True,
        )
        return float(done.stdout)

    ours = sorted(seconds(REFRESH, number) for number in range(5))[2]
    theirs = sorted(seconds(DOWNLOAD, number) for number in range(5))[2]
    print(f"refresh {ours:.2f} s, download {theirs:.2f} s")
    assert ours <= 1.3 * theirs


LOAD = """
import resource, sys, time
from pathlib import Path
from etl.imports import import_prices
from etl.warehouse import open_warehouse
started = time.monotonic()
report = import_prices(open_warehouse(), Path(sys.argv[1]))
assert report.exit_code == 0, report.refused
gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(time.monotonic() - started, gigabytes, report.log.items[0].inserted)
"""


@pytest.mark.timeout(3000)
def test_a_bulk_load_keeps_within_memory_and_near_the_speed_of_the_database(operator, tmp_path):
    """The database's own ingest is of the same file into a table of the same columns and key."""
    file, days = tmp_path / "bars.parquet", sessions(date(2025 - YEARS, 1, 2), date(2024, 12, 31))
    with duckdb.connect() as con:
        con.execute("CREATE TABLE day AS SELECT unnest($days)::DATE AS date", {"days": days})
        con.execute(
            "COPY (SELECT 'T' || lpad(i::VARCHAR, 5, '0') AS ticker, date, 100.0 AS open, 103.0 AS high, 97.0 AS low, "
            "98 + hash(i * 7919 + epoch(date)) % 400 / 100.0 AS close, close AS adj_close, 1000::BIGINT AS volume, "
            f"'USD' AS currency FROM range({TICKERS}) t(i), day ORDER BY ticker, date) TO '{file}' (FORMAT parquet)"
        )
    with operator.warehouse.writing() as con:
        con.execute(
            "INSERT INTO company SELECT 'T' || lpad(i::VARCHAR, 5, '0'), 'n', 's', 'XNYS', 'USD', 'AI', false, false "
            f"FROM range({TICKERS}) t(i)"
        )
    own = own_ingest(tmp_path / "own.duckdb", file)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(file)],
        cwd=PROJECT_ROOT,
        env={"PATH": os.environ["PATH"], **operator.variables},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, gigabytes, inserted = map(float, done.stdout.split())
    print(f"{inserted:,.0f} bars in {seconds:.1f} s with {gigabytes:.2f} GB; the database alone {own:.1f} s")
    assert inserted == TICKERS * len(days)
    assert gigabytes < 4
    if SOAK:
        assert seconds <= 4 * own


def own_ingest(database, file) -> float:
    program = (
        "import duckdb, sys, time; started = time.monotonic(); con = duckdb.connect(sys.argv[1]);"
        "con.execute('SET threads = 2; SET enable_progress_bar = false');"
        "con.execute('CREATE TABLE p (ticker VARCHAR, date DATE, open DOUBLE, "
        "high DOUBLE, low DOUBLE, close DOUBLE, adj_close DOUBLE, volume BIGINT, currency VARCHAR, "
        "PRIMARY KEY (ticker, date))'); con.execute('INSERT INTO p FROM read_parquet($1)', [sys.argv[2]]);"
        "con.execute('CHECKPOINT'); con.close(); print(time.monotonic() - started)"
    )
    command = [sys.executable, "-c", program, str(database), str(file)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
