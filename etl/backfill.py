"""Charts of the past, out of the Internet Archive's Wayback Machine: Apple itself keeps none."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from etl.collect import Progress
from etl.network import Fault, FetchError, explain, share_authorities
from etl.quality import Screen
from etl.refresh import Outcome, UsageError, report
from etl.runlog import ItemLog, RunLog, new_run_id
from etl.settings import settings
from etl.sources.apple import LEGACY_HOST, V2_HOSTS
from etl.sources.apple_feed import GENRES, LEGACY_CHARTS, Chart, parse
from etl.sources.apple_page import parse_page
from etl.sources.charts import chart_rows, chosen_charts
from etl.warehouse import Warehouse
from etl.warehouse.merge import Merge

SOURCE = "wayback"
PAGE_HOST = "apps.apple.com"
logger = logging.getLogger("etl")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Saved:
    """A capture that the archive holds."""

    chart: Chart
    taken_at: datetime
    original: str

    @property
    def address(self) -> str:
        """Where the archive shows what it saved, as it was."""
        return f"https://web.archive.org/web/{self.taken_at:%Y%m%d%H%M%S}id_/{self.original}"


class Archive:
    """Asks the archive slowly: the client keeps to its limits, and a 429 is waited out or ends the run."""

    def __init__(self, session: Any = None) -> None:
        """Open a session; the one that is given has its own limits."""
        share_authorities()
        import wayback

        options = settings()
        self._wayback = wayback
        self._client = wayback.WaybackClient(
            session
            or wayback.WaybackSession(
                retries=options.attempts - 1, timeout=options.timeout, user_agent="ai-market-impact"
            )
        )
        self._folder = options.cache_dir / "wayback"

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def search(self, chart: Chart, first: date, last: date) -> Iterator[Saved]:
        """What the archive holds of a chart in those days, one capture an hour for each address."""
        start = datetime(first.year, first.month, first.day, tzinfo=UTC)
        end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
        for address in _addresses(chart):
            found = self._ask(
                lambda address=address: list(  # type: ignore[misc]
                    self._client.search(
                        address,
                        match_type="prefix",
                        from_date=start,
                        to_date=end,
                        filter_field="statuscode:200",
                        collapse="timestamp:10",
                    )
                )
            )
            for record in found:
                if start <= record.timestamp < end and _shows(record.original, chart):
                    yield Saved(chart, record.timestamp, record.original)

    def body(self, saved: Saved) -> str:
        """What was saved, from the disk when it was fetched before."""
        name = hashlib.sha256(saved.original.encode()).hexdigest()[:16]
        kept = self._folder / f"{saved.taken_at:%Y%m%d%H%M%S}-{name}"
        if kept.is_file():
            return kept.read_text(encoding="utf-8")
        memento = self._ask(
            lambda: self._client.get_memento(
                saved.original, timestamp=saved.taken_at, mode=self._wayback.Mode.original
            )
        )
        text = memento.text
        memento.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = kept.with_suffix(".part")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(kept)
        return text

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        for _ in range(settings().attempts):
            try:
                return call()
            except self._wayback.exceptions.RateLimitError as error:
                pause = float(error.retry_after or settings().max_wait)
                if pause > settings().max_wait:
                    break
                logger.info("the archive asks for a pause of %g seconds", pause)
                time.sleep(pause)
            except self._wayback.exceptions.WaybackRetryError as error:
                raise explain(error.cause, "the archive") from error
            except self._wayback.exceptions.WaybackException as error:
                raise FetchError(
                    Fault.MISSING, f"the archive cannot show it ({type(error).__name__})"
                ) from error
            except OSError as error:
                raise explain(error, "the archive") from error
        raise FetchError(Fault.LIMITED, "the archive asks for fewer requests (HTTP 429); run it again later")


def backfill(
    warehouse: Warehouse,
    first: date,
    last: date,
    *,
    archive: Archive | None = None,
    progress: Progress = lambda source, done, total: None,
) -> Outcome:
    """Merge the captures of the charted days ``first`` to ``last`` that the archive holds.

    What was fetched is kept on the disk, so that a run that was cut short goes on where it ended.

    Raises
    ------
    UsageError
        When the days are none.
    warehouse.WarehouseError
        When the warehouse cannot be written.
    """
    if last < first:
        raise UsageError(f"--to {last} lies before --from {first}.")
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
            rows = chart_rows(saved.chart, capture.entries, saved.taken_at, SOURCE, saved.address)
            item.received = len(capture.entries)
            fetched.append((item, rows))
        except FetchError as error:
            item.status, item.message = "failed", str(error)
            if error.fault is Fault.LIMITED:
                break
        item.seconds = time.monotonic() - started
        progress(SOURCE, done, len(found))
    return fetched


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


def _addresses(chart: Chart) -> Iterator[str]:
    legacy = f"{LEGACY_HOST}/{chart.country}/rss/{LEGACY_CHARTS[chart.kind]}/"
    yield legacy
    yield f"{PAGE_HOST}/{chart.country}/charts/iphone"
    if not chart.genre:
        for host in V2_HOSTS:
            yield f"{host}/api/v2/{chart.country}/apps/{chart.kind}/"


def _shows(address: str, chart: Chart) -> bool:
    """Whether the address, found by its beginning, is that of the chart."""
    genre = GENRES[chart.genre] if chart.genre else "36"
    path = Path(address.partition("?")[0]).parts
    if PAGE_HOST in address:
        numbered = path[-1].isdigit()
        return path[-1] == genre if numbered else (not chart.genre and path[-1] == "iphone")
    named = [part for part in path if part.startswith("genre=")]
    if named:
        return named[0] == f"genre={genre}"
    return not chart.genre and path[-1] in ("json", "apps.json")
