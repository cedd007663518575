"""Each fault of Apple's feeds ends with a clear line in the run log, the right exit code, and no loss."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from etl.product import variable
from etl.sources.apple import AppleCharts
from tests.etl.conftest import again, messages
from tests.loopback.apple import apps
from tests.loopback.world import Asked, Reply, zipped

WITHOUT_FILES = True
NAMES = {
    "markup": "<script>alert(1)</script> & <b>Chat</b>",
    "emoji": "Chat 🤖👩‍💻🇨🇳",
    "right-to-left": "صديق ذكي \u200fדיפסיק",
    "long": "x" * 10_000,
    "quotes": "Robert'); DROP TABLE app_ranking;--",
}


@pytest.mark.parametrize("name", NAMES)
def test_an_app_name_is_kept_as_text_whatever_it_holds(operator, name):
    operator.apple.chart[0] = ("1", NAMES[name], "P")
    assert operator.refresh("rankings").exit_code == 0
    assert operator.rows("SELECT app_name FROM app_ranking WHERE rank = 1") == [(NAMES[name],)]


def test_control_characters_and_halves_of_characters_are_no_part_of_a_name(operator):
    operator.apple.chart[0] = ("1", "Deep\x00Seek\x1b[31m\ud83d", "P")
    assert operator.refresh("rankings").exit_code == 0
    assert operator.rows("SELECT app_name FROM app_ranking WHERE rank = 1") == [("DeepSeek[31m",)]


def test_a_short_feed_is_kept_with_its_depth_and_said_to_be_short(operator):
    operator.apple.chart = apps(37)
    assert operator.refresh("rankings").exit_code == 0
    assert operator.rows("SELECT depth FROM ranking_capture") == [(37,)]
    assert messages(operator)["us top-free"] == "37 entries of the 100 asked for"


def test_an_app_without_an_id_and_one_that_is_twice_in_the_chart_are_refused(operator):
    operator.apple.chart[4] = ("", "Nameless", "P")
    operator.apple.chart[9] = operator.apple.chart[0]
    assert operator.refresh("rankings").exit_code == 1
    assert "1 × an app without an id, 1 × the app is in the chart twice" in messages(operator)["us top-free"]
    assert operator.rows("SELECT list(rank ORDER BY rank)[:6] FROM app_ranking") == [([1, 2, 3, 4, 6, 7],)]


FEED_FAULTS = {
    "500": Reply(status=500),
    "HTML": Reply(b"<html>"),
    "truncated": Reply(b'{"feed": {"results": [{"id":'),
    "another form": Reply(b'{"feed": {"results": 7}}'),
    "empty": Reply(b'{"feed": {"results": []}}'),
    "cut off": Reply(b"{" + b" " * 5000, keep=100),
    "broken gzip": Reply(zipped(b"{}" * 2000).body[:20], headers={"Content-Encoding": "gzip"}),
    "another country": Reply(b'{"feed": {"country": "fr", "results": [{"id": "1", "name": "A"}]}}'),
    "redirect elsewhere": Reply(status=302, headers={"Location": "https://query1.finance.yahoo.com/"}),
}


COUNTRIES = dict(zip(FEED_FAULTS, ("us", "gb", "de", "it", "kr", "jp", "ca", "es", "in"), strict=True))


def in_each_country(operator, path: str) -> None:
    """Give the charts of every country a fault of its own at the addresses that hold ``path``."""
    operator.set(variable("ranking_countries"), ",".join(COUNTRIES.values()))
    operator.set(variable("threads"), "1")
    replies = {country: FEED_FAULTS[name] for name, country in COUNTRIES.items()}

    def fault(asked: Asked) -> Reply | None:
        country = re.search("/([a-z]{2})/", asked.path)
        return replies.get(country[1]) if country and path in asked.path else None

    operator.world.faults = [fault]


def test_when_a_feed_fails_the_older_one_is_used_and_that_is_said(operator):
    in_each_country(operator, "/apps/top-free/100/apps.json")
    assert operator.refresh("rankings").exit_code == 0
    captures = dict(operator.rows("SELECT country, source_url FROM ranking_capture"))
    rows = dict(operator.rows("SELECT country, count(*) FROM app_ranking GROUP BY ALL"))
    told = messages(operator)
    for country in COUNTRIES.values():
        older = f"https://itunes.apple.com/{country}/rss/topfreeapplications/limit=100/json"
        assert (captures[country], rows[country]) == (older, 100)
        assert "another feed was used" in told[f"{country} top-free"]


def test_when_every_feed_fails_the_chart_is_named_and_the_prices_load(loaded, monkeypatch):
    monkeypatch.setattr(AppleCharts, "patience", 100)
    in_each_country(loaded, "")
    assert again(loaded, "prices", "rankings").exit_code == 1
    told = messages(loaded)
    assert all("Apple" in told[f"{country} top-free"] for country in COUNTRIES.values())
    assert [log.status for log in loaded.last.logs] == ["ok", "failed"]
    assert loaded.rows("SELECT count(*) FROM app_ranking") == [(100,)]


def test_a_redirect_between_apples_hosts_is_followed(operator):
    there = "https://rss.applemarketingtools.com/api/v2/us/apps/top-free/100/apps.json"
    operator.world.faults = [
        lambda asked: (
            Reply(status=301, headers={"Location": there})
            if asked.host == "rss.marketingtools.apple.com"
            else None
        )
    ]
    assert operator.refresh("rankings").exit_code == 0
    assert messages(operator)["us top-free"] == ""


def test_a_feed_stamped_in_the_future_is_dated_by_the_request(operator):
    operator.apple.updated = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    assert operator.refresh("rankings").exit_code == 0
    assert "in the future: is the clock right?" in messages(operator)["us top-free"]
    assert operator.rows("SELECT captured_at < now() FROM ranking_capture") == [(True,)]


def test_a_stale_feed_keeps_its_own_date_and_is_said_to_be_stale(operator):
    operator.apple.updated = datetime(2025, 1, 27, 12, tzinfo=UTC)
    assert operator.refresh("rankings").exit_code == 0
    assert "the feed was last updated" in messages(operator)["us top-free"]
    assert operator.rows("SELECT captured_at FROM ranking_capture") == [(operator.apple.updated,)]


def test_countries_and_charts_are_configurable(operator, monkeypatch):
    operator.set(variable("ranking_countries"), "us, DE")
    operator.set(variable("ranking_charts"), "top-free,top-free/productivity")
    assert operator.refresh("rankings").exit_code == 0
    captures = operator.rows(
        "SELECT country, chart, source_url LIKE '%/genre=6007/json' FROM ranking_capture ORDER BY 1, 2"
    )
    assert captures == [
        (country, chart_name, "/" in chart_name)
        for country in ("de", "us")
        for chart_name in ("top-free", "top-free/productivity")
    ]


def test_a_genre_chart_comes_from_the_older_feed_and_never_is_the_chart_of_all_apps(operator):
    operator.set(variable("ranking_charts"), "top-free/productivity")
    assert operator.refresh("rankings").exit_code == 0
    assert {asked.host for asked in operator.world.asked} == {"itunes.apple.com"}
    for answer, reason in (
        (operator.apple.legacy("us"), "the chart of all apps instead of 'top-free/productivity'"),
        (operator.apple.legacy("us", "6000"), "the chart of genre 6000 instead of"),
        (operator.apple.v2("us"), "the chart of all apps instead of"),
        (of_genres(operator.apple.legacy("us", "6007"), {"6007": 30, "6014": 70}), "apps of other genres"),
    ):
        reply = Reply(json.dumps({"feed": answer}).encode())
        operator.world.faults = [lambda asked, reply=reply: reply]
        assert again(operator, "rankings").exit_code == 2
        assert reason in messages(operator)["us top-free/productivity"]
    assert operator.rows("SELECT count(*) FROM ranking_capture") == [(1,)]


def test_a_genre_chart_may_hold_apps_whose_first_genre_is_another(operator):
    operator.set(variable("ranking_charts"), "top-free/productivity")
    answer = of_genres(operator.apple.legacy("us", "6007"), {"6007": 60, "6000": 40})
    operator.world.faults = [lambda asked: Reply(json.dumps({"feed": answer}).encode())]
    assert operator.refresh("rankings").exit_code == 0


def of_genres(feed: dict, counts: dict[str, int]) -> dict:
    """The feed with so many of its apps in each genre."""
    genres = [genre for genre, count in counts.items() for _ in range(count)]
    for entry, genre in zip(feed["entry"], genres, strict=True):
        entry["category"] = {"attributes": {"im:id": genre}}
    return feed


def test_the_country_and_the_kind_of_an_older_feed_are_those_asked_for(operator):
    british = json.dumps({"feed": operator.apple.legacy("gb")}).encode()
    paid = json.dumps({"feed": operator.apple.legacy("us")}).replace("topfree", "toppaid").encode()
    for body in (british, paid):
        operator.world.faults = [
            lambda asked, body=body: Reply(status=500) if "/api/" in asked.path else Reply(body)
        ]
        assert again(operator, "rankings").exit_code == 2
    assert not operator.warehouse.exists()
