"""Imports prices and rank histories that people already have: text, workbooks and Parquet, of vendors and by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from etl.imports.columns import Layout
from etl.imports.listings import Listing
from etl.imports.prices import PriceOptions, bars, side_by_side
from etl.imports.rankings import RankOptions, ranks
from etl.imports.report import SHOWN, ImportRefusedError, ImportReport, Reading
from etl.imports.table import Table, readable, table_of
from etl.imports.wide import side_by_side as ranks_side_by_side
from etl.imports.within_day import bars_within, in_their_place
from etl.quality import Screen
from etl.runlog import ItemLog, RunLog, new_run_id
from etl.warehouse import Warehouse
from etl.warehouse.merge import Merge

__all__ = [
    "ImportRefusedError",
    "ImportReport",
    "PriceOptions",
    "RankOptions",
    "Reading",
    "import_prices",
    "import_rankings",
]
ROWS_AT_ONCE = 500_000
Take = Callable[[duckdb.DuckDBPyConnection, Screen], None]


class _DryRun(Exception):
    """Everything was done, and is thrown away."""


def import_prices(
    warehouse: Warehouse, path: Path, options: PriceOptions | None = None, reading: Reading | None = None
) -> ImportReport:
    """Merge a file of daily bars, or with ``options.minutes`` of intraday bars.

    Adjusted closes are computed from the closes and the dividends that are known; those of the file are compared.

    Raises
    ------
    ImportRefusedError
        When the file cannot be read, lacks a needed column, or leaves open what an option must say.
    """
    reading, options = reading or Reading(), options or PriceOptions()
    if options.minutes:
        return _import_within_day(warehouse, path, options, reading)
    report = _report(warehouse, "prices", path, reading)
    listings = _listings(warehouse)
    with table_of(path, "prices", reading) as table:
        side_by_side(table, listings)
        _refuse_missing(table.layout, ("date", "close"), path)

        def take(con: duckdb.DuckDBPyConnection, screen: Screen) -> None:
            query = bars(table, listings, options, reading, report, str(path))
            for batch in _batches(table, query, path):
                con.register("file_rows", batch)
                report.item.received += batch.num_rows
                screen.judge("price_daily", "file_rows")
                _merge(screen, report, ["price_daily"])
                con.unregister("file_rows")
                _step(con, warehouse)

        _run(warehouse, report, table, take)
    return report


def _import_within_day(
    warehouse: Warehouse, path: Path, options: PriceOptions, reading: Reading
) -> ImportReport:
    report = _report(warehouse, "prices", path, reading)
    listings = _listings(warehouse)
    with table_of(path, "bars", reading) as table:
        _refuse_missing(table.layout, ("date", "close"), path)

        def take(con: duckdb.DuckDBPyConnection, screen: Screen) -> None:
            query = bars_within(table, listings, options, reading, report, str(path))
            with readable(path):
                rows = table.con.execute(query).df()
            report.item.received = len(rows)
            if rows.empty:
                return
            screen.judge("price_intraday", in_their_place(rows, listings, options, reading, str(path)))
            _merge(screen, report, ["price_intraday"])

        _run(warehouse, report, table, take)
    return report


def import_rankings(
    warehouse: Warehouse, path: Path, options: RankOptions | None = None, reading: Reading | None = None
) -> ImportReport:
    """Merge a file of ranks.

    An empty rank beside a depth means "not in the chart" and is kept as a capture; without a depth it means
    "not fetched" and the row is refused. A row that gives only a day keeps that it has no hour.

    Raises
    ------
    ImportRefusedError
        When the file cannot be read, lacks a needed column, or leaves open what an option must say.
    """
    options, reading = options or RankOptions(), reading or Reading()
    report = _report(warehouse, "rankings", path, reading)
    _listings(warehouse)
    with table_of(path, "rankings", reading) as table:
        ranks_side_by_side(table, options)
        named = options.app_name or options.app_id or "app_id" in table.layout.places
        _refuse_missing(table.layout, ("captured_at", "rank", *(() if named else ("app_name",))), path)

        def take(con: duckdb.DuckDBPyConnection, screen: Screen) -> None:
            with readable(path):
                rows = ranks(table, options, reading, report, str(path))
            report.item.received = len(rows)
            rows = _with_known_apps(con, rows)
            for name, part in _captures(rows).items():
                screen.judge(name, part)
            refused = con.execute("SELECT position FROM bad_app_ranking").df()["position"]
            kept = rows[~rows["file_row"].isin(refused)]  # a capture of refused ranks alone has seen nothing
            screen.judge("ranking_capture", _captures(kept)["ranking_capture"])
            _merge(screen, report, ["ranking_capture", "app_ranking"])

        _run(warehouse, report, table, take)
    return report


def _listings(warehouse: Warehouse) -> dict[str, Listing]:
    """The companies of the warehouse, without which nobody can have prices or ranks."""
    query = "SELECT ticker, exchange, currency FROM company"
    rows = []
    if warehouse.exists():
        with warehouse.reading() as con:
            rows = con.execute(query).fetchall()
    if not rows:
        raise ImportRefusedError("The warehouse is empty: run `python -m etl load-bundled` first.")
    return {row[0]: Listing(*row) for row in rows}


def _report(warehouse: Warehouse, kind: str, path: Path, reading: Reading) -> ImportReport:
    log = RunLog(new_run_id(warehouse), f"import-{kind}", items=[ItemLog(path.name)])
    return ImportReport(log, dry_run=reading.dry_run)


def _run(warehouse: Warehouse, report: ImportReport, table: Table, take: Take) -> None:
    """Take the rows into a private copy, with the record of it, and publish unless it is a dry run."""
    started = time.monotonic()
    try:
        with warehouse.writing() as con:
            con.begin()
            steps = warehouse.commits_stay_private
            screen = Screen(
                con, report.log.run_id, report.log.source, pd.Timestamp.now("UTC"), in_steps=steps
            )
            take(con, screen)
            report.columns, report.ignored = table.layout.used, table.layout.ignored + table.besides
            report.read_as = table.read_as
            report.remarks = [
                f"{ticker}: {told}" for ticker, every in screen.remarks.items() for told in every
            ]
            _conclude(report, time.monotonic() - started)
            if report.dry_run:
                con.rollback()
                raise _DryRun
            report.log.write(con)
            con.commit()
    except _DryRun:
        pass


def _step(con: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> None:
    if warehouse.commits_stay_private:
        con.commit()  # frees the memory that the batch took
        con.begin()


def _conclude(report: ImportReport, seconds: float) -> None:
    item = report.item
    item.seconds = seconds
    if not item.received:
        raise ImportRefusedError(f"{item.item} holds no rows below its headings that have a date.")
    item.message = "; ".join(report.remarks)
    if item.rejected:
        item.status = "failed" if item.rejected >= item.received else "part"
        told = f"{item.rejected} rows refused"
        if report.refused:
            told += f", among them row {report.refused[0][0]}: {report.refused[0][1]}"
        item.message = "; ".join([told, *report.remarks])


def _refuse_missing(found: Layout, needed: tuple[str, ...], path: Path) -> None:
    missing = [column for column in needed if column not in found.places]
    if missing:
        raise ImportRefusedError(
            f"{path} has no column for {', '.join(missing)}; it has {found.spoken or 'no headings'}. "
            f"Name one {missing[0]}."
        )


def _batches(table: Table, query: str, path: Path) -> Iterator[pa.RecordBatch]:
    with readable(path):
        reader = iter(table.con.execute(query).to_arrow_reader(ROWS_AT_ONCE))
    while True:
        with readable(path):
            batch = next(reader, None)
        if batch is None:
            return
        if batch.num_rows:
            yield batch


def _with_known_apps(con: duckdb.DuckDBPyConnection, rows: pd.DataFrame) -> pd.DataFrame:
    """Apps that the file gives only by their number get the name that the warehouse knows for it, and the reverse.

    A name is taken for an app only where all charts of its store that are kept have one app of that name.
    """
    query = "SELECT store, app_id, arg_max(app_name, captured_at) AS known FROM app_ranking GROUP BY ALL"
    if rows["app_name"].isna().any():
        named = rows.merge(con.execute(query).df(), how="left", on=["store", "app_id"])
        rows = rows.assign(app_name=rows["app_name"].fillna(named["known"].set_axis(rows.index)))
    query = (
        "SELECT store, app_name, any_value(app_id) AS known FROM app_ranking "
        "WHERE app_id IS NOT NULL GROUP BY ALL HAVING count(DISTINCT app_id) = 1"
    )
    if rows["app_id"].isna().any():
        named = rows.merge(con.execute(query).df(), how="left", on=["store", "app_name"])
        rows = rows.assign(app_id=rows["app_id"].fillna(named["known"].set_axis(rows.index)))
    return rows


def _captures(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows as those of ``ranking_capture`` and ``app_ranking``; ranks from 1 on without a gap are a whole chart."""
    sound = rows[rows["fault"].isna()]
    absent = sound["rank"].isna() & sound["depth"].notna()
    keys = [
        "captured_at",
        "store",
        "country",
        "chart",
        "device",
        "evidence",
        "source_url",
        "source",
        "time_known",
    ]
    charts = sound.groupby(keys, dropna=False).agg(
        depth=("depth", "max"), last=("rank", "max"), count=("rank", "nunique")
    )
    whole = charts["depth"].isna() & (charts["count"] == charts["last"]) & (charts["count"] > 1)
    charts["depth"] = charts["depth"].where(~whole, charts["last"])
    listed = rows.drop(index=absent[absent].index).drop(columns="depth")
    return {"ranking_capture": charts.reset_index(), "app_ranking": listed}


def _merge(screen: Screen, report: ImportReport, tables: list[str]) -> None:
    merge, item = Merge(screen.con, report.log.run_id), report.item
    main = tables[-1]
    for name in tables:
        counts = merge.rows(name, screen.good(name))
        refused = sum(count for reasons in screen.refused(name).values() for count in reasons.values())
        if name == main:
            item.inserted += counts.inserted
            item.updated += counts.updated
            item.rejected += refused
    report.refused += screen.con.execute(
        f"SELECT position, reason FROM bad_{main} ORDER BY position LIMIT $shown",  # noqa: S608
        {"shown": max(0, SHOWN - len(report.refused))},
    ).fetchall()
