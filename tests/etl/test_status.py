from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from etl import calendars
from etl.entries import EntryError
from etl.errors import ConfigurationError
from etl.network import share_authorities
from etl.product import variable
from etl.settings import PROJECT_ROOT, Settings, settings
from etl.sources.yahoo_session import YahooSession
from etl.status import STALE_HOURS, TickerStatus, _late_charts, _late_prices, read_status
from tests.loopback.world import Reply
from tests.loopback.yahoo import listing

DATA = str(PROJECT_ROOT / "data")


def test_the_status_of_the_bundle_says_what_is_there_as_of_when_and_what_is_missing(operator):
    assert operator.run("load-bundled", **{variable("data_dir"): DATA}).returncode == 0
    done = operator.run("status")
    assert done.returncode == 1  # closed sessions are missing that a refresh would bring
    assert "Prices: 72 of" in done.stdout
    assert "(bundled; bundled, bar of one history; bundled, one history)" in done.stdout
    assert "2021-10-01 to 2026-10-02 (bundled" in done.stdout
    assert "No prices yet: 0700.HK," in done.stdout
    assert "Ranks: apple us top-free/productivity measured, 25 captures" in done.stdout
    assert "was last captured" not in done.stdout  # nobody goes on capturing a chart of the bundle
    assert "Stale: prices of 72 of" in done.stdout
    told = json.loads(operator.run("status", "--json").stdout)
    assert told["fresh"] is False
    assert "CIEN" in told["missing"]
    nvidia = next(ticker for ticker in told["tickers"] if ticker["ticker"] == "NVDA")
    assert (nvidia["last"], nvidia["gaps"], nvidia["source"]) == (
        "2026-10-02",
        [],
        "bundled; bundled, one history",
    )


def test_without_a_warehouse_one_sentence_names_the_next_step(operator):
    done = operator.run("status")
    assert done.returncode == 2
    assert done.stderr == (
        f"There is no warehouse at {operator.warehouse.path}: run `make run` or `python -m etl load-bundled`.\n"
    )


def test_a_warehouse_that_was_just_refreshed_is_fresh(operator):
    last = pd.Timestamp.now("UTC").date()
    operator.yahoo.listings = {
        ticker: listing(ticker, date(2025, 1, 2), last, exchange=one.exchange, currency=one.currency)
        for ticker, one in operator.yahoo.listings.items()
    }
    assert operator.refresh("prices", "rankings").exit_code == 0
    assert read_status(operator.warehouse).stale == []
    later = read_status(operator.warehouse, pd.Timestamp.now("UTC") + pd.Timedelta(days=10))
    assert [sentence.split()[0] for sentence in later.stale] == ["prices", "chart"]


def test_gaps_and_the_last_errors_are_named(operator):
    operator.refresh("prices")
    with operator.warehouse.writing() as con:
        con.execute("DELETE FROM price_daily WHERE ticker = 'NVDA' AND date = '2025-01-27'")
    del operator.yahoo.listings["AMD"]
    operator.refresh("prices", since=date(2025, 3, 3))
    found = read_status(operator.warehouse)
    assert {ticker.ticker: ticker.gaps for ticker in found.tickers}["NVDA"] == [date(2025, 1, 27)]
    assert [(error["source"], error["item"]) for error in found.errors] == [("yahoo", "AMD")]
    assert "failed: yahoo AMD: Yahoo does not know it" in operator.run("status").stdout


def test_a_rollback_publishes_the_state_before(operator):
    operator.refresh("prices")
    first = operator.warehouse.version()
    for one in operator.yahoo.listings.values():
        one.bars[max(one.bars)].volume += 1
    operator.refresh("prices")
    assert operator.run("rollback").stdout == f"Published again: {first}\n"
    assert f"{first}  published" in operator.run("rollback", "--list").stdout
    assert operator.run("rollback", "../elsewhere").returncode == 3


def test_every_setting_comes_from_a_variable_of_its_name(monkeypatch):
    monkeypatch.setenv(variable("database"), "/srv/market.duckdb")
    monkeypatch.setenv(variable("ranking_countries"), "us, gb")
    chosen = Settings()
    assert (chosen.database, chosen.ranking_countries) == ("/srv/market.duckdb", ("us", "gb"))


def test_authorities_that_several_variables_name_are_all_trusted(monkeypatch, tmp_path):
    for number, name in enumerate(("SSL_CERT_FILE", "CURL_CA_BUNDLE")):
        (tmp_path / f"{number}.pem").write_text(f"authority {number}")
        monkeypatch.setenv(name, str(tmp_path / f"{number}.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    share_authorities()
    bundles = {os.environ[name] for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")}
    (bundle,) = bundles
    assert sorted(Path(bundle).read_text().split("\n")) == ["authority 0", "authority 1"]


def test_an_authority_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("CURL_CA_BUNDLE", "/no/such/authority.pem")
    with pytest.raises(ConfigurationError, match=r"CURL_CA_BUNDLE names /no/such/authority\.pem"):
        share_authorities()


def up_to_date(operator, *tickers: str) -> None:
    """Let the site hold sessions up to now, and refresh."""
    last = pd.Timestamp.now("UTC").date()
    operator.yahoo.listings = {
        ticker: listing(ticker, date(2025, 1, 2), last, exchange=one.exchange, currency=one.currency)
        for ticker, one in operator.yahoo.listings.items()
    }
    assert operator.refresh("prices", "rankings").exit_code == 0
    assert operator.run("status").returncode == 0


def change(operator, statement: str) -> None:
    with operator.warehouse.writing() as con:
        con.execute(statement)


def test_status_ends_with_what_is_true(operator):
    up_to_date(operator)
    hole = "ticker = 'NVDA' AND date BETWEEN '2025-03-03' AND '2025-12-15'"
    ((count,),) = operator.rows(f"SELECT count(*) FROM price_daily WHERE {hole}")
    assert count > 190
    change(operator, f"DELETE FROM price_daily WHERE {hole}")
    done = operator.run("status")
    assert (
        done.returncode,
        f"missing in the middle, most of NVDA ({count} from 2025-03-03 on)" in done.stdout,
    ) == (1, True)
    assert operator.refresh("prices").exit_code == 0  # which asks for them again
    assert operator.rows(f"SELECT count(*) FROM price_daily WHERE {hole}") == [(count,)]
    assert operator.run("status").returncode == 0
    operator.run("refresh", HTTPS_PROXY="http://127.0.0.1:9")
    done = operator.run("status")
    assert (done.returncode, "Stale: the last run of yahoo failed" in done.stdout) == (1, True)
    operator.refresh("prices", "rankings")
    change(operator, "DELETE FROM price_daily")
    assert operator.run("status").returncode == 2


def test_a_session_of_which_the_source_has_no_bar_is_asked_for_once_more_and_then_left(operator):
    del operator.yahoo.listings["NVDA"].bars[date(2025, 1, 8)]
    operator.refresh("prices")
    assert operator.rows("SELECT ticker, date FROM absent_session") == [("NVDA", date(2025, 1, 8))]
    assert all(not ticker.gaps for ticker in read_status(operator.warehouse).tickers)
    before = operator.warehouse.version()
    assert [item.asked_from for item in operator.refresh("prices").logs[0].items if item.item == "NVDA"] == [
        date(2025, 3, 3)
    ]
    assert operator.warehouse.version() == before


def test_a_company_that_is_retired_and_a_chart_that_is_not_followed_are_not_missed(operator):
    up_to_date(operator)
    del operator.yahoo.listings["AMD"]
    change(operator, "DELETE FROM price_daily WHERE ticker = 'AMD' AND date > '2025-02-03'")
    change(operator, "UPDATE ranking_capture SET captured_at = captured_at - INTERVAL 9 DAY")
    assert operator.run("status").returncode == 1
    listed = operator.data / "companies.toml"
    listed.write_text(listed.read_text().replace('ticker = "AMD"', 'ticker = "AMD"\nretired = true'))
    operator.refresh("prices")
    assert {item.item for item in operator.last.logs[0].items} == {"NVDA", "SPY", "000660.KS"}
    done = operator.run("status", **{variable("ranking_charts"): "none"})
    assert (done.returncode, "Retired: AMD" in done.stdout) == (0, True), done.stdout
    assert operator.run("status").returncode == 1  # the chart


def test_a_surprise_closing_is_no_session(monkeypatch, tmp_path):
    def sessions(exchange: str) -> int:
        calendars.calendar.cache_clear()
        return len(calendars.sessions(exchange, date(2023, 9, 7), date(2023, 9, 11)))

    assert (sessions("XHKG"), sessions("XNYS")) == (2, 3)
    monkeypatch.setenv(variable("data_dir"), str(tmp_path))
    settings.cache_clear()
    assert sessions("XHKG") == 3
    (tmp_path / "closings.toml").write_text('[[closing]]\nexchange = "XNAS"\ndate = 2023-09-08\n')
    assert sessions("XNYS") == 2  # the Nasdaq keeps New York's days
    (tmp_path / "closings.toml").write_text('[[closing]]\nexchange = "XNYS"\ndate = "soon"\n')
    with pytest.raises(EntryError, match=r"closings\.toml: each closing has an exchange"):
        sessions("XNYS")
    monkeypatch.undo()
    settings.cache_clear()
    calendars.calendar.cache_clear()


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "refuses to answer us"), (999, "asks for fewer requests"), (429, "fewer requests")],
)
def test_a_server_that_refuses_everybody_does_not_make_tickers_unknown(operator, status, words):
    operator.world.faults = [
        lambda asked: (
            Reply(status=status, body=b'{"finance":{"error":{"description":"Invalid Crumb"}}}')
            if "/chart/" in asked.path
            else None
        )
    ]
    operator.refresh("prices")
    told = {item.message for item in operator.last.logs[0].items}
    assert all(words in message and str(status) in message for message in told), told


def test_a_cookie_without_an_expiry_date_is_kept_for_a_day(operator):
    session = YahooSession()
    session.cookies.set("A3", "x", domain=".yahoo.com")
    jar = getattr(session.cookies, "jar", session.cookies)
    assert [cookie.expires for cookie in jar if cookie.name == "A3"] == [None]
    session.get("https://fc.yahoo.com/")
    assert all(cookie.expires for cookie in jar)
    session.close()


def test_every_setting_is_listed_and_an_unknown_one_is_named(operator):
    done = operator.run(
        "settings", **{variable("threads"): "7"}, **{variable("webhook_url"): "https://example.org/secret"}
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout
    assert f"* {variable('threads')}=7 (default 8)" in told
    assert f"  {variable('keep_days')}=1\n      Days whose states are all kept." in told
    assert f"{variable('operator')}=" in told
    assert "secret" not in told
    done = operator.run("settings", **{variable("treads"): "7"})
    assert (done.returncode, done.stderr) == (
        3,
        f"There is no setting {variable('treads')}; the nearest is {variable('threads')}.\n",
    )
    listed = json.loads(operator.run("settings", "--json").stdout)["settings"]
    assert all(one["meaning"] for one in listed)


def test_prices_of_a_retired_company_are_neither_late_nor_missed():
    def told(retired: bool) -> list[str]:
        day = date(2025, 1, 8)
        one = TickerStatus("AMD", date(2025, 1, 2), day, 4, 9, [day], "yahoo", retired)
        return _late_prices(SimpleNamespace(tickers=[one], missing=[]))

    assert (len(told(False)), told(True)) == (2, [])


@pytest.mark.parametrize(
    ("evidence", "store", "hours", "words"),
    [
        ("measured", "apple", STALE_HOURS, []),
        ("measured", "apple", STALE_HOURS + 1, ["chart us top-free was last captured 37 hours ago"]),
        ("reported", "apple", 1, ["chart us top-free has never been captured"]),
        ("measured", "google", 1, ["chart us top-free has never been captured"]),
    ],
)
def test_a_followed_chart_is_stale_by_apples_own_captures(monkeypatch, evidence, store, hours, words):
    followed = [SimpleNamespace(country="us", name="top-free")]
    monkeypatch.setattr("etl.status.chosen_charts", lambda: followed)
    now = pd.Timestamp("2025-03-20 23:00", tz="UTC")
    held = {"country": "us", "chart": "top-free", "evidence": evidence, "store": store}
    chart = held | {"last": now - pd.Timedelta(hours=hours)}
    assert _late_charts(SimpleNamespace(rankings=[chart]), now) == words
