from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from etl import calendars, cli
from etl.product import variable
from etl.refresh import Outcome, refresh
from etl.settings import PROJECT_ROOT, settings
from etl.sources import GROUPS
from etl.warehouse.files import FileWarehouse
from etl.warehouse.states import Keep
from tests.etl.in_memory import InMemory
from tests.loopback.apple import Apple
from tests.loopback.google import Google
from tests.loopback.world import Asked, World
from tests.loopback.yahoo import Yahoo, listing, within_day


@pytest.fixture
def warehouse(tmp_path: Path) -> FileWarehouse:
    """An empty place for a warehouse."""
    return FileWarehouse(
        tmp_path / "market.duckdb", Keep(newest=3, days=0, daily=0, monthly=0), lock_timeout=0.2
    )


@pytest.fixture
def bundled(warehouse: FileWarehouse, bundled_database: Path) -> FileWarehouse:
    """A warehouse that holds the bundled data."""
    shutil.copyfile(bundled_database, warehouse.path)
    return warehouse


@pytest.fixture(scope="module")
def amd(request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in memory that follows AMD and holds what the module's ``stored_before`` puts into it."""
    with InMemory().con as con:
        con.execute(
            "INSERT INTO company (ticker, name, segment, exchange, currency, role) "
            "VALUES ('AMD', 'AMD', 's', 'XNAS', 'USD', 'AI')"
        )
        request.module.stored_before(con)
        yield con


@pytest.fixture
def con(amd: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same for each test: what it does to the tables is taken back."""
    amd.begin()
    yield amd
    amd.rollback()


def closes_of_100(con: duckdb.DuckDBPyConnection, days: list[date]) -> None:
    """AMD has closed at 100 on each of the days."""
    con.execute(
        "INSERT INTO price_daily (ticker, date, close, adj_close, currency, source) "
        "SELECT 'AMD', unnest($days::DATE[]), 100, 100, 'USD', 'yahoo'",
        {"days": days},
    )


COMPANIES = (
    ("NVDA", "XNAS", "USD"),
    ("AMD", "XNAS", "USD"),
    ("SPY", "ARCX", "USD"),
    ("000660.KS", "XKRX", "KRW"),
)


@lru_cache
def _events() -> str:
    """The events of the months that the sites know, without their leads: few companies are followed."""
    text = (PROJECT_ROOT / "data" / "events.toml").read_text(encoding="utf-8")
    head, *entries = re.split(r"^(?=\[\[event\]\])", text, flags=re.MULTILINE)
    near = [entry for entry in entries if re.search(r"^occurred_at = 2025-0[1-3]", entry, re.MULTILINE)]
    return re.sub(r"^lead = .*\n", "", head + "".join(near), flags=re.MULTILINE)


class Operator:
    """Somebody who runs ``python -m etl`` in a world of its own."""

    def __init__(self, folder: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        yahoo, apple = world.sites[Yahoo.hosts[0]], world.sites[Apple.hosts[0]]
        self._monkeypatch = monkeypatch
        self.world, self.yahoo, self.apple = world, yahoo, apple
        self.data = folder / "data"
        self.data.mkdir()
        (self.data / "events.toml").write_text(_events(), encoding="utf-8")
        self.follow(*COMPANIES)
        self.warehouse: FileWarehouse | InMemory = FileWarehouse(folder / "market.duckdb")
        self.variables = {
            variable("database"): str(self.warehouse.path),
            variable("data_dir"): str(self.data),
            variable("max_wait"): "0.05",
            variable("timeout"): "10",
            "YF_DISABLE_CURL_CFFI": "1",
        }
        for name, value in self.variables.items():
            self.set(name, value)
        self.enter(world)

    def follow(self, *companies: tuple[str, str, str]) -> None:
        entries = (
            f'[[company]]\nticker = "{ticker}"\nname = "{ticker}"\nsegment = "s"\nexchange = "{exchange}"\n'
            f'currency = "{currency}"\nrole = "AI"\n'
            for ticker, exchange, currency in companies
        )
        (self.data / "companies.toml").write_text("\n".join(entries))

    def follow_also(self, *tickers: str) -> None:
        """Follow these too, of New York, and let the site know them."""
        for number, ticker in enumerate(tickers):
            bars = listing(ticker, date(2025, 1, 2), date(2025, 3, 14), start=50 + number)
            self.yahoo.listings[ticker] = bars
        self.follow(*COMPANIES, *((ticker, "XNAS", "USD") for ticker in tickers))

    def run(
        self, *words: str, without: tuple[str, ...] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """What ``python -m etl`` would end with, in this process, which saves the start of another."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["etl", *words])
            for name, value in (self.variables | variables).items():
                patch.setenv(name, value)
            for name in without:
                patch.delenv(name, raising=False)
            settings.cache_clear()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    cli.main()
                except SystemExit as ended:
                    code = int(ended.code or 0)
        settings.cache_clear()
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    def run_program(
        self, *words: str, without: tuple[str, ...] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python -m etl`` as an operator does."""
        return subprocess.run(
            [sys.executable, "-m", "etl", *words],
            cwd=PROJECT_ROOT,
            env=self.surroundings(without=without, **variables),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def surroundings(self, *, without: tuple[str, ...] = (), **variables: str) -> dict[str, str]:
        """The environment of a program that is run in this world."""
        bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        every = {**bare, **self.variables, **variables}
        return {name: value for name, value in every.items() if name not in without}

    def set(self, name: str, value: str) -> None:
        """Set a variable for what follows, here and in the programs that are run."""
        self.variables[name] = value
        self._monkeypatch.setenv(name, value)
        settings.cache_clear()

    def enter(self, world: World) -> None:
        """Move to another world."""
        self.world = world
        for name, value in world.environment().items():
            self.set(name, value)

    def refresh(self, *groups: str, **options: Any) -> Outcome:
        """Refresh in this process, which saves the start of another."""
        sources = [name for group in groups for name in GROUPS[group]]
        self.last = refresh(self.warehouse, sources, **options)
        return self.last

    def rows(self, query: str) -> list[tuple]:
        with self.warehouse.reading() as con:
            return con.execute(query).fetchall()


@contextlib.contextmanager
def an_operator(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    first, last = date(2025, 1, 2), date(2025, 3, 14)
    yahoo = Yahoo(
        listing("NVDA", first, last),
        listing("AMD", first, last, start=50),
        listing("SPY", first, last, start=600),
        listing("000660.KS", first, last, start=200_000, exchange="XKRX", currency="KRW"),
    )
    with World(folder, [yahoo, Apple(), Google()]) as world:
        yield Operator(folder, world, monkeypatch)
    settings.cache_clear()


@pytest.fixture
def operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Operator]:
    """An operator, with four listings and a chart of a hundred apps to be had.

    A module that says ``WITHOUT_FILES`` has the warehouse in memory: it is about what is stored.
    """
    with an_operator(tmp_path, monkeypatch) as one:
        if getattr(request.module, "WITHOUT_FILES", False):
            one.warehouse = InMemory()
            one.set(variable("keep_answers"), "0")
        yield one


@pytest.fixture(scope="session")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of such an operator after a first refresh: read it only."""
    with (
        pytest.MonkeyPatch.context() as patch,
        an_operator(tmp_path_factory.mktemp("refreshed"), patch) as one,
    ):
        assert one.refresh("prices", "rankings").exit_code == 0
    return one.warehouse.path


STORED = "SELECT ticker, date, close FROM price_daily ORDER BY ALL"


@pytest.fixture
def loaded(operator, refreshed):
    """An operator who has refreshed once, and asks for the whole history again in each refresh."""
    if isinstance(operator.warehouse, InMemory):
        operator.warehouse = InMemory(refreshed)
    else:
        shutil.copyfile(refreshed, operator.warehouse.path)
    operator.apple.updated += timedelta(minutes=1)
    operator.before = operator.rows(STORED)
    return operator


def again(operator, *groups: str) -> Outcome:
    return operator.refresh(*(groups or ("prices",)), since=date(2025, 1, 2))


def messages(operator) -> dict[str, str]:
    return {item.item: item.message for log in operator.last.logs for item in log.items}


def nothing_lost(operator) -> bool:
    return operator.rows(STORED) == operator.before


LISTED = (
    ("NVDA", "XNAS", "USD"),
    ("AMD", "XNAS", "USD"),
    ("IBM", "XNYS", "USD"),
    ("SPY", "ARCX", "USD"),
    ("000660.KS", "XKRX", "KRW"),
    ("0700.HK", "XHKG", "HKD"),
    ("9984.T", "XTKS", "JPY"),
)


@pytest.fixture(scope="module")
def listed_database(tmp_path_factory):
    """A warehouse that follows a few companies and has no prices, built once."""
    path = tmp_path_factory.mktemp("listed") / "market.duckdb"
    with FileWarehouse(path).writing() as con:
        con.executemany(
            "INSERT INTO company (ticker, name, segment, exchange, currency, role) VALUES ($1, $1, 's', $2, $3, 'AI')",
            LISTED,
        )
    return path


@pytest.fixture
def listed(listed_database):
    """A copy of it for each test."""
    return InMemory(listed_database)


def recent_sessions(count: int) -> list[date]:
    """The newest sessions of New York that are over, with the hours after them."""
    last = calendars.last_closed_session("XNYS", pd.Timestamp.now("UTC") - timedelta(hours=12))
    return calendars.sessions("XNYS", last - timedelta(days=40), last)[-count:]


def fill(operator) -> None:
    """The site knows three weeks of daily bars, and the last two sessions within the day."""
    operator.days = recent_sessions(16)
    first, last = operator.days[0], operator.days[-1]
    for ticker, start in (("NVDA", 100), ("AMD", 50), ("SPY", 600)):
        operator.yahoo.listings[ticker] = listing(ticker, first, last, start=start)
        for day in operator.days[-2:]:
            within_day(operator.yahoo.listings[ticker], day)
    korea = listing("000660.KS", first, last, start=200_000, exchange="XKRX", currency="KRW")
    operator.yahoo.listings["000660.KS"] = korea
    for day in list(korea.bars)[-2:]:
        within_day(korea, day)
    known = (operator.data / "events.toml").read_text(encoding="utf-8")
    (operator.data / "events.toml").write_text(
        "[[event]]".join(known.split("[[event]]")[:2]), encoding="utf-8"
    )
    operator.set(variable("history_start"), f"{first}")
    operator.set(variable("max_wait"), "0")


@pytest.fixture(scope="session")
def with_daily_bars(tmp_path_factory):
    """The warehouse of such an operator after a first refresh of prices: read it only."""
    with (
        pytest.MonkeyPatch.context() as patch,
        an_operator(tmp_path_factory.mktemp("live"), patch) as one,
    ):
        fill(one)
        assert one.refresh("prices").exit_code == 0
        assert one.rows("SELECT count(*) FROM price_intraday") == [(0,)]
    return one.warehouse.path


@pytest.fixture
def live(operator, with_daily_bars):
    """An operator who holds the daily bars."""
    shutil.copyfile(with_daily_bars, operator.warehouse.path)
    fill(operator)
    return operator


def asked_within(live) -> list[Asked]:
    return [one for one in live.world.asked if one.query.get("interval", "1d") != "1d"]


def save(live, *words: str):
    return live.run("refresh", "--source", "intraday", "--session", f"{live.days[-1]}", *words)


def with_event(live, day: date, lead: str = "NVDA") -> None:
    """An editor has written an event of that day."""
    entry = (
        f'\n[[event]]\nid = "now"\ntitle = "Now"\noccurred_at = {day}\nzone = "America/New_York"\nkind = "market"\n'
        f'description = "."\nsource = "s"\nsource_url = "https://example.org"\nlead = "{lead}"\n'
    )
    (live.data / "events.toml").write_text(
        (live.data / "events.toml").read_text(encoding="utf-8") + entry, encoding="utf-8"
    )
