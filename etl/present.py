"""How the commands tell what they found, for people and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from etl.imports import ImportReport
    from etl.refresh import Outcome
    from etl.settings import Setting
    from etl.status import WarehouseStatus

NAMED = 8  # items with the same fault that are named before the rest is counted
MARKS = {"ok": "green", "part": "yellow", "failed": "red"}


def as_json(value: Any) -> str:
    """Indented JSON; dates and times in ISO form."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain)


def outcome_as_dict(outcome: Outcome) -> dict[str, Any]:
    """What a run did, for JSON."""
    return {
        "run_id": outcome.run_id,
        "exit_code": outcome.exit_code,
        "version": outcome.version,
        "sources": [
            {
                "source": log.source,
                "status": log.status,
                "rows_received": log.total("received"),
                "rows_inserted": log.total("inserted"),
                "rows_updated": log.total("updated"),
                "rows_rejected": log.total("rejected"),
                "message": log.describe(),
                "items": [asdict(item) for item in log.items],
            }
            for log in outcome.logs
        ],
    }


def import_as_dict(report: ImportReport) -> dict[str, Any]:
    """What an import did, for JSON."""
    return {
        "run_id": report.log.run_id,
        "exit_code": report.exit_code,
        "dry_run": report.dry_run,
        "read_as": report.read_as,
        "columns": report.columns,
        "ignored_columns": report.ignored,
        "items": [asdict(item) for item in report.log.items],
        "refused": [{"row": row, "reason": reason} for row, reason in report.refused],
        "remarks": report.remarks,
        "not_of_the_table": [{"row": row, "text": text} for row, text in report.aside],
    }


def show_import(report: ImportReport, console: Console, errors: Console) -> None:
    """Tell how the file was read, what was taken, and which rows were refused and why."""
    item = report.item
    console.print("Read as: " + ", ".join(report.read_as))
    console.print("Columns: " + ", ".join(f"{name} from {found!r}" for name, found in report.columns.items()))
    if report.ignored:
        console.print("Not used: " + ", ".join(map(repr, report.ignored)))
    for row, text in report.aside[:NAMED]:
        console.print(f"Row {row} is not part of the table: {text[:80]}")
    if len(report.aside) > NAMED:
        console.print(f"… and {len(report.aside) - NAMED:,} more rows that are not part of the table")
    same = item.received - item.inserted - item.updated - item.rejected
    console.print(
        f"{item.received:,} rows read, {item.inserted:,} inserted, {item.updated:,} updated, "
        f"{item.rejected:,} refused" + (f", {same:,} as they were" if same > 0 else "")
    )
    for row, reason in report.refused:
        errors.print(f"Row {row}: {reason}")
    if item.rejected > len(report.refused):
        kept = "" if report.dry_run else "; all are in the table quarantine"
        errors.print(f"… and {item.rejected - len(report.refused):,} more{kept}.")
    for remark in report.remarks:
        console.print(f"Note: {remark}.")
    if report.dry_run:
        console.print("A dry run: nothing was stored.")


def show_status(status: WarehouseStatus, console: Console) -> None:
    """Show what is there, as of when, and what is missing."""
    with_prices = [ticker for ticker in status.tickers if ticker.last]
    disk = "" if status.disk_used is None else f", {decimal(status.disk_used)} on disk"
    console.print(f"{status.warehouse}, state {status.version} ({len(status.versions)} kept{disk})")
    if with_prices:
        first = min(ticker.first for ticker in with_prices if ticker.first)
        last = max(ticker.last for ticker in with_prices if ticker.last)
        sources = "; ".join(
            sorted({one for ticker in with_prices for one in (ticker.source or "").split("; ")})
        )
        console.print(
            f"Prices: {len(with_prices)} of {len(status.tickers)} companies, {first} to {last} ({sources}), "
            f"{sum(ticker.sessions for ticker in with_prices):,} sessions"
        )
    if status.missing:
        console.print(
            f"No prices yet: {', '.join(status.missing)}. `python -m etl refresh` asks Yahoo for them."
        )
    retired = [ticker.ticker for ticker in status.tickers if ticker.retired]
    if retired:
        console.print(f"Retired: {', '.join(retired)}")
    for ticker in with_prices:
        if ticker.gaps:
            days = ", ".join(map(str, ticker.gaps[:5]))
            more = f" and {len(ticker.gaps) - 5} more" if len(ticker.gaps) > 5 else ""
            console.print(f"Gap: {ticker.ticker} lacks {days}{more}")
    _show_intraday(status, console)
    for chart in status.rankings:
        held = (
            f"{chart['captures']} captures"
            if chart["evidence"] == "measured"
            else f"{chart['captures']} points"
        )
        console.print(
            f"Ranks: {chart['store']} {chart['country']} {chart['chart']} {chart['evidence']}, {held}, "
            f"{chart['first']:%Y-%m-%d} to {chart['last']:%Y-%m-%d}"
        )
    if not any(chart["evidence"] == "measured" for chart in status.rankings):
        console.print("No measured chart yet. `python -m etl refresh --source rankings` captures today's.")
    console.print(f"Events: {status.events}. Rows in quarantine: {status.quarantined}.")
    console.print(_runs(status))
    for (state, source, message), items in _alike(status.errors).items():
        more = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
        console.print(f"{state}: {source} {', '.join(items[:NAMED])}{more}: {message}")
    if status.stale:
        console.print("`python -m etl refresh` brings what is missing:")
    for sentence in status.stale:
        console.print(f"Stale: {sentence}.")


def _show_intraday(status: WarehouseStatus, console: Console) -> None:
    for bars in status.intraday:
        companies = "company" if bars["tickers"] == 1 else "companies"
        sessions = "session" if bars["sessions"] == 1 else "sessions"
        console.print(
            f"Intraday: {bars['minutes']}-minute bars of {bars['tickers']} {companies} on {bars['sessions']} "
            f"{sessions}, {bars['first']} to {bars['last']} ({bars['bars']:,} bars)"
        )


def show_settings(settings: list[Setting], console: Console) -> None:
    """List the settings, those that differ from their default marked."""
    for setting in settings:
        default = f" (default {setting.default})" if setting.changed and setting.default else ""
        console.print(f"{'*' if setting.changed else ' '} {setting.variable}={setting.value}{default}")
        console.print(f"      {setting.meaning}")


def _alike(errors: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[str]]:
    """The items that ended in the same way, by status, source and message."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for error in errors:
        groups.setdefault((error["status"], error["source"], error["message"]), []).append(error["item"])
    return groups


def _runs(status: WarehouseStatus) -> Table:
    table = Table(title="Last run of each source", title_justify="left", box=None, pad_edge=False)
    for heading in ("source", "status", "finished (UTC)", "received", "inserted", "updated", "refused"):
        table.add_column(heading, justify="left" if heading in ("source", "status") else "right")
    for run in status.runs:
        counts = (run[f"rows_{column}"] for column in ("received", "inserted", "updated", "rejected"))
        table.add_row(
            Text(run["source"]),
            Text(run["status"], MARKS.get(run["status"], "")),
            f"{run['finished_at']:%Y-%m-%d %H:%M}",
            *(f"{count:,}" for count in counts),
        )
    return table


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
