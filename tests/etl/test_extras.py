from __future__ import annotations

from datetime import date

from tests.loopback.yahoo import listing


def test_share_counts_arrive_by_date_with_their_source(operator):
    operator.yahoo.listings["NVDA"].shares = {
        date(2024, 11, 15): 24_490_000_000,
        date(2025, 2, 21): 24_400_000_000,
    }
    outcome = operator.refresh("shares", tickers=["NVDA", "AMD"])
    assert outcome.exit_code == 1
    assert [item.message for item in outcome.logs[0].items if item.item == "AMD"] == [
        "Yahoo has no share counts for it"
    ]
    assert operator.rows("SELECT ticker, date, shares, source FROM shares_outstanding ORDER BY date") == [
        ("NVDA", date(2024, 11, 15), 24_490_000_000, "yahoo-shares"),
        ("NVDA", date(2025, 2, 21), 24_400_000_000, "yahoo-shares"),
    ]
    assert operator.refresh("shares", tickers=["NVDA"]).logs[0].total("inserted") == 0


def test_exchange_rates_arrive_for_the_currencies_of_foreign_listings(operator):
    operator.yahoo.listings["KRWUSD=X"] = listing(
        "KRWUSD=X", date(2025, 1, 2), date(2025, 1, 10), start=0.0007
    )
    assert operator.refresh("rates").exit_code == 0
    rates = operator.rows("SELECT currency, date, usd_per_unit FROM exchange_rate ORDER BY date")
    assert rates == [("KRW", day, bar.close) for day, bar in operator.yahoo.listings["KRWUSD=X"].bars.items()]
    assert operator.refresh("rates").logs[0].total("updated") == 0
