"""Random histories, refreshed in any order: the warehouse ends equal to what the site serves in the end.

The sites revise bars, split shares, pay dividends, take both back or move them to other days, leave sessions out for
a while and send some in another unit. Whatever was stored on the way and is so no longer is in ``revision``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.product import variable
from etl.refresh import refresh
from etl.settings import settings as options
from etl.sources import SOURCES
from etl.sources.base import Batch, Task
from etl.sources.yahoo import YahooPrices
from tests.conftest import SOAK
from tests.etl.in_memory import InMemory
from tests.loopback.yahoo import Bar, Listing, sessions

DAYS = sessions(date(2025, 1, 2), date(2025, 3, 14))
TICKER = "AMD"
TABLES = ("price_daily", "dividend", "split")
Snapshot = dict[str, dict[str, dict[str, Any]]]


class Site(YahooPrices):
    """Answers as Yahoo does, from memory; ``spoil`` changes the bars of an answer."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.until = DAYS[24]
        self.missing: set[date] = set()
        self.spoil: Callable[[pd.DataFrame], None] = lambda bars: None

    def close(self) -> None:
        """Nothing: there is no session."""

    def fetch(self, task: Task) -> Batch:
        one, last = self.listing, min(task.asked_to or self.until, self.until)
        bars = pd.DataFrame(
            [
                (day, bar.open, bar.high, bar.low, bar.close, bar.adjusted, bar.volume)
                for day, bar in sorted(one.bars.items())
                if task.asked_from <= day <= last and day not in self.missing
            ],
            columns=["date", "open", "high", "low", "close", "adj_close", "volume"],
        )
        self.spoil(bars)
        common = {"ticker": TICKER, "source": self.name}
        paid = [(day, amount) for day, amount in one.dividends.items() if task.asked_from <= day <= last]
        split = [(day, new / old) for day, (new, old) in one.splits.items() if task.asked_from <= day <= last]
        rows = {
            "price_daily": bars.assign(**common, currency="USD"),
            "dividend": pd.DataFrame(paid, columns=["ex_date", "amount"]).assign(**common, currency="USD"),
            "split": pd.DataFrame(split, columns=["date", "ratio"]).assign(**common),
        }
        return Batch(rows, len(bars), complete=("dividend", "split"))


class Histories(InMemory):
    """A warehouse that can be emptied and told as a whole."""

    def clear(self) -> None:
        for table in (*TABLES, "revision", "quarantine", "quarantine_decision", "etl_run", "etl_run_item"):
            self.con.execute(f"DELETE FROM {table}")

    def snapshot(self) -> Snapshot:
        """What is stored, by table and key, without what says where it is from."""
        found: Snapshot = {}
        for table in TABLES:
            result = self.con.execute(f"SELECT * EXCLUDE (source, run_id) FROM {table}")
            names = [column[0] for column in result.description[2:]]
            found[table] = {
                f"{row[0]} {row[1]}": dict(zip(names, row[2:], strict=True)) for row in result.fetchall()
            }
        return found


def walk(seed: int) -> Listing:
    chance = np.random.default_rng(seed)
    close = 100 * np.exp(chance.normal(0, 0.012, len(DAYS)).cumsum())
    bars = {
        day: Bar(price * 0.997, price * 1.01, price * 0.99, float(price), 1000 + number, float(price))
        for number, (day, price) in enumerate(zip(DAYS, close, strict=True))
    }
    return Listing(TICKER, bars)


RATIOS = [(2, 1), (3, 1), (4, 1), (10, 1), (3, 2), (5, 4), (7, 3), (1, 10), (1, 190)]
day = st.integers(1, len(DAYS) - 1)
STEPS = st.one_of(
    st.tuples(st.just("time passes"), st.integers(1, 8)),
    st.tuples(st.just("split"), st.sampled_from(RATIOS)),
    st.tuples(st.just("dividend"), day, st.floats(0.002, 0.03)),
    st.tuples(st.just("withdraw"), st.integers(0, 3)),
    st.tuples(st.just("move"), st.integers(0, 3), day),
    st.tuples(st.just("revise"), day, st.floats(0.97, 1.03)),
    st.tuples(st.just("leave out"), day),
    st.tuples(st.just("bring back"), st.just(0)),
    st.tuples(st.just("another unit"), day, st.integers(1, 4), st.sampled_from([100, 0.01, 90, 1000])),
    st.tuples(st.just("refresh"), st.just(0)),
    st.tuples(st.just("refresh all"), st.just(0)),
    st.tuples(st.just("refresh a window"), day, st.integers(0, 20)),
)


class Play:
    """One history as it happens."""

    def __init__(self, warehouse: Histories, site: Site) -> None:
        self.warehouse, self.site = warehouse, site
        self.refresh()

    def refresh(self, since: date | None = None, until: date | None = None) -> None:
        """Refresh, and compare what changed with what the revisions of the run say."""
        before = self.warehouse.snapshot()
        outcome = refresh(self.warehouse, ["yahoo"], tickers=[TICKER], since=since, until=until)
        after = self.warehouse.snapshot()
        columns = "table_name, key, column_name, old_value, new_value"
        query = f"SELECT {columns} FROM revision WHERE run_id = '{outcome.run_id}'"
        told = {row[:3]: row[3:] for row in self.warehouse.rows(query)}
        assert set(told) == changes(before, after)
        for (table, key, column), (old, new) in told.items():
            assert same(before[table][key][column], old)
            assert new is None if key not in after[table] else same(after[table][key][column], new)
        self.site.spoil = lambda bars: None

    def do(self, what: str, *how: Any) -> None:
        getattr(self, "_" + what.replace(" ", "_"))(*how)
        self.site.listing.reinvest()

    def _time_passes(self, count: int) -> None:
        self.site.until = DAYS[min(len(DAYS) - 1, DAYS.index(self.site.until) + count)]

    def _split(self, ratio: tuple[int, int]) -> None:
        """The next session is the first after a split: its shares are others, and earlier closes are adjusted."""
        newest = self.site.until
        self._time_passes(1)
        if self.site.until != newest:
            self.site.listing.split(self.site.until, *ratio)

    def _dividend(self, number: int, share: float) -> None:
        if self._is_past(number):
            self.site.listing.dividends[DAYS[number]] = share * self.site.listing.bars[DAYS[number - 1]].close

    def _withdraw(self, which: int) -> None:
        one, seen = self.site.listing, self._seen()
        if which < len(seen):  # the closes were right all along
            del one.splits[seen[which]]
        elif one.dividends:
            del one.dividends[sorted(one.dividends)[which % len(one.dividends)]]

    def _seen(self) -> list[date]:
        """The splits that were seen: without one a whole history at half its height is refused by name."""
        stored = {held for (held,) in self.warehouse.rows("SELECT date FROM split")}
        return sorted(self.site.listing.splits.keys() & stored)

    def _move(self, which: int, number: int) -> None:
        """Another day for a split or a dividend; the closes were right all along."""
        one, to = self.site.listing, DAYS[number]
        if not self._is_past(number) or to in one.splits or to in one.dividends:
            return
        seen = self._seen()
        if which < len(seen):
            one.splits[to] = one.splits.pop(seen[which])
        elif one.dividends:
            one.dividends[to] = one.dividends.pop(sorted(one.dividends)[which % len(one.dividends)])

    def _revise(self, number: int, share: float) -> None:
        bar = self.site.listing.bars[DAYS[number]]
        bar.close *= share
        bar.high, bar.low = max(bar.high, bar.close), min(bar.low, bar.close)

    def _leave_out(self, number: int) -> None:
        self.site.missing.add(DAYS[number])

    def _bring_back(self, _: int) -> None:
        self.site.missing.clear()

    def _another_unit(self, number: int, count: int, factor: float) -> None:
        spoiled = DAYS[number : number + count]

        def spoil(bars: pd.DataFrame) -> None:
            rows = bars["date"].isin(spoiled)
            bars.loc[rows, ["open", "high", "low", "close", "adj_close"]] *= factor

        self.site.spoil = spoil

    def _refresh(self, _: int) -> None:
        self.refresh()

    def _refresh_all(self, _: int) -> None:
        self.refresh(since=DAYS[0])

    def _refresh_a_window(self, number: int, count: int) -> None:
        self.refresh(since=DAYS[number], until=DAYS[min(number + count, len(DAYS) - 1)])

    def _is_past(self, number: int) -> bool:
        return DAYS[number] <= self.site.until


def changes(before: Snapshot, after: Snapshot) -> set[tuple[str, str, str]]:
    """Table, key and column of whatever was stored and is so no longer."""
    return {
        (table, key, column)
        for table, rows in before.items()
        for key, row in rows.items()
        for column, value in row.items()
        if key not in after[table] or not same(after[table][key][column], value)
    }


def same(one: Any, other: Any) -> bool:
    """Whether two figures are the same but for the last digits; texts are those of the revisions."""
    try:
        return math.isclose(float(one), float(other), rel_tol=1.5e-6)
    except ValueError:
        return str(one) == str(other)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A warehouse in memory that follows AMD, and what a test may change of the program."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        (folder / "companies.toml").write_text(
            f'[[company]]\nticker = "{TICKER}"\nname = "A"\nsegment = "s"\nexchange = "XNAS"\n'
            'currency = "USD"\nrole = "AI"\n'
        )
        (folder / "events.toml").write_text(
            '[[event]]\nid = "e"\ntitle = "E"\noccurred_at = 2025-01-27\nzone = "America/New_York"\n'
            'kind = "release"\ndescription = "d"\nsource = "s"\nsource_url = "https://example.org/"\n'
        )
        patch.setenv(variable("data_dir"), str(folder))
        patch.setenv(variable("threads"), "1")
        patch.setenv(variable("keep_answers"), "0")
        options.cache_clear()
        yield SimpleNamespace(warehouse=Histories(), patch=patch)
    options.cache_clear()


@settings(
    max_examples=600 if SOAK else 8,
    derandomize=not SOAK,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 10**6), steps=st.lists(STEPS, min_size=3, max_size=12))
def test_the_warehouse_ends_equal_to_the_truth_and_tells_every_difference_on_the_way(memory, seed, steps):
    memory.warehouse.clear()
    site = Site(walk(seed))
    memory.patch.setitem(SOURCES, "yahoo", lambda: site)
    play = Play(memory.warehouse, site)
    for step in steps:
        play.do(*step)
    site.missing.clear()
    play.site.spoil = lambda bars: None
    play.refresh(since=DAYS[0])
    truth = deepcopy(site.listing)
    stored = memory.warehouse.snapshot()
    shown = {f"{TICKER} {held}": bar for held, bar in truth.bars.items() if held <= site.until}
    assert set(stored["price_daily"]) == set(shown)
    for key, bar in shown.items():
        assert stored["price_daily"][key]["close"] == pytest.approx(bar.close, rel=1e-6), key
    assert {key: row["amount"] for key, row in stored["dividend"].items()} == pytest.approx(
        {f"{TICKER} {held}": amount for held, amount in truth.dividends.items()}
    )
    assert {key: row["ratio"] for key, row in stored["split"].items()} == pytest.approx(
        {f"{TICKER} {held}": new / old for held, (new, old) in truth.splits.items()}
    )
    truth.bars = {held: bar for held, bar in truth.bars.items() if held <= site.until}
    truth.reinvest()
    for held, bar in truth.bars.items():
        assert stored["price_daily"][f"{TICKER} {held}"]["adj_close"] == pytest.approx(bar.adjusted, rel=1e-5)
    before = memory.warehouse.rows("SELECT count(*) FROM revision")
    play.refresh(since=DAYS[0])
    assert memory.warehouse.rows("SELECT count(*) FROM revision") == before
