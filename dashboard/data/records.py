"""What the press said of the largest moves and days, and what funds and indices did each day."""

from collections.abc import Sequence

import duckdb
import pandas as pd


def reported_moves(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The press's record book, the largest losses first, then the largest gains.

    Columns: direction ("loss" or "gain"), date (the session), company, ticker (also of companies that are not
    followed), change (fraction), value_change (US dollars), source, source_url, confidence ("high" or "medium"), note.
    """
    return con.execute(
        """
        SELECT direction, date, company, ticker, change, value_change, source, source_url, confidence,
            coalesce(note, '') AS note
        FROM reported_move ORDER BY direction DESC, abs(value_change) DESC, date
        """
    ).df()


def day_notes(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """What happened on days on which the AI companies moved much, by a source, one row a session, oldest first.

    Columns: date, cause ("AI", "macro" …), explanation (a sentence), source, source_url, confidence ("high" or
    "medium"). A day that is not here has no sourced explanation.
    """
    return con.execute(
        "SELECT date, cause, explanation, source, source_url, confidence FROM day_note ORDER BY date"
    ).df()


def index_changes(con: duckdb.DuckDBPyConnection, tickers: Sequence[str] | None = None) -> pd.DataFrame:
    """The change of each fund and index (of `tickers`, or of all) in every session: ticker, name, date, change."""
    return con.execute(
        """
        SELECT ticker, name, CAST(date AS TIMESTAMP) AS date,
            adj_close / lag(adj_close) OVER (PARTITION BY ticker ORDER BY date) - 1 AS change
        FROM price_daily JOIN company USING (ticker)
        WHERE company.is_benchmark AND ($tickers IS NULL OR list_contains($tickers::VARCHAR[], ticker))
        QUALIFY change IS NOT NULL ORDER BY ticker, date
        """,
        {"tickers": None if tickers is None else list(tickers)},
    ).df()
