"""What the warehouse holds and how it came there: reach, coverage, runs, refused rows, revisions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import csv, parquet

from dashboard.data.spreadsheet import HARMLESS

ROWS_AT_ONCE = 100_000
Period = Literal["day", "week", "month"]

TABLES = (
    "price_daily",
    "price_intraday",
    "dividend",
    "split",
    "shares_outstanding",
    "exchange_rate",
    "factor_daily",
    "company",
    "rule",
    "event",
    "reported_move",
    "day_note",
    "app_ranking",
    "ranking_capture",
    "etl_run",
    "etl_run_item",
    "revision",
    "quarantine",
    "quarantine_decision",
    "absent_session",
    "intraday_asked",
    "signal",
    "signal_run",
)


def reach(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """How far the prices of each company reach, one row a company, also where there are none.

    Columns: ticker, name, exchange, first and last (datetime64, NaT where there are no prices), sessions, bars
    (sessions with open, high, low and volume), sources (names, joined by semicolons), single
    (sessions whose bundled close rests on one history), retired (no longer followed).
    """
    return con.execute(
        """
        WITH held AS (
            SELECT ticker, min(date) AS first, max(date) AS last, count(*) AS sessions,
                count(*) FILTER (open IS NOT NULL AND high IS NOT NULL AND low IS NOT NULL AND volume IS NOT NULL)
                    AS bars,
                string_agg(DISTINCT source, '; ' ORDER BY source) AS sources,
                count(*) FILTER (source = 'bundled, one history') AS single
            FROM price_daily GROUP BY ticker
        )
        SELECT company.ticker, company.name, company.exchange, held.first, held.last,
            coalesce(held.sessions, 0) AS sessions, coalesce(held.bars, 0) AS bars,
            coalesce(held.sources, '') AS sources, coalesce(held.single, 0) AS single,
            coalesce(company.retired, false) AS retired
        FROM company LEFT JOIN held USING (ticker) ORDER BY company.ticker
        """
    ).df()


def held_sessions(con: duckdb.DuckDBPyConnection, tickers: Sequence[str], period: Period) -> pd.DataFrame:
    """The sessions held of each ticker in each day, week (from Monday) or month.

    Columns: ticker, period (datetime64, its first day), held, bars (of them with open, high, low and volume).
    """
    return con.execute(
        """
        SELECT ticker, CAST(date_trunc($period, date) AS DATE) AS period, count(*) AS held,
            count(*) FILTER (open IS NOT NULL AND high IS NOT NULL AND low IS NOT NULL AND volume IS NOT NULL)
                AS bars
        FROM price_daily WHERE list_contains($tickers::VARCHAR[], ticker)
        GROUP BY ALL ORDER BY ALL
        """,
        {"period": period, "tickers": list(tickers)},
    ).df()


def rank_charts(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Each app-store chart held: store, country, chart, device, evidence, captures, ranks, first, last (UTC)."""
    return con.execute(
        """
        SELECT store, country, chart, device, evidence, count(DISTINCT (captured_at, source_url)) AS captures,
            count(*) AS ranks, min(captured_at) AS first, max(captured_at) AS last
        FROM app_ranking GROUP BY ALL ORDER BY evidence, store, country, chart, device
        """
    ).df()


RUN_COLUMNS = (
    *("run_id", "source", "status", "started_at", "finished_at", "rows_received", "rows_inserted"),
    *("rows_updated", "rows_rejected", "message"),
)


def runs(history: Sequence[Mapping[str, Any]], limit: int = 200) -> pd.DataFrame:
    """The latest runs, newest first, one row a run and source: the columns of `etl_run`.

    `history` is every run as `etl.warehouse.run_history` gives it, oldest first.
    """
    latest = pd.DataFrame(list(reversed(history))[:limit], columns=list(RUN_COLUMNS))
    for name in ("started_at", "finished_at"):
        latest[name] = pd.to_datetime(latest[name], utc=True)
    return latest


def troubled_items(history: Sequence[Mapping[str, Any]], limit: int = 500) -> pd.DataFrame:
    """What did not come as asked in the latest run of each source: run_id, source, item, status, message."""
    latest = {run["source"]: run for run in history}
    rows = [
        {"run_id": run["run_id"], "source": source, **item}
        for source, run in sorted(latest.items())
        for item in run["items"]
    ]
    return pd.DataFrame(rows[:limit], columns=["run_id", "source", "item", "status", "message"])


def quarantined(con: duckdb.DuckDBPyConnection, limit: int = 500) -> pd.DataFrame:
    """Rows that a refresh refused, newest run first: refused_at (UTC), source, item, reason, row_json."""
    return con.execute(
        """
        SELECT run.started_at AS refused_at, quarantine.source, quarantine.item, quarantine.reason,
            quarantine.row_json
        FROM quarantine LEFT JOIN (SELECT run_id, min(started_at) AS started_at FROM etl_run GROUP BY run_id)
            AS run ON run.run_id = quarantine.run_id
        ORDER BY quarantine.run_id DESC, quarantine.source, quarantine.item, quarantine.row_json LIMIT $limit
        """,
        {"limit": limit},
    ).df()


def revisions(con: duckdb.DuckDBPyConnection, limit: int = 500) -> pd.DataFrame:
    """What refreshes changed in rows that were there: revised_at (UTC), table_name, key, column_name, old, new."""
    return con.execute(
        """
        SELECT run.started_at AS revised_at, revision.table_name, revision.key, revision.column_name,
            revision.old_value, revision.new_value
        FROM revision LEFT JOIN (SELECT run_id, min(started_at) AS started_at FROM etl_run GROUP BY run_id)
            AS run ON run.run_id = revision.run_id
        ORDER BY revision.run_id DESC, revision.table_name, revision.key, revision.column_name LIMIT $limit
        """,
        {"limit": limit},
    ).df()


def rules(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The rules of the catalogue in words, by name: `ai_rule` says who has the role AI and since when."""
    return dict(con.execute("SELECT name, text FROM rule ORDER BY name").fetchall())


def table_sizes(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The number of rows of each table."""
    return {
        name: int(con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0])  # noqa: S608 (fixed names)
        for name in TABLES
    }


def write_table(con: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    """Write a table of `TABLES` to a file, CSV or Parquet by its suffix, row group by row group.

    In CSV, which people open, no cell is one that a spreadsheet would run.

    Raises
    ------
    KeyError
        When there is no such table.
    """
    if name not in TABLES:
        raise KeyError(name)
    columns = "*"
    if path.suffix == ".csv":
        texts = [
            column for column, kind, *_ in con.execute(f"DESCRIBE {name}").fetchall() if kind == "VARCHAR"
        ]
        columns = f"* REPLACE ({', '.join(HARMLESS.format(text) for text in texts)})" if texts else "*"
    rows = con.execute(f"SELECT {columns} FROM {name}").to_arrow_reader(ROWS_AT_ONCE)  # noqa: S608
    with _writer(path, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)


def _writer(path: Path, schema: pa.Schema) -> "csv.CSVWriter | parquet.ParquetWriter":
    if path.suffix == ".csv":
        return csv.CSVWriter(path, schema)
    return parquet.ParquetWriter(path, schema, compression="zstd")
