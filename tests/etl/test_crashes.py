"""Killed at any instant, a refresh leaves the last good warehouse, and the next one completes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from datetime import date

import pytest

from etl.settings import PROJECT_ROOT

KILLS = 200 if os.environ.get("AIMI_SOAK") == "1" else 3
LAST = date(2025, 3, 14)


def revise(operator, value: float) -> None:
    """Give every ticker another newest close, so that each state can be told from the others."""
    for one in operator.yahoo.listings.values():
        bar = one.bars[LAST]
        bar.open = bar.high = bar.low = bar.close = bar.adjusted = one.bars[date(2025, 3, 13)].close * (
            1 + value
        )


def newest(operator) -> list[tuple]:
    return operator.rows("SELECT ticker, close FROM price_daily WHERE date = '2025-03-14' ORDER BY ticker")


@pytest.mark.timeout(KILLS * 10 + 60)
def test_a_refresh_killed_at_any_instant_loses_nothing(operator):
    started = time.monotonic()
    assert operator.run("refresh", "--source", "prices").returncode == 0
    duration = time.monotonic() - started
    count = operator.rows("SELECT count(*) FROM price_daily")
    moments = random.Random(7)
    for kill in range(1, KILLS + 1):
        before = newest(operator)
        revise(operator, kill / 1000)
        with subprocess.Popen(
            [sys.executable, "-m", "etl", "refresh", "--source", "prices"],
            cwd=PROJECT_ROOT,
            env={"PATH": os.environ["PATH"], **operator.variables},
            stderr=subprocess.DEVNULL,
        ) as running:
            time.sleep(moments.uniform(0.3, 1.1) * duration)
            running.kill()
        after = [(ticker, operator.yahoo.listings[ticker].bars[LAST].close) for ticker, _ in before]
        assert newest(operator) in (before, after)
        assert operator.rows("SELECT count(*) FROM price_daily") == count
    assert operator.run("refresh", "--source", "prices").returncode == 0
    assert newest(operator) == after
    assert not [
        path for path in operator.warehouse.folder.iterdir() if path.name.startswith((".work", ".link"))
    ]
