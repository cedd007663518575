"""Sessions that are missing in the middle of a history, which a refresh asks for again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb
import pandas as pd

from etl import calendars
from etl.sources.base import Batch, Task

LONGEST_ABSENCE = 10
"""Sessions in a row that a source may lack for good (a halt); a longer hole is a fault, and asked for for ever."""

_HELD = """
    SELECT ticker, exchange, greatest(min(date), coalesce(history_from, $known), $known::DATE), max(date)
    FROM company JOIN price_daily USING (ticker) WHERE NOT coalesce(retired, false)
    GROUP BY ticker, exchange, history_from HAVING max(date) > $known"""
_COUNTS = """
    SELECT gap_span.ticker, count(price_daily.date)
    FROM gap_span LEFT JOIN price_daily
        ON price_daily.ticker = gap_span.ticker AND price_daily.date BETWEEN gap_span.first AND gap_span.last
    GROUP BY ALL"""
_DAYS = """
    SELECT ticker, date FROM price_daily WHERE ticker IN $tickers
    UNION SELECT ticker, date FROM absent_session WHERE ticker IN $tickers"""


def gaps(con: duckdb.DuckDBPyConnection) -> dict[str, list[date]]:
    """The sessions that each company lacks between its first and its last, oldest first, where it lacks any.

    Those that the source was asked for without success do not count, nor do retired companies.
    """
    held = {
        ticker: calendars.sessions(exchange, first, last)
        for ticker, exchange, first, last in con.execute(_HELD, {"known": calendars.KNOWN_FROM}).fetchall()
        if calendars.is_known(exchange)
    }
    spans = [(ticker, days[0], days[-1]) for ticker, days in held.items() if days]
    if not spans:
        return {}
    con.register("gap_span", pd.DataFrame(spans, columns=["ticker", "first", "last"]))
    counts = dict(con.execute(_COUNTS).fetchall())
    con.unregister("gap_span")
    short = [ticker for ticker, *_ in spans if counts[ticker] < len(held[ticker])]
    if not short:
        return {}
    there: dict[str, set[date]] = {}
    for ticker, day in con.execute(_DAYS, {"tickers": short}).fetchall():
        there.setdefault(ticker, set()).add(day)
    found = {ticker: [day for day in held[ticker] if day not in there[ticker]] for ticker in short}
    return {ticker: days for ticker, days in found.items() if days}


def note_absent(
    con: duckdb.DuckDBPyConnection, source: str, run_id: str, batches: Mapping[Task, Batch]
) -> None:
    """Note the sessions that the source was asked for and does not have, once their prices have been merged.

    An answer is believed about a gap only where it has the session before it.
    """
    missing = gaps(con)
    rows = []
    for task, batch in batches.items():
        if task.item not in missing or task.asked_from is None or task.asked_to is None:
            continue
        sent = set(pd.to_datetime(batch.rows["price_daily"]["date"]).dt.date)
        exchange = task.detail.exchange
        for run in _runs(missing[task.item], exchange):
            asked = task.asked_from <= run[0] and run[-1] <= task.asked_to and not sent & set(run)
            before = calendars.sessions_before(exchange, run[0], 1)
            if asked and before in sent and len(run) <= LONGEST_ABSENCE:
                rows += [(task.item, day, source, run_id) for day in run]
    if rows:
        con.executemany("INSERT INTO absent_session VALUES (?, ?, ?, ?)", rows)


def _runs(days: list[date], exchange: str) -> list[list[date]]:
    """Days in a row, by the sessions of the exchange."""
    found: list[list[date]] = []
    for day in days:
        if found and calendars.sessions_before(exchange, day, 1) == found[-1][-1]:
            found[-1].append(day)
        else:
            found.append([day])
    return found
