"""Daily bars, dividends and splits from Yahoo Finance, through yfinance.

Yahoo's terms allow personal use; whoever publishes its figures checks the licence or swaps the provider.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import duckdb
import pandas as pd

from etl import calendars
from etl.catalogue import Company
from etl.gaps import gaps
from etl.network import Fault, FetchError
from etl.settings import settings
from etl.sources.base import Batch, Request, Task
from etl.sources.yahoo_session import YahooClient

REBASED = 1e-3  # closes whose median moved by more than this share have another basis
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
        """The sessions that each company lacks, gaps too, and some before them for Yahoo's revisions."""
        held = _held(con)
        holes = gaps(con) if con else {}
        tasks = []
        for company in request.companies:
            first, last = _window(company, held.get(company.ticker), request)
            if company.ticker in holes and not request.since:
                first = min(first, calendars.sessions_before(company.exchange, holes[company.ticker][0], 1))
            first = max(first, company.history_from or first)
            if calendars.may_have_sessions(company.exchange, first, last):
                tasks.append(Task(company.ticker, first, last, company))
        return tasks

    def fetch(self, task: Task) -> Batch:
        """The bars from ``asked_from`` to ``asked_to``."""
        company: Company = task.detail
        zone = calendars.time_zone(company.exchange)
        history, meta = self.company_bars(task, zone, Fault.MISSING, interval="1d", actions=True, keepna=True)
        return _batch(task, history, meta, Answer(self.session.answer, zone))

    def follow_up(self, con: duckdb.DuckDBPyConnection, tasks: dict[Task, Batch]) -> list[Task]:
        """The whole history again of those whose splits or dividends came, changed or were withdrawn."""
        changed, again = _of_another_basis(con, tasks), []
        for task in tasks:
            if task.item in changed and task.asked_from and task.asked_to:
                first, last = changed[task.item]
                if first < task.asked_from or last > task.asked_to:
                    window = min(first, task.asked_from), max(last, task.asked_to)
                    again.append(Task(task.item, *window, task.detail))
        return again


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


class Answer:
    """What Yahoo's answer about a chart says beside the bars: the stamps, the splits and the distributions."""

    def __init__(self, answer: Any, zone: str) -> None:
        """Read the JSON of an answer; nothing is found in one of another form."""
        try:
            self._result = answer.json()["chart"]["result"][0]
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            self._result = {}
        self._zone = zone

    @property
    def days(self) -> list[date]:
        """The days of the bars in the order in which they were sent."""
        return self._days(self._result.get("timestamp") or [])

    def dividends(self, currency: str) -> pd.DataFrame:
        """Dividends and funds' distributions: ex_date, amount and the currency, by default that of the prices.

        Different amounts of one day are added up; the same one again is left to the gates.
        """
        rows = [*self._events("dividends"), *self._events("capitalGains")]
        paid = pd.DataFrame(
            {
                "ex_date": self._days([row.get("date") for row in rows]),
                "amount": pd.to_numeric(
                    pd.Series([row.get("amount") for row in rows], dtype=object), errors="coerce"
                ),
                "currency": [row.get("currency") or currency for row in rows],
            }
        )
        repeated = paid[paid.duplicated()]
        added = paid.drop_duplicates().groupby(["ex_date", "currency"], as_index=False).sum(min_count=1)
        return pd.concat([added, repeated], ignore_index=True)

    def splits(self) -> pd.DataFrame:
        """Splits: date and ratio, in new shares for an old one."""
        rows = self._events("splits")
        new, old = (
            pd.to_numeric(pd.Series([row.get(name) for row in rows], dtype=object), errors="coerce").astype(
                float
            )
            for name in ("numerator", "denominator")
        )
        return pd.DataFrame({"date": self._days([row.get("date") for row in rows]), "ratio": new / old})

    def _events(self, kind: str) -> list[dict[str, Any]]:
        found = (self._result.get("events") or {}).get(kind) or {}
        every = found.values() if isinstance(found, dict) else found
        return [row for row in every if isinstance(row, dict) and _is_stamp(row.get("date"))]

    def _days(self, stamps: list[Any]) -> list[date]:
        known = [int(stamp) for stamp in stamps if _is_stamp(stamp)]
        return list(pd.to_datetime(known, unit="s", utc=True).tz_convert(self._zone).date)


def _is_stamp(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _batch(task: Task, history: pd.DataFrame, meta: Mapping[str, Any], answer: Answer) -> Batch:
    if history.empty:
        raise FetchError(Fault.MISSING, "Yahoo has no bars for the sessions asked for")
    currency, days = str(meta.get("currency") or task.detail.currency), answer.days
    history.index = pd.DatetimeIndex(history.index.date, name="date")
    bars = history[list(COLUMNS)].rename(columns=COLUMNS)
    bars = bars[
        bars.index.isin(pd.DatetimeIndex(days))
    ]  # without the empty ones that yfinance makes of other ex-dates
    if bars.tail(1)["close"].isna().any():
        bars = bars.iloc[:-1]  # the newest bar is empty until its session has settled
    common = {"ticker": task.item, "source": YahooPrices.name}
    rows = {
        "price_daily": bars.reset_index().assign(**common, currency=currency),
        "dividend": answer.dividends(currency).assign(**common),
        "split": answer.splits().assign(**common),
    }
    return Batch(rows, max(len(days), len(history)), _remarks(days), complete=("dividend", "split"))


def _remarks(days: list[date]) -> list[str]:
    repeated = sorted(str(day) for day, count in Counter(days).items() if count > 1)
    notes = [f"sent twice, one is kept: {', '.join(repeated)}"] if repeated else []
    return notes + (["the sessions came unsorted"] if days != sorted(days) else [])


def _of_another_basis(
    con: duckdb.DuckDBPyConnection, tasks: dict[Task, Batch]
) -> dict[str, tuple[date, date]]:
    """Tickers whose stored history no longer fits what came, with its first and last session."""
    frames = {
        name: pd.concat([batch.rows[name] for batch in tasks.values()], ignore_index=True)
        for name in YahooPrices.tables
    }
    frames["window"] = pd.DataFrame(
        [(task.item, task.asked_from, task.asked_to) for task in tasks], columns=["ticker", "first", "last"]
    )
    for name, frame in frames.items():
        con.register(f"new_{name}", frame)
    found = con.execute(_CHANGED, {"rebased": REBASED}).fetchall()
    for name in frames:
        con.unregister(f"new_{name}")
    return {ticker: (first, last) for ticker, first, last in found}


_CHANGED = """
    WITH moved AS (
        SELECT ticker, ln(new.close / old.close) AS shift
        FROM new_price_daily AS new JOIN price_daily AS old USING (ticker)
        WHERE old.date = new.date::DATE AND new.close > 0 AND old.close > 0
    ), action AS (
        SELECT 'split' AS kind, ticker, date::DATE AS day, ratio AS size FROM new_split
        UNION ALL SELECT 'dividend', ticker, ex_date::DATE, amount FROM new_dividend
    ), stored AS (
        SELECT 'split' AS kind, ticker, date AS day, ratio AS size FROM split
        UNION ALL SELECT 'dividend', ticker, ex_date, amount FROM dividend
    ), changed AS (
        SELECT ticker FROM moved GROUP BY ticker
        HAVING max(abs(shift)) > 0.1 OR (count(*) > 1 AND abs(median(shift)) > $rebased)
        UNION SELECT ticker FROM action AS new WHERE NOT EXISTS (
            FROM stored AS old WHERE old.kind = new.kind AND old.ticker = new.ticker AND old.day = new.day
                AND abs(old.size / new.size - 1) < 1e-6
        ) AND NOT EXISTS (
            FROM quarantine AS held WHERE held.item = new.ticker
                AND held.row_json LIKE '%_date":"' || new.day || '"%'
                AND new.kind = 'dividend'
        )
        UNION SELECT ticker FROM stored AS old JOIN new_window AS asked USING (ticker)
        WHERE old.day BETWEEN asked.first::DATE AND asked.last::DATE AND NOT EXISTS (
            FROM action AS new WHERE old.kind = new.kind AND old.ticker = new.ticker AND old.day = new.day
        )
    )
    SELECT ticker, min(date), max(date) FROM price_daily SEMI JOIN changed USING (ticker) GROUP BY ticker"""
"""A dividend that was refused before does not count as a change."""
