"""Exchange sessions: which days an exchange trades, and which session is the last that has closed."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import exchange_calendars
import pandas as pd
from exchange_calendars import ExchangeCalendar

HOME = "XNYS"  # the exchange whose sessions the events are measured on
SETTLING = pd.Timedelta(minutes=30)  # the closing auction's print can arrive this long after the close


@lru_cache(maxsize=32)
def calendar(exchange: str) -> ExchangeCalendar:
    """The calendar of an exchange, named by its market identifier code such as ``XNYS`` or ``XKRX``.

    Raises
    ------
    exchange_calendars.errors.InvalidCalendarName
        When no calendar is known for that code.
    """
    return exchange_calendars.get_calendar(exchange, start="2000-01-01")


def is_known(exchange: str) -> bool:
    """Whether there is a calendar for that market identifier code."""
    return exchange in exchange_calendars.get_calendar_names()


def time_zone(exchange: str) -> str:
    """The IANA time zone of an exchange, such as ``America/New_York``."""
    return str(calendar(exchange).tz)


def sessions(exchange: str, first: date, last: date) -> list[date]:
    """The sessions from ``first`` to ``last``, both included."""
    return [stamp.date() for stamp in _between(calendar(exchange), first, last)]


def sessions_before(exchange: str, day: date, count: int) -> date:
    """The session that lies ``count`` sessions before the first one on or after ``day``."""
    known = calendar(exchange).sessions
    position = int(known.searchsorted(pd.Timestamp(day)))
    return known[max(0, min(position, len(known) - 1) - count)].date()


def last_closed_session(exchange: str, now: pd.Timestamp) -> date:
    """The newest session whose close, and half an hour for its print to settle, lies before ``now`` (UTC)."""
    held = _between(calendar(exchange), (now - timedelta(days=30)).date(), now.date())
    closes = calendar(exchange).closes.loc[held]
    return closes[closes + SETTLING <= now].index[-1].date()


def session_of(moment: pd.Timestamp, exchange: str = HOME) -> date:
    """The first session whose close comes after ``moment``: the one in which the market could react."""
    closes = calendar(exchange).closes
    return closes.index[int(closes.searchsorted(moment.tz_convert("UTC"), side="right"))].date()


def is_open(moment: pd.Timestamp, exchange: str = HOME) -> bool:
    """Whether the exchange trades at that minute."""
    return bool(calendar(exchange).is_open_at_time(moment.floor("min"), side="left"))


def _between(known: ExchangeCalendar, first: date, last: date) -> pd.DatetimeIndex:
    return known.sessions[known.sessions.slice_indexer(pd.Timestamp(first), pd.Timestamp(last))]
