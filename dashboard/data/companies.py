"""Prices of chosen companies over a chosen stretch of time: bounded by ticker and date, thinned by week where long."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import duckdb
import pandas as pd

from dashboard.data.market import ONE_BAR, ONE_HISTORY, source_words

VOLATILITY_SESSIONS = 21
SESSIONS_A_YEAR = 252
LEAD_IN = timedelta(days=60)
MAX_DELAY = timedelta(days=14)


def coverage(con: duckdb.DuckDBPyConnection, tickers: Sequence[str] | None = None) -> pd.DataFrame:
    """The companies (all, or `tickers`) and what the warehouse holds of their prices, one row each, by name.

    Columns: ticker, name, segment, exchange, currency, role, first, last (dates, missing where there are no prices
    yet), sessions (count).
    """
    return con.execute(
        """
        SELECT ticker, name, segment, exchange, currency, role, held.first, held.last,
            coalesce(held.sessions, 0) AS sessions
        FROM company LEFT JOIN (
            SELECT ticker, min(date) AS first, max(date) AS last, count(*) AS sessions FROM price_daily
            WHERE $tickers IS NULL OR list_contains($tickers::VARCHAR[], ticker) GROUP BY ticker
        ) AS held USING (ticker)
        WHERE $tickers IS NULL OR list_contains($tickers::VARCHAR[], ticker)
        ORDER BY lower(name), ticker
        """,
        {"tickers": None if tickers is None else list(tickers)},
    ).df()


_PATHS = """
WITH daily AS (
    SELECT *, ln(adj_close / lag(adj_close) OVER (PARTITION BY ticker ORDER BY date)) AS change
    FROM price_daily
    WHERE ticker IN (SELECT unnest($tickers::VARCHAR[])) AND date BETWEEN $lead AND $end
), swings AS (
    SELECT *, CASE WHEN count(change) OVER month = $sessions
        THEN stddev_samp(change) OVER month * sqrt($year) END AS volatility
    FROM daily
    WINDOW month AS (PARTITION BY ticker ORDER BY date ROWS $sessions - 1 PRECEDING)
), chosen AS (
    SELECT *, adj_close / max(adj_close) OVER (PARTITION BY ticker ORDER BY date) - 1 AS drawdown,
        CASE WHEN $weekly THEN date_trunc('week', date) ELSE date END AS bucket
    FROM swings WHERE date >= $start
)
SELECT ticker, date, close, adj_close, currency, source = $one AS single,
    CAST(sum(volume) OVER (PARTITION BY ticker, bucket) AS DOUBLE) AS volume, drawdown, volatility
FROM chosen
QUALIFY row_number() OVER (
    PARTITION BY ticker, bucket ORDER BY CASE WHEN $lowest THEN drawdown END, date DESC
) = 1
ORDER BY ticker, date
"""


def paths(
    con: duckdb.DuckDBPyConnection,
    tickers: Sequence[str],
    start: date,
    end: date,
    *,
    weekly: bool = False,
    lowest: bool = False,
) -> pd.DataFrame:
    """What can be compared of `tickers` from `start` to `end` inclusive: one row a ticker and session.

    Columns: ticker, date, close (split-adjusted), adj_close (also dividend-adjusted), currency, volume (shares),
    single (whether the bundled close rests on one history), drawdown (fraction below the highest adj_close since
    `start`), volatility (standard deviation of the last 21 daily log changes of adj_close, times the square root of
    252; missing where fewer are known). `weekly` keeps one
    row a ticker and week: its last session, or with `lowest` the one of the deepest drawdown, with the volume of
    the whole week. Drawdown and volatility are always those of daily closes.
    """
    return con.execute(
        _PATHS,
        {
            "tickers": list(tickers),
            "lead": _minus(start, LEAD_IN),
            "start": start,
            "end": end,
            "weekly": weekly,
            "lowest": lowest,
            "sessions": VOLATILITY_SESSIONS,
            "year": SESSIONS_A_YEAR,
            "one": ONE_HISTORY,
        },
    ).df()


def _minus(day: date, span: timedelta) -> date:
    return day - span if day - date.min > span else date.min


def bases(
    con: duckdb.DuckDBPyConnection,
    tickers: Sequence[str],
    start: date,
    end: date,
    before: Mapping[str, date] | None,
) -> pd.DataFrame:
    """The session that counts as 100, one row a ticker that has one: index ticker, columns date, adj_close.

    With `before` the last session from `start` on that is earlier than the ticker's day in it, else the first session
    of the stretch.
    """
    return (
        con.execute(
            """
            SELECT ticker, date, adj_close
            FROM price_daily JOIN (
                SELECT unnest($tickers::VARCHAR[]) AS ticker, unnest($before::DATE[]) AS before
            ) AS wanted USING (ticker)
            WHERE date BETWEEN $start AND $end AND (before IS NULL OR date < before)
            QUALIFY row_number() OVER (
                PARTITION BY ticker
                ORDER BY CASE WHEN before IS NULL THEN date - DATE '2000-01-01' ELSE DATE '2000-01-01' - date END
            ) = 1
            """,
            {
                "tickers": list(tickers),
                "start": start,
                "end": end,
                "before": [before[ticker] if before else None for ticker in tickers],
            },
        )
        .df()
        .set_index("ticker")
    )


def bars(
    con: duckdb.DuckDBPyConnection, ticker: str, start: date, end: date, *, weekly: bool = False
) -> pd.DataFrame:
    """The candles of one company, one row a session or week, oldest first.

    Columns: date (the last session in it), open, high, low (missing unless known for every session in it), close
    (split-adjusted), volume (shares; missing where none is known), sessions (count), single ("" or, where a bundled
    figure in it rests on one history, "close" or "bar").
    """
    return con.execute(
        """
        SELECT max(date) AS date,
            CASE WHEN bool_and(whole) THEN arg_min(open, date) END AS open,
            CASE WHEN bool_and(whole) THEN max(high) END AS high,
            CASE WHEN bool_and(whole) THEN min(low) END AS low,
            arg_max(close, date) AS close, CAST(sum(volume) AS DOUBLE) AS volume, count(*) AS sessions,
            CASE WHEN bool_or(source = $close) THEN 'close' WHEN bool_or(source = $bar) THEN 'bar' ELSE '' END AS single
        FROM (
            SELECT *, open IS NOT NULL AND high IS NOT NULL AND low IS NOT NULL AS whole FROM price_daily
            WHERE ticker = $ticker AND date BETWEEN $start AND $end
        )
        GROUP BY CASE WHEN $weekly THEN date_trunc('week', date) ELSE date END
        ORDER BY date
        """,
        {
            "ticker": ticker,
            "start": start,
            "end": end,
            "weekly": weekly,
            "close": ONE_HISTORY,
            "bar": ONE_BAR,
        },
    ).df()


def worst_days(con: duckdb.DuckDBPyConnection, ticker: str, session: date, count: int) -> pd.DataFrame:
    """The `count` sessions with the largest falls of one company, and that of the event wherever it ranks.

    Columns: date, before (the session before), close, close_before, currency, change (fraction of adj_close), place
    (1 is the worst; equal falls share a place), sessions (with a known change), first (earliest of them), is_event
    (the first session on or after `session`, at most two weeks later). Worst first.
    """
    return con.execute(
        """
        WITH daily AS (
            SELECT date, lag(date) OVER by_date AS before, close, lag(close) OVER by_date AS close_before, currency,
                adj_close / lag(adj_close) OVER by_date - 1 AS change
            FROM price_daily WHERE ticker = $ticker
            WINDOW by_date AS (ORDER BY date)
        ), ranked AS (
            SELECT *, rank() OVER (ORDER BY change) AS place, count(*) OVER () AS sessions,
                min(date) OVER () AS first,
                coalesce(date = min(date) FILTER (date BETWEEN $session AND $latest) OVER (), false) AS is_event
            FROM daily WHERE change IS NOT NULL
        )
        SELECT * FROM ranked WHERE place <= $count OR is_event ORDER BY place, date LIMIT $count + 1
        """,
        {"ticker": ticker, "session": session, "latest": _plus(session, MAX_DELAY), "count": count},
    ).df()


def _plus(day: date, span: timedelta) -> date:
    return day + span if date.max - day > span else date.max


def sources(con: duckdb.DuckDBPyConnection, tickers: Sequence[str], start: date, end: date) -> list[str]:
    """The sources, in words, that the prices of `tickers` between two dates come from."""
    found = con.execute(
        """
        SELECT DISTINCT source FROM price_daily
        WHERE ticker IN (SELECT unnest($tickers::VARCHAR[])) AND date BETWEEN $start AND $end ORDER BY source
        """,
        {"tickers": list(tickers), "start": start, "end": end},
    ).fetchall()
    return source_words(source for (source,) in found)
