from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from etl.errors import ConfigurationError
from etl.network import share_authorities
from etl.settings import PROJECT_ROOT, Settings
from etl.status import read_status
from tests.loopback.yahoo import listing

DATA = str(PROJECT_ROOT / "data")


def test_the_status_of_the_bundle_says_what_is_there_as_of_when_and_what_is_missing(operator):
    assert operator.run("load-bundled", AIMI_DATA_DIR=DATA).returncode == 0
    done = operator.run("status")
    assert done.returncode == 1  # closed sessions are missing that a refresh would bring
    assert "Prices: 72 of" in done.stdout
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
    monkeypatch.setenv("AIMI_DATABASE", "/srv/market.duckdb")
    monkeypatch.setenv("AIMI_RANKING_COUNTRIES", "us, gb")
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
