"""Intraday bars: what becomes of answers that are wrong, partial, of another unit or none."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pandas as pd
import pytest

from etl import calendars
from etl.settings import PROJECT_ROOT
from tests.conftest import SOAK
from tests.etl.conftest import asked_within, save, with_event
from tests.loopback.world import Reply

BARS = "SELECT count(*) FROM price_intraday"
ZONE = "America/New_York"


def change(live, ticker: str, change_one) -> None:
    """Change every intraday bar of a listing."""
    for bar in live.yahoo.listings[ticker].within.values():
        change_one(bar)


FAULTS = {
    "404": Reply(b'{"chart":{"result":null,"error":{"code":"Not Found","description":"gone"}}}', 404),
    "429": Reply(b"Too Many Requests", 429),
    "500": Reply(b"", 500),
    "html": Reply(b"<html>sign in</html>"),
    "empty": Reply(b'{"chart":{"result":[],"error":null}}'),
    "cut": Reply(b'{"chart":{"result":[{"meta"', keep=10),
    "reset": Reply(reset=True),
    "null": Reply(json.dumps({"chart": {"result": [None], "error": None}}).encode()),
}


@pytest.mark.parametrize("fault", FAULTS if SOAK else ("404", "429", "cut"))
def test_a_refresh_succeeds_whatever_becomes_of_the_bars_within_the_day(live, fault):
    with_event(live, live.days[-1])
    live.world.faults.append(
        lambda asked: FAULTS[fault] if asked.query.get("interval", "1d") != "1d" else None
    )
    before = live.rows("SELECT count(*) FROM price_daily")
    done = live.run("refresh", "--source", "prices")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert live.rows(BARS) == [(0,)]
    assert live.rows("SELECT count(*) FROM price_daily") == before
    live.world.faults.clear()
    live.world.asked.clear()
    live.run("refresh", "--source", "prices")
    again = [] if fault in ("404", "empty") else ["NVDA"]  # what Yahoo does not have is not asked for again
    assert [one.path.rsplit("/")[-1] for one in asked_within(live)] == again


def test_what_is_not_to_be_had_is_said_and_counts_as_failed(live):
    live.yahoo.listings["AMD"].within.clear()
    done = save(live, "--tickers", "NVDA,AMD", "--json")
    assert done.returncode == 1
    assert f"Yahoo has no 5-minute bars of {live.days[-1]}" in done.stdout


def scaled(factor: float):
    def change_one(bar) -> None:
        for name in ("open", "high", "low", "close"):
            setattr(bar, name, getattr(bar, name) * factor)

    return change_one


@pytest.mark.parametrize("factor", [100, 0.01, 10, 0.1, 4, 0.25, 1.5, 0.9] if SOAK else [0.01, 10, 0.9])
def test_bars_in_another_unit_or_on_another_basis_are_refused_whole(live, factor):
    change(live, "NVDA", scaled(factor))
    assert save(live, "--tickers", "NVDA").returncode == 2
    assert live.rows(BARS) == [(0,)]
    assert live.rows("SELECT count(*) > 0 FROM quarantine WHERE table_name = 'price_intraday'") == [(True,)]


def test_a_morning_before_the_split_was_applied_is_refused_bar_by_bar(live):
    nvda = live.yahoo.listings["NVDA"]
    known = calendars.calendar("XNYS")
    opens = int(known.opens[known.sessions.get_loc(str(live.days[-1]))].timestamp())
    for stamp in range(opens, opens + 3600, 300):
        scaled(10)(nvda.within[stamp])
    done = save(live, "--tickers", "NVDA")
    assert done.returncode == 1
    assert "12 × far outside the daily bar of its session" in done.stderr
    assert live.rows(f"{BARS} WHERE close > 500") == [(0,)]


def test_the_unit_of_another_currency_is_refused_by_name(live):
    live.yahoo.listings["NVDA"].currency = "USd"
    done = save(live, "--tickers", "NVDA")
    assert done.returncode == 2
    assert "the currency is USd, not USD" in done.stderr


def test_the_price_of_a_moment_and_empty_bars_are_left_out_in_silence(live):
    nvda = live.yahoo.listings["NVDA"]
    last = max(nvda.within)
    nvda.within[last + 437] = nvda.within[last]
    first = nvda.within[min(stamp for stamp in nvda.within if stamp > last - 6 * 3600)]
    first.open = first.high = first.low = first.close = first.volume = None
    done = save(live, "--tickers", "NVDA")
    assert (done.returncode, done.stderr) == (0, "")
    assert live.rows(f"{BARS} WHERE close IS NULL OR epoch(starts_at) % 300 <> 0") == [(0,)]


def test_a_bar_at_night_is_refused_by_the_name_of_the_exchange(live):
    nvda = live.yahoo.listings["NVDA"]
    nvda.within[int(pd.Timestamp(f"{live.days[-1]} 02:00", tz=ZONE).timestamp())] = next(
        iter(nvda.within.values())
    )
    done = save(live, "--tickers", "NVDA")
    assert done.returncode == 1
    assert "1 × XNAS does not trade at that time" in done.stderr


def test_an_answer_for_another_symbol_is_not_believed(live):
    live.yahoo.listings["NVDA"].symbol = "NVDX"
    done = save(live, "--tickers", "NVDA")
    assert done.returncode == 2
    assert "NVDX" in done.stderr


def test_bars_refused_can_be_accepted_and_dropped(live):
    stamp = max(live.yahoo.listings["NVDA"].within)
    scaled(3)(live.yahoo.listings["NVDA"].within[stamp])
    save(live, "--tickers", "NVDA")
    (count,) = live.rows(BARS)[0]
    assert live.run("quarantine", "accept", "--ticker", "NVDA", "--reason", "seen").returncode == 0
    assert live.rows(BARS) == [(count + 1,)]
    assert live.rows(f"{BARS} WHERE phase IS NULL OR splits_through IS NULL") == [(0,)]
    assert save(live, "--tickers", "NVDA").returncode == 0


def test_a_refresh_killed_while_it_saves_the_day_has_published_its_prices(live):
    """The next one saves what is due."""
    with_event(live, live.days[-1])
    live.yahoo.listings["AMD"].bars[live.days[-1]].volume = 7
    live.world.faults.append(
        lambda asked: Reply(hang=60) if asked.query.get("interval", "1d") != "1d" else None
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "etl", "refresh", "--source", "prices"],
        cwd=PROJECT_ROOT,
        env=live.surroundings(),
        stderr=subprocess.DEVNULL,
    )
    while not asked_within(live):
        assert running.poll() is None
        time.sleep(0.05)
    running.kill()
    running.wait()
    assert live.rows("SELECT count(*) FROM price_daily WHERE volume = 7") == [(1,)]
    assert live.rows(BARS) == [(0,)]
    live.world.faults.clear()
    assert live.run("refresh", "--source", "prices").returncode == 0
    assert live.rows("SELECT DISTINCT ticker, session FROM price_intraday") == [("NVDA", live.days[-1])]
