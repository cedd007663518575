"""Companies, prices, share counts and exchange rates out of the warehouse."""

from collections.abc import Iterable, Sequence
from datetime import date

import duckdb
import pandas as pd

from dashboard.data.naming import labelled
from etl.warehouse.figures import VALUE_MOVES, VALUED_MOVES, ai_on

COMPILED = "closing prices compiled from public price histories"
SOURCES = {"yahoo": "Yahoo Finance", "yahoo-intraday": "Yahoo Finance", "import": "an imported file"}


def source_words(names: Iterable[str]) -> list[str]:
    """The sources of prices in words, each once; those of the bundle begin with "bundled"."""
    return list(dict.fromkeys(COMPILED if is_bundled(name) else SOURCES.get(name, name) for name in names))


ONE_HISTORY = "bundled, one history"
ONE_BAR = "bundled, bar of one history"


def is_bundled(source: str) -> bool:
    """Whether a row with this source came with the project."""
    return source.startswith("bundled")


def companies(con: duckdb.DuckDBPyConnection, on: date | None = None) -> pd.DataFrame:
    """Every company, fund and index, one row each; with `on` without those that have the role AI only later.

    Columns: ticker, name, segment, exchange, currency, role, is_benchmark (a fund or an index), history_from,
    ai_from, spin_off, sp500_from (dates, missing where there is none), note, listing (such as ADR) and home (the
    exchange of the shares themselves; both "" where there is none).
    """
    return con.execute(
        f"""
        SELECT ticker, name, segment, exchange, currency, role, is_benchmark, history_from, ai_from, spin_off,
            sp500_from, coalesce(note, '') AS note, coalesce(listing, '') AS listing, coalesce(home, '') AS home
        FROM company WHERE $day IS NULL OR role <> 'AI' OR {ai_on("$day")} ORDER BY ticker
        """,  # noqa: S608
        {"day": on},
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


def value_moves(
    con: duckdb.DuckDBPyConnection,
    start: date | None = None,
    end: date | None = None,
    *,
    valued: bool = False,
) -> pd.DataFrame:
    """What every company gained or lost in every session (from `start` to `end`), funds and indices apart.

    `valued` leaves out the companies of which no share count is known.

    One row a company and session that has a session before it, by ticker and date. Columns: ticker, name, segment,
    is_ai (whether it had the role AI on the day), date, before (its session before), change (fraction of the
    dividend-adjusted close), value_before and value_change (US dollars: the split-adjusted close, and its change,
    times the shares, at the rate), shares (the latest count known on the company's own day, on the split basis of the
    closes), shares_as_of, form (such as 10-Q), old (whether the count was more than 400 days old), basis (what was
    counted, in words, with the form and whether it is old), rate (US dollars for one unit of the currency: the latest
    on or before the company's own day, at most ten days old).

    A count is known from the day it was filed, or, where that is not noted, from the day it is of. Shares and dollars
    are missing without a count and up to a spin-off that the closes have taken out, the dollars also without a rate.
    """
    return con.execute(
        f"{VALUED_MOVES if valued else VALUE_MOVES} ORDER BY priced.ticker, priced.date",
        {"start": start, "end": end},
    ).df()


def span(con: duckdb.DuckDBPyConnection) -> tuple[date, date] | None:
    """First and last session with any price, or None where there is none."""
    first, last = con.execute("SELECT min(date), max(date) FROM price_daily").fetchall()[0]
    return None if first is None else (first, last)


def price_sources(con: duckdb.DuckDBPyConnection, start: date, end: date) -> list[str]:
    """The sources, in words, that the prices between two dates come from."""
    found = con.execute(
        "SELECT DISTINCT source FROM price_daily WHERE date BETWEEN ? AND ? ORDER BY source", [start, end]
    ).fetchall()
    return source_words(source for (source,) in found)


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
