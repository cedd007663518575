"""Reads dates and times as people write them, and asks where a day and a month may be mixed up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

from babel import Locale

from etl.imports.report import ImportRefusedError

FIRST_YEAR, LAST_YEAR = 1900, 2100
_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "tr")
_EXCEL_ZERO = datetime(
    1899, 12, 30
)  # the day before the first day of Excel's calendar, with its 29 February 1900
_ZONES = {
    "z": 0,
    "utc": 0,
    "gmt": 0,
    "edt": -4,
    "est": -5,
    "pdt": -7,
    "pst": -8,
    "cet": 1,
    "cest": 2,
    "kst": 9,
    "jst": 9,
}
_YEAR_FIRST = re.compile(r"(\d{4})(?: ?[-/.年년] ?)(\d{1,2})(?: ?[-/.月월] ?)(\d{1,2})(?: ?[.日일])?(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_NUMBERS = re.compile(r"(\d{1,2}) ?([-/. ]) ?(\d{1,2}) ?\2 ?(\d{4}|\d{2})(?!\d)\.?")
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[-./ ]*(?:de |of )?([^\W\d]+)\.?[-,./ ]*(?:de |of )?(\d{4}|\d{2})(?!\d)"
)
_MONTH_DAY = re.compile(r"([^\W\d]+)\.?[- ]*(\d{1,2})(?:st|nd|rd|th)?[-, ]+(\d{4}|\d{2})(?!\d)")
_WEEKDAY = re.compile(r"[^\W\d]{2,10}\.?,? +(?=\d|[^\W\d]+\.? ?\d)")
_TIME = re.compile(
    r"(?:t| |,|at|um|à)*(\d{1,2})(?::(\d{2}))?(?::(\d{2})(?:[.,](\d+))?)? ?([ap])?\.?(?:m\.?)? ?"
    r"(?:\(?([a-z]{1,4})\)?)?([+-]\d{1,2}(?::?\d{2})?)?"
)
_IN_WORDS = re.compile(r" \([a-z ]+\)$")  # JavaScript adds the name of the zone
_SERIAL = re.compile(r"(\d{5})(\.\d+)?(e0)?")
_EPOCH = re.compile(r"(\d{10}|\d{13}|\d{16}|\d{19})(\.0*)?(e0)?")


@dataclass(frozen=True)
class Moment:
    """A date, and the time and its offset from UTC where they are given."""

    day: date
    clock: time | None = None
    offset: timedelta | None = None

    @property
    def instant(self) -> datetime | None:
        """The moment in UTC, for a time with an offset."""
        if self.clock is None or self.offset is None:
            return None
        try:
            return datetime.combine(self.day, self.clock, timezone(self.offset)).astimezone(UTC)
        except (OverflowError, ValueError):
            return None


def moment(text: str, day_first: bool | None = None) -> Moment | None:
    """The date, and perhaps time, that a text is, or None where it is none; ``day_first`` is about 03/04/2025."""
    cleaned = _plain(text)
    counted = _counted(cleaned)
    if counted:
        return counted
    cleaned = (
        cleaned.removesuffix("e0").removesuffix(".0")
        if re.fullmatch(r"\d{8}(\.0)?(e0)?", cleaned)
        else cleaned
    )
    try:
        for candidate in (cleaned, _WEEKDAY.sub("", cleaned, count=1)):
            found = _day(candidate, day_first)
            if found:
                day, rest = found
                return (
                    _with_time(day, _IN_WORDS.sub("", rest).strip())
                    if FIRST_YEAR <= day.year <= LAST_YEAR
                    else None
                )
    except ValueError:
        pass
    return None


def reads_day_first(texts: Iterable[str], path: str) -> bool | None:
    """Whether the day comes before the month, as the dates of a file tell; None where it makes no difference.

    Raises
    ------
    ImportRefusedError
        When they tell neither, or both.
    """
    told, either = set(), ""
    for text in texts:
        found = _NUMBERS.match(_plain(text))
        if not found or found[2] == ".":
            continue
        first, second = int(found[1]), int(found[3])
        if first > 12 >= second:
            told.add(True)
        elif second > 12 >= first:
            told.add(False)
        elif first != second and not either:
            either = text.strip()[:20]
    if len(told) == 2:
        raise ImportRefusedError(
            f"{path} has dates with the day first and dates with the month first: "
            "say --day-first or --month-first, and the others are refused row by row."
        )
    if told:
        return told.pop()
    if either:
        raise ImportRefusedError(
            f"{path} has dates such as {either}, and none that tells whether the day or the month comes first: "
            "say --day-first or --month-first."
        )
    return None


def is_in_numbers(text: str) -> bool:
    """Whether a date has its day and month in numbers with the year behind, such as 03/04/2025."""
    return bool(_NUMBERS.match(_plain(text)))


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip().strip("\"'").strip().casefold()
    return re.sub(r"\s+", " ", plain.replace("−", "-"))


def _counted(text: str) -> Moment | None:
    """The moment of a spreadsheet's serial number, or of seconds, or fractions of them, since 1970."""
    serial = _SERIAL.fullmatch(text)
    if serial:
        found = _EXCEL_ZERO + timedelta(days=float(serial[1] + (serial[2] or "")))
        rounded = (found + timedelta(milliseconds=500)).replace(microsecond=0)
        return Moment(rounded.date(), rounded.time() if float(serial[2] or 0) else None)
    epoch = _EPOCH.fullmatch(text)
    if epoch:
        seconds = int(epoch[1]) / 10 ** (len(epoch[1]) - 10)
        since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        return Moment(since.date(), since.time(), timedelta(0))
    return None


def _day(text: str, day_first: bool | None) -> tuple[date, str] | None:
    """The date at the beginning of a text, and what follows it."""
    if found := _YEAR_FIRST.match(text) or _COMPACT.match(text):
        return date(*(int(part) for part in found.groups())), text[found.end() :]
    if found := _NUMBERS.match(text):
        first, second = int(found[1]), int(found[3])
        dotted = found[2] == "."
        if day_first is None:
            day_first = dotted or first > 12
            if not dotted and first <= 12 and second <= 12 and first != second:
                return None
        day, month = (first, second) if day_first or (dotted and second <= 12) else (second, first)
        return date(_year(found[4]), month, day), text[found.end() :]
    if found := _DAY_MONTH.match(text):
        day_text, name, year = found.groups()
    elif found := _MONTH_DAY.match(text):
        name, day_text, year = found.groups()
    else:
        return None
    month_number = _months().get(_unaccented(name))
    if month_number is None:
        return None
    return date(_year(year), month_number, int(day_text)), text[found.end() :]


def _year(text: str) -> int:
    """The year; of two digits, the one from 1970 to 2069, as POSIX has it for most of them."""
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < 70 else 1900)


def _with_time(day: date, rest: str) -> Moment | None:
    if not rest:
        return Moment(day)
    found = _TIME.fullmatch(rest)
    if not found:
        return None
    hours, minutes, seconds, fraction, half, zone, offset = found.groups()
    if minutes is None and not half:
        return None
    hour = int(hours)
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    if zone and zone not in _ZONES:
        return None
    clock = time(hour, int(minutes or 0), int(seconds or 0), int(f"{fraction or '0':0<6}"[:6]))
    return Moment(day, clock, _offset(zone, offset))


def _offset(zone: str | None, offset: str | None) -> timedelta | None:
    if offset:
        digits = offset[1:].replace(":", "")
        hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
        ahead = timedelta(hours=int(hours), minutes=int(minutes))
        if ahead > timedelta(hours=15):
            raise ValueError("no such offset")
        return -ahead if offset[0] == "-" else ahead
    return timedelta(hours=_ZONES[zone]) if zone else None


def _unaccented(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) != "Mn")


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    """The names of the months and their short forms in several languages."""
    names: dict[str, int] = {"sept": 9, "mrz": 3, "maerz": 3}
    for language in reversed(_LANGUAGES):
        months = Locale.parse(language).months
        for context in ("stand-alone", "format"):
            for width in ("abbreviated", "wide"):
                names |= {
                    _unaccented(name.casefold()).rstrip("."): month
                    for month, name in months[context][width].items()
                }
    return names
