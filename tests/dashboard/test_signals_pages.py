"""Signals on the pages and as feeds: told apart from events, read by a reader of feeds."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import atoma
import duckdb
import feedparser
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.data.events import find_event
from dashboard.data.naming import UnknownName, event_named
from dashboard.data.signals import signal_after, signals, signals_computed
from dashboard.views.feed import atom, json_feed, read_entries
from dashboard.views.headline import headline
from dashboard.views.story import read_story
from etl.settings import PROJECT_ROOT
from etl.warehouse.files import FileWarehouse
from tests.conftest import Dashboard, get

ADDRESS = "https://news.example/ai"
SEEN = pd.Timestamp("2026-07-31T21:00Z")
ONE = pd.DataFrame(
    [("signal-x", "A title", "a detail", "", "move", SEEN, SEEN)],
    columns=["signal_id", "title", "detail", "event", "kind", "first_seen", "updated"],
)


@pytest.fixture(scope="module")
def con(bundled_database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with FileWarehouse(bundled_database).reading() as con:
        yield con


def test_a_signal_is_a_session_without_a_claimed_cause(con: duckdb.DuckDBPyConnection) -> None:
    event = find_event(con, "signal-2025-01-27-nvda-loss")
    assert event is not None
    assert (event.market_session, event.kind, event.lead, event.source) == (
        date(2025, 1, 27),
        "signal",
        "NVDA",
        "",
    )
    assert event.title == "NVIDIA lost $592.7 billion of market value on Monday 27 January 2025"
    assert "On record for this session: " in event.description
    assert "DeepSeek" in event.description
    unexplained = signals(con).query("event == '' and kind == 'move'")["signal_id"].iloc[0]
    found = find_event(con, unexplained)
    assert found is not None
    assert "No cause is on record yet." in found.description


@pytest.mark.parametrize(("captured", "shown"), [("2026-09-19", "2026-09-21"), ("2026-10-04", "2026-10-02")])
def test_what_happens_in_the_stores_on_a_weekend_is_told_with_a_session_that_there_is(
    own_database: Path, captured: str, shown: str
) -> None:
    with FileWarehouse(own_database).writing() as con:
        con.execute("UPDATE signal SET session = ? WHERE kind = 'rank'", [captured])
    with FileWarehouse(own_database).reading() as con:
        (signal_id,) = con.execute("SELECT min(signal_id) FROM signal WHERE kind = 'rank'").fetchall()[0]
        event = find_event(con, signal_id)
        assert event is not None
        assert event.market_session == date.fromisoformat(shown)
        assert f"The session shown is that of {event.market_session.day} " in event.description
        assert headline(read_story(con, signal_id)) == f"{event.title}."


def test_a_signal_that_is_not_there_is_refused_by_name(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UnknownName, match="There is no event “signal-2025-01-28-nobody”"):
        event_named(con, "signal-2025-01-28-nobody")


def test_signals_come_newest_first_and_after_a_session(con: duckdb.DuckDBPyConnection) -> None:
    found = signals(con)
    assert found["session"].is_monotonic_decreasing
    newest = signal_after(con, date(2025, 1, 27))
    assert newest is not None
    assert newest[0] == found["signal_id"].iloc[0]
    assert signal_after(con, found["session"].iloc[0].date()) is None
    computed = signals_computed(con)
    assert computed is not None
    assert computed[2] == 12


def test_the_atom_feed_is_well_formed_and_each_entry_opens_its_page(con: duckdb.DuckDBPyConnection) -> None:
    entries = read_entries(con)
    read = feedparser.parse(atom(entries, ADDRESS))
    assert not read.bozo
    assert read.version == "atom10"
    assert [entry.title for entry in read.entries] == entries["title"].tolist()
    assert len({entry.id for entry in read.entries}) == len(entries)
    assert read.entries[0].link == f"{ADDRESS}/?event={entries['signal_id'].iloc[0]}"
    assert all(entry.updated_parsed and entry.summary for entry in read.entries)


def test_an_event_s_title_of_any_characters_breaks_no_feed(con: duckdb.DuckDBPyConnection) -> None:
    entries = read_entries(con).assign(event="A\x07 bell,\x0b a return\r and \uffff")
    read = feedparser.parse(atom(entries, ADDRESS))
    assert not read.bozo
    assert read.entries[0].summary.endswith("On record for this session: A bell, a return and .")


def test_the_json_feed_has_what_its_specification_demands(con: duckdb.DuckDBPyConnection) -> None:
    feed = json.loads(json_feed(read_entries(con), ADDRESS))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"]
    for item in feed["items"]:
        assert item["id"].startswith("tag:news.example,")
        assert item["content_text"]
        pd.Timestamp(item["date_published"])


def test_a_strict_reader_finds_in_both_feeds_all_that_their_specifications_demand(
    con: duckdb.DuckDBPyConnection,
) -> None:
    entries = read_entries(con)
    first = atoma.parse_atom_bytes(atom(entries, ADDRESS))
    second = atoma.parse_json_feed_bytes(json_feed(entries, ADDRESS))
    assert [entry.title.value for entry in first.entries] == [item.title for item in second.items]
    assert [entry.id_ for entry in first.entries] == [item.id_ for item in second.items]
    assert first.updated == max(entry.updated for entry in first.entries)
    assert {link.rel for link in first.links} == {"alternate", "self"}
    assert second.feed_url == f"{ADDRESS}/feed.json"


@pytest.mark.parametrize(
    ("address", "authority"),
    [
        ("https://news-desk.example:8443/ai", "news-desk.example"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("http://[fe80::1]:8501", "fe80-1"),
        ("http://127.0.0.1:8501", "127.0.0.1"),
    ],
)
def test_identities_in_feeds_are_tag_uris_wherever_the_dashboard_is(address: str, authority: str) -> None:
    (entry,) = json.loads(json_feed(ONE, address))["items"]
    assert entry["id"] == f"tag:{authority},2021-10-01:signal-x"
    assert feedparser.parse(atom(ONE, address)).entries[0].id == entry["id"]


def test_fifty_readers_at_once_each_get_the_whole_feed(dashboard: Dashboard) -> None:
    addresses = [f"{dashboard.url}/feed.{form}" for form in ("atom", "json")] * 25
    get(addresses[0])  # compiled
    began = time.monotonic()
    with ThreadPoolExecutor(50) as readers:
        answers = list(readers.map(get, addresses))
    assert time.monotonic() - began < 20
    assert {status for status, _, _ in answers} == {200}
    assert len({content for _, _, content in answers}) == 2
    assert len(feedparser.parse(answers[0][2]).entries) == 50
    assert len(json.loads(answers[1][2])["items"]) == 50


def test_markup_in_a_name_stays_text_in_a_feed(con: duckdb.DuckDBPyConnection) -> None:
    entries = read_entries(con).head(1).assign(title="<script>alert(1)</script> & co", detail="]]>")
    content = atom(entries, ADDRESS)
    assert b"<script>" not in content
    assert not feedparser.parse(content).bozo


def test_a_feed_without_signals_is_a_feed() -> None:
    none = ONE.head(0)
    assert not feedparser.parse(atom(none, ADDRESS)).bozo
    assert json.loads(json_feed(none, ADDRESS))["items"] == []


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize(("page", "words"), [("events", "Noticed, not explained"), ("data", "last computed")])
def test_the_pages_say_what_was_noticed_and_when(page: str, words: str) -> None:
    app = AppTest.from_file(
        str(PROJECT_ROOT / "dashboard" / "app_pages" / f"{page}.py"), default_timeout=120
    ).run()
    assert not app.exception
    shown = [*(one.proto.body for one in app.get("html")), *(one.value for one in app.caption)]
    assert any(words in text for text in shown)


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ("signal-2025-01-27-nvda-loss", "NVIDIA lost $592.7 billion"),
        ("signal-2026-06-05-ai", "AI companies fell 7.3% on average on Friday 5 June 2026."),
        ("signal-2025-09-10-orcl-gain", "Oracle gained $246.7 billion"),
    ],
)
def test_a_signals_story_is_told_by_itself_and_names_what_was_noticed_since(signal: str, said: str) -> None:
    app = AppTest.from_file(str(PROJECT_ROOT / "dashboard" / "app_pages" / "shock.py"), default_timeout=120)
    app.query_params["event"] = signal
    app.run()
    assert not app.exception
    assert said in app.title[0].value.replace("\\", "")
    shown = " ".join(one.proto.body for one in app.get("html"))
    assert "Noticed in the figures alone: " in shown
    assert "Noticed since: " in shown
    assert len(app.get("plotly_chart")) >= 4
