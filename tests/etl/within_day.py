"""Rows of intraday bars, and what each of their gates refuses."""

from __future__ import annotations

from math import nan
from typing import Any

Row = dict[str, Any]


def within(**values: Any) -> Row:
    """A bar of five minutes in a session whose daily bar is held: 98 to 102, ending at 101 as the session before."""
    place = {"local_time": "2025-03-12 10:00:00", "session": "2025-03-12", "phase": "regular"}
    usual = {"open": 100.0, "high": 100.4, "low": 99.9, "close": 100.2, "volume": 1000}
    keys = {"ticker": "AMD", "minutes": 5, "starts_at": "2025-03-12 14:00:00+00"}
    return {**keys, **place, **usual, "currency": "USD", "source": "yahoo-intraday"} | values


def asked(**values: Any) -> Row:
    moment = "2025-03-12 22:00:00+00"
    return {
        "ticker": "AMD",
        "minutes": 5,
        "session": "2025-03-12",
        "asked_at": moment,
        "source": "x",
    } | values


WITHIN_CASES: dict[str, list[tuple[str, Row | list[Row]]]] = {
    "price_intraday": [
        ("no company of that ticker", within(ticker="WHO", starts_at="2025-03-12 14:00:00+00")),
        ("no time", within(starts_at="soon")),
        ("no length of bars that is known", within(minutes=7)),
        ("no close", within(close=None)),
        ("the close is not positive", within(close=-1.0, low=None, open=None)),
        ("no number: volume 12.5K", within(volume="12.5K")),
        ("the open, high or low is not a finite number", within(open=nan)),
        ("a price is not positive", within(open=0.0)),
        ("the high is below the low", within(high=100.0, low=100.005, close=100.0)),
        ("the close is outside the range of its bar", within(close=102.2)),
        ("the volume is negative", within(volume=-5)),
        ("the currency is USd, not USD", within(currency="USd")),
        ("XNAS does not trade at that time", within(phase=None)),
        ("it begins between two bars", within(starts_at="2025-03-12 14:03:00+00")),
        ("the bar has not ended yet", within(starts_at="2025-03-20 23:00:00+00")),
        ("no daily close of its session is held to judge it by", within(session="2025-03-11")),
        (
            "far outside the daily bar of its session: another unit, or a split not applied?",
            within(open=1000.0, high=1004.0, low=999.0, close=1002.0),
        ),
        (
            "its bars end over 3% off the daily close of the session: on another basis?",
            within(starts_at="2025-03-12 19:55:00+00", open=97.0, high=98.0, low=96.0, close=97.0),
        ),
        ("a second bar of its time", [within(), within()]),
    ],
    "intraday_asked": [("no session, or no length of bars", asked(minutes=None))],
}

WITHIN_EDGES: list[tuple[str, Row, Row]] = [
    ("price_intraday", within(close=100.4 * 1.00009), within(close=100.4 * 1.0002)),
    ("price_intraday", within(high=122.0, close=122.0), within(high=123.0, close=123.0)),
    ("price_intraday", within(low=82.0, close=82.0), within(low=81.0, close=81.0)),
    ("price_intraday", within(phase="post", high=193.0), within(phase="post", high=193.0, close=195.0)),
    ("price_intraday", within(phase="pre", low=52.0, close=52.0), within(phase="pre", low=51.0, close=51.0)),
    ("price_intraday", within(minutes=1, starts_at="2025-03-12 14:03:00+00"), within(minutes=11)),
    (
        "price_intraday",
        within(starts_at="2025-03-12 19:45:00+00", high=104.0, close=103.9),
        within(starts_at="2025-03-12 19:45:00+00", high=105.0, close=104.1),
    ),
    (
        "price_intraday",
        within(starts_at="2025-03-12 19:30:00+00", high=105.0, close=104.1),
        within(starts_at="2025-03-12 19:40:00+00", high=105.0, close=104.1),
    ),
]
