"""What the daily bars and the calendars say about intraday bars."""

from __future__ import annotations

import duckdb
import pandas as pd

from etl import calendars

COLUMNS = (
    ", company.currency AS listed_currency, company.exchange AS listed_exchange, "
    "day_close, day_top, day_bottom, ends_at_close"
)
JOINS = (
    "LEFT JOIN company ON company.ticker = arrived.ticker "
    "LEFT JOIN daily_bar ON daily_bar.ticker = arrived.ticker AND daily_bar.date = arrived.session "
    "LEFT JOIN session_end ON session_end.ticker = arrived.ticker AND session_end.minutes = arrived.minutes "
    "AND session_end.session = arrived.session"
)


def context(con: duckdb.DuckDBPyConnection, now: pd.Timestamp) -> tuple[str, str]:
    """More columns for the gates of ``price_intraday``, and the joins that bring them."""
    closes = []
    for exchange, sessions in con.execute(_SESSIONS).fetchall():
        known = calendars.calendar(exchange)
        places = known.sessions.get_indexer(pd.DatetimeIndex(sessions))
        closes += [(exchange, known.sessions[at].date(), known.closes[at]) for at in places if at >= 0]
    columns = ["exchange", "session", "closes_at"]
    con.register(
        "closing", pd.DataFrame(closes, columns=columns).astype({"closes_at": "datetime64[us, UTC]"})
    )
    con.execute(_CLOSING)
    con.unregister("closing")
    con.execute(_DAILY)
    con.execute(_ENDS)
    return f"{COLUMNS}, TIMESTAMPTZ '{now.isoformat()}' AS asked_at", JOINS


def on_basis(con: duckdb.DuckDBPyConnection, good: str) -> str:
    """The name of a view of the bars in ``good`` that says on the basis of which splits they are.

    They agree with the daily closes, which are on that of every split that is known.
    """
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW based_price_intraday AS
        SELECT * REPLACE (greatest(session, newest) AS splits_through)
        FROM {good} LEFT JOIN (SELECT ticker, max(date) AS newest FROM split GROUP BY ticker) USING (ticker)""")  # noqa: S608
    return "based_price_intraday"


_SESSIONS = """
    SELECT exchange, list(DISTINCT session) FROM company JOIN arrived_price_intraday USING (ticker)
    WHERE session IS NOT NULL GROUP BY exchange"""

_CLOSING = """
    CREATE OR REPLACE TEMP TABLE closing_time AS
    SELECT CAST(exchange AS VARCHAR) AS exchange, CAST(session AS DATE) AS session,
        CAST(closes_at AS TIMESTAMPTZ) AS closes_at FROM closing"""

_DAILY = """
    CREATE OR REPLACE TEMP TABLE daily_bar AS
    SELECT ticker, date, close AS day_close, greatest(high, close, before) AS day_top,
        least(low, close, before) AS day_bottom
    FROM (
        SELECT *, lag(close) OVER (PARTITION BY ticker ORDER BY date) AS before
        FROM price_daily SEMI JOIN arrived_price_intraday USING (ticker)
    )
    SEMI JOIN (SELECT DISTINCT ticker, session AS date FROM arrived_price_intraday) USING (ticker, date)"""

_ENDS = """
    CREATE OR REPLACE TEMP TABLE session_end AS
    SELECT arrived.ticker, minutes, arrived.session, arg_max(close, starts_at) AS ends_at_close
    FROM arrived_price_intraday AS arrived JOIN company ON company.ticker = arrived.ticker
    JOIN closing_time AS closing ON closing.exchange = company.exchange AND closing.session = arrived.session
    WHERE phase = 'regular' AND isfinite(close)
    GROUP BY arrived.ticker, minutes, arrived.session, closes_at
    HAVING max(starts_at) + to_minutes(minutes) >= closes_at - INTERVAL 15 MINUTE"""
"""The last close of each session whose bars reach its end."""
