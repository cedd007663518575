"""Intraday bars of the days for which they were saved."""

from collections.abc import Iterable
from datetime import date

import duckdb
import pandas as pd


def bars_within(con: duckdb.DuckDBPyConnection, sessions: Iterable[date]) -> pd.DataFrame:
    """The shortest bars that are held of each company on each of the `sessions`, by ticker and time.

    Columns: ticker, session (datetime64), minutes (length of the bar), starts_at (UTC), local_time (the same on the
    clock of the exchange), phase ("pre", "regular" or "post"), close (on the split basis of the daily closes),
    currency, source.
    """
    return con.execute(
        """
        SELECT ticker, session, minutes, starts_at, local_time, phase, close / coalesce((
                SELECT product(ratio) FROM split
                WHERE split.ticker = bar.ticker AND split.date > bar.splits_through
            ), 1) AS close, currency, source
        FROM price_intraday AS bar WHERE list_contains($days::DATE[], session)
        QUALIFY minutes = min(minutes) OVER (PARTITION BY ticker, session)
        ORDER BY ticker, session, starts_at
        """,
        {"days": sorted(set(sessions))},
    ).df()


def held_within(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Which intraday bars are held, one row for each length: minutes, companies, sessions, first, last, bars."""
    return con.execute(
        """
        SELECT minutes, count(DISTINCT ticker) AS companies, count(DISTINCT session) AS sessions,
            min(session) AS first, max(session) AS last, count(*) AS bars
        FROM price_intraday GROUP BY minutes ORDER BY minutes
        """
    ).df()
