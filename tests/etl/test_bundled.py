from __future__ import annotations

import re
import shutil
import time
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest

from etl.bundled import BundleError, load_bundled
from etl.catalogue import CatalogueError, load_companies
from etl.settings import PROJECT_ROOT
from etl.warehouse.files import FileWarehouse

DATA = PROJECT_ROOT / "data"
OLD_PRICES = PROJECT_ROOT / "tests" / "data" / "prices_of_2024_and_2025.parquet"


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


def test_what_readers_are_shown_of_events_has_typographic_apostrophes(bundled):
    shown = rows(bundled, "SELECT title, description, source FROM event")
    assert not [text for row in shown for text in row if re.search(r"\w'\w|\w' ", text)]


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
    told = [(run["status"], run["rows_received"]) for run in bundled.history() if run["source"] == "bundled"]
    assert told == [("ok", log.total("received"))] * 2


def test_rows_that_a_refresh_brought_stay(bundled):
    with bundled.writing() as con:
        con.execute("UPDATE price_daily SET close = 1, source = 'yahoo' WHERE ticker = 'NVDA'")
        con.execute("DELETE FROM price_daily WHERE ticker = 'NVDA' AND date < '2025-01-01'")
    load_bundled(bundled, DATA)
    assert rows(bundled, "SELECT DISTINCT close, source FROM price_daily WHERE ticker = 'NVDA'") == [
        (1, "yahoo")
    ]


def test_a_correction_of_the_bundle_arrives(bundled, copy):
    rewritten(
        copy / "prices" / "daily.parquet",
        "SELECT * REPLACE (CASE WHEN ticker = 'NVDA' AND date = '2025-01-27' THEN 118.43 ELSE close END AS close) "
        "FROM old WHERE NOT (ticker = 'NVDA' AND date < '2024-01-03')",
    )
    ranks = (copy / "app_ranks.csv").read_text().splitlines()
    (copy / "app_ranks.csv").write_text("\n".join(ranks[:-1]))
    reported = "SELECT count(*) FROM app_ranking WHERE evidence = 'reported'"
    before = rows(bundled, reported)[0][0]
    load_bundled(bundled, copy)
    assert rows(bundled, "SELECT close FROM price_daily WHERE ticker = 'NVDA' AND date = '2025-01-27'") == [
        (118.43,)
    ]
    assert rows(bundled, "SELECT min(date) FROM price_daily WHERE ticker = 'NVDA'") == [(date(2024, 1, 3),)]
    assert rows(bundled, reported) == [(before - 1,)]


def rewritten(path: Path, query: str) -> None:
    """Write what a query makes of a Parquet file, which it calls old, in its place."""
    with duckdb.connect() as con:
        con.execute(f"CREATE VIEW old AS FROM read_parquet('{path}')")
        con.execute(f"CREATE TABLE new AS {query}")
        con.execute("DROP VIEW old")
        con.execute(f"COPY new TO '{path}' (FORMAT parquet)")


def test_loading_is_quick_enough_for_make_run(warehouse):
    started = time.process_time()
    load_bundled(warehouse, DATA)
    assert time.process_time() - started < 4


def test_a_missing_or_spoiled_file_is_named(warehouse, copy):
    (copy / "prices" / "shares.csv").unlink()
    with pytest.raises(BundleError, match=r"shares\.csv is missing"):
        load_bundled(warehouse, copy)
    (copy / "prices" / "shares.csv").write_text("ticker,shares_million\n")
    with pytest.raises(BundleError, match=r"shares\.csv"):
        load_bundled(warehouse, copy)
    shutil.copyfile(DATA / "prices" / "shares.csv", copy / "prices" / "shares.csv")
    (copy / "events.toml").write_text(
        "[[event]]\nid = 'x'\ntitle = 'y'\nzone = 'Mars/Olympus'\noccurred_at = 2025-01-01\n"
    )
    with pytest.raises(CatalogueError, match="no such zone"):
        load_bundled(warehouse, copy)
    (copy / "companies.toml").write_text("[[company]]\nticker = 'X'\n")
    with pytest.raises(CatalogueError, match=r"company X: missing .* 'name'"):
        load_bundled(warehouse, copy)
    assert not warehouse.exists()


def test_each_share_count_says_which_splits_it_includes(bundled):
    counts = {
        (ticker, day): through
        for ticker, day, through in rows(
            bundled, "SELECT ticker, date, splits_through FROM shares_outstanding"
        )
    }
    assert counts["NVDA", date(2024, 11, 15)] == date(2024, 11, 15)
    assert counts["NOW", date(2024, 9, 30)] < date(2025, 12, 18)  # as filed, before the split
    assert None not in counts.values()


def test_every_old_figure_equals_the_new_one_to_the_cent(bundled):
    """The frozen figures are those of the first bundle; KLA has split ten for one since."""
    with bundled.reading() as con:
        con.register("old", pyarrow.parquet.read_table(OLD_PRICES))
        compared = con.execute(
            """
            WITH basis AS (SELECT *, CASE ticker WHEN 'KLAC' THEN 10 ELSE 1 END AS ratio FROM old)
            SELECT count(*), count(new.close), count(*) FILTER (abs(new.close - old.close / ratio) > 0.00501),
                count(old.open), count(*) FILTER (old.open IS NOT NULL AND NOT coalesce(
                    abs(new.open - old.open / ratio) <= 0.00501 AND abs(new.high - old.high / ratio) <= 0.00501
                    AND abs(new.low - old.low / ratio) <= 0.00501
                    AND abs(new.volume / (old.volume * ratio) - 1) < 0.001, false))
            FROM basis AS old LEFT JOIN price_daily AS new USING (ticker, date)
            WHERE date >= coalesce((SELECT history_from FROM company WHERE company.ticker = old.ticker), date)
            """
        ).fetchall()
    closes, there, off, bars, bars_off = compared[0]
    assert (there, off, bars_off) == (closes, 0, 0)
    assert closes > 14_500
    assert bars > 1_400


@pytest.mark.parametrize(
    ("ticker", "day", "close"),
    [
        ("NVDA", "2025-01-24", 142.62),
        ("NVDA", "2025-01-27", 118.42),
        ("AVGO", "2025-01-27", 202.13),
        ("SPY", "2025-01-27", 599.37),
        ("MSFT", "2026-01-29", 433.50),
    ],
)
def test_known_closes_hold(bundled, ticker, day, close):
    query = f"SELECT close FROM price_daily WHERE ticker = '{ticker}' AND date = '{day}'"
    assert rows(bundled, query) == [(pytest.approx(close, abs=0.005),)]


def test_a_history_counts_from_when_the_company_was_itself(bundled):
    first = dict(rows(bundled, "SELECT ticker, min(date) FROM price_daily GROUP BY ticker"))
    assert (first["OKLO"], first["NBIS"]) == (date(2024, 5, 10), date(2024, 10, 21))
    assert first["NVDA"] == date(2021, 10, 1)


def test_a_close_of_one_history_says_so(bundled):
    single = dict(
        rows(
            bundled,
            "SELECT ticker, count(*) FROM price_daily WHERE source = 'bundled, one history' GROUP BY 1",
        )
    )
    assert single["9984.T"] > 1000  # nobody else had SoftBank's
    assert single["NVDA"] < 20
    assert rows(bundled, "SELECT count(*) FROM price_daily WHERE source NOT LIKE 'bundled%'") == [(0,)]


def test_the_factors_are_fractions_of_a_day(bundled):
    assert rows(bundled, "SELECT mkt_rf, umd FROM factor_daily WHERE date = '2021-10-04'") == [
        (pytest.approx(-0.0142), pytest.approx(0.0011))
    ]
    assert rows(bundled, "SELECT max(date), max(abs(mkt_rf)) < 0.15 FROM factor_daily") == [
        (date(2026, 4, 30), True)
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "companies.toml",
            'segment = "Memory"',
            'segment = "Memroy"',
            "no segment “Memroy”; the nearest is Memory",
        ),
        ("companies.toml", 'role = "AI"', 'roll = "AI"', "no key “roll”; the nearest is role"),
        ("companies.toml", 'role = "AI"', 'role = "ai"', "no role “ai”; the nearest is AI"),
        ("companies.toml", '"XNYS"', '"XNYSE"', "the exchange “XNYSE” are not known; the nearest is XNYS"),
        ("events.toml", 'kind = "release"', 'kind = "relaese"', "no kind “relaese”; the nearest is release"),
        ("events.toml", "source_url =", "sourceurl =", "no key “sourceurl”; the nearest is source_url"),
        (
            "events.toml",
            'kind = "release"',
            'kind = "release"\nlead = "NVDIA"',
            "“NVDIA”; the nearest is NVDA",
        ),
        (
            "events.toml",
            "America/New_York",
            "America/New_Yrok",
            "“America/New_Yrok”; the nearest is America/New_York",
        ),
    ],
)
def test_a_misspelt_word_is_refused_with_the_nearest_right_one(warehouse, copy, file, old, new, sentence):
    path = copy / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(CatalogueError) as refused:
        load_bundled(warehouse, copy)
    assert sentence in str(refused.value)


def test_membership_of_the_index_needs_the_source_of_its_day(copy):
    path = copy / "companies.toml"
    path.write_text(path.read_text().replace('sp500_source = "https', 'sp500_source = "heard at https', 1))
    with pytest.raises(CatalogueError, match="company NVDA: sp500_from needs sp500_source"):
        load_companies(path)


def test_confounders_and_leads_come_with_the_events(bundled):
    leads = dict(rows(bundled, "SELECT event_id, lead FROM event"))
    assert (leads["deepseek-selloff"], leads["memory-rout-2026"], leads["gpt-5"]) == ("NVDA", "Memory", None)
    kinds = dict(rows(bundled, "SELECT event_id, kind FROM event"))
    assert (
        kinds["tariffs-april-2025"] == kinds["yen-carry-2024"] == kinds["powell-2022-11-30"] == "confounder"
    )
    sessions = dict(rows(bundled, "SELECT event_id, market_session FROM event"))
    assert sessions["h200-china"] == date(2025, 12, 8)  # known inside the session
    assert sessions["tariffs-april-2025"] == date(2025, 4, 3)  # announced after the close


def test_a_capture_is_no_deeper_than_its_ranks_are_complete(bundled):
    holes = """
        SELECT count(*) FROM ranking_capture c, generate_series(1, c.depth) AS wanted(rank)
        WHERE evidence = 'measured' AND NOT EXISTS (FROM app_ranking r WHERE r.captured_at = c.captured_at
            AND r.country = c.country AND r.source_url = c.source_url AND r.rank = wanted.rank)"""
    assert rows(bundled, holes) == [(0,)]
    charts = "SELECT count(*), count(DISTINCT country) FROM ranking_capture WHERE evidence = 'measured'"
    assert rows(bundled, charts) == [(55, 14)]


def test_only_sourced_sentences_of_the_press_are_taken(bundled):
    for table in ("reported_move", "day_note"):
        unsure = "source_url NOT LIKE 'http%' OR confidence NOT IN ('high', 'medium')"
        assert rows(bundled, f"SELECT count(*) FROM {table} WHERE {unsure}") == [(0,)]
        assert rows(bundled, f"SELECT count(*) > 30 FROM {table}") == [(True,)]
