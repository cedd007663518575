"""What is read for a day: every bound and filter of the queries for prices, counts and rates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pandas as pd
import pytest

from dashboard.data import market
from dashboard.views.records import read_records
from etl.warehouse.migrate import migrate

DAY = date(2025, 1, 27)
OLD_COUNT_DAYS, RATE_DAYS = 400, 10
BEFORE, AFTER = date(2025, 1, 24), date(2025, 1, 28)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in memory with two AI companies, one of Seoul, another company and a fund."""
    with duckdb.connect() as con:
        migrate(con, constraints=True)
        for ticker, name, currency, role, ai_from in (
            ("NVDA", "NVIDIA", "USD", "AI", None),
            ("VST", "iVistra", "USD", "AI", date(2025, 1, 27)),
            ("KS", "Hynix", "KRW", "AI", None),
            ("JNJ", "Johnson", "USD", "comparison", None),
            ("SPY", "S&P 500", "USD", "benchmark", None),
        ):
            add(
                con,
                "company",
                ticker=ticker,
                name=name,
                segment="s",
                exchange="XNAS",
                currency=currency,
                role=role,
                is_benchmark=role == "benchmark",
                ai_from=ai_from,
            )
            for day, close in ((BEFORE, 100.0), (DAY, 80.0), (AFTER, 88.0)):
                price(con, ticker, day, close)
        yield con


def add(con: duckdb.DuckDBPyConnection, table: str, **row: Any) -> None:
    names = ", ".join(row)
    con.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


def price(con, ticker: str, day: date, close: float, source: str = "yahoo") -> None:
    row = {
        "ticker": ticker,
        "date": day,
        "close": close,
        "adj_close": close / 2,
        "currency": "USD",
        "source": source,
    }
    add(con, "price_daily", **row)


def count(con, shares: int, day: date, ticker: str = "NVDA", **rest: Any) -> None:
    add(con, "shares_outstanding", ticker=ticker, date=day, shares=shares, basis="cover", source="x", **rest)


def rate(con, day: date, dollars: float, currency: str = "KRW") -> None:
    add(con, "exchange_rate", currency=currency, date=day, usd_per_unit=dollars, source="x")


def split(con, day: date, ratio: float, ticker: str = "NVDA") -> None:
    add(con, "split", ticker=ticker, date=day, ratio=ratio, source="x")


def shares(con, day: date = DAY) -> dict[str, float]:
    frame = market.value_moves(con, day, day).dropna(subset=["shares"])
    return dict(zip(frame["ticker"], frame["shares"], strict=True))


def move(con, ticker: str, day: date = DAY) -> pd.Series:
    frame = market.value_moves(con)
    return frame[(frame["ticker"] == ticker) & (frame["date"] == pd.Timestamp(day))].iloc[0]


def test_a_company_counts_as_ai_from_its_day_on(con):
    assert set(market.companies(con)["ticker"]) == {"NVDA", "VST", "KS", "JNJ", "SPY"}
    assert set(market.companies(con, BEFORE)["ticker"]) == {"NVDA", "KS", "JNJ", "SPY"}
    assert "VST" in set(market.companies(con, DAY)["ticker"])
    assert not move(con, "JNJ")["is_ai"]
    assert move(con, "VST")["is_ai"]


def test_prices_are_those_of_the_days_and_tickers_asked_for(con):
    found = market.daily_prices(con, DAY, AFTER, ["NVDA", "SPY"])
    assert set(found["ticker"]) == {"NVDA", "SPY"}
    assert list(found["date"].dt.date.unique()) == [DAY, AFTER]
    assert len(market.daily_prices(con, BEFORE, DAY)) == 10
    assert market.daily_prices(con, BEFORE, AFTER, []).empty


def test_the_latest_count_that_was_known_is_taken(con):
    count(con, 10, date(2024, 3, 1))
    count(con, 20, date(2024, 9, 1))
    count(con, 30, date(2025, 1, 28))
    assert shares(con) == {"NVDA": 20}
    for day in (date(2024, 2, 28), date(2024, 2, 29), date(2024, 8, 31)):
        price(con, "NVDA", day, 100.0)
    assert shares(con, date(2024, 8, 31)) == {"NVDA": 10}
    assert shares(con, date(2024, 2, 29)) == {}


def test_a_count_is_known_from_the_day_it_was_filed(con):
    count(con, 10, date(2024, 3, 1), filed=date(2024, 4, 1))
    count(con, 20, date(2025, 1, 1), filed=date(2025, 1, 28))
    assert shares(con) == {"NVDA": 10}
    assert shares(con, AFTER) == {"NVDA": 20}


def test_of_two_counts_filed_together_the_later_one_is_taken(con):
    count(con, 10, date(2024, 3, 1), filed=date(2024, 4, 1))
    count(con, 20, date(2024, 3, 20), filed=date(2024, 4, 1))
    assert shares(con) == {"NVDA": 20}


def test_counts_are_on_the_split_basis_of_the_closes(con):
    count(con, 10, date(2024, 3, 1), splits_through=date(2024, 5, 1))
    split(con, date(2024, 4, 1), 3)  # the count has it already
    split(con, date(2024, 5, 1), 5)
    split(con, date(2024, 6, 10), 2)
    split(con, date(2025, 2, 10), 7)  # the closes have it, though it came later
    split(con, date(2024, 6, 10), 11, "JNJ")
    assert shares(con) == {"NVDA": 10 * 2 * 7}


def test_without_a_note_a_count_has_the_splits_up_to_its_day(con):
    count(con, 10, date(2024, 6, 10))
    split(con, date(2024, 6, 10), 2)
    split(con, date(2024, 6, 11), 3)
    assert shares(con) == {"NVDA": 30}


@pytest.mark.parametrize(("days", "old"), [(OLD_COUNT_DAYS, False), (OLD_COUNT_DAYS + 1, True)])
def test_an_old_count_is_said_to_be_old(con, days, old):
    count(con, 10, DAY - timedelta(days=days), form="10-Q")
    row = move(con, "NVDA")
    assert row["old"] == old
    assert row["basis"] == "10-Q cover" + (", more than 400 days old" if old else "")


def test_up_to_a_spin_off_that_the_closes_have_taken_out_there_is_no_value(con):
    count(con, 10, date(2024, 9, 1))
    con.execute("UPDATE company SET spin_off = ? WHERE ticker = 'NVDA'", [DAY])
    assert shares(con) == {}
    assert shares(con, AFTER) == {"NVDA": 10}
    assert pd.isna(move(con, "NVDA")["value_change"])
    assert move(con, "NVDA", AFTER)["value_change"] == pytest.approx(80)


def test_the_latest_rate_up_to_the_day_counts_while_it_is_fresh(con):
    rate(con, DAY - timedelta(days=RATE_DAYS), 0.0006)
    rate(con, AFTER, 0.0009)
    late = AFTER + timedelta(days=RATE_DAYS + 1)
    price(con, "KS", late, 90.0)
    assert [move(con, "KS", day)["rate"] for day in (DAY, AFTER)] == [0.0006, 0.0009]
    rate(con, DAY, 0.0007)
    assert move(con, "KS")["rate"] == 0.0007
    assert pd.isna(move(con, "KS", late)["rate"])
    assert move(con, "NVDA")["rate"] == 1


def test_the_value_of_a_foreign_listing_is_in_dollars_at_the_rate_of_the_day(con):
    count(con, 1000, date(2024, 9, 1), "KS")
    rate(con, DAY - timedelta(days=RATE_DAYS), 0.0007)
    found = move(con, "KS")
    assert (found["value_before"], found["value_change"]) == pytest.approx(
        (100 * 1000 * 0.0007, -20 * 1000 * 0.0007)
    )
    assert pd.isna(move(con, "KS", AFTER)["value_change"])  # the rate is eleven days old
    assert move(con, "KS")["change"] == pytest.approx(-0.2)


def test_a_change_counts_the_dividend_and_the_dollars_do_not(con):
    count(con, 1000, date(2024, 9, 1))
    con.execute("UPDATE price_daily SET adj_close = close * 0.9 WHERE ticker = 'NVDA' AND date = ?", [BEFORE])
    con.execute("UPDATE price_daily SET adj_close = close WHERE ticker = 'NVDA' AND date = ?", [DAY])
    found = move(con, "NVDA")
    assert (found["change"], found["value_change"]) == pytest.approx((80 / 90 - 1, -20 * 1000))


def test_of_the_valued_moves_are_those_of_companies_with_a_share_count(con):
    count(con, 1000, date(2024, 9, 1))
    valued = market.value_moves(con, valued=True)
    assert set(valued["ticker"]) == {"NVDA"}
    every = market.value_moves(con)
    assert set(every["ticker"]) == {"NVDA", "VST", "KS", "JNJ"}
    assert valued["value_change"].tolist() == every.loc[every["ticker"] == "NVDA", "value_change"].tolist()


def test_a_count_and_a_rate_of_another_do_not_stand_in(con):
    count(con, 1000, date(2024, 9, 1), "JNJ")
    rate(con, DAY, 1.1, "EUR")
    assert pd.isna(move(con, "NVDA")["value_change"])
    assert pd.isna(move(con, "KS")["rate"])
    assert move(con, "JNJ")["value_change"] == pytest.approx(-20_000)


def test_a_dollar_is_worth_a_dollar_whatever_a_table_of_rates_says(con):
    for day in (BEFORE, DAY, AFTER):
        rate(con, day, 2.0, "USD")
    assert {move(con, ticker, day)["rate"] for ticker in ("NVDA", "JNJ") for day in (DAY, AFTER)} == {1}


def test_moves_leave_out_funds_and_first_sessions(con):
    found = market.value_moves(con)
    assert set(found["ticker"]) == {"NVDA", "VST", "KS", "JNJ"}
    assert found["date"].dt.date.min() == DAY
    between = market.value_moves(con, AFTER, AFTER)
    assert set(between["date"].dt.date) == {AFTER}
    assert set(market.value_moves(con, None, DAY)["date"].dt.date) == {DAY}


def test_a_move_counts_the_shares_that_were_known_that_day(con):
    count(con, 10, date(2024, 9, 1))
    count(con, 1000, AFTER)
    assert move(con, "NVDA")["value_change"] == pytest.approx(-200)
    assert move(con, "NVDA", AFTER)["value_change"] == pytest.approx(8000)


def test_the_largest_losses_come_first_and_those_without_dollars_do_not(con):
    for ticker, held in (("NVDA", 10), ("VST", 10), ("JNJ", 30)):
        count(con, held, date(2024, 9, 1), ticker)
    records = read_records(con)
    found = records.ranked(falls=True).head(2)
    assert list(found["ticker"]) == ["JNJ", "NVDA"]
    assert found["value_change"].tolist() == pytest.approx([-600, -200])
    assert records.compared == 6
    assert records.as_of(pd.Timestamp(DAY)).compared == 3
    assert records.as_of(pd.Timestamp(BEFORE)).compared == 0


def test_the_span_and_the_sources_of_prices(con):
    assert market.span(con) == (BEFORE, AFTER)
    con.execute("UPDATE price_daily SET source = 'bundled, one history' WHERE date = ?", [AFTER])
    assert market.price_sources(con, BEFORE, DAY) == ["Yahoo Finance"]
    assert market.price_sources(con, AFTER, AFTER) == [market.COMPILED]
    con.execute("UPDATE price_daily SET source = 'stooq' WHERE date = ?", [AFTER])
    assert market.price_sources(con, AFTER, AFTER) == ["stooq"]
    con.execute("DELETE FROM price_daily")
    assert market.span(con) is None


def test_companies_are_named_in_the_order_of_their_names_without_funds(con):
    con.execute("DELETE FROM price_daily WHERE ticker = 'JNJ'")
    named = market.named_companies(con)
    assert list(named.items())[1:] == [("VST", "iVistra (VST)"), ("NVDA", "NVIDIA (NVDA)")]
    assert list(named) == ["KS", "VST", "NVDA"]
