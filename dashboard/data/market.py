"""Companies, prices, share counts and exchange rates out of the warehouse."""

from collections.abc import Sequence
from datetime import date

import duckdb
import pandas as pd

from dashboard.data.naming import labelled

SOURCES = {"bundled": "closing prices compiled from Yahoo Finance", "yahoo": "Yahoo Finance"}


def companies(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every company and fund: ticker, name, segment, exchange, currency, role, is_benchmark; one row each."""
    return con.execute(
        "SELECT ticker, name, segment, exchange, currency, role, is_benchmark FROM company ORDER BY ticker"
    ).df()


def daily_prices(
    con: duckdb.DuckDBPyConnection,
    start: date,
    end: date,
    tickers: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Daily bars from `start` to `end` inclusive, of `tickers` or of all: one row a ticker and session.

    Columns: ticker, date (datetime64), open, high, low, close (split-adjusted), adj_close (also
    dividend-adjusted), volume, currency, source. Sorted by ticker and date.
    """
    chosen = None if tickers is None else list(tickers)
    return con.execute(
        """
        SELECT ticker, date, open, high, low, close, adj_close, volume, currency, source
        FROM price_daily
        WHERE date BETWEEN $start AND $end AND ($tickers IS NULL OR list_contains($tickers::VARCHAR[], ticker))
        ORDER BY ticker, date
        """,
        {"start": start, "end": end, "tickers": chosen},
    ).df()


def shares_at(con: duckdb.DuckDBPyConnection, session: date) -> pd.DataFrame:
    """The latest share count on or before `session`, one row a ticker: shares, shares_as_of, basis.

    Where none is known from before, the earliest one of the year after it stands in: `shares_as_of` tells.
    `shares` is on the same split basis as the split-adjusted closes: splits after those that the count
    includes multiply it.
    """
    return con.execute(
        """
        WITH latest AS (
            SELECT ticker, shares, date, basis, splits_through
            FROM shares_outstanding WHERE date <= $session + INTERVAL 1 YEAR
            QUALIFY row_number() OVER (
                PARTITION BY ticker ORDER BY date > $session, abs(date_diff('day', date, $session))
            ) = 1
        )
        SELECT latest.ticker, latest.shares * coalesce(later.ratio, 1) AS shares,
            latest.date AS shares_as_of, latest.basis
        FROM latest LEFT JOIN LATERAL (
            SELECT product(ratio) AS ratio FROM split
            WHERE split.ticker = latest.ticker AND split.date > coalesce(latest.splits_through, latest.date)
        ) AS later ON true
        ORDER BY latest.ticker
        """,
        {"session": session},
    ).df()


def dollar_rates_at(con: duckdb.DuckDBPyConnection, session: date) -> dict[str, float]:
    """US dollars for one unit of each currency: the latest rate on or before `session`; the dollar itself is 1."""
    rates = con.execute(
        """
        SELECT currency, usd_per_unit FROM exchange_rate WHERE date <= $session
        QUALIFY row_number() OVER (PARTITION BY currency ORDER BY date DESC) = 1
        """,
        {"session": session},
    ).fetchall()
    return {"USD": 1.0, **dict(rates)}


def span(con: duckdb.DuckDBPyConnection) -> tuple[date, date] | None:
    """First and last session with any price, or None where there is none."""
    first, last = con.execute("SELECT min(date), max(date) FROM price_daily").fetchall()[0]
    return None if first is None else (first, last)


def price_sources(con: duckdb.DuckDBPyConnection, start: date, end: date) -> list[str]:
    """The sources, in words, that the prices between two dates come from."""
    found = con.execute(
        "SELECT DISTINCT source FROM price_daily WHERE date BETWEEN ? AND ? ORDER BY source", [start, end]
    ).fetchall()
    return [SOURCES.get(source, source) for (source,) in found]


def largest_losses(con: duckdb.DuckDBPyConnection, count: int = 5) -> tuple[pd.DataFrame, int]:
    """The largest one-session losses of market value among all companies priced in dollars.

    Returns the `count` largest (ticker, name, date, value_change in US dollars), the largest first, and the number
    of company-days that were compared. Each day uses the share count nearest in time, on the split basis of the
    closes; companies without a count, and funds, are left out.
    """
    rows = con.execute(
        """
        WITH counts AS (
            SELECT s.ticker, s.date,
                s.shares * coalesce((
                    SELECT product(ratio) FROM split
                    WHERE split.ticker = s.ticker AND split.date > coalesce(s.splits_through, s.date)
                ), 1) AS shares
            FROM shares_outstanding s JOIN company USING (ticker)
            WHERE company.currency = 'USD' AND NOT company.is_benchmark
        ),
        moves AS (
            SELECT ticker, date, close - lag(close) OVER (PARTITION BY ticker ORDER BY date) AS move
            FROM price_daily WHERE ticker IN (SELECT ticker FROM counts)
        ),
        valued AS (
            SELECT moves.ticker, moves.date, moves.move * (
                SELECT arg_min(counts.shares, abs(counts.date - moves.date))
                FROM counts WHERE counts.ticker = moves.ticker
            ) AS value_change
            FROM moves WHERE move IS NOT NULL
        )
        SELECT valued.ticker, company.name, valued.date, valued.value_change, count(*) OVER () AS compared
        FROM valued JOIN company USING (ticker)
        ORDER BY value_change, valued.ticker LIMIT $count
        """,
        {"count": count},
    ).df()
    return rows.drop(columns="compared"), int(rows["compared"].iloc[0]) if len(rows) else 0


def named_companies(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The companies that have prices, funds apart: ticker to "Name (TICKER)", in the order of the names."""
    rows = con.execute(
        """
        SELECT ticker, name FROM company
        WHERE NOT is_benchmark AND EXISTS (SELECT 1 FROM price_daily WHERE price_daily.ticker = company.ticker)
        ORDER BY lower(name), ticker
        """
    ).fetchall()
    return {ticker: labelled(name, ticker) for ticker, name in rows}
