"""What a screen knows beside the row, what it keeps of refused rows, and which sessions a source is said to lack."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import pandas as pd
import pytest

from etl.catalogue import Company
from etl.gaps import LONGEST_ABSENCE, gaps, note_absent
from etl.quality import Screen
from etl.quality.adjusted import adjusted
from etl.sources.base import Batch, Task
from etl.status import _failed_runs, _tickers
from tests.etl.conftest import closes_of_100
from tests.loopback.yahoo import sessions

NOW = pd.Timestamp("2025-03-20 23:00", tz="UTC")
DAYS = sessions(date(2025, 1, 2), date(2025, 3, 14))
Row = dict[str, Any]


def stored_before(con: duckdb.DuckDBPyConnection) -> None:
    closes_of_100(con, DAYS)


def bar(day: date, close: float = 100.0, **values: Any) -> Row:
    usual = {"ticker": "AMD", "date": day, "close": close, "adj_close": close, "currency": "USD"}
    return {**usual, "source": "yahoo"} | values


def paid(day: date, amount: float, **values: Any) -> Row:
    return {"ticker": "AMD", "ex_date": day, "amount": amount, "currency": "USD", "source": "yahoo"} | values


def screened(con, name: str, *rows: Row, run: str = "1", source: str = "yahoo") -> Screen:
    screen = Screen(con, run, source, NOW)
    screen.judge(name, pd.DataFrame(rows))
    screen.refused(name)
    return screen


def held(con, columns: str = "key, times, settled") -> list[tuple]:
    return con.execute(f"SELECT {columns} FROM quarantine ORDER BY ALL").fetchall()


def test_a_refused_row_is_kept_once_for_each_source_key_and_figure(con):
    for run in ("1", "2"):
        screened(con, "price_daily", bar(DAYS[3], -1.0), run=run)
    assert held(con) == [(f"AMD {DAYS[3]}", 2, None)]
    screened(con, "price_daily", bar(DAYS[3], -2.0), run="3")
    screened(con, "price_daily", bar(DAYS[4], -1.0), run="4")
    screened(con, "price_daily", bar(DAYS[3], -1.0), run="5", source="elsewhere")
    assert held(con, "source, key, figure, times") == [
        ("elsewhere", f"AMD {DAYS[3]}", -1.0, 1),
        ("yahoo", f"AMD {DAYS[3]}", -2.0, 1),
        ("yahoo", f"AMD {DAYS[3]}", -1.0, 2),
        ("yahoo", f"AMD {DAYS[4]}", -1.0, 1),
    ]


def test_only_a_good_row_of_the_same_key_in_a_later_run_mends(con):
    screened(con, "price_daily", bar(DAYS[3], -1.0), bar(DAYS[4], -1.0), bar(DAYS[5], -1.0))
    con.execute(f"UPDATE quarantine SET settled = 'dropped' WHERE key = 'AMD {DAYS[5]}'")
    screened(con, "dividend", paid(DAYS[3], 0.1), run="2")
    screened(con, "price_daily", bar(DAYS[3]), bar(DAYS[5]), run="3")
    assert [row[2] for row in held(con)] == ["mended", None, "dropped"]
    for close in (-1.0, 100.0):
        screened(con, "price_daily", bar(DAYS[6], close), run="4")
    assert held(con)[3] == (f"AMD {DAYS[6]}", 1, None)


def test_neither_another_bad_row_nor_a_good_one_of_another_table_mends(con):
    screened(con, "price_daily", bar(DAYS[3], -1.0))
    screened(con, "dividend", paid(DAYS[4], -1.0))
    screened(con, "price_daily", bar(DAYS[3], -2.0), run="2")
    screened(con, "dividend", paid(DAYS[3], 0.1), run="3")
    assert {row[2] for row in held(con)} == {None}


def test_a_mended_row_that_comes_back_is_open_again_and_a_dropped_one_is_not(con):
    for settled, then in (("mended", None), ("dropped", "dropped")):
        screened(con, "price_daily", bar(DAYS[3], -1.0))
        con.execute(f"UPDATE quarantine SET settled = '{settled}'")
        screened(con, "price_daily", bar(DAYS[3], -1.0), run="2")
        assert [row[2] for row in held(con)] == [then]


def test_the_last_decision_about_a_row_counts(con):
    for verdict, moment in (("accepted", "2025-03-02"), ("dropped", "2025-03-01")):
        con.execute(
            "INSERT INTO quarantine_decision (table_name, key, figure, verdict, decided_at) "
            f"VALUES ('dividend', 'AMD {DAYS[9]}', 30, '{verdict}', '{moment}')"
        )
    for table, day in (("price_daily", DAYS[9]), ("dividend", DAYS[8])):
        con.execute(
            "INSERT INTO quarantine_decision (table_name, key, figure, verdict, decided_at) "
            f"VALUES ('{table}', 'AMD {day}', 30.1, 'accepted', now())"
        )
    screened(con, "dividend", paid(DAYS[9], 30.0))
    assert con.execute("FROM bad_dividend").fetchall() == []
    screened(con, "dividend", paid(DAYS[9], 30.1))
    assert len(con.execute("FROM bad_dividend").fetchall()) == 1


def test_a_ticker_is_refused_whole_when_more_than_half_of_it_is_bad_but_for_what_was_dropped(con):
    bad = [bar(day, -1.0) for day in DAYS[:3]]
    for good, whole in ((2, ["AMD"]), (3, [])):
        screen = screened(con, "price_daily", *bad, *(bar(day) for day in DAYS[10 : 10 + good]))
        assert screen.mostly_bad("price_daily") == whole
    con.execute(
        "INSERT INTO quarantine_decision (table_name, key, figure, verdict, decided_at) "
        f"VALUES ('price_daily', 'AMD {DAYS[0]}', -1, 'dropped', now())"
    )
    assert (
        screened(con, "price_daily", *bad, *(bar(day) for day in DAYS[10:12])).mostly_bad("price_daily") == []
    )


def test_of_a_ticker_that_is_refused_whole_nothing_is_taken_for_withdrawn(con):
    con.execute(f"INSERT INTO split (ticker, date, ratio, source) VALUES ('AMD', '{DAYS[3]}', 2, 'yahoo')")
    screen = Screen(con, "1", "yahoo", NOW)
    screen.expect([("AMD", DAYS[0], DAYS[9])])
    screen.judge("split", pd.DataFrame(columns=["ticker", "date", "ratio", "source"]))
    screen.refuse_items("split", ["AMD"])
    query = f"SELECT count(*) FROM split AS target WHERE {screen.withdrawn('split')}"
    assert con.execute(query).fetchall() == [(0,)]


def test_a_refused_close_is_none_that_a_dividend_is_measured_by(con):
    screen = Screen(con, "1", "yahoo", NOW)
    screen.judge("price_daily", pd.DataFrame([bar(DAYS[9], 60.0, low=70.0)]))
    screen.judge("dividend", pd.DataFrame([paid(DAYS[9], 30.0)]))
    assert [row[2] for row in con.execute("FROM bad_dividend").fetchall()] == [
        "the close did not fall by so large a dividend"
    ]


def test_counts_that_are_not_positive_are_none_that_another_is_measured_by(con):
    counts = [{"ticker": "AMD", "date": day, "shares": 10**6, "source": "s"} for day in DAYS[:2]]
    bad = [{"ticker": "AMD", "date": day, "shares": -1, "source": "s"} for day in DAYS[2:6]]
    screened(con, "shares_outstanding", *counts, *bad)
    assert con.execute("SELECT count(*) FROM bad_shares_outstanding").fetchall() == [(4,)]


@pytest.mark.parametrize("text", ["12.5 lots", "12e", "many"])
def test_a_text_in_a_column_of_numbers_is_told_with_its_column(con, text):
    screened(con, "price_daily", bar(DAYS[3], volume=text))
    assert con.execute("SELECT reason FROM bad_price_daily").fetchall() == [(f"no number: volume {text}",)]


def test_a_window_without_an_end_withdraws_nothing(con):
    con.execute(f"INSERT INTO split (ticker, date, ratio, source) VALUES ('AMD', '{DAYS[3]}', 2, 'yahoo')")
    screen = Screen(con, "1", "yahoo", NOW)
    for window, gone in (((None, DAYS[9]), 0), ((DAYS[4], DAYS[9]), 0), ((DAYS[0], DAYS[3]), 1)):
        screen.expect([("AMD", *window)])
        screen.judge("split", pd.DataFrame(columns=["ticker", "date", "ratio", "source"]))
        query = f"SELECT count(*) FROM split AS target WHERE {screen.withdrawn('split')}"
        assert con.execute(query).fetchall() == [(gone,)]


def stored_with(con, *dividends: tuple[date, float]) -> None:
    for day, amount in dividends:
        con.execute(
            f"INSERT INTO dividend (ticker, ex_date, amount, currency) VALUES ('AMD', '{day}', {amount}, 'USD')"
        )


def told(con, *rows: Row) -> dict[str, str]:
    con.register("sent", pd.DataFrame(rows).assign(open=1.0, high=1.0, low=1.0, volume=1))
    return adjusted(con, "sent")[1]


@pytest.mark.parametrize(
    ("close", "off", "differs"),
    [(100, 0.0245, False), (100, 0.0255, True), (1, 0.0051, False), (1, 0.0053, True)],
)
def test_an_adjusted_close_may_differ_by_what_rounding_does(con, close, off, differs):
    stored_with(con, (DAYS[20], 1.0))
    others = [bar(day, close) for day in DAYS[21:25]]
    found = told(
        con, bar(DAYS[20], close, adj_close=close - off), *others, bar(DAYS[26], close, adj_close=close)
    )
    assert bool(found) == differs


def test_a_window_before_later_dividends_is_lower_by_one_share_which_says_nothing(con):
    stored_with(con, (DAYS[20], 1.0))
    assert told(con, *(bar(day, adj_close=95.0) for day in DAYS[21:25])) == {}
    assert (
        "1 adjusted closes differ"
        in told(con, bar(DAYS[21], adj_close=93.0), *(bar(day, adj_close=95.0) for day in DAYS[22:25]))["AMD"]
    )


def test_a_dividend_of_days_to_come_adjusts_nothing_yet(con):
    stored_with(con, (DAYS[20], 1.0), (date(2025, 3, 17), 2.0))
    con.execute(f"UPDATE price_daily SET close = 50, adj_close = 50 WHERE date = '{DAYS[20]}'")
    con.execute("CREATE OR REPLACE TEMP VIEW sent_again AS FROM price_daily")
    view, _ = adjusted(con, "sent_again")
    prices = dict(con.execute(f"SELECT date, adj_close FROM {view}").fetchall())
    assert (prices[DAYS[19]], prices[DAYS[20]], prices[DAYS[-1]]) == (99.0, 50.0, 100.0)


def test_an_adjustment_of_which_the_dividend_is_gone_is_taken_back(con):
    con.execute(f"UPDATE price_daily SET adj_close = 99 WHERE date < '{DAYS[20]}'")
    con.register("sent", pd.DataFrame([bar(DAYS[-1])]).assign(open=1.0, high=1.0, low=1.0, volume=1))
    view, _ = adjusted(con, "sent")
    assert con.execute(
        f"SELECT count(*) FROM {view} WHERE adj_close = 100 AND date < '{DAYS[20]}'"
    ).fetchall() == [(20,)]


AMD = Company("AMD", "AMD", "s", "XNAS", "USD", "AI")


def absent(con, missing: slice, sent: list[date], first: date = DAYS[0], last: date = DAYS[-1]) -> int:
    """How many of the sessions that are missing from the warehouse are noted as absent after an answer."""
    con.execute("DELETE FROM absent_session")
    for day in DAYS[missing]:
        con.execute("DELETE FROM price_daily WHERE date = ?", [day])
    batch = Batch({"price_daily": pd.DataFrame({"date": sent})}, len(sent))
    note_absent(con, "yahoo", "1", {Task("AMD", first, last, AMD): batch})
    return con.execute("SELECT count(*) FROM absent_session").fetchall()[0][0]


def test_a_source_lacks_a_session_only_where_it_was_asked_and_sent_the_one_before(con):
    without = [*DAYS[:10], *DAYS[12:]]
    assert absent(con, slice(10, 12), without) == 2
    assert gaps(con) == {}
    con.execute("DELETE FROM absent_session")
    assert gaps(con) == {"AMD": DAYS[10:12]}
    assert absent(con, slice(10, 12), [*DAYS[:9], *DAYS[12:]]) == 0
    assert absent(con, slice(10, 12), without, first=DAYS[11]) == 0
    assert absent(con, slice(10, 12), without, last=DAYS[10]) == 0
    assert absent(con, slice(10, 12), without, last=DAYS[11]) == 2
    assert absent(con, slice(10, 12), [*DAYS[:11], *DAYS[12:]]) == 0  # it was sent, and refused


@pytest.mark.parametrize(("length", "noted"), [(LONGEST_ABSENCE, LONGEST_ABSENCE), (LONGEST_ABSENCE + 1, 0)])
def test_a_hole_of_more_than_two_weeks_is_a_fault_that_is_asked_about_for_ever(con, length, noted):
    assert absent(con, slice(10, 10 + length), [*DAYS[:10], *DAYS[10 + length :]]) == noted


def test_holes_apart_are_judged_each_by_itself(con):
    assert absent(con, slice(10, 16, 2), [*DAYS[:10], DAYS[11], *DAYS[13:15], *DAYS[15:]]) == 2


def test_a_retired_company_and_sessions_from_before_its_own_history_are_not_missed(con):
    con.execute(f"DELETE FROM price_daily WHERE date = '{DAYS[10]}'")
    assert gaps(con) == {"AMD": [DAYS[10]]}
    con.execute(f"UPDATE company SET history_from = '{DAYS[5]}'")
    assert gaps(con) == {"AMD": [DAYS[10]]}
    con.execute(f"UPDATE company SET history_from = '{DAYS[11]}'")
    assert gaps(con) == {}
    con.execute("UPDATE company SET history_from = NULL, retired = true")
    assert gaps(con) == {}


def test_a_company_is_behind_by_the_sessions_that_have_closed_since_its_last(con):
    (one,) = _tickers(con, NOW)
    assert (one.behind, one.stale) == (4, True)
    assert not replace(one, retired=True).stale


def test_the_sources_that_a_schedule_asks_are_told_when_their_last_run_failed():
    runs = [("3", "import", "ok"), ("2", "yahoo", "failed"), ("1", "google", "failed")]
    latest = [
        {"run_id": run, "source": source, "status": status, "message": "no answer"}
        for run, source, status in runs
    ]
    assert _failed_runs(latest) == ["the last run of yahoo failed (no answer)"]
    assert len(_failed_runs(latest[1:])) == 1
    assert _failed_runs(latest[2:]) == ["the last run of google failed (no answer)"]
