"""What refreshes notice in the app stores: an app that rises, takes no. 1 or loses it, and the DeepSeek pattern."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import feedparser
import pandas as pd
import pytest

from dashboard.views.feed import atom, read_entries
from etl.delivery.messages import messages, subject
from etl.signals.ranks import steps
from etl.signals.store import Found, notice
from etl.warehouse.files import FileWarehouse
from tests.etl.test_signals import A_MONTH, DEEPSEEK, NOW, signals

Capture = Callable[[str, str, dict[int, str]], None]


@pytest.fixture
def captures(tmp_path: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Capture]]:
    with FileWarehouse(tmp_path / "market.duckdb").writing() as con:

        def capture(
            moment: str, country: str, chart: dict[int, str], evidence: str = "measured", depth: int = 100
        ) -> None:
            con.execute(
                "INSERT INTO ranking_capture (captured_at, store, country, chart, device, depth, evidence, source, "
                "source_url) VALUES (?, 'apple', ?, 'top-free', 'iphone', ?, ?, 'apple', 'feed')",
                [moment, country, depth, evidence],
            )
            con.executemany(
                "INSERT INTO app_ranking (captured_at, store, country, chart, device, rank, app_id, app_name, evidence,"
                " source, source_url) VALUES (?, 'apple', ?, 'top-free', 'iphone', ?, ?, ?, ?, 'apple', 'feed')",
                [[moment, country, rank, app, app, evidence] for rank, app in chart.items()],
            )

        yield con, capture


def told(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(str(step.day), step.name, step.what, step.countries) for step in steps(con, date.min)]


def test_an_app_takes_no_1_and_loses_it_in_several_countries_at_once(
    captures: tuple[duckdb.DuckDBPyConnection, Capture],
) -> None:
    con, capture = captures
    for country in ("us", "gb"):
        capture("2025-01-26 00:00:00+00", country, {1: "ChatGPT", 2: "DeepSeek"})
        capture("2025-01-27 00:00:00+00", country, {1: "DeepSeek", 2: "ChatGPT"})
    assert told(con) == [
        ("2025-01-27", "ChatGPT", "loses no. 1", ("gb", "us")),
        ("2025-01-27", "DeepSeek", "takes no. 1", ("gb", "us")),
    ]


def test_an_app_enters_the_top_ten_once_a_month_and_not_in_a_chart_that_is_new(
    captures: tuple[duckdb.DuckDBPyConnection, Capture],
) -> None:
    con, capture = captures
    for day in pd.date_range("2025-01-01", "2025-02-03", tz="UTC"):
        here = day in pd.DatetimeIndex(["2025-01-05", "2025-02-01", "2025-02-03"], tz="UTC")
        capture(
            str(day),
            "us",
            {1: "ChatGPT", (5 if here else 15): "DeepSeek", (7 if day.day == 2 else 27): "Temu"},
        )
    assert told(con) == [("2025-02-02", "Temu", "enters the top ten", ("us",))]


def test_an_app_with_a_hostile_name_is_one_line_in_feeds_mails_and_webhooks(
    captures: tuple[duckdb.DuckDBPyConnection, Capture],
) -> None:
    con, capture = captures
    hostile = ["Deep\x0bSeek\r\nBcc: a@b.example", "\u202eTumeT\ufffe<script>", "x" * 5000, "\x00"]
    capture("2026-07-29 00:00:00+00", "us", {1: "ChatGPT"})
    for hour, name in enumerate(hostile):
        capture(f"2026-07-30 {hour:02}:00:00+00", "us", {1: name})
    notice(con, "one", NOW, A_MONTH)
    names = signals(con, "title LIKE '%took no. 1%'")["name"].tolist()
    assert {"Deep Seek Bcc: a@b.example", "TumeT <script>", f"{'x' * 79}…", "An app without a name"} == set(
        names
    )
    feed = feedparser.parse(atom(read_entries(con), "https://news.example"))
    assert not feed.bozo
    assert len(feed.entries) == len(signals(con))
    for message in messages(con, datetime(2026, 7, 30, tzinfo=UTC)):
        assert "\n" not in subject([message])
        assert json.loads(json.dumps(message.payload("")))["data"]["name"] == message.signal["name"]


@pytest.mark.parametrize(
    ("chart", "told_of", "stands"),
    [
        ({1: "Temu", 40: "DeepSeek"}, "loses no. 1", "stands at no. 40 now"),
        ({1: "Temu", 2: "ChatGPT"}, "loses no. 1", "is not in the first 100 now"),
        ({2: "ChatGPT"}, "", ""),  # who leads is not known: it may still be itself
    ],
)
def test_an_app_that_falls_out_of_the_top_ten_loses_no_1(
    captures: tuple[duckdb.DuckDBPyConnection, Capture], chart: dict[int, str], told_of: str, stands: str
) -> None:
    con, capture = captures
    capture("2025-02-01 00:00:00+00", "us", {1: "DeepSeek", 2: "ChatGPT"})
    capture("2025-02-02 00:00:00+00", "us", chart)
    notice(con, "one", NOW, A_MONTH)
    lost = [(name, what) for _, name, what, _ in told(con) if what.startswith("loses")]
    assert lost == [("DeepSeek", told_of)] * bool(told_of)
    assert signals(con, "name = 'DeepSeek'")["detail"].str.contains(stands).tolist() == [True] * bool(told_of)
    assert notice(con, "again", NOW, A_MONTH) == Found()


def test_an_app_that_is_gone_from_charts_of_several_lengths_is_outside_the_shortest(
    captures: tuple[duckdb.DuckDBPyConnection, Capture],
) -> None:
    con, capture = captures
    for country, depth in (("us", 100), ("gb", 50)):
        capture("2025-02-01 00:00:00+00", country, {1: "DeepSeek"})
        capture("2025-02-02 00:00:00+00", country, {1: "Temu"}, depth=depth)  # type: ignore[call-arg]
    assert [(step.rank, step.depth) for step in steps(con, date.min) if step.name == "DeepSeek"] == [
        (None, 50)
    ]


def test_two_apps_whose_names_have_no_latin_letters_are_two_signals(
    captures: tuple[duckdb.DuckDBPyConnection, Capture],
) -> None:
    con, capture = captures
    capture("2025-01-26 00:00:00+00", "cn", {1: "豆包"})
    capture("2025-01-27 00:00:00+00", "cn", {1: "元宝", 2: "豆包"})
    capture("2025-01-27 12:00:00+00", "cn", {1: "豆包", 2: "元宝"})
    notice(con, "two", NOW, A_MONTH)
    found = signals(con)
    assert len(found) == 4
    assert found["title"].str.contains("China").all()


def test_an_app_that_leads_in_more_countries_in_the_course_of_the_day_is_told_once(
    captures: tuple[duckdb.DuckDBPyConnection, Capture],
) -> None:
    con, capture = captures
    for country in ("us", "gb"):
        capture("2025-01-26 00:00:00+00", country, {1: "ChatGPT", 2: "DeepSeek"})
    capture("2025-01-27 00:00:00+00", "us", {1: "DeepSeek", 2: "ChatGPT"})
    assert notice(con, "one", NOW, A_MONTH) == Found(new=2)
    capture("2025-01-27 01:00:00+00", "gb", {1: "DeepSeek", 2: "ChatGPT"})
    assert notice(con, "both", NOW, A_MONTH) == Found()
    assert signals(con)["title"].str.contains("in 2 countries").all()


def test_steps_across_a_pause_and_reports_are_not_told(
    captures: tuple[duckdb.DuckDBPyConnection, Capture],
) -> None:
    con, capture = captures
    capture("2025-01-20 00:00:00+00", "us", {1: "ChatGPT"})
    capture("2025-01-27 00:00:00+00", "us", {1: "DeepSeek"})
    capture("2025-01-28 00:00:00+00", "us", {1: "Temu"}, evidence="reported")  # type: ignore[call-arg]
    assert not told(con)


def test_a_rise_and_a_fall_within_three_sessions_are_the_deepseek_pattern(own_database: Path) -> None:
    with FileWarehouse(own_database).writing() as con:
        for moment, first in (("2025-01-25 12:00:00+00", "ChatGPT"), ("2025-01-26 12:00:00+00", "DeepSeek")):
            con.execute(
                "INSERT INTO ranking_capture (captured_at, store, country, chart, device, depth, evidence, source, "
                "source_url) VALUES (?, 'apple', 'us', 'top-free', 'iphone', 100, 'measured', 'apple', 'feed')",
                [moment],
            )
            con.execute(
                "INSERT INTO app_ranking (captured_at, store, country, chart, device, rank, app_id, app_name, evidence,"
                " source, source_url) VALUES (?, 'apple', 'us', 'top-free', 'iphone', 1, ?, ?, 'measured', 'apple', "
                "'feed')",
                [moment, first, first],
            )
        con.execute("DELETE FROM signal_run")
        notice(con, "pattern", NOW, A_MONTH)
        pattern = signals(con, "kind = 'coincidence'").iloc[0]
    assert pattern["session"].date() == DEEPSEEK
    assert pattern["subject"] == "NVDA"
    assert "DeepSeek rose in the app stores within 3 sessions" in pattern["detail"]
    assert "cause" not in pattern["detail"]
