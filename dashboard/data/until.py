"""A connection as if its warehouse ended with a day: what came later cannot enter a figure."""

from datetime import date

import duckdb

CUT = {
    "price_daily": "date",
    "dividend": "ex_date",
    "shares_outstanding": "coalesce(filed, date)",
    "exchange_rate": "date",
    "factor_daily": "date",
    "app_ranking": "CAST(captured_at AS DATE)",
    "ranking_capture": "CAST(captured_at AS DATE)",
    "event": "greatest(market_session, CAST(occurred_at AS DATE))",
    "day_note": "date",
    "reported_move": "date",
    "signal": "session",
    "absent_session": "date",
}
"""Each table of dated rows with the SQL of the day on which a row was known.

Splits stay: closes and share counts are both on the basis of the newest one, and only their product is shown.
"""


def only_until(con: duckdb.DuckDBPyConnection, last: date) -> None:
    """Hide every row of a later day from all queries of a connection, until it is closed."""
    home = con.execute("SELECT current_database(), current_schema()").fetchall()[0]
    for table, day in CUT.items():
        whole = ".".join(f'"{name}"' for name in (*home, table))
        con.execute(
            f"CREATE TEMP VIEW {table} AS SELECT * FROM {whole} WHERE {day} <= DATE '{last.isoformat()}'"  # noqa: S608
        )
