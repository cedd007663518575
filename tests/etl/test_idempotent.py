"""A refresh in pieces, in any order, ends equal to one in full."""

from __future__ import annotations

import random
from datetime import date

import pytest

from etl.warehouse.files import FileWarehouse
from tests.conftest import SOAK
from tests.loopback.yahoo import sessions

FIRST, LAST = date(2025, 1, 2), date(2025, 3, 14)


def prices(operator) -> dict[str, list[tuple]]:
    tables = ("price_daily", "dividend", "split")
    return {table: operator.rows(f"SELECT * EXCLUDE (run_id) FROM {table} ORDER BY ALL") for table in tables}


@pytest.fixture
def eventful(operator):
    """An operator whose NVDA pays a dividend and whose AMD splits on the way."""
    nvidia, amd = operator.yahoo.listings["NVDA"], operator.yahoo.listings["AMD"]
    nvidia.dividends[date(2025, 2, 10)] = 1.0
    amd.splits[date(2025, 1, 27)] = (4, 1)
    nvidia.reinvest()
    assert operator.refresh("prices").exit_code == 0
    operator.whole = prices(operator)
    operator.warehouse = FileWarehouse(operator.warehouse.path.with_name("pieces.duckdb"))
    return operator


def test_ticker_by_ticker(eventful):
    for ticker in random.Random(1).sample(sorted(eventful.yahoo.listings), 4):
        assert eventful.refresh("prices", tickers=[ticker]).exit_code == 0
    assert prices(eventful) == eventful.whole


@pytest.mark.parametrize("seed", range(20 if SOAK else 1))
def test_day_by_day_in_any_order(eventful, seed, tell):
    days = sessions(FIRST, LAST)
    step = 1 if SOAK else 16
    pieces = [(days[start], days[min(start + step, len(days)) - 1]) for start in range(0, len(days), step)]
    for since, until in random.Random(seed).sample(pieces, len(pieces)):
        assert eventful.refresh("prices", since=since, until=until).exit_code == 0
    same = prices(eventful) == eventful.whole
    tell("orders of days", 1, not same)
    assert same


def test_a_session_a_day_as_the_exchange_holds_them(eventful):
    everything = {ticker: dict(one.bars) for ticker, one in eventful.yahoo.listings.items()}
    days = sessions(FIRST, LAST)
    for until in days[10 :: 1 if SOAK else 25] + days[-1:]:
        for ticker, one in eventful.yahoo.listings.items():
            one.bars = {day: bar for day, bar in everything[ticker].items() if day <= until}
        assert eventful.refresh("prices").exit_code == 0
    assert prices(eventful) == eventful.whole
