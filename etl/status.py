"""What the warehouse holds, how fresh it is, and what is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

import duckdb
import pandas as pd

from etl import calendars
from etl.errors import ConfigurationError
from etl.freshness import LATE_FROM, Freshness, freshness
from etl.gaps import gaps
from etl.sources import GROUPS
from etl.sources.charts import chosen_charts
from etl.warehouse import Warehouse

STALE_HOURS = 36
"""Hours after which a chart that is followed is stale."""
SHOWN = 3


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
    retired: bool = False

    @property
    def stale(self) -> bool:
        """Whether a live refresh is due: sessions are late by the rule of the pages, or missing in the middle."""
        return not self.retired and (self.behind >= LATE_FROM or bool(self.gaps))


@dataclass
class WarehouseStatus:
    """Everything that ``python -m etl status`` tells."""

    warehouse: str
    version: str
    versions: list[str]
    disk_used: int | None
    tickers: list[TickerStatus]
    rankings: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    errors: list[dict[str, Any]]
    quarantined: int
    events: int
    now: datetime
    intraday: list[dict[str, Any]]
    prices: Freshness | None = None
    stale: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Companies that are followed and without any price."""
        return [one.ticker for one in self.tickers if one.last is None and not one.retired]

    @property
    def exit_code(self) -> int:
        """0 when everything is fresh, 1 when something is missing, 2 when there are no prices at all."""
        if not any(one.last for one in self.tickers):
            return 2
        return 1 if self.stale else 0

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self) | {
            "missing": self.missing,
            "fresh": not self.stale,
            "freshness": self.prices.level.value if self.prices else None,
            "exit_code": self.exit_code,
        }


def read_status(warehouse: Warehouse, now: pd.Timestamp | None = None) -> WarehouseStatus:
    """The status of the published state, as of ``now``.

    Raises
    ------
    warehouse.WarehouseError
        When there is none, or it cannot be read.
    """
    now = now if now is not None else pd.Timestamp.now("UTC")
    latest = _latest_runs(warehouse.history())
    version = warehouse.version()
    with warehouse.reading(version) as con:
        status = WarehouseStatus(
            warehouse.name,
            version,
            warehouse.versions(),
            warehouse.disk_used(),
            _tickers(con, now),
            _rows(con, _RANKINGS),
            [{name: run[name] for name in run if name != "items"} for run in latest],
            [_told(run, item) for run in latest for item in run["items"]],
            con.execute("SELECT count(*) FROM quarantine WHERE settled IS NULL").fetchall()[0][0],
            con.execute("SELECT count(*) FROM event").fetchall()[0][0],
            now.to_pydatetime(),
            _rows(con, _INTRADAY),
            freshness(con.execute(_REACH).df(), now),
        )
    status.stale = [*_late_prices(status), *_failed_runs(latest), *_late_charts(status, now)]
    return status


_RANKINGS = """
    SELECT store, country, chart, device, evidence, count(*) AS captures,
           min(captured_at) AS first, max(captured_at) AS last, max(depth) AS depth
    FROM ranking_capture GROUP BY ALL ORDER BY ALL"""
_INTRADAY = """
    SELECT minutes, count(DISTINCT ticker) AS tickers, count(DISTINCT session) AS sessions, count(*) AS bars,
           min(session) AS first, max(session) AS last
    FROM price_intraday GROUP BY minutes ORDER BY minutes"""
_PRICES = """
    SELECT company.ticker, company.exchange, coalesce(company.retired, false), min(date), max(date), count(date),
           string_agg(DISTINCT source, '; ' ORDER BY source)
    FROM company LEFT JOIN price_daily USING (ticker) GROUP BY ALL ORDER BY company.ticker"""
_REACH = """
    SELECT company.ticker, company.exchange, max(date)::TIMESTAMP AS last, company.retired,
           coalesce(string_agg(DISTINCT source, '; '), '') AS sources
    FROM company LEFT JOIN price_daily USING (ticker) GROUP BY ALL"""


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = con.execute(query)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _latest_runs(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last run of each source, the newest first."""
    latest = {run["source"]: run for run in history}
    return sorted(latest.values(), key=lambda run: str(run["run_id"]), reverse=True)


def _told(run: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    return {"run_id": run["run_id"], "source": run["source"], **item}


def _tickers(con: duckdb.DuckDBPyConnection, now: pd.Timestamp) -> list[TickerStatus]:
    found, holes = [], gaps(con)
    for ticker, exchange, retired, first, last, count, source in con.execute(_PRICES).fetchall():
        behind = 0
        if last is not None and not retired and calendars.is_known(exchange):
            due = calendars.sessions(exchange, last, calendars.last_closed_session(exchange, now))
            behind = sum(day > last for day in due)
        missed = holes.get(ticker, [])
        found.append(TickerStatus(ticker, first, last, count, behind, missed, source, retired))
    return found


def _late_prices(status: WarehouseStatus) -> list[str]:
    """What prices lack, in words."""
    followed = [one for one in status.tickers if not one.retired]
    sentences = []
    late = [one for one in followed if one.last and one.behind >= LATE_FROM]
    if late:
        worst = max(late, key=lambda one: one.behind)
        sentences.append(
            f"prices of {len(late)} of {len(followed)} companies lack closed sessions "
            f"({worst.ticker} {worst.behind} since {worst.last})"
        )
    holed = [one for one in followed if one.gaps]
    if holed:
        worst = max(holed, key=lambda one: len(one.gaps))
        count = sum(len(one.gaps) for one in holed)
        sentences.append(
            f"{count:,} session{'s are' if count > 1 else ' is'} missing in the middle, most of {worst.ticker} "
            f"({len(worst.gaps):,} from {worst.gaps[0]} on)"
        )
    if status.missing:
        few, more = status.missing[:SHOWN], len(status.missing) - SHOWN
        sentences.append(f"no price is held of {', '.join(few)}{f' and {more} more' if more > 0 else ''}")
    return sentences


def _failed_runs(latest: list[dict[str, Any]]) -> list[str]:
    """The sources of the newest run, and those that a schedule asks, whose last run brought nothing."""
    asked = {name for group in ("all", "shares", "rates") for name in GROUPS[group]}
    return [
        f"the last run of {run['source']} failed ({run['message'] or 'for the reasons above'})"
        for run in latest
        if run["status"] == "failed" and (run["source"] in asked or run["run_id"] == latest[0]["run_id"])
    ]


def _late_charts(status: WarehouseStatus, now: pd.Timestamp) -> list[str]:
    """The followed charts (settings `ranking_countries`, `ranking_charts`) that were not captured lately."""
    last = {
        (chart["country"], chart["chart"]): chart["last"]
        for chart in status.rankings
        if (chart["evidence"], chart["store"]) == ("measured", "apple")
    }
    sentences = []
    for chart in _followed():
        captured = last.get((chart.country, chart.name))
        if captured is None:
            sentences.append(f"chart {chart.country} {chart.name} has never been captured")
        elif (hours := (now - pd.Timestamp(captured)) / pd.Timedelta(hours=1)) > STALE_HOURS:
            sentences.append(f"chart {chart.country} {chart.name} was last captured {hours:.0f} hours ago")
    return sentences


def _followed() -> list[Any]:
    try:
        return chosen_charts()
    except ConfigurationError:
        return []
