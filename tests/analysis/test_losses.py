"""Changes and dollars of a session, on figures small enough to check by hand."""

from datetime import date

import pandas as pd
import pytest

from dashboard.analysis.losses import by_segment, session_changes, totals

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


def test_the_value_before_is_in_dollars_at_the_exchange_rate() -> None:
    seoul = changes(KRW=0.0007).loc["KS"]
    assert seoul["value_before"] == pytest.approx(1000 * 1e6 * 0.0007)
    assert changes().loc["NVDA", "value_before"] == pytest.approx(142.62 * 24.49e9)


@pytest.mark.parametrize(("days", "missing"), [(14, "no exchange rate"), (15, "no prices around this date")])
@pytest.mark.parametrize("side", [1, -1])
def test_a_price_counts_up_to_two_weeks_from_the_session(days: int, missing: str, side: int) -> None:
    moved = pd.Timestamp("2025-01-31" if side == 1 else "2025-01-24")
    there = pd.Timestamp("2025-01-27") + side * pd.Timedelta(days=days)
    prices = PRICES.copy()
    prices.loc[(prices["ticker"] == "KS") & (prices["date"] == moved), "date"] = there
    table = session_changes(prices, COMPANIES, SHARES, {"USD": 1.0}, date(2025, 1, 27)).set_index("ticker")
    assert table.at["KS", "missing"] == missing


def test_a_count_that_does_not_fit_closes_from_before_a_spin_off_is_said_to_be_missing() -> None:
    spun = COMPANIES.assign(spin_off=pd.to_datetime([None, None, None, "2025-02-03"]))
    table = session_changes(PRICES, spun, SHARES, {"USD": 1.0}, date(2025, 1, 27)).set_index("ticker")
    assert (
        table.at["FUND", "missing"]
        == "no share count that fits closes from before the spin-off of 2025-02-03"
    )


MOVES = pd.DataFrame(
    [
        ("A", "AI", "chips", -10.0, 100.0, -0.1),
        ("B", "AI", "power", 4.0, 40.0, 0.1),
        ("C", "AI", "chips", None, None, -0.2),
        ("D", "comparison", "chips", -50.0, 60.0, -0.5),
        ("E", "AI", "power", None, None, None),
        ("F", "AI", "power", 0.0, 10.0, 0.0),
    ],
    columns=["ticker", "role", "segment", "value_change", "value_before", "change"],
)


def test_totals_are_of_one_role_and_part_losses_from_gains() -> None:
    found = totals(MOVES)
    assert (found.lost, found.gained, found.net) == (-10.0, 4.0, -6.0)
    assert (found.losers, found.gainers, found.unknown) == (1, 1, 1)
    assert totals(MOVES, "comparison").lost == -50.0


def test_segments_add_up_what_has_dollars() -> None:
    table = by_segment(MOVES, "All")
    assert list(table.index) == ["All", "chips", "power"]
    assert table["value_change"].tolist() == [-56.0, -60.0, 4.0]
    assert table["value_before"].tolist() == [210.0, 160.0, 50.0]
    assert table["change"].tolist() == pytest.approx([-56 / 210, -60 / 160, 4 / 50])
