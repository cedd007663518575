from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import wayback

from etl.backfill import backfill
from etl.product import variable
from etl.refresh import Outcome
from etl.sources.archive import Archive
from tests.etl.conftest import Operator
from tests.loopback.apple import Apple, apps
from tests.loopback.archive import WaybackMachine, page_of_november_2025, page_with_json, page_with_list
from tests.loopback.world import Reply, World
from tests.loopback.yahoo import Yahoo

FEED = "https://rss.applemarketingtools.com/api/v2/us/apps/top-free/50/apps.json"
LEGACY = "https://itunes.apple.com/us/rss/topfreeapplications/limit=100/json"
PAGE = "https://apps.apple.com/us/charts/iphone/top-free-apps/36"


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2025, 1, day, hour, tzinfo=UTC)


def feed(updated: datetime, country: str = "us", *, legacy: bool = False, genre: str = "") -> str:
    apple = Apple(apps(60))
    apple.updated = updated
    return json.dumps({"feed": apple.legacy(country, genre) if legacy else apple.v2(country)})


@pytest.fixture
def historian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundled_database: Path) -> Iterator[Operator]:
    """An operator, with the archive's captures of four kinds to be had."""
    apple = Apple(apps(60))
    archive = WaybackMachine(
        {
            FEED: {at(26): feed(at(26))},
            LEGACY: {at(27): feed(at(27), legacy=True)},
            PAGE: {at(28): page_with_json(apps(70), at(28)), at(29): page_with_list(apps(20))},
            "https://apps.apple.com/us/charts/iphone": {at(30): page_of_november_2025(apps(10))},
            "https://apps.apple.com/us/charts/iphone/productivity-apps/6007": {
                at(28): page_with_json(apps(9), at(28), 6007)
            },
        }
    )
    with World(tmp_path, [Yahoo(), apple, archive]) as world:
        operator = Operator(tmp_path, world, monkeypatch)
        operator.set(variable("cache_dir"), str(tmp_path / "cache"))
        operator.archive = archive
        shutil.copyfile(bundled_database, operator.warehouse.path)
        yield operator


def run(operator: Operator, first: date = date(2025, 1, 20), last: date = date(2025, 2, 5)) -> Outcome:
    session = wayback.WaybackSession(
        retries=0, timeout=5, search_calls_per_second=0, memento_calls_per_second=0
    )
    return backfill(operator.warehouse, first, last, archive=Archive(session))


def captures(operator: Operator) -> list[tuple]:
    return operator.rows(
        "SELECT captured_at, depth FROM ranking_capture WHERE source = 'wayback' ORDER BY captured_at"
    )


def test_captures_of_every_form_arrive_with_their_time_and_address(historian):
    assert run(historian).exit_code == 0
    assert captures(historian) == [(at(26), 60), (at(27), 60), (at(28), 70), (at(29), 20), (at(30), 10)]
    first = historian.rows(
        "SELECT captured_at, app_name, evidence, source_url FROM app_ranking "
        "WHERE source = 'wayback' AND app_id = '6737597349' AND rank = 1 ORDER BY captured_at LIMIT 1"
    )
    address = f"https://web.archive.org/web/20250126120000id_/{FEED}"
    assert first == [(at(26), "DeepSeek - AI Assistant", "measured", address)]


def test_a_genre_has_its_own_pages(historian):
    historian.set(variable("ranking_charts"), "top-free/productivity")
    assert run(historian).exit_code == 0
    assert historian.rows("SELECT chart, depth FROM ranking_capture WHERE source = 'wayback'") == [
        ("top-free/productivity", 9)
    ]


def test_only_the_days_asked_for_are_fetched(historian):
    run(historian, date(2025, 1, 27), date(2025, 1, 28))
    assert captures(historian) == [(at(27), 60), (at(28), 70)]


def test_what_was_fetched_is_not_asked_for_again(historian):
    run(historian)
    historian.world.asked.clear()
    again = run(historian)
    assert (again.exit_code, again.logs[0].total("inserted"), again.logs[0].total("updated")) == (0, 0, 0)
    assert {asked.path for asked in historian.world.asked} == {"/cdx/search/cdx"}


def test_a_429_is_waited_out(historian):
    left = [2]
    historian.set(variable("max_wait"), "2")

    def limited(asked):
        if "/web/" in asked.path and left[0]:
            left[0] -= 1
            return Reply(status=429, headers={"Retry-After": "1"})
        return None

    historian.world.faults = [limited]
    assert run(historian).exit_code == 0
    assert len(captures(historian)) == 5


def test_a_long_429_ends_the_run_which_goes_on_later(historian):
    asked_for: list[str] = []

    def limited(asked):
        if "/web/" not in asked.path:
            return None
        asked_for.append(asked.path)
        return Reply(status=429, headers={"Retry-After": "3600"}) if len(asked_for) > 2 else None

    historian.world.faults = [limited]
    outcome = run(historian)
    assert outcome.exit_code == 1
    assert "run it again later" in outcome.logs[0].describe()
    assert len(asked_for) == 3
    assert len(captures(historian)) == 2
    historian.world.faults = []
    assert run(historian).exit_code == 0
    assert len(captures(historian)) == 5


def test_a_spoiled_capture_is_named_and_the_rest_is_stored(historian):
    historian.archive.saved[FEED][at(26)] = "<html>Service unavailable</html>"
    outcome = run(historian)
    assert outcome.exit_code == 1
    assert "Apple answered with HTML instead of a feed" in outcome.logs[0].describe()
    assert len(captures(historian)) == 4


def test_a_chart_is_dated_by_its_own_stamp_and_not_by_the_day_it_was_saved(historian):
    historian.archive.saved = {
        FEED: {at(30): feed(at(25))},
        LEGACY: {at(29): feed(at(24), legacy=True)},
        PAGE: {at(30): page_with_json(apps(70), at(28, 9)), at(29): page_with_list(apps(20))},
    }
    outcome = run(historian)
    assert outcome.exit_code == 0
    assert captures(historian) == [(at(24), 60), (at(25), 60), (at(28, 9), 70), (at(29), 20)]
    [said] = [item.message for item in outcome.logs[0].items if item.message]
    assert said.startswith("it has no time of its own")


def test_a_stamp_after_the_chart_was_saved_is_not_believed(historian):
    historian.archive.saved = {FEED: {at(26): feed(at(28))}}
    outcome = run(historian)
    assert captures(historian) == [(at(26), 60)]
    assert "after it was saved" in outcome.logs[0].items[0].message


OTHERS = {
    "a British v2 feed": (FEED, feed(at(26), "gb"), "Apple sent the chart of 'gb'"),
    "a British older feed": (LEGACY, feed(at(26), "gb", legacy=True), "Apple sent the chart of 'gb'"),
    "a British page": (PAGE, page_with_json(apps(9), at(26), country="gb"), "Apple sent the chart of 'gb'"),
    "a British list": (PAGE, page_with_list(apps(9), "gb"), "Apple sent the chart of 'gb'"),
    "a genre's feed": (LEGACY, feed(at(26), legacy=True, genre="6007"), "of genre 6007"),
    "a genre's page": (PAGE, page_with_json(apps(9), at(26), 6007), "the page holds no chart top-free"),
    "two lists": (PAGE, page_with_list(apps(9) + apps(9)).replace(">10<", ">1<"), "several lists"),
    "paid apps": (
        FEED,
        feed(at(26)).replace('"title"', '"id": "https://x/us/apps/top-paid/50/apps.json", "title"'),
        "top-paid",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_capture_of_another_chart_is_refused_by_name(historian, name):
    address, body, reason = OTHERS[name]
    historian.archive.saved = {address: {at(26): body}}
    outcome = run(historian)
    assert outcome.exit_code != 0
    assert reason in outcome.logs[0].items[0].message
    assert captures(historian) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://apps.apple.com/us/charts/iphone/top-paid-apps/36",
        "https://apps.apple.com/us/charts/iphone/all-apps/36?chart=top-paid",
        "https://apps.apple.com/us/charts/iphone/finance-apps/6015",
        "https://itunes.apple.com/us/rss/topfreeapplications/limit=100/xml",
        "https://itunes.apple.com/us/rss/topfreeapplications/limit=100/genre=6015/json",
    ],
)
def test_the_address_of_another_chart_is_not_fetched(historian, address):
    historian.archive.saved = {address: {at(26): page_with_list(apps(9))}}
    run(historian)
    assert not [asked for asked in historian.world.asked if "/web/" in asked.path]


def test_a_capture_with_a_gap_says_nothing_of_the_apps_that_it_lacks(historian):
    page = page_with_list(apps(20)).replace(">14<", ">77<")
    historian.archive.saved = {PAGE: {at(26): page}}
    assert run(historian).exit_code == 0
    assert captures(historian) == [(at(26), None)]
    assert historian.rows("SELECT count(*), max(rank) FROM app_ranking WHERE source = 'wayback'") == [
        (20, 77)
    ]


def test_the_command_says_when_the_archive_cannot_be_reached(historian):
    words = ("backfill-rankings", "--from", "2025-01-20", "--to", "2025-02-05")
    done = historian.run(*words, HTTPS_PROXY="http://127.0.0.1:9", **{variable("attempts"): "1"})
    assert done.returncode == 2
    assert "the archive cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
    assert historian.run("backfill-rankings", "--from", "x").returncode == 3
