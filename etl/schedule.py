"""Runs for ever: prices after each exchange's close, rankings every hour, share counts and rates now and then."""

from __future__ import annotations

import logging
import random
import signal
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from etl import calendars, catalogue
from etl.refresh import refresh
from etl.settings import settings
from etl.sources import GROUPS
from etl.warehouse import Warehouse

JITTER = 300
"""Seconds by which a run may come later, so that not everybody asks at the full hour."""

logger = logging.getLogger("etl")


class AfterClose(BaseTrigger):
    """Fires on each session of an exchange, once the bars of its close have settled."""

    def __init__(self, exchange: str, jitter: int = JITTER) -> None:
        """Remember the exchange; a run comes up to ``jitter`` seconds after the bars have settled."""
        self._exchange = exchange
        self._jitter = jitter

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next moment; a session that has fired does not fire again."""
        after = max(now, previous_fire_time + timedelta(seconds=self._jitter)) if previous_fire_time else now
        settled = calendars.calendar(self._exchange).closes + calendars.SETTLING
        coming = settled[int(settled.searchsorted(pd.Timestamp(after), side="right"))]
        pause = random.randint(0, self._jitter)  # noqa: S311 - to spread the load, not to keep a secret
        return (coming + pd.Timedelta(seconds=pause)).to_pydatetime()

    def __str__(self) -> str:
        """What the log calls it."""
        return f"after the close of {self._exchange}"


def build(warehouse: Warehouse) -> BackgroundScheduler:
    """A scheduler with all jobs: one at a time, late ones made up for once, each also due at the start."""
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    exchanges = sorted({company.exchange for company in _companies()})
    now = datetime.now(UTC)

    def add(name: str, trigger: BaseTrigger, group: str, exchange: str | None = None) -> None:
        scheduler.add_job(
            _run, trigger, [warehouse, name, group, exchange], id=name, name=name, next_run_time=now
        )

    add("rankings", CronTrigger(minute=5, jitter=JITTER, timezone=UTC), "rankings")
    for exchange in exchanges:
        add(f"prices {exchange}", AfterClose(exchange), "prices", exchange)
    add("rates", CronTrigger(hour=6, jitter=JITTER, timezone=UTC), "rates")
    add("shares", CronTrigger(day_of_week="sun", hour=7, jitter=JITTER, timezone=UTC), "shares")
    return scheduler


def run_for_ever(warehouse: Warehouse) -> None:
    """Run the jobs until SIGTERM or SIGINT; the run that is under way then is finished first."""
    stop = threading.Event()

    def leave(number: int, frame: Any) -> None:
        logger.info("stopping after the run that is under way")
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    scheduler = build(warehouse)
    scheduler.start()
    for job in scheduler.get_jobs():
        logger.info("scheduled: %s", job.name)
    while not stop.wait(3600):
        calendars.calendar.cache_clear()  # calendars reach a year ahead; this program may run longer
    for job in scheduler.get_jobs():
        job.remove()
    scheduler.shutdown(wait=True)


def _companies() -> Sequence[catalogue.Company]:
    return catalogue.load_companies(settings().data_dir / "companies.toml")


def _run(warehouse: Warehouse, name: str, group: str, exchange: str | None) -> None:
    try:
        tickers = [one.ticker for one in _companies() if exchange in (None, one.exchange) and not one.retired]
        refresh(warehouse, GROUPS[group], tickers=tickers)
    except Exception as error:
        told = str(error) if type(error).__module__.startswith("etl.") else type(error).__name__
        logger.error("%s did not run: %s", name, told)
