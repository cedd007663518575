"""The dated AI events."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from etl import calendars


@dataclass(frozen=True)
class Event:
    """An event and the New York session in which the market could first react to it.

    `occurred_at` is New York time where `time_known`; otherwise only its day counts, as the source gives it.
    `moment` is the same in UTC (no zone): the beginning of the day where only that is known. `lead` is the ticker or
    the segment that the event is about, "" where there is none. Kind "confounder" is a day of other causes.
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
    moment: datetime
    lead: str = ""

    def session_on(self, exchange: str) -> date:
        """The first session of an exchange that could react; New York's where that exchange's are not known."""
        if exchange == calendars.HOME or not calendars.is_known(exchange):
            return self.market_session
        day = None if self.time_known else self.occurred_at.date()
        try:
            return calendars.session_of(pd.Timestamp(self.moment, tz="UTC"), exchange, day=day)
        except calendars.UnknownSession:
            return self.market_session

    def sessions_of(self, companies: pd.DataFrame) -> pd.Series:
        """The first session that could react, of each of the `companies` (ticker, exchange): datetime64 by ticker."""
        by_exchange = {name: self.session_on(name) for name in companies["exchange"].unique()}
        days = pd.to_datetime(companies["exchange"].map(by_exchange))
        return days.set_axis(companies["ticker"])


def events(con: duckdb.DuckDBPyConnection) -> list[Event]:
    """All events, oldest first."""
    rows = con.execute(
        """
        SELECT event_id, title,
            timezone(CASE WHEN time_known THEN 'America/New_York' ELSE zone END, occurred_at),
            time_known, market_session, market_open, kind, description, source, source_url,
            timezone('UTC', occurred_at), coalesce(lead, '')
        FROM event ORDER BY occurred_at, event_id
        """
    ).fetchall()
    return [Event(*row) for row in rows]


def find_event(con: duckdb.DuckDBPyConnection, wanted: str) -> Event | None:
    """The event with an id, or, where `wanted` is a day such as "2024-09-03", the first session on or after it.

    None where the id is unknown or no price lies on or after the day.
    """
    named = next((event for event in events(con) if event.event_id == wanted), None)
    if named is not None:
        return named
    try:
        day = date.fromisoformat(wanted)
    except ValueError:
        return None
    # The commonest session: a day on which only a foreign exchange was open does not count.
    rows = con.execute(
        """
        SELECT date FROM price_daily WHERE date BETWEEN $day AND $day + INTERVAL 10 DAY
        GROUP BY date HAVING count(*) * 2 >= (
            SELECT count(DISTINCT ticker) FROM price_daily WHERE date BETWEEN $day AND $day + INTERVAL 10 DAY
        )
        ORDER BY date LIMIT 1
        """,
        {"day": day},
    ).fetchall()
    if not rows:
        return None
    session: date = rows[0][0]
    return Event(
        event_id=day.isoformat(),
        title=f"The session of {session.day} {session:%B %Y}",
        occurred_at=datetime.combine(session, time(9, 30)),
        time_known=False,
        market_session=session,
        market_open=True,
        kind="date",
        description=""
        if session == day
        else f"There was no session on {day.day} {day:%B %Y}: this is the next one.",
        source="",
        source_url="",
        moment=datetime.combine(session, time(), ZoneInfo(calendars.time_zone(calendars.HOME)))
        .astimezone(UTC)
        .replace(tzinfo=None),
    )
