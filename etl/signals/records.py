"""One-day losses and gains of market value that enter the record book of the ten largest."""

from bisect import bisect_right, insort
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from etl import calendars
from etl.warehouse.figures import VALUE_MOVES

BOOK = 10
YEAR = timedelta(days=365)
FLOOR = 10e9
"""US dollars below which no move has been among the ten largest this century: spares comparing the small ones."""


@dataclass(frozen=True)
class Record:
    """A change of market value (US dollars) and its place among all known up to its session."""

    session: date
    ticker: str
    name: str
    value_change: float
    place: int
    known: int


def records(con: duckdb.DuckDBPyConnection, since: date) -> list[Record]:
    """The changes from `since` on that were among the ten largest losses, or gains, known by then.

    The book holds the warehouse's own figures, and the press's for companies and days that it does not hold. In the
    first year of the warehouse's prices nothing enters it as a record: its ten largest say little. Of one session the
    largest comes first.
    """
    first = con.execute("SELECT min(date) FROM price_daily").fetchall()[0][0]
    if first is None:
        return []
    rows = con.execute(
        f"""
        WITH own AS (
            SELECT moved.ticker, moved.name, date, before, exchange, value_change
            FROM ({VALUE_MOVES}) AS moved JOIN company USING (ticker) WHERE abs(value_change) >= $floor
        )
        SELECT date, ticker, name, value_change, true AS ours, before, exchange FROM own
        UNION ALL
        SELECT date, coalesce(ticker, company), company, value_change, false, NULL, '' FROM reported_move AS told
        WHERE value_change IS NOT NULL
            AND NOT EXISTS (FROM own WHERE own.ticker = told.ticker AND own.date = told.date)
        """,  # noqa: S608
        {"start": None, "end": None, "floor": FLOOR},
    ).fetchall()
    books: dict[bool, list[float]] = {True: [], False: []}
    found = []
    for session, ticker, name, change, ours, before, exchange in sorted(rows, key=_in_order):
        if ours and not _in_a_row(exchange, before, session):
            continue
        book, size = books[change < 0], -abs(change)
        place = bisect_right(book, size) + 1
        if ours and session >= max(since, first + YEAR) and place <= BOOK:
            found.append(Record(session, ticker, name, change, place, len(book)))
        insort(book, size)
    return found


def _in_a_row(exchange: str, before: date, session: date) -> bool:
    """Whether two closes are of one session and the next: across a missing bar no move is of one day."""
    if (session - before).days == 1 or not calendars.is_known(exchange):
        return True
    return calendars.sessions_before(exchange, session, 1) <= before


def _in_order(row: tuple[date, str, str, float, bool, date | None, str]) -> tuple[date, bool, float, str]:
    """By session; of one the press's first, then the largest."""
    session, ticker, _, change, ours, *_ = row
    return session, ours, -abs(change), ticker
