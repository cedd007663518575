"""How long a refresh takes beside bare `yf.download`, and a bulk load beside DuckDB's own ingest of the same file.

The refresh and the download ask the same loopback server, which speaks Yahoo's format; the load and the ingest read
the same Parquet file of ten years into a table of the same columns and key; each in a process of its own. With 50, 500
and 5,000 tickers, the load with 10,000 too; the largest refresh is timed beside ours of 500, since the download would
take many minutes. Ends with 1 when a ratio is above its bar; `python -m tests.benchmarks.etl [TICKERS…]` takes others.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from etl.product import variable
from etl.settings import PROJECT_ROOT
from tests.etl.conftest import Operator, an_operator
from tests.loopback.yahoo import listing, sessions

SIZES, LARGEST_LOAD = (50, 500, 5000), 10_000
MOST_DOWNLOADED = 500
MOST_OF_DOWNLOAD, MOST_OF_INGEST, MOST_OF_FLOOR = 1.3, 4.0, 1.2
POLITE = 20.0

DOWNLOAD = """
import sys, tempfile, time, yfinance
yfinance.cache.set_cache_location(tempfile.mkdtemp())
yfinance.cache.get_tz_cache().store("SPY", "America/New_York")  # opened by one thread: several lock each other out
started = time.monotonic()
frame = yfinance.download(sys.argv[1].split(","), start=sys.argv[2], end="2025-01-01", auto_adjust=False,
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
INGEST = """
import duckdb, sys, time
started = time.monotonic()
con = duckdb.connect(sys.argv[1])
con.execute("SET enable_progress_bar = false")
con.execute(
    "CREATE TABLE p (ticker VARCHAR, date DATE, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, adj_close DOUBLE, "
    "volume BIGINT, currency VARCHAR, PRIMARY KEY (ticker, date))"
)
con.execute("INSERT INTO p FROM read_parquet($1)", [sys.argv[2]])
con.execute("CHECKPOINT")
con.close()
print(time.monotonic() - started)
"""


@dataclass(frozen=True)
class Load:
    """A bulk load beside the database's own ingest, in seconds; its memory at the most, and the bars it brought."""

    seconds: float
    own_seconds: float
    gigabytes: float
    bars: int


def refresh_and_download(
    operator: Operator, tickers: int, since: date, rounds: int = 3, *, downloads: bool = True
) -> tuple[float, float]:
    """The median seconds of a first refresh of so many tickers, and of `yf.download` of the same (0: not asked)."""
    names = [f"T{number:05}" for number in range(tickers)]
    operator.follow(*((name, "XNYS", "USD") for name in names))
    operator.yahoo.listings = {name: listing(name, since, date(2024, 12, 31)) for name in names}
    operator.set(variable("history_start"), str(since))
    operator.variables.setdefault(variable("requests_per_second"), "1000")  # as fast as the peer may
    every = ",".join(names)

    def seconds(program: str, number: int) -> float:
        operator.set(
            variable("database"), str(operator.warehouse.path.with_name(f"{tickers}-{number}.duckdb"))
        )
        return figures(program, every, str(since), env=operator.surroundings())[0]

    pairs = [
        (seconds(REFRESH, number), seconds(DOWNLOAD, number) if downloads else 0.0)
        for number in range(rounds)
    ]
    return statistics.median(ours for ours, _ in pairs), statistics.median(theirs for _, theirs in pairs)


def polite_refresh(
    operator: Operator, tickers: int, rate: float, answer_seconds: float
) -> tuple[float, float]:
    """The seconds of a first refresh of a site that takes its time, and the floor that the polite rate sets."""
    operator.set(variable("requests_per_second"), str(rate))
    operator.world.faults.append(lambda asked: time.sleep(answer_seconds))
    seconds, _ = refresh_and_download(operator, tickers, date(2024, 11, 1), 1, downloads=False)
    return seconds, tickers / rate


def load_and_ingest(operator: Operator, tickers: int, years: int) -> Load:
    """A load of so many tickers and years from a Parquet file, beside DuckDB's own ingest of it."""
    folder = operator.warehouse.path.parent
    file, days = folder / f"bars-{tickers}.parquet", sessions(date(2025 - years, 1, 2), date(2024, 12, 31))
    with duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false")
        con.execute("CREATE TABLE day AS SELECT unnest($days)::DATE AS date", {"days": days})
        con.execute(
            "COPY (SELECT 'T' || lpad(i::VARCHAR, 5, '0') AS ticker, date, 100.0 AS open, 103.0 AS high, 97.0 AS low, "
            "98 + hash(i * 7919 + epoch(date)) % 400 / 100.0 AS close, close AS adj_close, 1000::BIGINT AS volume, "
            f"'USD' AS currency FROM range({tickers}) t(i), day ORDER BY ticker, date) TO '{file}' (FORMAT parquet)"
        )
    place = folder / f"load-{tickers}.duckdb"
    operator.set(variable("database"), str(place))
    operator.warehouse = type(operator.warehouse)(place)
    with operator.warehouse.writing() as con:
        con.execute(
            "INSERT INTO company (ticker, name, segment, exchange, currency, role, is_benchmark, bundled) "
            "SELECT 'T' || lpad(i::VARCHAR, 5, '0'), 'n', 's', 'XNYS', 'USD', 'AI', false, false "
            f"FROM range({tickers}) t(i)"
        )
    env = operator.surroundings()
    own = figures(INGEST, str(folder / f"own-{tickers}.duckdb"), str(file), env=env)[0]
    seconds, gigabytes, bars = figures(LOAD, str(file), env=env)
    return Load(seconds, own, gigabytes, int(bars))


def figures(program: str, *words: str, env: dict[str, str]) -> list[float]:
    """What a program of its own prints: numbers."""
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [float(word) for word in done.stdout.split()]


def _row(label: str, ours: float, theirs: float, most: float | None, rest: str = "") -> bool:
    bar = f" (at most {most})" if most else ""
    print(
        f"  {label:<44}{ours:8.2f} s  peer {theirs:8.2f} s  ratio {ours / theirs:5.2f}{bar}{rest}", flush=True
    )
    return most is not None and ours > most * theirs


def main(sizes: tuple[int, ...]) -> int:
    """Print a line for each measure; 1 when one of them missed its bar."""
    print("refresh, peer: yf.download of the same tickers from the same server")
    with an_operator_of_its_own() as operator:
        ours, theirs = refresh_and_download(operator, 50, date(2023, 1, 3))
        failed = _row("50 tickers, 2 years", ours, theirs, MOST_OF_DOWNLOAD)
    before = 50
    for size in sizes:
        with an_operator_of_its_own() as operator:
            downloads = size <= MOST_DOWNLOADED
            first, then = refresh_and_download(operator, size, date(2024, 11, 1), 1, downloads=downloads)
            label = f"{size:,} tickers, 2 months"
            _row(label if downloads else f"{label} (peer: ours of {before:,})", first, then or ours, None)
            before, ours = size, first
    print(f"refresh from a site that answers in 0.2 s, peer: the floor of {POLITE:g} requests a second")
    for size in sizes:
        with an_operator_of_its_own() as operator:
            ours, floor = polite_refresh(operator, size, POLITE, 0.2)
        bar = MOST_OF_FLOOR if size > MOST_DOWNLOADED else None
        failed |= _row(f"{size:,} tickers, 2 months", ours, floor, bar)
    print("bulk load, peer: DuckDB's own ingest of the same Parquet file into a keyed table")
    for size in (*sizes, *([LARGEST_LOAD] if sizes == SIZES else [])):
        with an_operator_of_its_own() as operator:
            done = load_and_ingest(operator, size, 10)
        rest = f"  {done.bars:,} bars, {done.gigabytes:.2f} GB"
        failed |= _row(f"{size:,} tickers, 10 years", done.seconds, done.own_seconds, MOST_OF_INGEST, rest)
    return int(failed)


@contextmanager
def an_operator_of_its_own() -> Iterator[Operator]:
    """Somebody who runs the ETL in a folder and a world that end with the block."""
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        an_operator(Path(folder), patch) as operator,
    ):
        yield operator


if __name__ == "__main__":
    sys.exit(main(tuple(map(int, sys.argv[1:])) or SIZES))
