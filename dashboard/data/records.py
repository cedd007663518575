"""What the press said: the largest one-day moves of market value, and what happened on days of large moves."""

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
