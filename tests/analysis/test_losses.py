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
        "spin_off": pd.to_datetime([None, None, None, None]),
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
MOVED = pd.DataFrame(
    [
        ("NVDA", "2025-01-27", 24.49e9, "2024-11-15", "10-Q cover", 3.49e12, -5.93e11),
        ("KS", "2025-01-28", 1e6, "2024-12-31", "annual report", 1e6, 1e3),
        ("KS", "2025-01-31", 1e6, "2024-12-31", "annual report", 7e5, -7e4),
    ],
    columns=["ticker", "date", "shares", "shares_as_of", "basis", "value_before", "value_change"],
).assign(date=lambda frame: pd.to_datetime(frame["date"]))
"""As `dashboard.data.market.value_moves` returns them: Seoul's of two days, one of which has no price here."""


def changes(prices=PRICES, companies=COMPANIES, moves=MOVED, sessions=date(2025, 1, 27)) -> pd.DataFrame:
    return session_changes(prices, companies, moves, sessions).set_index("ticker")


def test_the_change_is_of_dividend_adjusted_prices_and_the_dollars_are_those_of_the_companys_move() -> None:
    nvidia = changes().loc["NVDA"]
    assert nvidia["change"] == pytest.approx(118.40 / 142.60 - 1)
    assert (nvidia["value_before"], nvidia["value_change"]) == (3.49e12, -5.93e11)
    assert (nvidia["basis"], nvidia["missing"]) == ("10-Q cover", "")


def test_an_exchange_that_was_closed_counts_with_its_next_session() -> None:
    seoul = changes().loc["KS"]
    assert seoul["on"] == pd.Timestamp("2025-01-31")
    assert seoul["change"] == pytest.approx(-0.1)
    assert seoul["value_change"] == -7e4


def test_an_exchange_that_had_closed_before_the_event_counts_from_its_next_morning() -> None:
    days = pd.to_datetime(["2024-09-02", "2024-09-03", "2024-09-04"])
    prices = pd.concat(
        pd.DataFrame({"ticker": ticker, "date": days, "close": path, "adj_close": path})
        for ticker, path in (("NVDA", [100.0, 90.0, 95.0]), ("KS", [100.0, 97.0, 89.24]))
    )
    sessions = pd.Series(pd.to_datetime(["2024-09-03", "2024-09-04"]), index=["NVDA", "KS"])
    table = changes(prices, sessions=sessions)
    assert table.at["NVDA", "change"] == pytest.approx(-0.10)
    assert table.at["KS", "before"] == pd.Timestamp("2024-09-03")
    assert table.at["KS", "change"] == pytest.approx(-0.08)


def test_what_is_missing_is_named() -> None:
    without_rate = MOVED["ticker"] == "KS"
    table = changes(moves=MOVED.assign(value_change=MOVED["value_change"].mask(without_rate)))
    assert table.at["KS", "missing"] == "no exchange rate"
    assert table.at["NONE", "missing"] == "no prices around this date"
    assert table.at["FUND", "missing"] == "no share count"
    assert table["value_change"].notna().tolist() == [True, False, False, False]


def test_a_price_from_months_later_does_not_stand_for_the_session() -> None:
    late = PRICES.replace({"date": {pd.Timestamp("2025-01-31"): pd.Timestamp("2025-04-01")}})
    table = changes(late)
    assert table.at["KS", "missing"] == "no prices around this date"


def test_totals_count_losers_gainers_and_those_without_dollars() -> None:
    both = totals(changes(moves=MOVED[MOVED["ticker"] == "NVDA"]).reset_index())
    assert (both.losers, both.gainers, both.unknown) == (1, 0, 1)
    assert both.net == both.lost == -5.93e11


@pytest.mark.parametrize(("days", "missing"), [(14, "no share count"), (15, "no prices around this date")])
@pytest.mark.parametrize("side", [1, -1])
def test_a_price_counts_up_to_two_weeks_from_the_session(days: int, missing: str, side: int) -> None:
    moved = pd.Timestamp("2025-01-31" if side == 1 else "2025-01-24")
    there = pd.Timestamp("2025-01-27") + side * pd.Timedelta(days=days)
    prices = PRICES.copy()
    prices.loc[(prices["ticker"] == "KS") & (prices["date"] == moved), "date"] = there
    assert changes(prices, moves=MOVED.head(0)).at["KS", "missing"] == missing


def test_a_count_that_does_not_fit_closes_from_before_a_spin_off_is_said_to_be_missing() -> None:
    spun = COMPANIES.assign(spin_off=pd.to_datetime([None, "2025-01-30", None, "2025-02-03"]))
    missing = changes(companies=spun, moves=MOVED.head(0))["missing"]
    assert missing["FUND"] == "no share count that fits closes from before the spin-off of 2025-02-03"
    assert missing["KS"] == "no share count"  # it moved the day after
    on_the_day = COMPANIES.assign(spin_off=pd.to_datetime([None, "2025-01-31", None, None]))
    assert "spin-off of 2025-01-31" in changes(companies=on_the_day, moves=MOVED.head(0)).at["KS", "missing"]


MOVES = pd.DataFrame(
    [
        ("A", "AI", "semis", -10.0, 100.0, -0.1),
        ("B", "AI", "power", 4.0, 40.0, 0.1),
        ("C", "AI", "semis", None, None, -0.2),
        ("D", "comparison", "semis", -50.0, 60.0, -0.5),
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
    small = totals(MOVES.replace({"value_change": {4.0: 0.5}}))
    assert (small.lost, small.gained, small.gainers) == (-10.0, 0.5, 1)


def test_segments_add_up_what_has_dollars() -> None:
    table = by_segment(MOVES, "All")
    assert list(table.index) == ["All", "semis", "power"]
    assert table["value_change"].tolist() == [-56.0, -60.0, 4.0]
    assert table["value_before"].tolist() == [210.0, 160.0, 50.0]
    assert table["change"].tolist() == pytest.approx([-56 / 210, -60 / 160, 4 / 50])


def test_the_value_before_of_a_company_without_a_change_in_dollars_is_not_added_up() -> None:
    without = MOVES.assign(value_before=MOVES["value_before"].fillna(900.0), spin_off=pd.NaT)
    assert by_segment(without, "All")["value_before"].tolist() == [210.0, 160.0, 50.0]
