"""The dated AI events."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from etl import calendars

SIGNAL = "signal-"
"""What the name of a signal begins with."""
WITHDRAWN = {
    "revised": "Withdrawn: the data were revised since.",
    "setting": "Withdrawn: fewer signals a year are asked for now, and this one is not among them.",
}


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
    """The event with an id, the session of a signal, or, for a day such as "2024-09-03", the first on or after it.

    None where the id is unknown or no price lies on or after the day.
    """
    named = next((event for event in events(con) if event.event_id == wanted), None)
    if named is not None:
        return named
    if wanted.startswith(SIGNAL):
        return _of_signal(con, wanted)
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
    moved = "" if session == day else f"There was no session on {day.day} {day:%B %Y}: this is the next one."
    return of_session(
        session, day.isoformat(), f"The session of {session.day} {session:%B %Y}", "date", moved
    )


def of_session(
    session: date, event_id: str, title: str, kind: str, description: str, lead: str = ""
) -> Event:
    """A session as an event that nobody has named a source of."""
    return Event(
        event_id=event_id,
        title=title,
        occurred_at=datetime.combine(session, time(9, 30)),
        time_known=False,
        market_session=session,
        market_open=True,
        kind=kind,
        description=description,
        source="",
        source_url="",
        lead=lead,
        moment=datetime.combine(session, time(), ZoneInfo(calendars.time_zone(calendars.HOME)))
        .astimezone(UTC)
        .replace(tzinfo=None),
    )


def _of_signal(con: duckdb.DuckDBPyConnection, wanted: str) -> Event | None:
    """The session that a signal is of, told as what it is: figures without a cause."""
    rows = con.execute(
        """
        SELECT session, CASE WHEN signal.kind = 'rank' THEN
                (SELECT coalesce(min(date) FILTER (date >= session), max(date)) FROM price_daily WHERE ticker = 'SPY')
            END, signal.title, detail,
            CASE WHEN withdrawn_at IS NOT NULL THEN coalesce(withdrawn_for, 'revised') END, subject IN (
            SELECT ticker FROM company UNION SELECT segment FROM company), subject,
            (SELECT string_agg(event.title, '; ' ORDER BY event_id) FROM event
                WHERE market_session = session AND event.kind <> 'confounder'),
            (SELECT string_agg(strftime(other.session, '%-d %B %Y'), ', ' ORDER BY other.session) FROM (
                SELECT near.session FROM signal AS near WHERE near.kind = signal.kind
                    AND near.measure = signal.measure AND near.direction = signal.direction
                    AND near.session <> signal.session AND near.withdrawn_at IS NULL
                ORDER BY near.subject <> signal.subject, abs(near.size - signal.size) LIMIT 3) AS other)
        FROM signal WHERE signal_id = ?
        """,
        [wanted],
    ).fetchall()
    if not rows:
        return None
    session, shown, title, detail, withdrawn, named, subject, known, alike = rows[0]
    told = [f"Noticed in the figures alone: {title}; {detail}."]
    if withdrawn:
        told.insert(0, WITHDRAWN[withdrawn])
    told.append(f"On record for this session: {known}." if known else "No cause is on record yet.")
    if alike:
        told.append(f"Days most like it: {alike}.")
    if shown not in (None, session):  # the stores know no weekends
        told.append(f"The session shown is that of {shown.day} {shown:%B %Y}.")
    return of_session(shown or session, wanted, title, "signal", " ".join(told), subject if named else "")
