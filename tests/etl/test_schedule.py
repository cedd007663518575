from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from etl.schedule import JITTER, AfterClose, build
from etl.settings import PROJECT_ROOT


@pytest.mark.parametrize(
    ("exchange", "now", "due"),
    [
        ("XNYS", "2025-01-27T12:00Z", "2025-01-27T21:30Z"),
        ("XNYS", "2025-01-27T21:31Z", "2025-01-28T21:30Z"),
        ("XNYS", "2025-01-18T12:00Z", "2025-01-21T21:30Z"),  # a weekend, and Martin Luther King Day
        ("XNYS", "2025-07-03T12:00Z", "2025-07-03T17:30Z"),  # the eve of a holiday closes early
        ("XKRX", "2025-01-26T12:00Z", "2025-01-31T07:00Z"),  # the lunar new year
    ],
)
def test_prices_are_due_after_the_close_of_each_session(exchange, now, due):
    fires = AfterClose(exchange).get_next_fire_time(None, datetime.fromisoformat(now))
    assert timedelta(0) <= fires - datetime.fromisoformat(due) <= timedelta(seconds=JITTER)


def test_a_session_fires_once():
    trigger = AfterClose("XNYS")
    first = trigger.get_next_fire_time(None, datetime(2025, 1, 27, 12, tzinfo=UTC))
    second = trigger.get_next_fire_time(first, first)
    assert second.date() == datetime(2025, 1, 28).date()


def test_jobs_never_overlap_and_what_was_missed_is_made_up_for_once(operator):
    scheduler = build(operator.warehouse)
    scheduler.start(paused=True)
    try:
        jobs = {job.name: job for job in scheduler.get_jobs()}
        assert set(jobs) == {"rankings", "prices XNAS", "prices ARCX", "prices XKRX", "rates", "shares"}
        assert {(job.max_instances, job.coalesce, job.misfire_grace_time) for job in jobs.values()} == {
            (1, True, None)
        }
        assert scheduler._executors["default"]._pool._max_workers == 1
    finally:
        scheduler.shutdown()


def test_it_refreshes_at_the_start_and_stops_cleanly_on_sigterm(operator):
    with subprocess.Popen(
        [sys.executable, "-m", "etl", "schedule"],
        cwd=PROJECT_ROOT,
        env=operator.surroundings(),
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if operator.warehouse.exists() and len(operator.rows("FROM etl_run")) == 6:
                break
            time.sleep(0.2)
        running.send_signal(signal.SIGTERM)
        _, told = running.communicate(timeout=30)
    assert running.returncode == 0
    assert "stopping after the run that is under way" in told
    assert "Traceback" not in told
    assert operator.rows("SELECT count(DISTINCT ticker) FROM price_daily") == [(4,)]
    assert operator.rows("SELECT count(*) FROM app_ranking") == [(100,)]
