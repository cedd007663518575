"""Charts of the past, out of the Internet Archive's Wayback Machine: Apple itself keeps none."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from etl.collect import Progress
from etl.errors import UsageError
from etl.network import Fault, FetchError
from etl.quality import Screen
from etl.refresh import Outcome, report
from etl.runlog import ItemLog, RunLog, new_run_id
from etl.sources.apple import SKEW
from etl.sources.apple_feed import Capture, Chart, check, parse
from etl.sources.apple_page import parse_page
from etl.sources.archive import PAGE_HOST, Archive, Saved
from etl.sources.charts import chart_rows, chosen_charts
from etl.warehouse import Warehouse
from etl.warehouse.merge import Merge

SOURCE = "wayback"


def backfill(
    warehouse: Warehouse,
    first: date,
    last: date,
    *,
    archive: Archive | None = None,
    progress: Progress = lambda source, done, total: None,
) -> Outcome:
    """Merge the captures of the charted days ``first`` to ``last`` that the archive holds.

    What was fetched is kept on the disk, so that an interrupted run continues where it stopped.

    Raises
    ------
    UsageError
        When the days are none.
    warehouse.WarehouseError
        When the warehouse cannot be written.
    """
    if last < first:
        raise UsageError(f"--to {last} is before --from {first}.")
    charts = chosen_charts()
    archive = archive or Archive()
    log = RunLog(new_run_id(warehouse), SOURCE)
    outcome = Outcome(log.run_id, [log])
    try:
        with warehouse.locked():
            found = _search(archive, charts, first, last, log)
            fetched = _fetch(archive, found, log, progress)
            if fetched or warehouse.exists():
                with warehouse.writing() as con:
                    con.begin()
                    _store(con, fetched, log)
                    log.write(con)
                    con.commit()
                outcome.version = warehouse.version()
    finally:
        archive.close()
    if not log.items:
        log.message = "the archive holds no capture of those days"
    report(outcome)
    return outcome


def _search(archive: Archive, charts: list[Chart], first: date, last: date, log: RunLog) -> list[Saved]:
    found: dict[str, Saved] = {}
    for chart in charts:
        try:
            found |= {saved.address: saved for saved in archive.search(chart, first, last)}
        except FetchError as error:
            log.items.append(ItemLog(f"{chart.country} {chart.name}", "failed", message=str(error)))
    return sorted(found.values(), key=lambda saved: (saved.taken_at, saved.address))


def _fetch(
    archive: Archive, found: list[Saved], log: RunLog, progress: Progress
) -> list[tuple[ItemLog, dict[str, pd.DataFrame]]]:
    fetched = []
    for done, saved in enumerate(found, start=1):
        item = ItemLog(saved.address, asked_from=saved.taken_at.date(), asked_to=saved.taken_at.date())
        started = time.monotonic()
        log.items.append(item)
        try:
            text = archive.body(saved)
            is_page = PAGE_HOST in saved.original
            capture = parse_page(text, saved.chart) if is_page else parse(text)
            check(capture, saved.chart)
            moment, item.message = _captured_at(capture, saved)
            rows = chart_rows(saved.chart, capture.entries, moment, SOURCE, saved.address)
            item.received = len(capture.entries)
            fetched.append((item, rows))
        except FetchError as error:
            item.status, item.message = "failed", str(error)
            if error.fault is Fault.LIMITED:
                break
        item.seconds = time.monotonic() - started
        progress(SOURCE, done, len(found))
    return fetched


def _captured_at(capture: Capture, saved: Saved) -> tuple[datetime, str]:
    """The moment of the chart itself, which may have lain for days before it was saved, and what to say of it."""
    made_at = capture.updated
    if made_at is None:
        return saved.taken_at, "it has no time of its own; that of the archive is kept"
    if made_at > saved.taken_at + SKEW:
        return (
            saved.taken_at,
            f"it is stamped {made_at:%Y-%m-%d %H:%M%z}, after it was saved; that of the archive is kept",
        )
    return made_at.astimezone(UTC), ""


def _store(con: Any, fetched: list[tuple[ItemLog, dict[str, pd.DataFrame]]], log: RunLog) -> None:
    now = pd.Timestamp.now("UTC")
    for item, tables in fetched:
        screen, merge = Screen(con, log.run_id, SOURCE, now), Merge(con, log.run_id)
        for name, rows in tables.items():
            screen.judge(name, rows)
        bad = screen.mostly_bad("app_ranking")
        for name in tables:
            screen.refuse_items(name, bad)
            counts = merge.rows(name, screen.good(name))
            item.inserted += counts.inserted
            item.updated += counts.updated
            item.rejected += sum(sum(reasons.values()) for reasons in screen.refused(name).values())
        if item.rejected:
            item.status = "failed" if bad else "part"
            item.message = f"{item.rejected} entries are in quarantine"
