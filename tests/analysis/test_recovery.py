"""Drawdowns and recoveries, on paths small enough to check by hand."""

from datetime import date

import pandas as pd
import pytest

from dashboard.analysis.recovery import recoveries

DAYS = pd.bdate_range("2025-01-24", periods=6)
SESSION = date(2025, 1, 27)


def path(ticker: str, *values: float) -> pd.DataFrame:
    frame = pd.DataFrame({"ticker": ticker, "date": DAYS[: len(values)], "adj_close": values})
    return frame.assign(close=frame["adj_close"])


def test_sessions_to_recover_count_the_events_own_as_one() -> None:
    row = recoveries(path("A", 100, 80, 90, 100, 70), SESSION).iloc[0]
    assert row["sessions"] == 3
    assert row["recovered"] == DAYS[3]


def test_the_drawdown_is_the_lowest_close_before_the_recovery() -> None:
    row = recoveries(path("A", 100, 80, 75, 101, 50), SESSION).iloc[0]
    assert row["drawdown"] == pytest.approx(-0.25)
    assert row["low"] == DAYS[2]
    assert row["last_change"] == pytest.approx(-0.5)


def test_who_has_not_recovered_yet_has_no_date_and_no_count() -> None:
    row = recoveries(path("A", 100, 80, 75, 99), SESSION).iloc[0]
    assert pd.isna(row["recovered"])
    assert pd.isna(row["sessions"])


def test_who_rose_or_stood_still_and_who_has_no_price_before_is_left_out() -> None:
    rose, flat = path("UP", 100, 110), path("FLAT", 100, 100)
    listed_later = path("NEW", 100, 50).iloc[1:]
    assert recoveries(pd.concat([rose, flat, listed_later]), SESSION).empty


def test_each_ticker_counts_from_the_first_session_that_could_react() -> None:
    prices = pd.concat([path("A", 100, 80, 100), path("B", 90, 100, 80, 100)])
    sessions = pd.Series([DAYS[1], DAYS[2]], index=["A", "B"])
    table = recoveries(prices, sessions).set_index("ticker")
    assert table["before"].to_dict() == {"A": DAYS[0], "B": DAYS[1]}
    assert table["sessions"].to_dict() == {"A": 2, "B": 2}
