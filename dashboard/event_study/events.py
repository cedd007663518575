"""Other events that a study cannot tell from its own."""

from collections.abc import Mapping

import pandas as pd

from dashboard.event_study.study import ESTIMATION, EVENT_WINDOW
from dashboard.event_study.windows import Window, read_date

SAME, WINDOW, ESTIMATION_PERIOD = "same session", "event window", "estimation window"


def confounders(
    sessions: pd.DatetimeIndex,
    session: pd.Timestamp,
    others: Mapping[str, object],
    estimation: Window = ESTIMATION,
    event_window: Window = EVENT_WINDOW,
) -> pd.DataFrame:
    """Other events that a study of `session` cannot tell from its own.

    Args:
        sessions: the calendar.
        session: day 0.
        others: name → date of the other events, which roll forward to a session.
        estimation: first and last session of the estimation window.
        event_window: first and last session of the event window.

    Returns:
        One row an event, nearest first: event, day (session from day 0), where: "same session" (the two
        cannot be separated), "event window" (a CAR over it holds both) or "estimation window" (it blurs what
        is normal).
    """
    zero = int(sessions.searchsorted(session))
    rows = []
    for name, date in others.items():
        day = int(sessions.searchsorted(read_date(date))) - zero
        where = SAME if day == 0 else WINDOW if event_window[0] <= day <= event_window[1] else ""
        where = where or (ESTIMATION_PERIOD if estimation[0] <= day <= estimation[1] else "")
        if where:
            rows.append((name, day, where))
    rows.sort(key=lambda row: (abs(row[1]), row[0]))
    return pd.DataFrame(rows, columns=["event", "day", "where"])
