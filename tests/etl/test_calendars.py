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
    ("moment", "exchange", "session"),
    [
        ("2024-09-03T09:30-04:00", "XNAS", date(2024, 9, 3)),
        ("2024-09-03T09:30-04:00", "XKRX", date(2024, 9, 4)),  # 22:30 in Seoul, which had closed at 15:30
        ("2024-09-03T09:30-04:00", "XTKS", date(2024, 9, 4)),
        ("2024-09-03T02:00-04:00", "XKRX", date(2024, 9, 3)),  # 15:00 in Seoul
        ("2024-09-03T02:30-04:00", "XKRX", date(2024, 9, 4)),
        ("2025-01-27T09:30-05:00", "XKRX", date(2025, 1, 31)),  # the new year's holidays
        ("2025-01-27T09:30-05:00", "XHKG", date(2025, 1, 28)),
    ],
)
def test_each_exchange_reacts_in_its_own_first_session_after_the_moment(moment, exchange, session):
    assert calendars.session_of(pd.Timestamp(moment), exchange) == session


@pytest.mark.parametrize(
    ("day", "zone", "exchange", "session"),
    [
        (date(2022, 11, 30), "America/Los_Angeles", "XNYS", date(2022, 11, 30)),
        (date(2022, 11, 30), "America/Los_Angeles", "XKRX", date(2022, 12, 1)),
        (date(2023, 10, 17), "America/New_York", "XTKS", date(2023, 10, 18)),
        (date(2025, 1, 20), "Asia/Shanghai", "XKRX", date(2025, 1, 20)),
        (date(2025, 1, 20), "Asia/Shanghai", "XNYS", date(2025, 1, 21)),  # New York was closed on the 20th
        (
            date(2024, 12, 26),
            "Asia/Shanghai",
            "XNYS",
            date(2024, 12, 26),
        ),  # begins in the session of the 25th, UTC
        (
            date(2025, 1, 23),
            "Pacific/Auckland",
            "XNYS",
            date(2025, 1, 23),
        ),  # begins before the bell of the 22nd
        (date(2025, 1, 30), "Europe/Rome", "XNYS", date(2025, 1, 30)),
    ],
)
def test_a_day_without_an_hour_is_answered_by_the_first_session_of_that_day(day, zone, exchange, session):
    begins = pd.Timestamp(day, tz=zone)
    assert calendars.session_of(begins, exchange, day=day) == session


def test_a_moment_beyond_the_calendar_is_named():
    with pytest.raises(calendars.UnknownSession, match=r"XNYS .* 2999-01-01 are not known yet"):
        calendars.session_of(pd.Timestamp("2999-01-01", tz="UTC"))


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
