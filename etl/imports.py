"""Imports prices and rank histories that people already have, from CSV or Parquet files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]

from etl.errors import ProductError
from etl.quality import Screen
from etl.runlog import ItemLog, RunLog, new_run_id
from etl.warehouse import Warehouse
from etl.warehouse.merge import Merge

ROWS_AT_ONCE = 500_000
NAMES = {
    "prices": {
        "ticker": ("symbol", "code"),
        "date": ("session", "day", "timestamp", "datetime"),
        "open": ("open price",),
        "high": ("high price",),
        "low": ("low price",),
        "close": ("close price", "close/last", "last"),
        "adj_close": ("adj close", "adjusted close", "adjclose", "adjusted_close"),
        "volume": ("vol",),
        "currency": (),
    },
    "rankings": {
        "captured_at": ("date", "time", "timestamp", "datetime", "day"),
        "store": ("market",),
        "country": ("country code", "storefront"),
        "chart": ("category", "list", "feed"),
        "device": ("device type",),
        "rank": ("position", "place"),
        "depth": ("chart depth", "fetched depth"),
        "app_id": ("id", "appid", "app id", "product_id", "track id"),
        "app_name": ("name", "app", "title", "app name"),
        "publisher": ("developer", "artist", "artistname", "company"),
        "source_url": ("url", "address"),
        "note": ("remark",),
    },
}
"""The columns of each kind of file, and the other names under which they are found."""
NEEDED = {"prices": ("ticker", "date", "close"), "rankings": ("captured_at", "rank", "app_name")}
SHOWN = 20


class ImportRefusedError(ProductError):
    """A file cannot be imported at all; the message says why."""

    exit_code = 3


@dataclass
class ImportReport:
    """What an import took, and which rows it refused and why (``refused``: the first, as row and reason)."""

    log: RunLog
    columns: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[int, str]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 when all rows were taken, 1 when part was, 2 when none was."""
        return {"ok": 0, "part": 1, "failed": 2}[self.log.status]


def import_prices(warehouse: Warehouse, path: Path) -> ImportReport:
    """Merge a file of daily bars; without adjusted closes, the closes stand in for them.

    Raises
    ------
    ImportRefusedError
        When the file cannot be read, or lacks a needed column.
    """
    return _import(warehouse, path, "prices", {})


def import_rankings(
    warehouse: Warehouse, path: Path, *, defaults: dict[str, str], zone: str = "UTC"
) -> ImportReport:
    """Merge a file of ranks; ``defaults`` stand in for columns that it lacks, ``zone`` for offsets.

    An empty rank beside a depth means "not in the chart" and is kept as a capture; without a depth it means
    "not fetched" and the row is refused.

    Raises
    ------
    ImportRefusedError
        When the file cannot be read, or lacks a needed column.
    """
    return _import(warehouse, path, "rankings", defaults, zone)


def _import(
    warehouse: Warehouse, path: Path, kind: str, defaults: dict[str, str], zone: str = "UTC"
) -> ImportReport:
    log = RunLog(new_run_id(warehouse), f"import-{kind}")
    item = ItemLog(path.name)
    report = ImportReport(log)
    started = time.monotonic()
    with _opened(path) as file:
        batches = _batches(file, path)
        first = next(batches, None)
        if first is None or not first.num_rows:
            raise ImportRefusedError(f"{path} holds no rows.")
        report.columns = _mapped(first.column_names, kind, path)
        with warehouse.writing() as con:
            if not con.execute("SELECT count(*) FROM company").fetchall()[0][0]:
                raise ImportRefusedError("The warehouse is empty: run `python -m etl load-bundled` first.")
            con.begin()
            con.execute("SET TimeZone = $zone", {"zone": str(ZoneInfo(zone))})
            steps = warehouse.commits_stay_private
            screen = Screen(con, log.run_id, log.source, pd.Timestamp.now("UTC"), in_steps=steps)
            take = _take_prices if kind == "prices" else _take_rankings
            while first is not None:
                renamed = first.select(list(report.columns.values())).rename_columns(list(report.columns))
                take(screen, renamed, report, item, defaults)
                item.received += first.num_rows
                if steps:
                    con.commit()  # frees the memory that the batch took
                    con.begin()
                first = next(batches, None)
            con.execute("SET TimeZone = 'UTC'")
            _conclude(item, report, time.monotonic() - started)
            log.write(con)
            con.commit()
    return report


def _conclude(item: ItemLog, report: ImportReport, seconds: float) -> None:
    item.seconds = seconds
    if item.rejected:
        item.status = "failed" if item.rejected >= item.received else "part"
        item.message = (
            f"{item.rejected} rows refused, among them row {report.refused[0][0]}: {report.refused[0][1]}"
        )
    report.log.items.append(item)


def _take_prices(
    screen: Screen,
    table: pa.Table,
    report: ImportReport,
    item: ItemLog,
    defaults: dict[str, str],
) -> None:
    con = screen.con
    given = set(table.column_names)
    adjusted = "adj_close" if "adj_close" in given else "close"
    con.register("file_rows", table.append_column("file_row", pa.array(range(1, table.num_rows + 1))))
    currency = "given.currency" if "currency" in given else "company.currency"
    join = "" if "currency" in given else "LEFT JOIN company USING (ticker)"
    rest = "".join(f", {name}" for name in ("open", "high", "low", "volume") if name in given)
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW importing AS SELECT file_row, ticker, given.date, close, "  # noqa: S608
        f"{adjusted} AS adj_close, {currency} AS currency, 'import' AS source {rest} FROM file_rows AS given {join}"
    )
    _merge(screen, report, item, {"price_daily": "importing"})
    con.unregister("file_rows")


def _take_rankings(
    screen: Screen,
    table: pa.Table,
    report: ImportReport,
    item: ItemLog,
    defaults: dict[str, str],
) -> None:
    rows = table.to_pandas().assign(source="import", file_row=range(1, table.num_rows + 1))
    for column, value in defaults.items():
        rows[column] = rows[column].fillna(value) if column in rows else value
    rows["captured_at"] = rows["captured_at"].astype("str")
    rows["source_url"] = rows["source_url"].fillna("") if "source_url" in rows else ""
    rows["rank"] = pd.to_numeric(rows["rank"], errors="coerce")
    rows["depth"] = pd.to_numeric(rows["depth"], errors="coerce") if "depth" in rows else float("nan")
    absent = rows["rank"].isna() & rows["depth"].notna()
    keys = ["captured_at", "store", "country", "chart", "device", "evidence", "source_url", "source"]
    charts = rows.groupby(keys, dropna=False).agg(
        depth=("depth", "max"), last=("rank", "max"), count=("rank", "nunique")
    )
    whole = charts["depth"].isna() & (charts["count"] == charts["last"]) & (charts["count"] > 1)
    charts["depth"] = charts["depth"].where(~whole, charts["last"])
    captures = charts.reset_index()
    listed = rows[~absent].drop(columns="depth")
    _merge(screen, report, item, {"ranking_capture": captures, "app_ranking": listed})


def _merge(
    screen: Screen, report: ImportReport, item: ItemLog, tables: dict[str, pd.DataFrame | str]
) -> None:
    merge = Merge(screen.con, report.log.run_id)
    for name, rows in tables.items():
        screen.judge(name, rows)
    main = list(tables)[-1]
    for name in tables:
        counts = merge.rows(name, screen.good(name))
        refused = sum(count for reasons in screen.refused(name).values() for count in reasons.values())
        if name == main:
            item.inserted += counts.inserted
            item.updated += counts.updated
            item.rejected += refused
    report.refused += [
        (item.received + position, reason)
        for position, reason in screen.con.execute(
            f"SELECT position, reason FROM bad_{main} ORDER BY position LIMIT $shown",  # noqa: S608
            {"shown": max(0, SHOWN - len(report.refused))},
        ).fetchall()
    ]


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file itself, opened once: what is read can be nothing else."""
    if not path.is_file():
        raise ImportRefusedError(f"{path} is no file.")
    try:
        with path.open("rb") as file:
            yield file
    except (pa.ArrowException, ValueError) as error:
        raise ImportRefusedError(
            f"{path} is not readable as a table: {str(error).splitlines()[0]}"
        ) from error
    except PermissionError as error:
        raise ImportRefusedError(f"{path} cannot be read: {error.strerror}.") from error


def _batches(file: BinaryIO, path: Path) -> Iterator[pa.Table]:
    if path.suffix == ".parquet":
        for batch in pa.parquet.ParquetFile(file).iter_batches(batch_size=ROWS_AT_ONCE):
            yield pa.Table.from_batches([batch])
        return
    names = pd.read_csv(file, nrows=0, dtype=str).columns
    file.seek(0)
    text = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    pending: list[pa.RecordBatch] = []
    for batch in pa.csv.open_csv(file, convert_options=text):
        pending.append(batch)
        if sum(one.num_rows for one in pending) >= ROWS_AT_ONCE:
            yield pa.Table.from_batches(pending)
            pending = []
    if pending:
        yield pa.Table.from_batches(pending)


def _mapped(columns: list[str], kind: str, path: Path) -> dict[str, str]:
    """For each column of the table the one of the file that holds it."""
    given = {name.strip().lower().lstrip("\ufeff"): name for name in columns}
    mapped: dict[str, str] = {}
    for column, others in NAMES[kind].items():
        found = next((given[name] for name in (column, *others) if name in given), None)
        if found and found not in mapped.values():
            mapped[column] = found
    missing = [column for column in NEEDED[kind] if column not in mapped]
    if missing:
        raise ImportRefusedError(
            f"{path} has no column for {', '.join(missing)}; it has {', '.join(columns)[:300]}. "
            f"Name one {missing[0]}."
        )
    return mapped
