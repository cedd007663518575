"""Google Play's charts, asked for by name: taken as they come, and every answer of another form is named."""

from __future__ import annotations

import pytest

from etl.product import variable
from etl.sources import GROUPS
from tests.etl.conftest import messages
from tests.loopback.google import envelope
from tests.loopback.world import Asked, Reply


def test_a_chart_is_a_capture_with_the_packages_as_ids(operator):
    assert operator.refresh("google").exit_code == 0
    assert operator.rows(
        "SELECT rank, app_id, app_name, publisher FROM app_ranking WHERE rank <= 2 ORDER BY rank"
    ) == [
        (1, "com.deepseek.chat", "DeepSeek - AI Assistant", "DeepSeek"),
        (2, "com.openai.chatgpt", "ChatGPT", "OpenAI"),
    ]
    assert operator.rows(
        "SELECT DISTINCT store, country, chart, device, evidence, source FROM app_ranking"
    ) == [("google", "us", "top-free", "phone", "measured", "google")]
    assert operator.rows("SELECT store, depth FROM ranking_capture") == [("google", 100)]


def test_it_asks_for_the_charts_countries_and_depth_of_the_settings_and_leaves_genres_to_apple(operator):
    operator.set(variable("ranking_countries"), "us,kr")
    operator.set(variable("ranking_charts"), "top-free,top-grossing,top-free/productivity")
    operator.set(variable("ranking_depth"), "20")
    assert operator.refresh("google").exit_code == 0
    assert operator.rows("SELECT country, chart, depth FROM ranking_capture ORDER BY ALL") == [
        ("kr", "top-free", 20),
        ("kr", "top-grossing", 20),
        ("us", "top-free", 20),
        ("us", "top-grossing", 20),
    ]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Reply(b"<html>Before you continue"), "Google Play answered in an unknown form"),
        (Reply(b')]}\'\n\n[["wrb.fr","vyAe2",null]]'), "Google Play answered in an unknown form"),
        (Reply(b')]}\'\n\n[["er",null,null,null,null,400]]'), "Google Play answered in an unknown form"),
        (envelope([[[None]]]), "Google Play answered in an unknown form"),
        (envelope([]), "Google Play sent an empty chart"),
        (
            Reply(status=302, headers={"Location": "https://consent.google.com/"}),
            "Google Play sent us to another host, consent.google.com",
        ),
        (Reply(status=429), "asks for fewer requests"),
    ],
    ids=["HTML", "no payload", "an error", "another form", "empty", "sent elsewhere", "429"],
)
def test_an_answer_that_is_no_chart_is_named_and_nothing_is_stored(loaded, answer, sentence):
    def fault(asked: Asked) -> Reply | None:
        return answer if asked.host == "play.google.com" else None

    loaded.world.faults.append(fault)
    assert loaded.refresh("google").exit_code == 2
    assert sentence in messages(loaded)["us top-free"]
    assert loaded.rows("SELECT count(*) FROM app_ranking WHERE store = 'google'") == [(0,)]


def test_nobody_asks_google_who_has_not_been_told_to():
    assert {group for group, sources in GROUPS.items() if "google" in sources} == {"google"}
