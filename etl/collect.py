"""Asks one source for everything that was planned, several tasks at a time, and notes what became of each."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

import duckdb

from etl.network import Fault, FetchError, explain
from etl.runlog import ItemLog, RunLog
from etl.settings import settings
from etl.sources.base import Batch, Source, Task

NOT_ASKED = "not asked for any more: "

logger = logging.getLogger("etl")
Progress = Callable[[str, int, int], None]
"""Told the name of the source, how many tasks are done, and how many there are."""


class Collector:
    """Collects the answers of one source; a circuit breaker opens after too many consecutive failures to reach it."""

    def __init__(self, source: Source, log: RunLog, progress: Progress) -> None:
        """Remember where to note what became of each task."""
        self._source = source
        self._log = log
        self._progress = progress
        self._lock = threading.Lock()
        self._failures = 0
        self._reason = ""

    def collect(self, tasks: list[Task]) -> dict[Task, Batch]:
        """What came, by task; what did not is in the run log."""
        batches: dict[Task, Batch] = {}
        self._progress(self._source.name, 0, len(tasks))
        with ThreadPoolExecutor(settings().threads, thread_name_prefix=self._source.name) as pool:
            jobs = {pool.submit(self._fetch, task): task for task in tasks}
            for done, job in enumerate(as_completed(jobs), start=1):
                item, batch = job.result()
                self._note(item)
                if batch:
                    batches[jobs[job]] = batch
                self._progress(self._source.name, done, len(tasks))
        return {task: batches[task] for task in tasks if task in batches}

    def collect_again(self, con: duckdb.DuckDBPyConnection, batches: dict[Task, Batch]) -> dict[Task, Batch]:
        """The same answers, those that showed a need for more replaced by what came for their follow-up.

        A task whose follow-up fails is dropped, and so is one whose follow-up lacks sessions that are stored: half of
        a new basis would be worse than the old one.
        """
        again = self._source.follow_up(con, batches)
        if not again:
            return batches
        items = {task.item for task in again}
        kept = {task: batch for task, batch in batches.items() if task.item not in items}
        return kept | {
            task: batch for task, batch in self.collect(again).items() if self._is_whole(con, task, batch)
        }

    def _is_whole(self, con: duckdb.DuckDBPyConnection, task: Task, batch: Batch) -> bool:
        bars = batch.rows.get("price_daily")
        if bars is None:
            return True
        sent = bars.loc[bars["close"].notna(), ["date"]]
        con.register("sent", sent)
        query = (
            "SELECT count(*), count(sent.date) FROM price_daily AS held LEFT JOIN sent ON sent.date::DATE = held.date "
            "WHERE ticker = $ticker AND held.date BETWEEN $first AND $last"
        )
        asked = {"ticker": task.item, "first": task.asked_from, "last": task.asked_to}
        held, found = con.execute(query, asked).fetchall()[0]
        con.unregister("sent")
        if found < held:
            item = next(item for item in self._log.items if item.item == task.item)
            item.status = "failed"
            item.message = (
                f"its history changed, but only {found} of its {held} sessions came again: left as it was"
            )
        return bool(found >= held)

    def _fetch(self, task: Task) -> tuple[ItemLog, Batch | None]:
        item = ItemLog(task.item, asked_from=task.asked_from, asked_to=task.asked_to)
        started = time.monotonic()
        batch: Batch | None = None
        try:
            if self._reason:
                raise FetchError(Fault.UNREACHABLE, NOT_ASKED + self._reason)
            batch = self._source.fetch(task)
            item.received = batch.received
            item.message = "; ".join(filter(None, [*batch.notes, batch.lacking]))
            if batch.lacking:
                item.status = "part" if batch.received else "failed"
            self._heard()
        except Exception as error:
            fault = explain(error, self._source.name)
            if not isinstance(error, FetchError):
                logger.debug("unforeseen answer", exc_info=error)
            self._unheard(fault)
            item.status, item.message = "failed", str(fault)
        item.seconds = time.monotonic() - started
        return item, batch

    def _heard(self) -> None:
        with self._lock:
            self._failures = 0

    def _unheard(self, error: FetchError) -> None:
        with self._lock:
            if error.fault not in (Fault.UNREACHABLE, Fault.LIMITED):
                self._failures = 0
                return
            self._failures += 1
            if self._failures >= self._source.patience and not self._reason:
                self._reason = str(error)

    def _note(self, item: ItemLog) -> None:
        self._log.items = [known for known in self._log.items if known.item != item.item] + [item]
