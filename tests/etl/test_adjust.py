from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.adjust import back_adjusted


def series(values: dict[str, float]) -> pd.Series:
    return pd.Series(list(values.values()), index=pd.to_datetime(list(values)), dtype=float)


def test_closes_before_an_ex_date_fall_by_the_dividends_share_of_the_close_before_it():
    closes = series({"2025-01-02": 100.0, "2025-01-03": 110.0, "2025-01-06": 108.0})
    adjusted = back_adjusted(closes, series({"2025-01-06": 1.1}))
    assert adjusted.tolist() == pytest.approx([99.0, 108.9, 108.0])


def test_two_dividends_multiply():
    closes = series({"2025-01-02": 100.0, "2025-01-03": 100.0, "2025-01-06": 100.0})
    adjusted = back_adjusted(closes, series({"2025-01-03": 10.0, "2025-01-06": 20.0}))
    assert adjusted.tolist() == pytest.approx([72.0, 80.0, 100.0])


@pytest.mark.parametrize("ex_date", ["2024-12-31", "2025-01-02", "2025-01-07", "2026-01-01"])
def test_an_ex_date_without_a_close_on_both_sides_changes_nothing(ex_date: str):
    closes = series({"2025-01-02": 100.0, "2025-01-03": 110.0, "2025-01-06": 108.0})
    assert back_adjusted(closes, series({ex_date: 5.0})).tolist() == closes.tolist()


def test_an_ex_date_on_a_day_without_trading_counts_from_the_next_session():
    closes = series({"2025-01-03": 100.0, "2025-01-06": 100.0})
    assert back_adjusted(closes, series({"2025-01-05": 4.0})).tolist() == pytest.approx([96.0, 100.0])


@given(st.lists(st.floats(1, 1000), min_size=3, max_size=30), st.floats(0.001, 0.05), st.data())
def test_the_return_over_an_ex_date_is_the_price_change_with_the_dividend_reinvested(closes, share, data):
    prices = pd.Series(closes, index=pd.bdate_range("2025-01-02", periods=len(closes)))
    day = data.draw(st.integers(1, len(closes) - 1))
    dividend = share * closes[day - 1]
    adjusted = back_adjusted(prices, pd.Series({prices.index[day]: dividend}))
    assert adjusted.iloc[day] / adjusted.iloc[day - 1] == pytest.approx(
        closes[day] / (closes[day - 1] - dividend)
    )
