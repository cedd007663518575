from __future__ import annotations

import shutil
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from etl.bundled import BundleError, load_bundled
from etl.catalogue import CatalogueError
from etl.settings import PROJECT_ROOT
from etl.warehouse.files import FileWarehouse

DATA = PROJECT_ROOT / "data"


def rows(warehouse: FileWarehouse, query: str) -> list[tuple]:
    with warehouse.reading() as con:
        return con.execute(query).fetchall()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the bundled data that a test may spoil."""
    return Path(
        shutil.copytree(
            DATA, tmp_path / "data", ignore=shutil.ignore_patterns("market*"), copy_function=shutil.copyfile
        )
    )


def test_nvidia_fell_by_17_percent(bundled):
    (before, after) = rows(
        bundled,
        "SELECT close FROM price_daily WHERE ticker = 'NVDA' "
        "AND date IN ('2025-01-24', '2025-01-27') ORDER BY date",
    )
    assert after[0] / before[0] - 1 == pytest.approx(-0.1697, abs=5e-5)


def test_adjusted_closes_lie_below_the_closes_of_those_that_pay_dividends(bundled):
    payers = rows(
        bundled,
        "SELECT bool_and(adj_close < close) FROM price_daily "
        "WHERE ticker IN ('SPY', 'QCOM', 'AVGO') AND date < '2024-12-01'",
    )
    assert payers == [(True,)]
    assert rows(bundled, "SELECT count(*) FROM price_daily WHERE ticker = 'AMD' AND adj_close <> close") == [
        (0,)
    ]


def test_the_sessions_around_the_event_have_full_bars(bundled):
    assert rows(
        bundled,
        "SELECT count(*), count(open), count(high), count(low), count(volume) FROM price_daily "
        "WHERE ticker = 'NVDA' AND date BETWEEN '2025-01-02' AND '2025-02-14'",
    ) == [(30,) * 5]


def test_events_carry_the_session_in_which_the_market_could_react(bundled):
    sessions = dict(rows(bundled, "SELECT event_id, market_session FROM event"))
    assert sessions["deepseek-v3"] == date(2024, 12, 26)
    assert sessions["deepseek-r1"] == date(2025, 1, 21)  # New York was closed on the 20th
    assert sessions["korea-suspension"] == date(
        2025, 2, 18
    )  # a Saturday in Seoul; the 17th was Presidents' Day


def test_reported_ranks_are_kept_apart_from_measured_ones(bundled):
    assert rows(bundled, "SELECT DISTINCT depth FROM ranking_capture WHERE evidence = 'reported'") == [
        (None,)
    ]
    first = rows(
        bundled,
        "SELECT min(captured_at), any_value(source_url) FROM app_ranking "
        "WHERE app_name LIKE 'DeepSeek%' AND rank = 1 AND evidence = 'reported'",
    )[0]
    assert first[0] >= datetime(2025, 1, 26, tzinfo=UTC)
    assert first[1].startswith("https://")


def test_a_company_without_data_is_simply_without_rows(bundled):
    without = rows(
        bundled,
        "SELECT ticker FROM company ANTI JOIN price_daily USING (ticker) WHERE NOT bundled",
    )
    assert without


def test_loading_again_changes_nothing_but_the_run_log(bundled):
    def everything() -> list[list[tuple]]:
        tables = ("company", "event", "price_daily", "dividend", "shares_outstanding", "app_ranking")
        return [rows(bundled, f"FROM {table} ORDER BY ALL") for table in (*tables, "ranking_capture")]

    before = everything()
    log = load_bundled(bundled, DATA)
    assert (log.total("inserted"), log.total("updated")) == (0, 0)
    assert everything() == before
    statuses = rows(bundled, "SELECT status, rows_received FROM etl_run WHERE source = 'bundled'")
    assert statuses == [("ok", log.total("received"))] * 2


def test_rows_that_a_refresh_brought_stay(bundled):
    with bundled.writing() as con:
        con.execute("UPDATE price_daily SET close = 1, source = 'yahoo' WHERE ticker = 'NVDA'")
        con.execute("DELETE FROM price_daily WHERE ticker = 'NVDA' AND date < '2025-01-01'")
    load_bundled(bundled, DATA)
    assert rows(bundled, "SELECT DISTINCT close, source FROM price_daily WHERE ticker = 'NVDA'") == [
        (1, "yahoo")
    ]


def test_a_correction_of_the_bundle_arrives(bundled, copy):
    closes = copy / "prices" / "closes.csv"
    text = closes.read_text().replace("NVDA,2025-01-27,118.42", "NVDA,2025-01-27,118.43")
    closes.write_text("\n".join(line for line in text.splitlines() if not line.startswith("NVDA,2024-01-02")))
    ranks = (copy / "app_ranks.csv").read_text().splitlines()
    (copy / "app_ranks.csv").write_text("\n".join(ranks[:-1]))
    load_bundled(bundled, copy)
    assert rows(bundled, "SELECT close FROM price_daily WHERE ticker = 'NVDA' AND date = '2025-01-27'") == [
        (118.43,)
    ]
    assert rows(bundled, "SELECT min(date) FROM price_daily WHERE ticker = 'NVDA'") == [(date(2024, 1, 3),)]
    assert rows(bundled, "SELECT count(*) FROM app_ranking") == [(len(ranks) - 2,)]


def test_loading_is_quick_enough_for_make_run(warehouse):
    started = time.monotonic()
    load_bundled(warehouse, DATA)
    assert time.monotonic() - started < 6


def test_a_missing_or_spoiled_file_is_named(warehouse, copy):
    (copy / "prices" / "shares.csv").unlink()
    with pytest.raises(BundleError, match=r"shares\.csv is missing"):
        load_bundled(warehouse, copy)
    (copy / "events.toml").write_text(
        "[[event]]\nid = 'x'\ntitle = 'y'\nzone = 'Mars/Olympus'\noccurred_at = 2025-01-01\n"
    )
    (copy / "prices" / "shares.csv").write_text("ticker,shares_million\n")
    with pytest.raises(BundleError, match=r"shares\.csv"):
        load_bundled(warehouse, copy)
    shutil.copyfile(DATA / "prices" / "shares.csv", copy / "prices" / "shares.csv")
    with pytest.raises(CatalogueError, match="no such zone"):
        load_bundled(warehouse, copy)
    (copy / "companies.toml").write_text("[[company]]\nticker = 'X'\n")
    with pytest.raises(CatalogueError, match=r"company X: missing .* 'name'"):
        load_bundled(warehouse, copy)
    assert not warehouse.exists()


def test_each_share_count_says_which_splits_it_includes(bundled):
    counts = dict(rows(bundled, "SELECT ticker, splits_through FROM shares_outstanding"))
    assert counts["NVDA"] == date(2024, 11, 15)
    assert counts["NOW"] == date(2025, 12, 18)  # the count was multiplied by the later split
    later = rows(
        bundled,
        "SELECT ticker FROM split JOIN shares_outstanding USING (ticker) WHERE split.date > splits_through",
    )
    assert later == []
