from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from etl.errors import ProductError
from etl.schedule import FIRST_PAUSE, JITTER, LONGEST_PAUSE, AfterClose, Schedule
from etl.settings import PROJECT_ROOT


@pytest.mark.parametrize(
    ("exchange", "now", "due"),
    [
        ("XNYS", "2025-01-27T12:00Z", "2025-01-27T21:30Z"),
        ("XNYS", "2025-01-27T21:30Z", "2025-01-28T21:30Z"),
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
    scheduler = Schedule(operator.warehouse).scheduler
    scheduler.start(paused=True)
    try:
        jobs = {job.name: job for job in scheduler.get_jobs()}
        assert set(jobs) == {
            "rankings",
            "prices XNAS",
            "prices ARCX",
            "prices XKRX",
            "rates",
            "shares",
            "cleaning",
        }
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
            if operator.warehouse.exists() and len(operator.warehouse.history()) == 6:
                break
            time.sleep(0.2)
        running.send_signal(signal.SIGTERM)
        _, told = running.communicate(timeout=30)
    assert running.returncode == 0
    assert "stopping after the run that is under way" in told
    assert "Traceback" not in told
    assert operator.rows("SELECT count(DISTINCT ticker) FROM price_daily") == [(4,)]
    assert operator.rows("SELECT count(*) FROM app_ranking") == [(100,)]


@pytest.fixture
def plan(operator):
    """The jobs of an operator, none of which is run by the clock."""
    made = Schedule(operator.warehouse)
    made.scheduler.start(paused=True)
    yield made
    made.scheduler.shutdown()


def test_no_job_begins_once_the_end_was_asked_for(plan):
    done = []

    def stopped_meanwhile() -> None:
        done.append("first")
        plan.stopping.set()

    plan.run("rankings", stopped_meanwhile)
    for name in ("prices XNAS", "prices ARCX", "rates"):
        plan.run(name, lambda: done.append("another"))
    assert done == ["first"]


def test_a_failed_job_is_named_and_tried_again_with_growing_pauses(plan, caplog):
    def fail() -> None:
        raise ProductError("the disk is full")

    def pause() -> float:
        due = plan.scheduler.get_job("rates").next_run_time
        return round((due - datetime.now(UTC)).total_seconds() / 10) * 10

    plan.scheduler.get_job("rates").modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
    pauses = []
    for _ in range(8):
        plan.run("rates", fail)
        pauses.append(pause())
        plan.scheduler.get_job("rates").modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
    assert pauses == [min(FIRST_PAUSE * 2**number, LONGEST_PAUSE) for number in range(8)]
    assert "rates failed, and is tried again in 60 seconds: the disk is full" in caplog.text
    plan.run("rates", lambda: None)
    plan.run("rates", lambda: {}["no such key"])  # an error of ours is no reason to stop
    assert "rates failed, and is tried again in 60 seconds: KeyError" in caplog.text


def test_a_refresh_that_brings_nothing_is_a_failed_job(operator, plan, caplog):
    operator.set("HTTPS_PROXY", "http://127.0.0.1:9")
    job = plan.scheduler.get_job("prices XNAS")
    job.func(*job.args)
    assert "prices XNAS failed, and is tried again in 60 seconds: Yahoo cannot be reached" in caplog.text


def test_a_job_of_an_exchange_asks_for_its_companies_alone(plan, monkeypatch):
    asked = []

    def refresh(warehouse, sources, tickers) -> SimpleNamespace:
        asked.append(tickers)
        return SimpleNamespace(exit_code=0)

    monkeypatch.setattr("etl.schedule.refresh", refresh)
    for name in ("prices XNAS", "rates"):
        job = plan.scheduler.get_job(name)
        job.func(*job.args)
    assert asked == [["NVDA", "AMD"], ["NVDA", "AMD", "SPY", "000660.KS"]]


def test_a_company_of_a_new_exchange_needs_no_restart(operator, plan):
    operator.follow(("NVDA", "XNAS", "USD"), ("7203.T", "XTKS", "JPY"))
    plan.follow_companies()
    names = {job.id for job in plan.scheduler.get_jobs() if job.id.startswith("prices")}
    assert names == {"prices XNAS", "prices XTKS"}
