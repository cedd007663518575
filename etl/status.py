"""What the warehouse holds, how fresh it is, and what is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

import duckdb
import pandas as pd

from etl import calendars
from etl.warehouse import Warehouse

STALE_SESSIONS = 1
"""A ticker is stale when it lacks more sessions than this that have closed."""
STALE_HOURS = 36


@dataclass(frozen=True)
class TickerStatus:
    """How complete the prices of a company are. ``behind`` counts closed sessions after the last one held."""

    ticker: str
    first: date | None
    last: date | None
    sessions: int
    behind: int
    gaps: list[date]
    source: str | None

    @property
    def stale(self) -> bool:
        """Whether a live refresh is due."""
        return self.last is not None and self.behind > STALE_SESSIONS


@dataclass
class WarehouseStatus:
    """Everything that ``python -m etl status`` tells."""

    warehouse: str
    version: str
    versions: list[str]
    tickers: list[TickerStatus]
    rankings: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    errors: list[dict[str, Any]]
    quarantined: int
    events: int
    now: datetime
    stale: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Companies without any price."""
        return [ticker.ticker for ticker in self.tickers if ticker.last is None]

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self) | {"missing": self.missing, "fresh": not self.stale}


def read_status(warehouse: Warehouse, now: pd.Timestamp | None = None) -> WarehouseStatus:
    """The status of the published state, as of ``now``.

    Raises
    ------
    warehouse.WarehouseError
        When there is none, or it cannot be read.
    """
    now = now if now is not None else pd.Timestamp.now("UTC")
    latest = _latest_runs(warehouse.history())
    with warehouse.reading() as con:
        status = WarehouseStatus(
            warehouse.name,
            warehouse.version(),
            warehouse.versions(),
            _tickers(con, now),
            _rows(con, _RANKINGS),
            [{name: run[name] for name in run if name != "items"} for run in latest],
            [_told(run, item) for run in latest for item in run["items"]],
            con.execute("SELECT count(*) FROM quarantine WHERE settled IS NULL").fetchall()[0][0],
            con.execute("SELECT count(*) FROM event").fetchall()[0][0],
            now.to_pydatetime(),
        )
    status.stale = _stale(status, now)
    return status


_RANKINGS = """
    SELECT store, country, chart, device, evidence, count(*) AS captures,
           min(captured_at) AS first, max(captured_at) AS last, max(depth) AS depth,
           bool_and(coalesce(run_id IN (SELECT run_id FROM etl_run WHERE source = 'bundled'), false)) AS bundled
    FROM ranking_capture GROUP BY ALL ORDER BY ALL"""
_PRICES = """
    SELECT company.ticker, company.exchange, min(date), max(date), count(date), list(date ORDER BY date),
           string_agg(DISTINCT source, '; ' ORDER BY source)
    FROM company LEFT JOIN price_daily USING (ticker) GROUP BY ALL ORDER BY company.ticker"""


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = con.execute(query)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _latest_runs(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last run of each source, the newest first."""
    return list(reversed({run["source"]: run for run in sorted(history, key=_counted)}.values()))


def _counted(run: dict[str, Any]) -> str:
    return str(run["run_id"])


def _told(run: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    return {"run_id": run["run_id"], "source": run["source"], **item}


def _tickers(con: duckdb.DuckDBPyConnection, now: pd.Timestamp) -> list[TickerStatus]:
    found = []
    for ticker, exchange, first, last, count, held, source in con.execute(_PRICES).fetchall():
        if last is None:
            found.append(TickerStatus(ticker, None, None, 0, 0, [], None))
            continue
        due = calendars.sessions(exchange, first, calendars.last_closed_session(exchange, now))
        behind = sum(day > last for day in due)
        gaps = sorted({day for day in due if day <= last} - set(held))
        found.append(TickerStatus(ticker, first, last, count, behind, gaps, source))
    return found


def _stale(status: WarehouseStatus, now: pd.Timestamp) -> list[str]:
    """What is older than it should be, in words."""
    late = [ticker for ticker in status.tickers if ticker.stale]
    sentences = []
    if late:
        worst = max(late, key=lambda ticker: ticker.behind)
        sentences.append(
            f"prices of {len(late)} of {len(status.tickers)} companies lack closed sessions "
            f"({worst.ticker} {worst.behind} since {worst.last})"
        )
    measured = [
        chart for chart in status.rankings if chart["evidence"] == "measured" and not chart["bundled"]
    ]
    for chart in measured:
        hours = (now - pd.Timestamp(chart["last"])) / pd.Timedelta(hours=1)
        if hours > STALE_HOURS:
            sentences.append(
                f"chart {chart['country']} {chart['chart']} was last captured {hours:.0f} hours ago"
            )
    return sentences
