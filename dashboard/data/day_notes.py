"""What happened on days of large moves, by sources that say so."""

import duckdb
import pandas as pd


def day_notes(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One row a day that a source explains: date, cause, explanation, source, source_url, confidence; by date."""
    return con.execute(
        "SELECT date, cause, explanation, source, source_url, confidence FROM day_note ORDER BY date"
    ).df()
