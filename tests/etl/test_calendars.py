from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from etl import calendars


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        ("2025-01-27T09:00-05:00", date(2025, 1, 27)),
        ("2025-01-27T15:59-05:00", date(2025, 1, 27)),
        ("2025-01-27T16:00-05:00", date(2025, 1, 28)),  # the bell: nobody can react any more
        ("2025-01-20T12:00+08:00", date(2025, 1, 21)),  # Martin Luther King Day in New York
        ("2025-01-25T12:00-05:00", date(2025, 1, 27)),  # a Saturday
        ("2025-01-08T20:00-05:00", date(2025, 1, 10)),  # the 9th was a day of mourning
    ],
)
def test_the_reaction_falls_in_the_first_session_that_closes_after_the_event(moment: str, session: date):
    assert calendars.session_of(pd.Timestamp(moment)) == session


@pytest.mark.parametrize(
    ("moment", "trading"),
    [
        ("2025-01-27T09:29:59-05:00", False),
        ("2025-01-27T09:30-05:00", True),
        ("2025-01-27T15:59:59-05:00", True),
        ("2025-01-27T16:00-05:00", False),
        ("2025-01-26T12:00-05:00", False),
    ],
)
def test_the_market_is_open_between_the_bells(moment: str, trading: bool):
    assert calendars.is_open(pd.Timestamp(moment)) is trading


def test_a_session_has_closed_half_an_hour_after_its_close():
    before, after = pd.Timestamp("2025-01-27T21:29Z"), pd.Timestamp("2025-01-27T21:30Z")
    assert calendars.last_closed_session("XNAS", before) == date(2025, 1, 24)
    assert calendars.last_closed_session("XNAS", after) == date(2025, 1, 27)


def test_each_exchange_has_its_own_sessions():
    assert calendars.sessions("XKRX", date(2025, 1, 24), date(2025, 1, 31)) == [
        date(2025, 1, 24),
        date(2025, 1, 31),
    ]
    assert calendars.sessions_before("XNYS", date(2025, 1, 21), 2) == date(2025, 1, 16)
    assert calendars.time_zone("XTKS") == "Asia/Tokyo"
