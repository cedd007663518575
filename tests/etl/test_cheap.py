"""A refresh costs little more than the download itself, and a bulk load little more than the database's own."""

from __future__ import annotations

import time
from datetime import date

import pytest

from etl.product import variable
from tests.benchmarks.etl import MOST_OF_DOWNLOAD, MOST_OF_INGEST, load_and_ingest, refresh_and_download
from tests.conftest import SOAK
from tests.loopback.yahoo import sessions

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


def test_a_source_is_asked_no_faster_than_the_rate_allows(operator):
    operator.set(variable("requests_per_second"), "4")
    operator.follow_also(*(f"T{number}" for number in range(4)))
    moments: list[float] = []
    operator.world.faults.append(lambda asked: moments.append(time.monotonic()))
    operator.refresh("prices")
    assert len(moments) >= 8
    for first in moments:  # those of one second may pass at once
        assert sum(first <= moment < first + 1 for moment in sorted(moments)) <= 2 * 4 + 1
    assert max(moments) - min(moments) >= (len(moments) - 4) / 4 - 0.5


@pytest.mark.skipif(not SOAK, reason="times two programs against each other, which needs a quiet machine")
@pytest.mark.timeout(600)
def test_a_refresh_takes_at_most_a_third_longer_than_the_download_alone(operator):
    ours, theirs = refresh_and_download(operator, 50, date(2023, 1, 3), rounds=5)
    print(f"refresh {ours:.2f} s, download {theirs:.2f} s")
    assert ours <= MOST_OF_DOWNLOAD * theirs


@pytest.mark.timeout(3000)
def test_a_bulk_load_keeps_within_memory_and_near_the_speed_of_the_database(operator):
    done = load_and_ingest(operator, TICKERS, YEARS)
    print(
        f"{done.bars:,} bars, {done.gigabytes:.2f} GB: {done.seconds:.1f} s, the database {done.own_seconds:.1f} s"
    )
    assert done.bars == TICKERS * len(sessions(date(2025 - YEARS, 1, 2), date(2024, 12, 31)))
    assert done.gigabytes < 4
    if SOAK:
        assert done.seconds <= MOST_OF_INGEST * done.own_seconds
