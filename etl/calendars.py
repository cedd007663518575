"""Exchange sessions: which days an exchange trades, and which session is the last that has closed."""

from __future__ import annotations

import secrets
import zipfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from etl import entries
from etl.settings import settings

HOME = "XNYS"  # the exchange whose sessions the events are measured on
KNOWN_FROM = date(2000, 1, 1)
_CLOSING = ("exchange", "date", "reason", "source_url")
SETTLING = pd.Timedelta(minutes=30)  # the closing auction's print can arrive this long after the close


class UnknownSession(LookupError):
    """The calendar of an exchange does not reach to that day."""


@dataclass(frozen=True)
class Calendar:
    """The sessions of an exchange from 2000 to about a year ahead, with their opening and closing in UTC."""

    sessions: pd.DatetimeIndex
    opens: pd.DatetimeIndex
    closes: pd.DatetimeIndex
    time_zone: str


@lru_cache(maxsize=64)
def calendar(exchange: str) -> Calendar:
    """The calendar of an exchange, named by its market identifier code such as ``XNYS`` or ``XKRX``.

    It comes from ``exchange_calendars``; since some take it seconds to compute, a copy is kept for a month. The
    days in ``closings.toml`` are taken out: a calendar cannot know of a storm.

    Raises
    ------
    exchange_calendars.errors.InvalidCalendarName
        When no calendar is known for that code.
    etl.entries.EntryError
        When ``closings.toml`` cannot be used.
    """
    kept = _kept(exchange)
    try:
        with np.load(kept, allow_pickle=False) as file:
            known = _calendar(file["days"], file["opens"], file["closes"], str(file["zone"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        known = _computed(exchange, kept)
    return _without(known, _closings(exchange))


def _computed(exchange: str, kept: Path) -> Calendar:
    import exchange_calendars

    computed = exchange_calendars.get_calendar(exchange, start=str(KNOWN_FROM))
    columns = (computed.sessions, computed.opens, computed.closes)
    days, opens, closes = (pd.DatetimeIndex(column).as_unit("ns").asi8 for column in columns)
    _keep(kept, days=days, opens=opens, closes=closes, zone=np.array(str(computed.tz)))
    return _calendar(days, opens, closes, str(computed.tz))


def is_known(exchange: str) -> bool:
    """Whether there is a calendar for that market identifier code."""
    return exchange in names()


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """The market identifier codes (and other names) of the exchanges whose sessions are known."""
    from exchange_calendars import get_calendar_names

    return frozenset(get_calendar_names())


def time_zone(exchange: str) -> str:
    """The IANA time zone of an exchange, such as ``America/New_York``."""
    return calendar(exchange).time_zone


def sessions(exchange: str, first: date, last: date) -> list[date]:
    """The sessions from ``first`` to ``last``, both included."""
    known = calendar(exchange).sessions
    return list(known[known.slice_indexer(pd.Timestamp(first), pd.Timestamp(last))].date)


def may_have_sessions(exchange: str, first: date, last: date) -> bool:
    """Whether sessions from ``first`` to ``last`` can be asked for; of days before 2000 the calendar cannot tell."""
    return first <= last and (first < KNOWN_FROM or bool(sessions(exchange, first, last)))


def sessions_before(exchange: str, day: date, count: int) -> date:
    """The session that lies ``count`` sessions before the first one on or after ``day``."""
    known = calendar(exchange).sessions
    position = int(known.searchsorted(pd.Timestamp(day)))
    return known[max(0, min(position, len(known) - 1) - count)].date()


def last_closed_session(exchange: str, now: pd.Timestamp) -> date:
    """The newest session whose close, and half an hour for its print to settle, lies before ``now``."""
    known = calendar(exchange)
    return known.sessions[int(known.closes.searchsorted(now - SETTLING, side="right")) - 1].date()


def session_of(moment: pd.Timestamp, exchange: str = HOME, *, day: date | None = None) -> date:
    """The first session of an exchange that could react to an event.

    The first that closes after ``moment``. Where only the event's day is known (``day``, in its own zone), ``moment``
    is the beginning of that day, and it is the first session on or after the day that does not open before the day
    begins. So Seoul answers a day in New York on its next morning.

    Raises
    ------
    UnknownSession
        When the calendar, which reaches about a year ahead, does not reach that far.
    """
    known = calendar(exchange)
    moment = moment.tz_convert("UTC")
    last = known.closes[-1] if day is None else known.opens[-1]
    if moment >= last or (day is not None and day > known.sessions[-1].date()):
        raise UnknownSession(f"The sessions of {exchange} on and after {moment:%Y-%m-%d} are not known yet.")
    if day is None:
        position = int(known.closes.searchsorted(moment, side="right"))
    else:
        position = max(
            int(known.opens.searchsorted(moment)), int(known.sessions.searchsorted(pd.Timestamp(day)))
        )
    return known.sessions[position].date()


def is_open(moment: pd.Timestamp, exchange: str = HOME) -> bool:
    """Whether ``moment`` lies between the opening and the close of a session; breaks at noon count as open."""
    known = calendar(exchange)
    opened = int(known.opens.searchsorted(moment.tz_convert("UTC"), side="right")) - 1
    return opened >= 0 and moment < known.closes[opened]


def _closings(exchange: str) -> pd.DatetimeIndex:
    """The days on which that exchange was closed by surprise."""
    path = settings().data_dir / "closings.toml"
    if not path.exists():
        return pd.DatetimeIndex([])
    found, _ = entries.read(path, "closing")
    days = []
    for entry in found:
        entries.refuse_unknown(entry, _CLOSING, f"{path}: a closing", "key")
        code, day = str(entry.get("exchange")), entry.get("date")
        if not is_known(code) or not isinstance(day, date):
            raise entries.EntryError(
                f"{path}: each closing has an exchange such as XHKG and a date like 2023-09-08"
            )
        if _main_name(code) == _main_name(exchange):
            days.append(day)
    return pd.DatetimeIndex(days)


def _main_name(exchange: str) -> str:
    from exchange_calendars import resolve_alias

    return str(resolve_alias(exchange))


def _without(known: Calendar, closed: pd.DatetimeIndex) -> Calendar:
    there = ~known.sessions.isin(closed)
    return Calendar(known.sessions[there], known.opens[there], known.closes[there], known.time_zone)


def _calendar(days: np.ndarray, opens: np.ndarray, closes: np.ndarray, zone: str) -> Calendar:
    return Calendar(
        pd.DatetimeIndex(days), pd.to_datetime(opens, utc=True), pd.to_datetime(closes, utc=True), zone
    )


def _kept(exchange: str) -> Path:
    month = f"{datetime.now(UTC):%Y%m}"
    name = f"sessions-{exchange.replace('/', '-')}-{version('exchange_calendars')}-{month}.npz"
    return settings().cache_dir / name


def _keep(path: Path, **columns: np.ndarray) -> None:
    """Keep a copy where that is possible; without one the calendar is computed again."""
    temporary = path.with_name(f".{secrets.token_hex(4)}.npz")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(temporary, **columns)  # type: ignore[arg-type]
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
