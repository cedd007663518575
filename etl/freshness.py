"""How far the prices reach, measured in the sessions that the exchange has held since."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import pandas as pd
from exchange_calendars import resolve_alias

from etl import calendars

LATE_FROM, STALE_FROM = 2, 6
"""Sessions behind from which prices are late, and from which they are stale: of a company and of all alike."""


class Level(StrEnum):
    """What to think of the age of the prices."""

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    BUNDLED = "bundled"


@dataclass(frozen=True)
class Freshness:
    """The session that the prices reach and the sessions held since.

    `session`: the newest that at least half of the home exchange's companies have; `behind`: sessions that have
    closed since; `lagging`: companies of the home exchange whose prices end earlier; `bundled`: all prices are
    those that come with the project, which are old by nature.
    """

    session: date
    behind: int
    lagging: int
    bundled: bool

    @property
    def level(self) -> Level:
        """Fresh up to one session behind, late from two to five, stale beyond; bundled prices are just that."""
        if self.behind < LATE_FROM:
            return Level.FRESH
        if self.bundled:
            return Level.BUNDLED
        return Level.LATE if self.behind < STALE_FROM else Level.STALE


def freshness(reach: pd.DataFrame, now: pd.Timestamp) -> Freshness | None:
    """How fresh the prices are at `now` (UTC); None where there are none.

    `reach` is one row a company with its exchange, its last session, its sources (joined by "; ") and whether it is
    retired, as `dashboard.data.status.reach` returns it. The companies that New York's calendar applies to count, or,
    where none of them has prices, those of the exchange with the most companies. Retired ones never count.
    """
    held = reach.dropna(subset=["last"])
    if "retired" in held:
        held = held[~held["retired"].eq(True)]
    held = held[held["exchange"].map(calendars.is_known)]
    if held.empty:
        return None
    kept = held["exchange"].map(resolve_alias)
    exchange = calendars.HOME if (kept == calendars.HOME).any() else str(kept.mode()[0])
    held = held[kept == exchange]
    ends = held["last"].sort_values(ascending=False)
    session = ends.iloc[(len(ends) - 1) // 2].date()
    due = calendars.last_closed_session(exchange, now)
    return Freshness(
        session=session,
        behind=sum(day > session for day in calendars.sessions(exchange, session, due)),
        lagging=int((ends < pd.Timestamp(session)).sum()),
        bundled=bool(held["sources"].map(_all_bundled).all()),
    )


def _all_bundled(sources: str) -> bool:
    return all(source.startswith("bundled") for source in sources.split("; "))
