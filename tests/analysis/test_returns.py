"""Rebasing and equal weighting, on prices small enough to check by hand."""

from datetime import date

import pandas as pd
import pytest

from dashboard.analysis.returns import equal_weighted, first_sessions, last_sessions, rebase


def prices(**paths: dict[str, float]) -> pd.DataFrame:
    rows = [
        {"ticker": ticker, "date": pd.Timestamp(day), "close": value, "adj_close": value}
        for ticker, path in paths.items()
        for day, value in path.items()
    ]
    return pd.DataFrame(rows, columns=["ticker", "date", "close", "adj_close"])


SEOUL_CLOSED = prices(
    NY={"2025-01-23": 90.0, "2025-01-24": 100.0, "2025-01-27": 83.0, "2025-01-28": 90.0},
    KS={"2025-01-23": 55.0, "2025-01-24": 50.0, "2025-01-31": 45.0},
)


def test_the_last_session_before_a_day_is_each_tickers_own() -> None:
    table = last_sessions(SEOUL_CLOSED, date(2025, 1, 31))
    assert table["date"].dt.date.to_dict() == {"KS": date(2025, 1, 24), "NY": date(2025, 1, 28)}


def test_the_first_session_since_a_day_waits_for_the_exchange_to_open() -> None:
    table = first_sessions(SEOUL_CLOSED, date(2025, 1, 27))
    assert table["date"].dt.date.to_dict() == {"KS": date(2025, 1, 31), "NY": date(2025, 1, 27)}


def test_prices_are_rebased_to_100_at_the_session_before() -> None:
    rebased = rebase(SEOUL_CLOSED, date(2025, 1, 27)).set_index(["ticker", "date"])["index"]
    assert rebased["NY", pd.Timestamp("2025-01-24")] == 100
    assert rebased["NY", pd.Timestamp("2025-01-27")] == pytest.approx(83)
    assert rebased["KS", pd.Timestamp("2025-01-31")] == pytest.approx(90)


def test_a_ticker_without_a_session_before_is_left_out_of_the_rebased_prices() -> None:
    listed_later = prices(OLD={"2025-01-24": 10.0, "2025-01-27": 11.0}, NEW={"2025-01-27": 5.0})
    assert set(rebase(listed_later, date(2025, 1, 27))["ticker"]) == {"OLD"}


def test_the_mean_leaves_out_who_did_not_trade_and_days_when_hardly_anybody_did() -> None:
    three = prices(
        A={"2025-01-24": 100.0, "2025-01-27": 80.0},
        B={"2025-01-24": 10.0, "2025-01-27": 9.0},
        C={"2025-01-24": 1.0, "2025-01-26": 1.0},
    )
    mean = equal_weighted(rebase(three, date(2025, 1, 26)), ["A", "B", "C"]).set_index("date")
    assert mean.at[pd.Timestamp("2025-01-27"), "index"] == pytest.approx(85)
    assert mean.at[pd.Timestamp("2025-01-27"), "companies"] == 2
    assert pd.Timestamp("2025-01-26") not in mean.index


def test_a_session_of_half_the_companies_counts() -> None:
    two = prices(A={"2025-01-24": 100.0, "2025-01-27": 80.0}, B={"2025-01-24": 10.0})
    mean = equal_weighted(rebase(two, date(2025, 1, 26)), ["A", "B"]).set_index("date")
    assert mean.at[pd.Timestamp("2025-01-27"), "companies"] == 1
