"""What a refresh notices by itself: the figures by another computation, nothing from the future, the promised rate."""

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from etl.settings import PROJECT_ROOT
from etl.signals.moves import Panel, abnormal, moves, rarity, read_panel, scaled
from etl.signals.rate import words_to_rate
from etl.signals.records import records
from etl.signals.store import Found, notice
from etl.warehouse.files import FileWarehouse
from tests.conftest import SOAK

DEEPSEEK = date(2025, 1, 27)
NOW = pd.Timestamp("2026-11-01", tz="UTC")
A_MONTH = 12.0


@pytest.fixture(scope="module")
def bundled(bundled_database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with FileWarehouse(bundled_database).reading() as con:
        yield con


@pytest.fixture
def warehouse(bundled_database: Path, tmp_path: Path) -> FileWarehouse:
    path = tmp_path / "market.duckdb"
    shutil.copyfile(bundled_database, path)
    return FileWarehouse(path)


def signals(con: duckdb.DuckDBPyConnection, where: str = "true") -> pd.DataFrame:
    return con.execute(f"SELECT * FROM signal WHERE {where} ORDER BY session, signal_id").df()


def test_an_abnormal_return_is_that_of_a_regression_on_the_250_sessions_before() -> None:
    chance = np.random.default_rng(1)
    market = chance.normal(0, 0.01, 400)
    returns = 0.001 + 1.4 * market + chance.normal(0, 0.02, 400)
    returns[[50, 333]] = np.nan
    ours = abnormal(returns[:, None], market)[:, 0]
    for day in (120, 130, 260, 399):
        window = slice(max(0, day - 250), day)
        y, x = returns[window], market[window]
        kept = np.isfinite(y)
        if kept.sum() < 120:
            assert np.isnan(ours[day])
            continue
        fitted = sm.OLS(y[kept], sm.add_constant(x[kept])).fit()
        assert ours[day] == pytest.approx(returns[day] - fitted.predict([[1, market[day]]])[0], abs=1e-12)
    assert np.isnan(ours[[50, 333, 100]]).all()


def test_a_value_is_scaled_by_the_fading_volatility_of_the_days_before_it() -> None:
    values = np.random.default_rng(2).normal(0, 0.02, 200)
    ours = scaled(values[:, None])[:, 0]
    assert np.isnan(ours[:60]).all()
    for day in (60, 61, 199):
        weights = 0.99 ** np.arange(day)[::-1]
        assert ours[day] == pytest.approx(
            values[day] / np.sqrt(np.average(values[:day] ** 2, weights=weights))
        )


def test_rarity_is_the_share_of_the_earlier_days_at_least_as_large() -> None:
    share, earlier = rarity(np.array([1.0, 3.0, np.nan, 2.0, 2.0, 4.0]))
    assert share[1:].tolist() == pytest.approx([0, np.nan, 0.5, 2 / 3, 0], nan_ok=True)
    assert earlier.tolist() == [0, 1, 0, 2, 3, 4]


def test_the_deepseek_session_is_signalled_on_the_very_day_as_the_largest_loss(
    bundled: duckdb.DuckDBPyConnection,
) -> None:
    found = signals(bundled, f"session = DATE '{DEEPSEEK}'").set_index("signal_id")
    assert found.at[f"signal-{DEEPSEEK}-ai", "direction"] == "down"
    assert found.at[f"signal-{DEEPSEEK}-ai", "unusual"] == 0
    loss = found.loc[f"signal-{DEEPSEEK}-nvda-loss"]
    assert loss["place"] == 1
    assert loss["size"] == pytest.approx((118.42 - 142.62) * 24.49e9)
    firsts = signals(
        bundled, "kind = 'record' AND direction = 'down' AND place = 1 AND session >= '2024-10-01'"
    )
    assert firsts["session"].min().date() == DEEPSEEK


def in_the_band(found: int, alarms: float, years: float) -> bool:
    """As docs/operating.md promises: within a quarter of what is asked for, or within chance where that is more."""
    expected = alarms * years
    return abs(found - expected) <= max(expected / 4, 3 * expected**0.5)


@pytest.mark.parametrize("measure", ["change", "excess", "abnormal"])
def test_the_default_setting_finds_most_of_the_biggest_ai_days(
    bundled: duckdb.DuckDBPyConnection, measure: str
) -> None:
    """Whichever way big is measured: by the mean's change, less the market's, or beyond the market model."""
    panel = read_panel(bundled)
    assert panel is not None
    change = panel.returns[:, 0]
    sizes = {
        "change": change,
        "excess": change - panel.market,
        "abnormal": abnormal(panel.returns, panel.market)[:, 0],
    }
    biggest = pd.Series(sizes[measure], panel.sessions).abs().dropna().nlargest(25).index
    told = set(signals(bundled)["session"].dt.date)
    assert len(told & set(biggest)) >= 15


@pytest.mark.parametrize(
    "words", ["one a year", "about two a year", "six a year", "one a month", "two a month", "one a week"]
)
def test_each_rate_keeps_what_it_promises_and_finds_the_deepseek_session(
    bundled: duckdb.DuckDBPyConnection, words: str
) -> None:
    panel = read_panel(bundled)
    assert panel is not None
    alarms, since = words_to_rate(words), date(2022, 10, 1)
    sessions = {move.session for move in moves(panel, alarms, since)}
    assert in_the_band(len(sessions), alarms, (panel.sessions[-1] - since).days / 365.25)
    assert DEEPSEEK in sessions
    told = " ".join((PROJECT_ROOT / "docs/operating.md").read_text(encoding="utf-8").split())
    assert re.search(f"`{words}` (brought )?{len(sessions)}( sessions)?[,;]", told)


def test_a_day_on_which_everything_moves_names_the_five_most_unusual_companies() -> None:
    chance = np.random.default_rng(1)
    market = chance.normal(0, 0.01, 700)
    returns = market[:, None] + chance.normal(0, 0.01, (700, 10))
    returns[-1] -= 0.1 * 1.6 ** np.arange(10)
    names = ["ai", *(f"T{number}" for number in range(1, 10))]
    days = [stamp.date() for stamp in pd.bdate_range("2020-01-01", periods=700)]
    found = moves(Panel(days, names, names, ["mean", *["company"] * 9], returns, market), 12.0, days[-1])
    assert {move.subject for move in found if move.kind == "company"} == {"T5", "T6", "T7", "T8", "T9"}


@pytest.mark.parametrize("words", ["one a year", "one a month"])
def test_on_days_without_news_the_rate_is_as_promised(words: str) -> None:
    """Returns whose volatility wanders and in which nothing ever happens: every alarm is a false one."""
    alarms, found, years = words_to_rate(words), 0, 0.0
    for seed in range(4):
        chance = np.random.default_rng(seed)
        width = 0.01 * np.exp(np.cumsum(chance.normal(0, 0.02, 1500)))
        market = width * chance.standard_t(6, 1500)
        returns = market[:, None] + width[:, None] * chance.standard_t(6, (1500, 12))
        names = ["ai", *(f"T{number}" for number in range(11))]
        kinds = ["mean", "segment", "segment", *["company"] * 9]
        days = [stamp.date() for stamp in pd.bdate_range("2020-01-01", periods=1500)]
        panel = Panel(days, names, names, kinds, returns, market)
        found += len({move.session for move in moves(panel, alarms, days[500])})
        years += 1000 / 252
    assert in_the_band(found, alarms, years)


def test_the_moves_of_each_session_are_those_of_a_history_that_ends_with_it(
    bundled: duckdb.DuckDBPyConnection,
) -> None:
    """Day by day in the long form; every 60th day and those with moves in February 2024 and 2025 else."""
    panel = read_panel(bundled)
    assert panel is not None
    whole = moves(panel, A_MONTH, date.min)
    by_day = {day: [move for move in whole if move.session == day] for day in panel.sessions}
    days = range(180, len(panel.sessions), 1 if SOAK else 60)
    wanted = {*days, *(panel.sessions.index(day) for day in (date(2024, 2, 2), DEEPSEEK))}
    for day in sorted(wanted):
        end = day + 1
        cut = Panel(
            panel.sessions[:end],
            panel.subjects,
            panel.names,
            panel.kinds,
            panel.returns[:end],
            panel.market[:end],
        )
        assert moves(cut, A_MONTH, panel.sessions[day]) == by_day[panel.sessions[day]]


@pytest.mark.parametrize("seed", range(60 if SOAK else 4))
def test_nothing_from_after_a_day_enters_its_signals(warehouse: FileWarehouse, seed: int) -> None:
    """Splits stay: all closes are on the basis of the newest one, and the share counts are brought to it."""
    with warehouse.writing() as con:
        con.begin()
        notice(con, "whole", NOW, A_MONTH)
        sessions = signals(con)["session"].dt.date.unique()
        day = np.random.default_rng(seed).choice(sessions[len(sessions) // 4 :])
        columns = [
            "signal_id",
            "kind",
            "subject",
            "direction",
            "size",
            "unusual",
            "earlier",
            "place",
            "detail",
        ]
        whole = signals(con, f"session = DATE '{day}'")[columns]
        for table, column in (("price_daily", "date"), ("reported_move", "date")):
            con.execute(f"DELETE FROM {table} WHERE {column} > ?", [day])
        con.execute("DELETE FROM shares_outstanding WHERE coalesce(filed, date) > ?", [day])
        con.execute("DELETE FROM app_ranking WHERE CAST(captured_at AS DATE) > ?", [day])
        con.execute("DELETE FROM ranking_capture WHERE CAST(captured_at AS DATE) > ?", [day])
        con.execute("DELETE FROM signal")
        con.execute("DELETE FROM signal_run")
        notice(con, "cut", NOW, A_MONTH)
        cut = signals(con, f"session = DATE '{day}'")[columns]
        con.commit()
    pd.testing.assert_frame_equal(whole, cut)


def test_a_record_is_among_the_ten_largest_known_by_then(bundled: duckdb.DuckDBPyConnection) -> None:
    found = records(bundled, date(2025, 1, 1))
    assert {(record.session, record.ticker, record.place) for record in found} >= {
        (DEEPSEEK, "NVDA", 1),
        (date(2026, 1, 29), "MSFT", 2),
    }
    assert all(1 <= record.place <= 10 for record in found)
    rally = [(record.ticker, record.place) for record in found if record.session == date(2025, 4, 9)]
    assert rally[:2] == [("NVDA", 1), ("AAPL", 2)]  # the largest of a session comes first
    assert not records(bundled, date(2027, 1, 1))


def test_moves_of_one_size_are_at_most_ten_records(warehouse: FileWarehouse) -> None:
    with warehouse.writing() as con:
        con.begin()
        last = con.execute("SELECT max(date) FROM price_daily").fetchall()[0][0]
        con.execute(
            "UPDATE shares_outstanding SET shares = 1e14 / (SELECT arg_max(close, date) FROM price_daily AS p "
            "WHERE p.ticker = shares_outstanding.ticker AND p.date < ?) ",
            [last],
        )
        con.execute(
            "UPDATE price_daily SET close = (SELECT arg_max(close, date) FROM price_daily AS p "
            "WHERE p.ticker = price_daily.ticker AND p.date < $last) / 2 WHERE date = $last",
            {"last": last},
        )
        assert 1 <= len(records(con, last)) <= 10
        con.rollback()


def test_what_a_run_brings_again_is_told_once_and_a_revision_as_a_correction(
    warehouse: FileWarehouse,
) -> None:
    with warehouse.writing() as con:
        con.begin()
        assert notice(con, "again", NOW, A_MONTH) == Found()
        last = con.execute("SELECT max(date) FROM price_daily WHERE ticker = 'NVDA'").fetchall()[0][0]
        crash = "UPDATE price_daily SET adj_close = adj_close * ?, close = close * ? WHERE ticker = 'NVDA' AND date = ?"
        con.execute(crash, [0.6, 0.6, last])
        found = notice(con, "crash", NOW, A_MONTH)
        assert found.new >= 2
        assert (found.corrected, found.withdrawn) == (0, 0)
        con.execute(crash, [0.9, 0.9, last])
        assert notice(con, "worse", NOW, A_MONTH).corrected >= 2
        con.execute(crash, [1 / 0.54, 1 / 0.54, last])
        assert notice(con, "mended", NOW, A_MONTH).withdrawn == found.new
        assert notice(con, "quiet", NOW, A_MONTH) == Found()
        con.commit()


def test_another_rate_withdraws_what_it_does_not_ask_for_and_says_why(warehouse: FileWarehouse) -> None:
    with warehouse.writing() as con:
        con.begin()
        assert notice(con, "fewer", NOW, 2.0).withdrawn > 10
        gone = signals(con, "withdrawn_at IS NOT NULL")
        assert set(gone["withdrawn_for"]) == {"setting"}
        assert set(gone["kind"]) == {"move"}
        assert notice(con, "again", NOW, 2.0) == Found()
        assert notice(con, "as before", NOW, A_MONTH).new == len(gone)
        assert signals(con, "withdrawn_at IS NOT NULL").empty
        con.commit()


def test_a_move_across_a_missing_bar_is_of_no_one_day(warehouse: FileWarehouse) -> None:
    with warehouse.writing() as con:
        con.begin()
        con.execute("DELETE FROM price_daily WHERE ticker = 'NVDA' AND date = DATE '2025-01-24'")
        notice(con, "gap", NOW, A_MONTH)
        gone = signals(con, "withdrawn_at IS NOT NULL")["signal_id"].tolist()
        assert f"signal-{DEEPSEEK}-nvda-loss" in gone
        panel = read_panel(con)
        assert panel is not None
        column = panel.subjects.index("NVDA")
        assert np.isnan(panel.returns[panel.sessions.index(DEEPSEEK), column])
        con.rollback()


def test_a_company_that_was_listed_lately_is_no_signal_until_it_has_days_to_compare(
    warehouse: FileWarehouse,
) -> None:
    with warehouse.writing() as con:
        con.begin()
        con.execute("DELETE FROM price_daily WHERE ticker = 'NVDA' AND date < DATE '2024-08-01'")
        notice(con, "young", NOW, A_MONTH)
        moved = signals(con, "kind = 'move' AND withdrawn_at IS NULL AND NOT unusual <= 1")
        assert moved.empty
        own = signals(con, "kind = 'move' AND subject = 'NVDA' AND withdrawn_at IS NULL")
        assert (own["earlier"] >= 60).all()
        assert (own["session"] >= "2025-06-01").all()
        con.rollback()


def test_a_title_says_what_happened_even_where_the_market_moved_the_other_way(
    bundled: duckdb.DuckDBPyConnection,
) -> None:
    panel = read_panel(bundled)
    assert panel is not None
    told = signals(bundled, "kind = 'move'")
    assert len(told) > 40
    for row in told.itertuples():
        day, column = panel.sessions.index(row.session.date()), panel.names.index(row.name)
        change = panel.returns[day, column]
        assert f"{row.name} {'fell' if change < 0 else 'rose'} {abs(change):.1%} " in row.title
        if row.measure == "abnormal return" and change * row.size < 0:
            assert " less than the market explains" in row.title


def test_subjects_that_are_written_alike_are_told_apart(warehouse: FileWarehouse) -> None:
    with warehouse.writing() as con:
        con.begin()
        for table in ("company", "price_daily", "shares_outstanding"):
            con.execute(f"UPDATE {table} SET ticker = 'AI' WHERE ticker = 'META'")
        notice(con, "alike", NOW, A_MONTH)
        told = signals(con, "withdrawn_at IS NULL AND signal_id LIKE 'signal-2024-02-02-%'")
        assert {"signal-2024-02-02-ai-shares", "signal-2024-02-02-ai-gain"} <= set(told["signal_id"])
        con.rollback()


def test_a_warehouse_without_prices_or_ranks_has_no_signals(tmp_path: Path) -> None:
    with FileWarehouse(tmp_path / "market.duckdb").writing() as con:
        assert notice(con, "empty", NOW, A_MONTH) == Found()


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        ("about two a year", 2),
        ("one a month", 12),
        ("some three a quarter", 12),
        ("0.5 a week", 26),
        ("6 a year", 6),
    ],
)
def test_the_rate_is_said_in_words(words: str, rate: float) -> None:
    assert words_to_rate(words) == rate


@pytest.mark.parametrize(
    "words", ["", "often", "nan a year", "-1 a year", "0 a year", "ten a week", "inf a week"]
)
def test_words_that_say_no_rate_are_refused_with_the_form(words: str) -> None:
    with pytest.raises(
        ValueError, match="write it as “about two a year” or “one a month”, at most 120 a year"
    ):
        words_to_rate(words)
