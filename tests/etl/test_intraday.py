"""Intraday bars: which are asked for, what is kept, and what a bad answer does to the refresh."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from etl import calendars, intraday
from etl.settings import PROJECT_ROOT
from tests.etl.conftest import asked_within, save, with_event
from tests.loopback.yahoo import within_day

BARS = "SELECT count(*) FROM price_intraday"
ZONE = "America/New_York"


def test_a_session_is_saved_with_the_hours_around_it_in_both_times(live):
    done = save(live, "--tickers", "NVDA,SPY")
    assert (done.returncode, done.stderr) == (0, "")
    rows = live.rows(
        "SELECT phase, session, min(local_time::TIME), max(local_time::TIME), "
        f"bool_and(timezone('{ZONE}', starts_at) = local_time), any_value(splits_through) "
        "FROM price_intraday WHERE ticker = 'NVDA' GROUP BY ALL ORDER BY 3"
    )
    assert [(row[0], f"{row[2]:%H:%M}") for row in rows][:2] == [("pre", "08:30"), ("regular", "09:30")]
    assert f"{rows[0][3]:%H:%M}" == "09:25"
    assert {(row[1], row[4], row[5]) for row in rows} == {(live.days[-1], True, live.days[-1])}
    assert live.rows("SELECT DISTINCT ticker FROM price_intraday ORDER BY 1") == [("NVDA",), ("SPY",)]


def test_the_status_says_what_is_held(live):
    assert "Intraday" not in live.run("status").stdout
    save(live, "--tickers", "NVDA,SPY")
    (count,) = live.rows(BARS)[0]
    told = f"5-minute bars of 2 companies on 1 session, {live.days[-1]} to {live.days[-1]} ({count} bars)"
    assert told in live.run("status").stdout


def test_the_last_bar_of_the_session_ends_at_the_daily_close(live):
    save(live)
    off = live.rows(
        "SELECT held.ticker, arg_max(held.close, starts_at) / any_value(daily.close) - 1 "
        "FROM price_intraday AS held JOIN price_daily AS daily ON daily.ticker = held.ticker "
        "AND daily.date = session WHERE phase = 'regular' GROUP BY 1"
    )
    assert len(off) == 4
    assert all(abs(share) < 1e-6 for _, share in off)


def test_seoul_is_saved_by_its_own_clock_without_hours_around_it(live):
    save(live, "--tickers", "000660.KS")
    assert live.rows(
        "SELECT phase, min(local_time::TIME)::VARCHAR, min(timezone('UTC', starts_at)::TIME)::VARCHAR "
        "FROM price_intraday GROUP BY phase"
    ) == [("regular", "09:00:00", "00:00:00")]


def test_one_minute_bars_stand_beside_those_of_five(live):
    live.yahoo.listings["NVDA"].within.clear()
    within_day(live.yahoo.listings["NVDA"], live.days[-1], minutes=1)
    save(live, "--tickers", "NVDA", "--interval", "1m")
    (count,) = live.rows(f"{BARS} WHERE minutes = 1")[0]
    assert count > 390 or count > 210  # a half day
    save(live, "--tickers", "SPY")
    assert live.rows(f"{BARS} WHERE minutes = 1") == [(count,)]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--session", "2025-01-27"),
            "Yahoo keeps 5-minute bars for 60 days and has none of 2025-01-27 any more",
        ),
        (("--session", "2025-01-27", "--interval", "1m"), "keeps 1-minute bars for 7 days"),
        (("--since", "2025-01-27"), "asked for by --session DATE: leave out --since"),
        (("--session", "2031-01-02"), "is in the future"),
        (("--interval", "3h"), "There is no interval '3h': choose from 15m, 1m, 2m, 5m, 60m"),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_asked(live, words, told):
    live.world.asked.clear()
    done = live.run("refresh", "--source", "intraday", *words)
    assert done.returncode == 3
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert live.world.asked == []


def test_a_day_without_a_session_is_refused_by_name(live):
    saturday = live.days[-1] - timedelta(days=(live.days[-1].weekday() - 5) % 7)
    done = live.run("refresh", "--source", "intraday", "--session", f"{saturday}")
    assert done.returncode == 3
    assert f"{saturday} is not a session that has closed on ARCX, XKRX, XNAS" in done.stderr


def test_the_options_of_bars_within_the_day_go_with_nothing_else(live):
    done = live.run("refresh", "--source", "prices", "--session", f"{live.days[-1]}")
    assert done.returncode == 3
    assert "--session: with --source intraday only." in done.stderr


def test_a_refresh_saves_the_day_of_an_event_and_asks_nothing_twice(live):
    with_event(live, live.days[-2])
    assert live.run("refresh", "--source", "prices").returncode == 0
    held = live.rows("SELECT DISTINCT ticker, session FROM price_intraday ORDER BY 1")
    assert held == [("NVDA", live.days[-2])]  # nobody here is a benchmark
    assert [one.path.rsplit("/")[-1] for one in asked_within(live)] == ["NVDA"]
    live.world.asked.clear()
    assert live.run("refresh", "--source", "prices").returncode == 0
    assert asked_within(live) == []


def test_of_a_market_day_those_that_moved_most_are_saved_with_the_benchmarks(live, monkeypatch):
    companies = (
        (live.data / "companies.toml")
        .read_text()
        .replace(
            'ticker = "SPY"\nname = "SPY"\nsegment = "s"\nexchange = "ARCX"\ncurrency = "USD"\nrole = "AI"',
            'ticker = "SPY"\nname = "SPY"\nsegment = "s"\nexchange = "ARCX"\ncurrency = "USD"\nrole = "benchmark"',
        )
    )
    (live.data / "companies.toml").write_text(companies)
    for ticker, count in (("NVDA", 10), ("AMD", 100)):
        live.yahoo.listings[ticker].shares = {live.days[0]: count}
    live.run("refresh", "--source", "shares")
    monkeypatch.setattr(intraday, "MOST", 1)
    with_event(live, live.days[-1], lead="")
    live.run("refresh", "--source", "prices")
    assert live.rows("SELECT DISTINCT ticker FROM price_intraday ORDER BY 1") == [("AMD",), ("SPY",)]


def test_the_session_of_a_signal_is_saved(live):
    with live.warehouse.writing() as con:
        con.execute(
            "INSERT INTO signal (signal_id, kind, session, subject, name, direction, measure, size, alarms) "
            "VALUES ('x', 'move', $day, 'AMD', 'AMD', 'up', 'return', 0.1, 12), "
            "('y', 'rank', $day, '1', 'App', 'up', 'rank', 1, 12)",
            {"day": live.days[-1]},
        )
    with live.warehouse.reading() as con:
        from etl import catalogue
        from etl.sources.base import Request

        companies = catalogue.load_companies(live.data / "companies.toml")
        wanted = intraday.due(con, Request(companies, pd.Timestamp.now("UTC")))
    assert wanted == {"AMD": [live.days[-1]]}


def test_a_session_is_asked_for_after_its_close_and_once_more_after_the_hours_that_follow(live):
    from etl import catalogue
    from etl.hours import hours
    from etl.sources.base import Request

    with_event(live, live.days[-1])
    live.run("refresh", "--source", "rankings")  # brings the event, and asks for no prices
    companies = catalogue.load_companies(live.data / "companies.toml")
    close = calendars.calendar("XNYS").closes[calendars.calendar("XNYS").sessions.get_loc(str(live.days[-1]))]
    over = hours("XNYS").end_of(live.days[-1])

    def due(now: pd.Timestamp) -> bool:
        with live.warehouse.reading() as con:
            return "NVDA" in intraday.due(con, Request(companies, now))

    def ask(now: pd.Timestamp) -> None:
        with live.warehouse.writing() as con:
            con.execute("DELETE FROM intraday_asked")
            con.execute("INSERT INTO intraday_asked VALUES ('NVDA', 5, ?, ?, 'x')", [live.days[-1], now])

    minutes = pd.Timedelta(minutes=1)
    assert not due(close + 29 * minutes)
    assert due(close + 31 * minutes)
    ask(close + 31 * minutes)
    assert not due(over - minutes)
    assert due(over)
    ask(over)
    assert not due(over + pd.Timedelta(days=30))
    with live.warehouse.writing() as con:
        con.execute("DELETE FROM intraday_asked")
    assert not due(over + pd.Timedelta(days=61))


def test_asking_again_changes_nothing_and_a_correction_is_a_revision(live):
    save(live, "--tickers", "NVDA")
    before = live.rows("FROM price_intraday ORDER BY ALL")
    save(live, "--tickers", "NVDA")
    assert live.rows("FROM price_intraday ORDER BY ALL") == before
    live.yahoo.listings["NVDA"].within[max(live.yahoo.listings["NVDA"].within)].volume = 7
    save(live, "--tickers", "NVDA")
    assert live.rows("SELECT old_value, new_value FROM revision WHERE table_name = 'price_intraday'") == [
        ("100", "7")
    ]


def test_a_split_in_later_weeks_is_known_to_be_missing_from_the_bars(live):
    """The bars stay as they were quoted; `splits_through` says what readers must still apply."""
    save(live, "--tickers", "NVDA")
    quoted = live.rows("SELECT max(close) FROM price_intraday")
    with live.warehouse.writing() as con:
        con.execute("INSERT INTO split VALUES ('NVDA', ?, 10, 'x', 'x')", [live.days[-1] + timedelta(days=3)])
    assert live.rows("SELECT max(close) FROM price_intraday") == quoted
    assert live.rows(
        "SELECT DISTINCT splits_through < (SELECT max(date) FROM split) FROM price_intraday"
    ) == [(True,)]


def test_kept_answers_are_judged_again_without_asking(live):
    save(live, "--tickers", "NVDA")
    before = live.rows("SELECT * EXCLUDE run_id FROM price_intraday ORDER BY ALL")
    with live.warehouse.writing() as con:
        con.execute("DELETE FROM price_intraday")
    live.world.asked.clear()
    assert live.run("refresh", "--replay").returncode == 0
    assert live.world.asked == []
    assert live.rows("SELECT * EXCLUDE run_id FROM price_intraday ORDER BY ALL") == before


def test_the_bundle_says_that_it_has_none():
    told = (PROJECT_ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert "no intraday bars:" in told
