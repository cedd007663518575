"""Judges the kept answers of a refresh once more, without asking anybody: for a gate that was mended since."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pandas as pd

from etl import answers, catalogue
from etl.errors import ProductError
from etl.refresh import Collected, Outcome, finish, publish
from etl.runlog import ItemLog, RunLog, new_run_id
from etl.settings import settings
from etl.sources import SOURCES
from etl.sources.base import Batch, Source, Task
from etl.warehouse import Warehouse
from etl.warehouse.merge import TABLES

Spans = dict[str, list[tuple[date, date]]]
"""Days that have been asked for, first and last, by item."""

_ASKED_SINCE = """
    SELECT item, asked_from, coalesce(asked_to, DATE '9999-12-31') AS until FROM etl_run_item
    WHERE source = $source AND run_id > $run AND status <> 'failed' AND asked_from <= until"""
"""A source that sends its files whole is asked without a last day: for all days that are to come too."""


def replay(warehouse: Warehouse, run: str = "") -> Outcome:
    """Send the kept answers of a run through the gates again, merge what is believed now and publish it.

    ``run`` is the beginning of its name, by default as `etl.answers.read` chooses. The answers are judged as of the
    moment at which they came. Days that a later refresh asked for again are left to it: its answer is the newer one.

    Raises
    ------
    UsageError
        When no answers of such a run are kept.
    ProductError
        When they cannot be read.
    warehouse.WarehouseError
        When the warehouse cannot be written.
    """
    known = catalogue.load(settings().data_dir)
    with warehouse.locked():
        kept = answers.read(warehouse, run)
        if unknown := sorted(set(kept.sources) - set(SOURCES)):
            raise ProductError(
                f"Run {kept.run_id} holds answers of {unknown[0]!r}, which is no longer a source."
            )
        outcome = Outcome(new_run_id(warehouse))
        there = warehouse.bring_up_to_date()
        companies = {company.ticker: company for company in known.companies}
        collected = [
            _take(warehouse if there else None, kept, name, companies, outcome) for name in kept.sources
        ]
        publish(warehouse, outcome, collected, known, asked_at=kept.asked_at, now=pd.Timestamp.now("UTC"))
    finish(warehouse, outcome)
    return outcome


def _take(
    warehouse: Warehouse | None,
    kept: answers.Answers,
    name: str,
    companies: Mapping[str, catalogue.Company],
    outcome: Outcome,
) -> Collected:
    log = RunLog(outcome.run_id, f"replay-{name}", replayed=kept.run_id)
    outcome.logs.append(log)
    batches: dict[Task, Batch] = {}
    for task, batch in kept.sources[name].items():
        item = ItemLog(task.item, asked_from=task.asked_from, asked_to=task.asked_to, received=batch.received)
        item.message = "; ".join(batch.notes)
        log.items.append(item)
        if task.detail and task.item not in companies:
            item.status, item.message = "failed", "it is not in companies.toml any more"
        else:
            batches[replace(task, detail=companies.get(task.item))] = batch
    with closing(SOURCES[name]()) as source:
        if warehouse:
            with warehouse.reading() as con:
                asked: Spans = {}
                for item_name, *span in con.execute(
                    _ASKED_SINCE, {"source": name, "run": kept.run_id}
                ).fetchall():
                    asked.setdefault(item_name, []).append((span[0], span[1]))
                batches = _not_asked_since(batches, asked, log)
                batches = _without_more(con, source, batches, log)
    return source, batches, log


def _not_asked_since(batches: Mapping[Task, Batch], asked: Spans, log: RunLog) -> dict[Task, Batch]:
    """The answers up to the first day that was asked for again."""
    left: dict[Task, Batch] = {}
    for task, batch in batches.items():
        if task.asked_from is None:
            left[task] = batch
            continue
        until = task.asked_to or date.max
        again = [
            first for first, last in asked.get(task.item, []) if first <= until and last >= task.asked_from
        ]
        if not again:
            left[task] = batch
            continue
        end = min(again) - timedelta(days=1)
        item = _item(log, task)
        item.message = "; ".join(filter(None, [item.message, f"asked for again since, from {min(again)} on"]))
        if end >= task.asked_from:
            rows = {name: _until(name, frame, end) for name, frame in batch.rows.items()}
            left[replace(task, asked_to=end)] = replace(batch, rows=rows)
            item.asked_to = end
    return left


def _until(name: str, frame: pd.DataFrame, end: date) -> pd.DataFrame:
    return frame[pd.to_datetime(frame[TABLES[name].day or TABLES[name].keys[-1]]).dt.date <= end]


def _without_more(
    con: duckdb.DuckDBPyConnection, source: Source, batches: dict[Task, Batch], log: RunLog
) -> dict[Task, Batch]:
    """The answers but for those that show a need for more, which a replay cannot ask for."""
    short = {task.item for task in source.follow_up(con, batches)} if batches else set()
    for task in batches:
        if task.item in short:
            item = _item(log, task)
            item.status, item.message = "failed", "its history changed, which takes a refresh: left as it was"
    return {task: batch for task, batch in batches.items() if task.item not in short}


def _item(log: RunLog, task: Task) -> ItemLog:
    return next(item for item in log.items if item.item == task.item)
