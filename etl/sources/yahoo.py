"""Daily bars, dividends and splits from Yahoo Finance, through yfinance.

Yahoo's terms allow personal use; whoever publishes its figures checks the licence or swaps the provider.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import duckdb
import pandas as pd

from etl import calendars
from etl.catalogue import Company
from etl.network import Fault, FetchError
from etl.settings import settings
from etl.sources.base import Batch, Request, Task
from etl.sources.yahoo_session import YahooClient

BASIS_TOLERANCE = 1e-4  # an adjusted close that moved by more against its close has another basis
COLUMNS = {
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Adj Close": "adj_close",
    "Volume": "volume",
}


class YahooPrices(YahooClient):
    """Bars split-adjusted (``close``) and also dividend-adjusted (``adj_close``), in the listing's currency."""

    name = "yahoo"
    tables = ("price_daily", "dividend", "split")

    def plan(self, con: duckdb.DuckDBPyConnection | None, request: Request) -> list[Task]:
        """The sessions that are missing for each company, and some before them for Yahoo's revisions."""
        held = _held(con)
        tasks = []
        for company in request.companies:
            first, last = _window(company, held.get(company.ticker), request)
            if calendars.may_have_sessions(company.exchange, first, last):
                tasks.append(Task(company.ticker, first, last, company))
        return tasks

    def fetch(self, task: Task) -> Batch:
        """The bars from ``asked_from`` to ``asked_to``."""
        company: Company = task.detail
        ticker = self.ticker(task.item, calendars.time_zone(company.exchange))
        history = self.ask(
            lambda: ticker.history(
                start=f"{task.asked_from}",
                end=f"{day_after(task.asked_to)}",
                interval="1d",
                auto_adjust=False,
                actions=True,
                keepna=True,
                timeout=settings().timeout,
            )
        )
        meta = ticker.history_metadata
        symbol = str(meta.get("symbol") or task.item)
        if symbol.upper() != task.item.upper():
            raise FetchError(Fault.MISSING, f"Yahoo answers for {symbol[:20]!r}: was the ticker renamed?")
        return _batch(task, history, meta, _timestamps(self.session.answer))

    def follow_up(self, con: duckdb.DuckDBPyConnection, tasks: dict[Task, Batch]) -> list[Task]:
        """The whole history again of those whose splits or dividends changed what is stored."""
        changed = _of_another_basis(con, tasks)
        return [
            Task(task.item, min(changed[task.item], task.asked_from), task.asked_to, task.detail)
            for task in tasks
            if task.item in changed and task.asked_from and changed[task.item] < task.asked_from
        ]


def _held(con: duckdb.DuckDBPyConnection | None) -> dict[str, tuple[date, date, bool]]:
    if con is None:
        return {}
    query = "SELECT ticker, min(date), max(date), bool_or(source <> 'yahoo') FROM price_daily GROUP BY ticker"
    return {ticker: (first, last, foreign) for ticker, first, last, foreign in con.execute(query).fetchall()}


def _window(company: Company, held: tuple[date, date, bool] | None, request: Request) -> tuple[date, date]:
    """First and last session to ask for; the window always touches what is held, so that no hole opens."""
    last = calendars.last_closed_session(company.exchange, request.now)
    last = min(last, request.until or last)
    start = settings().history_start
    if held is None:
        return request.since or start, last
    held_from, held_to, foreign = held
    if request.since:
        return min(request.since, held_to), max(last, held_from) if request.until else last
    if foreign:
        return min(start, held_from), last
    return calendars.sessions_before(company.exchange, held_to, settings().overlap_sessions - 1), last


def _batch(task: Task, history: pd.DataFrame, meta: Mapping[str, Any], stamps: list[int]) -> Batch:
    if history.empty:
        raise FetchError(Fault.MISSING, "Yahoo has no bars for the sessions asked for")
    currency = meta.get("currency") or task.detail.currency
    history.index = pd.DatetimeIndex(history.index.date, name="date")
    actions = history[["Dividends", "Stock Splits"]]
    bars = history[list(COLUMNS)].rename(columns=COLUMNS)
    if bars.tail(1)["close"].isna().item():
        bars = bars.iloc[:-1]  # the newest bar is empty until its session has settled
    common = {"ticker": task.item, "source": YahooPrices.name}
    rows = {
        "price_daily": bars.reset_index().assign(**common, currency=currency),
        "dividend": _paid(actions["Dividends"], "ex_date", "amount").assign(**common, currency=currency),
        "split": _paid(actions["Stock Splits"], "date", "ratio").assign(**common),
    }
    return Batch(rows, max(len(stamps), len(history)), _remarks(task, stamps))


def _paid(values: pd.Series, day: str, amount: str) -> pd.DataFrame:
    return values[values != 0].rename(amount).rename_axis(day).reset_index()


def _remarks(task: Task, stamps: list[int]) -> list[str]:
    zone = calendars.time_zone(task.detail.exchange)
    days = Counter(pd.to_datetime(stamps, unit="s", utc=True).tz_convert(zone).date)
    repeated = sorted(str(day) for day, count in days.items() if count > 1)
    notes = [f"sent twice, the first is kept: {', '.join(repeated)}"] if repeated else []
    return notes + (["the sessions came unsorted"] if stamps != sorted(stamps) else [])


def _timestamps(answer: Any) -> list[int]:
    try:
        stamps = answer.json()["chart"]["result"][0]["timestamp"]
        return [int(stamp) for stamp in stamps if stamp is not None and math.isfinite(stamp)]
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return []


def _of_another_basis(con: duckdb.DuckDBPyConnection, tasks: dict[Task, Batch]) -> dict[str, date]:
    """Tickers whose stored history no longer fits what came, with its first session."""
    frames = {
        name: pd.concat([batch.rows[name] for batch in tasks.values()], ignore_index=True)
        for name in YahooPrices.tables
    }
    for name, frame in frames.items():
        con.register(f"new_{name}", frame)
    query = """
        WITH changed AS (
            SELECT ticker FROM new_price_daily AS new JOIN price_daily AS old USING (ticker)
            WHERE old.date = new.date::DATE
              AND (abs(new.adj_close / new.close / (old.adj_close / old.close) - 1) > $tolerance
                   OR abs(new.close / old.close - 1) > 0.1)
            UNION SELECT ticker FROM new_split AS new
            WHERE NOT EXISTS (FROM split AS old WHERE old.ticker = new.ticker AND old.date = new.date::DATE)
            UNION SELECT ticker FROM new_dividend AS new WHERE NOT EXISTS (
                FROM dividend AS old WHERE old.ticker = new.ticker AND old.ex_date = new.ex_date::DATE)
        )
        SELECT ticker, min(date) FROM price_daily SEMI JOIN changed USING (ticker) GROUP BY ticker"""
    changed = dict(con.execute(query, {"tolerance": BASIS_TOLERANCE}).fetchall())
    for name in frames:
        con.unregister(f"new_{name}")
    return changed


def day_after(day: date | None) -> date | None:
    """The day after, as the end of a range that does not include it."""
    return day + timedelta(days=1) if day else None
