"""Stretches of time by name: around an event, the last month, everything."""

from datetime import date, timedelta

BEFORE_EVENT = timedelta(days=21)
AFTER_EVENT = timedelta(days=35)
LONGEST_DAILY = timedelta(days=5 * 366)
MONTHS = {"1m": 1, "6m": 6, "1y": 12}


def period(name: str, first: date, last: date, session: date) -> tuple[date, date]:
    """First and last day of a stretch of the data, which reaches from `first` to `last`.

    `name` is "event" (three weeks before `session` to five weeks after it), "1m", "6m" or "1y" (the last months),
    "ytd" (the last year's January to its end) or anything else for all of it. A stretch never leaves the data;
    where an event lies outside them, its stretch ends before it begins.
    """
    if name == "event":
        near_start, near_end = date.min + BEFORE_EVENT, date.max - AFTER_EVENT
        start = session - BEFORE_EVENT if session > near_start else date.min
        end = session + AFTER_EVENT if session < near_end else date.max
        return max(start, first), min(end, last)
    if name in MONTHS:
        return max(_months_before(last, MONTHS[name]), first), last
    if name == "ytd":
        return max(date(last.year, 1, 1), first), last
    return first, last


def _months_before(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def is_long(start: date, end: date) -> bool:
    """Whether a stretch is drawn by week: longer than five years of daily points is more than a screen shows."""
    return end - start > LONGEST_DAILY
