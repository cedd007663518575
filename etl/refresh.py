"""One refresh: plan, ask, check, merge and publish, with a run log of it all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date

import duckdb
import pandas as pd

from etl import answers, catalogue
from etl.bundled import merge_catalogue
from etl.collect import NOT_ASKED, Collector, Progress
from etl.errors import UsageError, first_line, nearest
from etl.gaps import note_absent
from etl.intraday import SAVED, due
from etl.quality import Screen
from etl.runlog import COUNTED, RunLog, new_run_id
from etl.settings import settings
from etl.signals.store import Found, notice
from etl.sources import SOURCES
from etl.sources.base import Batch, Request, Source, Task
from etl.warehouse import Warehouse
from etl.warehouse.merge import Counts, Merge, Rules

DAILY, WITHIN_DAY = "yahoo", "yahoo-intraday"

logger = logging.getLogger("etl")
Collected = tuple[Source, dict[Task, Batch], RunLog]
"""A source, its answers by task, and the log of what became of them."""


@dataclass
class Outcome:
    """What a run did, source by source."""

    run_id: str
    logs: list[RunLog] = field(default_factory=list)
    version: str | None = None
    found: Found = field(default_factory=Found)

    @property
    def exit_code(self) -> int:
        """0 when all came, 1 when part did, 2 when nothing did."""
        states = {log.status for log in self.logs}
        if states <= {"ok"}:
            return 0
        return 2 if states == {"failed"} else 1


def refresh(
    warehouse: Warehouse,
    sources: Sequence[str],
    *,
    tickers: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    minutes: int = SAVED,
    progress: Progress = lambda source, done, total: None,
) -> Outcome:
    """Bring the warehouse up to date from ``sources`` and publish it.

    ``tickers`` narrows the companies; ``since`` and ``until`` ask for the sessions from one to the other
    instead of the missing ones; ``minutes`` is the length of intraday bars. When nothing arrives, nothing but
    the run log changes. After daily prices the intraday bars that are due are saved as a state of their own.

    Raises
    ------
    UsageError
        When a ticker is not in ``companies.toml`` or a date makes no sense.
    warehouse.WarehouseError
        When the warehouse cannot be written.
    """
    known = catalogue.load(settings().data_dir)
    request = _request(known.companies, tickers, since, until, minutes)
    with warehouse.locked():
        outcome = Outcome(new_run_id(warehouse))
        there = warehouse.bring_up_to_date()
        collected = [
            _collect(warehouse if there else None, name, request, outcome, progress) for name in sources
        ]
        try:
            publish(warehouse, outcome, collected, known, asked_at=request.now, now=request.now)
        finally:  # a gate that fails is one that will be mended
            raw = {source.name: batches for source, batches, _ in collected}
            answers.keep(warehouse, outcome.run_id, request.now, raw)
    finish(warehouse, outcome)
    if DAILY in sources and outcome.version:
        _save_within_day(warehouse, known, progress)
    return outcome


def _save_within_day(warehouse: Warehouse, known: catalogue.Catalogue, progress: Progress) -> None:
    """Save the intraday bars that are due; the refresh has succeeded whatever becomes of it."""
    try:
        with warehouse.reading() as con:
            wanted = due(con, _request(known.companies, (), None, None, SAVED))
        if wanted:
            refresh(warehouse, (WITHIN_DAY,), progress=progress)
    except Exception as error:
        logger.warning(
            "The intraday bars could not be saved, and will be asked for again: %s", first_line(error)
        )


def publish(
    warehouse: Warehouse,
    outcome: Outcome,
    collected: Sequence[Collected],
    known: catalogue.Catalogue,
    *,
    asked_at: pd.Timestamp,
    now: pd.Timestamp,
) -> None:
    """Check the answers as of ``asked_at``, merge what is believed, notice what it signals and publish all at once.

    When nothing arrived, nothing but the run log changes.
    """
    arrived = any(batches for _, batches, _ in collected)
    if not arrived and not warehouse.exists():
        for log in outcome.logs:
            _shorten(log)
        return
    with warehouse.writing() as con:
        con.begin()
        if arrived:
            merge_catalogue(Merge(con, outcome.run_id), known)
        for source, batches, log in collected:
            if batches:
                _store(con, source, batches, log, asked_at)
            _shorten(log)
            log.write(con)
        if {source.name for source, *_ in collected} != {WITHIN_DAY}:  # no signal follows from these
            outcome.found = notice(con, outcome.run_id, now, settings().signals)
        con.commit()
    outcome.version = warehouse.version()


def finish(warehouse: Warehouse, outcome: Outcome) -> None:
    """Write the log of a run, and tell its signals once it has published."""
    report(outcome)
    if outcome.version:
        _tell(warehouse)


def _tell(warehouse: Warehouse) -> None:
    """Tell the signals where somebody wants to be told; the refresh has succeeded whatever becomes of it."""
    if settings().webhook_url is None and not settings().signal_urls:
        return
    from etl.delivery.deliver import deliver_quietly  # takes its time to import

    deliver_quietly(warehouse)


def _request(
    companies: list[catalogue.Company],
    tickers: Sequence[str],
    since: date | None,
    until: date | None,
    minutes: int,
) -> Request:
    now = pd.Timestamp.now("UTC")
    known = {company.ticker.upper(): company for company in companies}
    for ticker in tickers:
        if ticker.upper() not in known:
            hint = nearest(ticker, known, "add it there with its exchange and currency")
            raise UsageError(f"There is no company {ticker[:40]!r} in companies.toml{hint}.")
    if since and since > now.date():
        raise UsageError(f"--since {since} is in the future.")
    if until and since and until < since:
        raise UsageError(f"--until {until} is before --since {since}.")
    chosen = [known[ticker] for ticker in dict.fromkeys(ticker.upper() for ticker in tickers)]
    followed = chosen or [company for company in companies if not company.retired]
    return Request(followed, now, since, until, minutes)


def _collect(
    warehouse: Warehouse | None, name: str, request: Request, outcome: Outcome, progress: Progress
) -> Collected:
    log = RunLog(outcome.run_id, name)
    outcome.logs.append(log)
    with closing(SOURCES[name]()) as source:
        collector = Collector(source, log, progress)
        with ExitStack() as stack:
            con = stack.enter_context(warehouse.reading()) if warehouse else None
            tasks = source.plan(con, request)
        batches = collector.collect(tasks)
        if batches and warehouse:
            with warehouse.reading() as con:
                batches = collector.collect_again(con, batches)
    return source, batches, log


def _store(
    con: duckdb.DuckDBPyConnection, source: Source, batches: dict[Task, Batch], log: RunLog, now: pd.Timestamp
) -> None:
    """Check what came, merge what is believed, and note for each item what became of it.

    Of the tables that an answer has whole, what it no longer has of the days asked for is taken out. Prices are merged
    last, since their adjusted closes follow from the dividends that are stored.
    """
    screen, merge = Screen(con, log.run_id, source.name, now), Merge(con, log.run_id)
    screen.expect((task.item, task.asked_from, task.asked_to) for task in batches)
    complete = {name for batch in batches.values() for name in batch.complete}
    tables = []
    for name in sorted(source.tables, key=lambda name: (name != "split", name != "price_daily")):
        frames = [batch.rows[name] for batch in batches.values()]
        if name in complete or not all(frame.empty for frame in frames):
            screen.judge(name, pd.concat([f for f in frames if not f.empty] or frames, ignore_index=True))
            tables.append(name)
    refused = {item for name in tables for item in screen.mostly_bad(name)}
    reasons: dict[str, dict[str, int]] = {}
    for name in sorted(tables, key=lambda name: name == "price_daily"):
        screen.refuse_items(name, sorted(refused))
        rules = Rules(delete=screen.withdrawn(name) if name in complete else None)
        counting = merge if name != "intraday_asked" else Merge(con, log.run_id)
        counting.rows(name, screen.good(name), rules)
        for item, counts in screen.refused(name).items():
            reasons[item] = reasons.get(item, {}) | counts
    if "price_daily" in tables:
        note_absent(con, source.name, log.run_id, batches)
    _note(log, refused, reasons, merge.items, screen.remarks)


def _note(
    log: RunLog,
    refused: set[str],
    reasons: dict[str, dict[str, int]],
    counts: dict[str, Counts],
    remarks: dict[str, list[str]],
) -> None:
    for item in log.items:
        done, bad = counts.get(item.item, Counts()), reasons.get(item.item, {})
        item.inserted, item.updated, item.rejected = done.inserted, done.updated, sum(bad.values())
        if bad:
            told = ", ".join(f"{count} × {reason}" for reason, count in bad.items())
            whole = item.item in refused
            item.status = "failed" if whole else "part"
            lead = "refused whole, mostly bad: " if whole else "in quarantine: "
            item.message = "; ".join(filter(None, [item.message, lead + told]))
        if done.deleted:
            item.message = "; ".join(filter(None, [item.message, f"{done.deleted} withdrawn by the source"]))
        item.message = "; ".join(filter(None, [item.message, *remarks.get(item.item, [])]))


def _shorten(log: RunLog) -> None:
    """Say once what was in the way of every item alike."""
    shared = {item.message.removeprefix(NOT_ASKED) for item in log.items}
    if log.items and log.status == "failed" and len(shared) == 1:
        log.message = shared.pop()


def report(outcome: Outcome) -> None:
    """Write the lines of the log: what failed item by item, then a line for each source."""
    if outcome.exit_code == 2 and all(log.message for log in outcome.logs):
        reasons = "; ".join(dict.fromkeys(log.message for log in outcome.logs))
        logger.error("Nothing arrived, the data is left as it was: %s", reasons)
        return
    for log in outcome.logs:
        for item in log.items if not log.message else []:
            if item.message:
                level = logging.INFO if item.status == "ok" else logging.WARNING
                logger.log(level, "%s %s: %s", log.source, item.item, item.message)
        logger.log(
            logging.INFO if log.status == "ok" else logging.WARNING,
            "%s: %s, %d received, %d inserted, %d updated, %d refused%s",
            log.source,
            log.status,
            *(log.total(column) for column in COUNTED),
            f": {log.message}" if log.message else "",
        )
