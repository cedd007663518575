"""Sessions before and after the event: estimation window, event window, windows of the cumulative return.

All offsets count sessions of the index, never calendar days; day 0 is the event session.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.event_study.errors import EventStudyError

Window = tuple[int, int]


@dataclass(frozen=True)
class Scopes:
    """What the tests are run on: each event day, then each window longer than a day.

    A window of one day IS that day: its row in the table of tests repeats the day's. `starts` and `ends` are
    event days (D,), `lengths` days (D,), `member` (W × D) says which event days a scope holds, and `rows`
    is the scope of every window the user asked for.
    """

    days: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    member: NDArray[np.float64]
    windows: tuple[Window, ...]
    rows: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Days of each scope."""
        return self.ends - self.starts + 1

    def __len__(self) -> int:
        """Number of scopes."""
        return len(self.starts)


@dataclass(frozen=True)
class EventPlace:
    """The sessions of an event: day 0, estimation window, event window, and the day of each of the latter."""

    session: pd.Timestamp
    estimation: pd.DatetimeIndex
    event: pd.DatetimeIndex
    days: NDArray[np.int64]


def make_scopes(event_window: Window, windows: Sequence[Window], *, days: bool = True) -> Scopes:
    """Scopes of an event window; without `days` only those that the windows need."""
    first, last = event_window
    event_days = np.arange(first, last + 1)
    wanted = [(int(day), int(day)) for day in event_days] if days else []
    for window in windows:
        if window not in wanted:
            wanted.append(window)
    starts = np.array([start for start, _ in wanted], dtype=np.int64)
    ends = np.array([end for _, end in wanted], dtype=np.int64)
    member = (event_days[:, None] >= starts) & (event_days[:, None] <= ends)
    rows = np.array([wanted.index(window) for window in windows], dtype=np.int64)
    return Scopes(event_days, starts, ends, member.astype(np.float64), tuple(windows), rows)


def check_windows(estimation: Window, event_window: Window, windows: Sequence[Window]) -> tuple[Window, ...]:
    """The windows as pairs of whole numbers, checked against each other.

    Raises:
        EventStudyError: a window ends before it starts, is not whole numbers, lies outside the event
            window, is given twice, or the estimation window overlaps the event window.
    """
    estimation = _pair(estimation, "estimation window")
    event_window = _pair(event_window, "event window")
    if estimation[1] >= event_window[0]:
        raise EventStudyError(
            f"The estimation window {label(estimation)} overlaps or follows the event window "
            f"{label(event_window)}; it must end before day {event_window[0]}."
        )
    if not event_window[0] <= 0 <= event_window[1]:
        raise EventStudyError(f"The event window {label(event_window)} must hold day 0.")
    checked = tuple(_pair(window, "window") for window in windows)
    for window in checked:
        if window[0] < event_window[0] or window[1] > event_window[1]:
            raise EventStudyError(
                f"The window {label(window)} lies outside the event window {label(event_window)}."
            )
    if len(set(checked)) < len(checked):
        raise EventStudyError("A window is given twice.")
    return checked


def label(window: Window) -> str:
    """A window as readers know it: [-1, 1]."""
    return f"[{window[0]}, {window[1]}]"


def _pair(window: Window, what: str) -> Window:
    try:
        start, end = window
    except (TypeError, ValueError) as error:
        raise EventStudyError(
            f"The {what} must be two numbers (first day, last day), not {window!r}."
        ) from error
    whole = (int, np.integer)
    if (
        isinstance(start, bool)
        or isinstance(end, bool)
        or not isinstance(start, whole)
        or not isinstance(end, whole)
    ):
        raise EventStudyError(f"The {what} {window!r} must be whole numbers of sessions.")
    if start > end:
        raise EventStudyError(f"The {what} {label((start, end))} ends before it starts.")
    return int(start), int(end)


def locate_event(sessions: pd.DatetimeIndex, event_date: object) -> tuple[int, pd.Timestamp]:
    """Position of the event session, and the date asked for.

    A date that is not a session rolls FORWARD to the next one: news after the close or on a weekend is priced
    then.
    """
    asked = read_date(event_date)
    if asked < sessions[0] or asked > sessions[-1]:
        raise EventStudyError(
            f"The event of {asked:%Y-%m-%d} lies outside the data, which run from {sessions[0]:%Y-%m-%d} "
            f"to {sessions[-1]:%Y-%m-%d}."
        )
    return int(sessions.searchsorted(asked)), asked


def read_date(value: object) -> pd.Timestamp:
    """A calendar date; raises EventStudyError when the value is none or carries a time zone."""
    if isinstance(value, bool | int | float) or not isinstance(value, str | dt.date | np.datetime64):
        raise EventStudyError(f"The event date must be a date, not {value!r}.")
    try:
        stamp = pd.Timestamp(value)
    except ValueError as error:
        raise EventStudyError(f"The event date {value!r} is not a date (write YYYY-MM-DD).") from error
    if stamp is pd.NaT:
        raise EventStudyError("The event date is empty.")
    if stamp.tz is not None:
        raise EventStudyError("The event date has a time zone; give the date of the session.")
    return stamp.normalize()


def place_windows(
    sessions: pd.DatetimeIndex, position: int, estimation: Window, event_window: Window
) -> tuple[slice, slice, list[str]]:
    """Slices of the estimation and the event window, and what the reader must know about them.

    Where the data begin inside the estimation window, the sessions that exist are used and a note says so.
    """
    first, last = position + event_window[0], position + event_window[1]
    if first < 0 or last >= len(sessions):
        side = f"begin on {sessions[0]:%Y-%m-%d}" if first < 0 else f"end on {sessions[-1]:%Y-%m-%d}"
        have = -position if first < 0 else len(sessions) - 1 - position
        raise EventStudyError(
            f"The event window {label(event_window)} around {sessions[position]:%Y-%m-%d} reaches outside "
            f"the data, which {side} (day {have}); choose a shorter event window."
        )
    start, stop = position + estimation[0], position + estimation[1] + 1
    if stop <= 0:
        raise EventStudyError(
            f"No session of the estimation window {label(estimation)} is in the data, which begin on "
            f"{sessions[0]:%Y-%m-%d}, {position} sessions before the event."
        )
    notes = []
    if start < 0:
        asked = estimation[1] - estimation[0] + 1
        notes.append(
            f"The data begin {position} sessions before the event: the estimation window holds {stop} "
            f"sessions instead of {asked}."
        )
    return slice(max(start, 0), stop), slice(first, last + 1), notes


def leave_out(
    sessions: pd.DatetimeIndex, before: slice, exclude: Iterable[object]
) -> tuple[slice | NDArray[np.int64], list[str]]:
    """The estimation window without the sessions of other events, and the note that says how many they are.

    A date that is not a session stands for the next one.
    """
    dates = [read_date(date) for date in exclude]
    inside = sessions[before]
    hit = {int(sessions.searchsorted(date)) for date in dates if inside[0] <= date <= inside[-1]}
    hit = {position for position in hit if before.start <= position < before.stop}
    if not hit:
        return before, []
    kept = np.array([each for each in range(before.start, before.stop) if each not in hit], dtype=np.int64)
    count = f"{len(hit)} session{'s' if len(hit) > 1 else ''}"
    return kept, [f"{count} with other events left out of the estimation window."]
