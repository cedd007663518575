"""Changes and dollars of a session, on figures small enough to check by hand."""

from datetime import date

import pandas as pd
import pytest

from dashboard.analysis.losses import session_changes, totals

COMPANIES = pd.DataFrame(
    {
        "ticker": ["NVDA", "KS", "NONE", "FUND"],
        "name": ["NVIDIA", "Seoul", "No prices", "Fund"],
        "role": ["AI", "AI", "AI", "benchmark"],
        "currency": ["USD", "KRW", "USD", "USD"],
    }
)
PRICES = pd.DataFrame(
    [
        ("NVDA", "2025-01-24", 142.62, 142.60),
        ("NVDA", "2025-01-27", 118.42, 118.40),
        ("KS", "2025-01-24", 1000.0, 1000.0),
        ("KS", "2025-01-31", 900.0, 900.0),
        ("FUND", "2025-01-24", 100.0, 100.0),
        ("FUND", "2025-01-27", 97.0, 97.0),
    ],
    columns=["ticker", "date", "close", "adj_close"],
).assign(date=lambda frame: pd.to_datetime(frame["date"]))
SHARES = pd.DataFrame(
    {
        "ticker": ["NVDA", "KS"],
        "shares": [24.49e9, 1e6],
        "shares_as_of": pd.to_datetime(["2024-11-15", "2024-12-31"]),
        "basis": ["10-Q cover", "annual report"],
    }
)


def changes(**rates: float) -> pd.DataFrame:
    table = session_changes(PRICES, COMPANIES, SHARES, {"USD": 1.0, **rates}, date(2025, 1, 27))
    return table.set_index("ticker")


def test_the_change_is_of_dividend_adjusted_prices_and_the_dollars_of_closes_times_shares() -> None:
    nvidia = changes().loc["NVDA"]
    assert nvidia["change"] == pytest.approx(118.40 / 142.60 - 1)
    assert nvidia["value_change"] == pytest.approx((118.42 - 142.62) * 24.49e9)
    assert nvidia["missing"] == ""


def test_an_exchange_that_was_closed_counts_with_its_next_session() -> None:
    seoul = changes(KRW=0.0007).loc["KS"]
    assert seoul["on"] == pd.Timestamp("2025-01-31")
    assert seoul["change"] == pytest.approx(-0.1)
    assert seoul["value_change"] == pytest.approx(-100 * 1e6 * 0.0007)


def test_an_exchange_that_had_closed_before_the_event_counts_from_its_next_morning() -> None:
    days = pd.to_datetime(["2024-09-02", "2024-09-03", "2024-09-04"])
    prices = pd.concat(
        pd.DataFrame({"ticker": ticker, "date": days, "close": path, "adj_close": path})
        for ticker, path in (("NVDA", [100.0, 90.0, 95.0]), ("KS", [100.0, 97.0, 89.24]))
    )
    sessions = pd.Series(pd.to_datetime(["2024-09-03", "2024-09-04"]), index=["NVDA", "KS"])
    table = session_changes(prices, COMPANIES, SHARES, {"USD": 1.0}, sessions).set_index("ticker")
    assert table.at["NVDA", "change"] == pytest.approx(-0.10)
    assert table.at["KS", "before"] == pd.Timestamp("2024-09-03")
    assert table.at["KS", "change"] == pytest.approx(-0.08)


def test_what_is_missing_is_named() -> None:
    table = changes()
    assert table.at["KS", "missing"] == "no exchange rate"
    assert table.at["NONE", "missing"] == "no prices around this date"
    assert table.at["FUND", "missing"] == "no share count"
    assert table["value_change"].notna().tolist() == [True, False, False, False]


def test_a_price_from_months_later_does_not_stand_for_the_session() -> None:
    late = PRICES.replace({"date": {pd.Timestamp("2025-01-31"): pd.Timestamp("2025-04-01")}})
    table = session_changes(late, COMPANIES, SHARES, {"USD": 1.0}, date(2025, 1, 27)).set_index("ticker")
    assert table.at["KS", "missing"] == "no prices around this date"


def test_totals_count_losers_gainers_and_those_without_dollars() -> None:
    both = totals(changes().reset_index())
    assert (both.losers, both.gainers, both.unknown) == (1, 0, 1)
    assert both.net == both.lost == pytest.approx((118.42 - 142.62) * 24.49e9)
