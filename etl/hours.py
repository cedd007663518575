"""Within a day: to which session of an exchange a moment belongs, and whether it lies before, in or after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from etl import calendars

PHASES = ("pre", "regular", "post")
INTERVALS = {"1m": 1, "2m": 2, "5m": 5, "10m": 10, "15m": 15, "30m": 30, "60m": 60}
"""Lengths of bars by name, in minutes."""
EXTENDED = {"America/New_York": (pd.Timedelta(hours=4), pd.Timedelta(hours=20))}
"""From when to when shares trade around the session, by the clock of the exchange; elsewhere they do not."""
AUCTION = pd.Timedelta(minutes=15)
"""After the close of an exchange without such hours, the bar of its closing auction may begin this late."""


@dataclass(frozen=True)
class Hours:
    """From when to when each session of an exchange trades, in UTC; ``begins`` and ``ends`` with all phases."""

    known: calendars.Calendar
    begins: pd.DatetimeIndex
    ends: pd.DatetimeIndex

    def end_of(self, session: date) -> pd.Timestamp | None:
        """When the last phase of a session is over; None where the exchange holds no such session."""
        place = self.known.sessions.get_indexer([pd.Timestamp(session)])[0]
        return None if place < 0 else self.ends[place]


def hours(exchange: str) -> Hours:
    """The hours of an exchange, by its calendar (half days and daylight saving time included)."""
    known = calendars.calendar(exchange)
    if known.time_zone not in EXTENDED:
        return Hours(known, known.opens, known.closes + AUCTION)
    first, last = EXTENDED[known.time_zone]
    begins, ends = (
        (known.sessions + span).tz_localize(known.time_zone).tz_convert("UTC") for span in (first, last)
    )
    return Hours(known, begins, ends)


def placed(exchange: str, starts: pd.DatetimeIndex) -> pd.DataFrame:
    """Where bars that begin at the moments ``starts`` (UTC) stand: one row each, in their order.

    Columns: local_time (on the clock of the exchange), session and phase (``PHASES``), both missing where the exchange
    does not trade then.
    """
    told = hours(exchange)
    known, moments = told.known, starts.tz_convert("UTC")
    places = np.minimum(told.ends.searchsorted(moments, side="right"), len(told.ends) - 1)
    inside = (moments >= told.begins[places]) & (moments < told.ends[places])
    phase = np.where(moments < known.opens[places], "pre", "regular").astype(object)
    if known.time_zone in EXTENDED:
        phase[moments >= known.closes[places]] = "post"
    phase[~inside] = None
    session = pd.Series(known.sessions[places]).where(inside)
    return pd.DataFrame(
        {
            "local_time": moments.tz_convert(known.time_zone).tz_localize(None),
            "session": session.dt.date.astype(object).where(inside, None),
            "phase": phase,
        }
    )
