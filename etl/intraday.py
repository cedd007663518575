"""Of which companies and sessions the intraday bars are saved: those that were signalled, and those of events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pandas as pd

from etl import calendars
from etl.catalogue import Company
from etl.errors import UsageError
from etl.hours import hours
from etl.sources.base import Request
from etl.warehouse.figures import VALUE_MOVES

KEPT_DAYS = {1: 7, 2: 60, 5: 60, 15: 60, 60: 730}
"""For so many days Yahoo keeps bars of so many minutes; then they are gone."""
MOST = 25
"""Of a segment, or of all AI companies, those are saved whose market value moved most."""
SAVED = 5
"""Length in minutes of the bars that a refresh saves by itself."""

Wanted = dict[str, list[date]]
"""Sessions to ask for, oldest first, by ticker."""


def of_session(request: Request) -> Wanted:
    """The one session that an operator asks for, of each company whose exchange has held and closed it.

    Raises
    ------
    UsageError
        When Yahoo no longer has it, or no exchange has held it.
    """
    session = request.since
    if session is None:
        return {}
    kept = KEPT_DAYS[request.minutes]
    if (request.now.date() - session).days >= kept:
        raise UsageError(
            f"Yahoo keeps {request.minutes}-minute bars for {kept} days and has none of {session} any more: "
            f"`import-prices --interval {request.minutes}m` takes a file that somebody saved."
        )
    chosen = [company for company in request.companies if _is_over(company, session, request.now)]
    if not chosen:
        places = ", ".join(sorted({company.exchange for company in request.companies}))
        raise UsageError(
            f"{session} is not a session that has closed on {places}: give another day as --session."
        )
    return {company.ticker: [session] for company in chosen}


def due(con: duckdb.DuckDBPyConnection, request: Request) -> Wanted:
    """The sessions that were signalled or have an event, as far as Yahoo still has them and was not asked for them.

    Each is asked for after its close, and once more when the hours after it are over.
    """
    oldest = request.now.date() - timedelta(days=KEPT_DAYS[request.minutes] - 1)
    listed = {company.ticker: company for company in request.companies}
    asked = {
        (ticker, session): moment
        for ticker, session, moment in con.execute(_ASKED, {"minutes": request.minutes}).fetchall()
    }
    found: Wanted = {}
    for ticker, session in sorted(set(_concerned(con, oldest, listed))):
        company = listed.get(ticker)
        if company is None or session < oldest or not _is_over(company, session, request.now):
            continue
        end = hours(company.exchange).end_of(session)
        before = asked.get((ticker, session))
        if before is None or pd.Timestamp(before) < end <= request.now:
            found.setdefault(ticker, []).append(session)
    return found


def _is_over(company: Company, session: date, now: pd.Timestamp) -> bool:
    held = calendars.is_known(company.exchange) and hours(company.exchange).end_of(session) is not None
    return held and session <= calendars.last_closed_session(company.exchange, now)


def _concerned(
    con: duckdb.DuckDBPyConnection, oldest: date, listed: dict[str, Company]
) -> Iterator[tuple[str, date]]:
    """The companies concerned by each signal and event, and the benchmarks, with the session."""
    yield from con.execute(_CONCERNED, {"start": oldest, "end": None, "most": MOST}).fetchall()
    for lead, session, moment, day in con.execute(_LEADS, {"oldest": oldest}).fetchall():
        yield lead, _session_of(listed.get(lead), session, pd.Timestamp(moment), day)


def _session_of(company: Company | None, session: date, moment: pd.Timestamp, day: date | None) -> date:
    """The session in which the company that an event is about could first react, on its own exchange."""
    if company is None or not calendars.is_known(company.exchange):
        return session
    try:
        return calendars.session_of(moment, company.exchange, day=day)
    except calendars.UnknownSession:
        return session


_ASKED = """
    SELECT ticker, session, max(moment) FROM (
        SELECT ticker, session, asked_at AS moment FROM intraday_asked WHERE minutes = $minutes
        UNION ALL
        SELECT ticker, session, TIMESTAMPTZ '9999-01-01' FROM price_intraday
        WHERE minutes = $minutes AND source NOT LIKE 'yahoo%'
    ) GROUP BY ticker, session"""
"""What somebody has imported is not asked for at all."""

_CONCERNED = f"""
    WITH day AS (
        SELECT session, subject FROM signal
        WHERE withdrawn_at IS NULL AND kind <> 'rank' AND session >= CAST($start AS DATE)
        UNION
        SELECT market_session, coalesce(lead, '') FROM event
        WHERE kind <> 'confounder' AND market_session >= CAST($start AS DATE)
    ), moved AS (SELECT ticker, date, segment, value_change FROM ({VALUE_MOVES}) WHERE is_ai
    ), inside AS (
        SELECT day.session, moved.ticker, row_number() OVER (
            PARTITION BY day.session, day.subject ORDER BY abs(value_change) DESC NULLS LAST, moved.ticker
        ) AS place
        FROM day JOIN moved ON moved.date = day.session
        WHERE day.subject = moved.segment OR NOT EXISTS (
            FROM company WHERE company.ticker = day.subject OR company.segment = day.subject)
    )
    SELECT ticker, session FROM inside WHERE place <= $most
    UNION SELECT company.ticker, day.session FROM day JOIN company ON company.ticker = day.subject
    UNION SELECT company.ticker, day.session FROM day CROSS JOIN company WHERE company.role = 'benchmark'"""  # noqa: S608

_LEADS = """
    SELECT lead, market_session, occurred_at,
        CASE WHEN NOT time_known THEN CAST(timezone(zone, occurred_at) AS DATE) END
    FROM event WHERE lead IN (SELECT ticker FROM company) AND market_session >= $oldest AND kind <> 'confounder'"""
