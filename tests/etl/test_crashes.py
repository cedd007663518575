"""Killed at any instant, a refresh leaves the last good warehouse, and the next one completes."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date

import pytest

from etl.settings import PROJECT_ROOT
from etl.temporary import sweep
from tests.conftest import SOAK

KILLS = 200 if SOAK else 2
LAST = date(2025, 3, 14)
COUNT = "SELECT count(*) FROM price_daily"


def revise(operator, value: float) -> None:
    """Give every ticker another newest close, so that each state can be told from the others."""
    for one in operator.yahoo.listings.values():
        bar = one.bars[LAST]
        bar.open = bar.high = bar.low = bar.close = bar.adjusted = one.bars[date(2025, 3, 13)].close * (
            1 + value
        )


def newest(operator) -> list[tuple]:
    return operator.rows("SELECT ticker, close FROM price_daily WHERE date = '2025-03-14' ORDER BY ticker")


REFRESH = """
import sys
import etl.refresh, etl.warehouse
import etl.sources.yahoo
from etl.cli import main
print("ready", flush=True)
main()
"""


def start(operator) -> subprocess.Popen[str]:
    """The command in a process of its own, at the moment at which it has read its own code."""
    running = subprocess.Popen(
        [sys.executable, "-c", REFRESH, "refresh", "--source", "prices"],
        cwd=PROJECT_ROOT,
        env=operator.surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert running.stdout.readline() == "ready\n"
    return running


@pytest.mark.timeout(KILLS * 10 + 60)
def test_a_refresh_killed_at_any_instant_loses_nothing(operator, refreshed, tell, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    operator.set("TMPDIR", str(temporary))
    shutil.copyfile(refreshed, operator.warehouse.path)
    with start(operator) as running:
        started = time.monotonic()
        assert running.wait(60) == 0
        duration = time.monotonic() - started
    count = operator.rows(COUNT)
    moments, lost = random.Random(7), []
    for kill in range(1, KILLS + 1):
        before = newest(operator)
        revise(operator, kill / 1000)
        with start(operator) as running:
            time.sleep(moments.uniform(0, 1) * duration)
            running.kill()
        after = [(ticker, operator.yahoo.listings[ticker].bars[LAST].close) for ticker, _ in before]
        if newest(operator) not in (before, after) or operator.rows(COUNT) != count:
            lost.append(kill)
    tell("crashes", KILLS, len(lost))
    assert not lost
    assert operator.refresh("prices").exit_code == 0
    assert newest(operator) == after
    assert not [
        path for path in operator.warehouse.folder.iterdir() if path.name.startswith((".work", ".link"))
    ]
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    sweep()
    assert not list(temporary.iterdir())
