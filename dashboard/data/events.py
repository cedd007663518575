"""The dated AI events."""

from dataclasses import dataclass
from datetime import date, datetime

import duckdb


@dataclass(frozen=True)
class Event:
    """An event and the New York session in which the market could first react to it.

    `occurred_at` is New York time where `time_known`; otherwise only its day counts, as the source gives it.
    """

    event_id: str
    title: str
    occurred_at: datetime
    time_known: bool
    market_session: date
    market_open: bool
    kind: str
    description: str
    source: str
    source_url: str


def events(con: duckdb.DuckDBPyConnection) -> list[Event]:
    """All events, oldest first."""
    rows = con.execute(
        """
        SELECT event_id, title,
            timezone(CASE WHEN time_known THEN 'America/New_York' ELSE zone END, occurred_at),
            time_known, market_session, market_open, kind, description, source, source_url
        FROM event ORDER BY occurred_at, event_id
        """
    ).fetchall()
    return [Event(*row) for row in rows]
