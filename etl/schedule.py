"""Runs for ever: prices after each exchange's close, rankings every hour, share counts and rates now and then."""

from __future__ import annotations

import logging
import random
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import pandas as pd
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from etl import alerts, calendars, catalogue
from etl.errors import ProductError, first_line
from etl.refresh import refresh
from etl.settings import settings
from etl.sources import GROUPS
from etl.warehouse import Warehouse

JITTER = 300
"""Seconds by which a run may come later, so that not everybody asks at the full hour."""
FIRST_PAUSE, LONGEST_PAUSE = 60, 3600
"""Seconds after which a failed job is tried again: doubled with each failure, up to the longest."""
LOOK_SECONDS = 60
"""Seconds after which the list of companies is looked at again."""

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


@dataclass
class Schedule:
    """All jobs: one at a time, late ones made up for once, each also due at the start.

    A job that brings nothing is tried again in minutes, with growing pauses. Jobs follow ``companies.toml``: a new
    exchange gets one, and one that nobody is listed on any more loses it.
    """

    warehouse: Warehouse
    stopping: threading.Event = field(default_factory=threading.Event)
    failures: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the scheduler, which is started by the caller."""
        self.scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self.add(
            "rankings", CronTrigger(minute=5, jitter=JITTER, timezone=UTC), partial(self._refresh, "rankings")
        )
        self.follow_companies()
        self.add("rates", CronTrigger(hour=6, jitter=JITTER, timezone=UTC), partial(self._refresh, "rates"))
        weekly = CronTrigger(day_of_week="sun", hour=7, jitter=JITTER, timezone=UTC)
        self.add("shares", weekly, partial(self._refresh, "shares"))
        daily = CronTrigger(hour=3, minute=30, jitter=JITTER, timezone=UTC)
        self.add("cleaning", daily, self._clean)

    def add(self, name: str, trigger: BaseTrigger, work: Callable[[], str | None]) -> None:
        """A job whose work returns why it failed, or nothing."""
        self.scheduler.add_job(
            self.run, trigger, [name, work], id=name, name=name, next_run_time=datetime.now(UTC)
        )

    def follow_companies(self) -> None:
        """Give each exchange that somebody is listed on a job."""
        wanted = {
            f"prices {exchange}": exchange for exchange in sorted({one.exchange for one in _companies()})
        }
        there = {job.id for job in self.scheduler.get_jobs() if job.id.startswith("prices ")}
        for name in there - set(wanted):
            self.scheduler.remove_job(name)
        for name, exchange in wanted.items():
            if name not in there:
                self.add(name, AfterClose(exchange), partial(self._refresh, "prices", exchange))

    def run(self, name: str, work: Callable[[], str | None]) -> None:
        """Do the work of a job, unless the end has been asked for; see to another try where it failed."""
        if self.stopping.is_set():
            return
        try:
            fault = work()
        except ProductError as error:
            fault = str(error)
        except Exception as error:
            logger.debug("unforeseen", exc_info=error)
            fault = f"{type(error).__name__}: {first_line(error)}"
        if fault is None:
            self.failures.pop(name, None)
        else:
            self._again(name, work, fault)
        alerts.tell(self.warehouse, {f"job {name}": fault} if fault else {})

    def _again(self, name: str, work: Callable[[], str | None], fault: str) -> None:
        failed = self.failures[name] = self.failures.get(name, 0) + 1
        pause = min(FIRST_PAUSE * 2 ** (failed - 1), LONGEST_PAUSE)
        logger.error("%s failed, and is tried again in %s: %s", name, _spelt(pause), fault)
        due = datetime.now(UTC) + timedelta(seconds=pause)
        job = self.scheduler.get_job(name)
        if job is not None and (job.next_run_time is None or due < job.next_run_time):
            job.modify(next_run_time=due)

    def _refresh(self, group: str, exchange: str | None = None) -> str | None:
        tickers = [one.ticker for one in _companies() if exchange in (None, one.exchange)]
        outcome = refresh(self.warehouse, GROUPS[group], tickers=tickers)
        if outcome.exit_code != 2:
            return None
        return "; ".join(dict.fromkeys(log.describe() for log in outcome.logs))

    def _clean(self) -> None:
        self.warehouse.clean()


def run_for_ever(warehouse: Warehouse) -> None:
    """Run the jobs until SIGTERM or SIGINT; the run that is under way then is finished, and no other begun."""
    plan = Schedule(warehouse)
    told: SimpleQueue[int] = SimpleQueue()  # an event's own lock may be held where a signal comes in between

    def leave(number: int, frame: Any) -> None:
        told.put(number)
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    plan.scheduler.start()
    for job in plan.scheduler.get_jobs():
        logger.info("scheduled: %s", job.name)
    for _ in _minutes(told):
        calendars.calendar.cache_clear()  # calendars reach a year ahead; this program may run longer
        try:
            plan.follow_companies()
        except ProductError as error:  # somebody is writing the file
            logger.error("companies are followed as before: %s", error)
    plan.stopping.set()
    logger.info("stopping after the run that is under way")
    plan.scheduler.shutdown(wait=True)


def _minutes(told: SimpleQueue[int]) -> Iterator[None]:
    """Ever again after a while, until a signal is told."""
    while True:
        try:
            told.get(timeout=LOOK_SECONDS)
        except Empty:
            yield
        else:
            return


def _companies() -> list[catalogue.Company]:
    companies = catalogue.load_companies(settings().data_dir / "companies.toml")
    return [company for company in companies if not company.retired]


def _spelt(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"
