"""The app rankings' page: its controls, its address, and what it says where there is nothing to draw."""

from __future__ import annotations

from functools import partial

import pytest

from etl.warehouse.files import FileWarehouse
from tests.dashboard.pages import opened as open_page
from tests.dashboard.pages import titles

opened = partial(open_page, "app_rankings")


def test_reports_are_drawn_and_the_missing_captures_explained(on_bundled_data, operator):
    assert "python" not in opened().info[0].value
    operator("1")
    page = opened()
    assert not page.exception
    assert titles(page) == [
        "DeepSeek was first reported at no. 1 on Sun 26 Jan 2025",
        "The reports held here have DeepSeek at no. 1 in 3 countries, first in the United States on 26 Jan 2025",
    ]
    assert "`python -m etl refresh --source rankings` captures" in page.info[0].value
    links = page.dataframe[0].value["link"]
    assert links.str.startswith("https://").all()


def test_the_next_step_is_that_of_the_store(on_bundled_data, operator):
    operator("1")
    assert "`python -m etl refresh --source google` captures" in opened(store="google").info[0].value


def test_the_address_restores_store_country_and_apps(on_bundled_data):
    page = opened(store="google", country="kr", apps=["com.deepseek.chat"], period="max")
    assert titles(page)[0] == "DeepSeek was first reported at no. 1 on Mon 3 Feb 2025"
    assert page.multiselect(key="apps").value == ["com.deepseek.chat"]


def test_another_store_has_its_own_apps(on_bundled_data):
    page = opened(apps=["6448311069"])
    page.segmented_control(key="store").set_value("google").run()
    page.query_params["store"] = "google"
    page.run()
    assert page.multiselect(key="apps").value == ["com.deepseek.chat", "com.openai.chatgpt"]
    assert not page.exception


@pytest.mark.parametrize(
    "address",
    [
        {"store": "<script>", "country": "zz", "chart": "' OR 1=1", "device": "x", "apps": ["%00", "`"]},
        {"period": "dates", "since": "9999-12-31", "until": "0001-01-01"},
        {"period": "dates", "since": "yesterday", "until": "2025-13-45"},
        {"event": "day", "day": "2024-09-03"},
    ],
)
def test_a_hostile_address_still_gives_a_usable_page(on_bundled_data, address):
    page = opened(**address)
    assert not page.exception
    assert len(page.get("plotly_chart")) == 2


def test_an_event_far_from_the_captures_names_the_way_out(on_bundled_data):
    page = opened(event="day", day="2024-09-03", period="event")
    assert not page.exception
    assert any("choose “All”" in note.value for note in page.info)


def test_no_app_asks_for_one(on_bundled_data):
    page = opened(apps=[""])
    assert any("at least one app" in note.value for note in page.info)


def test_a_warehouse_without_ranks_says_what_to_do(tmp_path, use_database, operator):
    operator("1")
    path = tmp_path / "market.duckdb"
    with FileWarehouse(path).writing():
        pass
    use_database(path)
    page = opened()
    assert not page.exception
    assert "etl refresh --source rankings" in page.info[0].value


def test_the_charts_with_captures_are_named_and_a_click_away(on_bundled_data):
    page = opened()
    shown = "".join(part.proto.body for part in page.get("html"))
    assert "Captures are held of" in shown
    assert (
        "Apple’s top free productivity iPhone apps in the United States (25, 15 Sep 2026 to 10 Oct 2026)"
        in shown
    )
    assert "?store=apple&amp;country=us&amp;chart=top-free%2Fproductivity&amp;device=iphone" in shown
    there = opened(store="apple", country="us", chart="top-free/productivity")
    assert len(titles(there)) == 3
    assert "Captures are held of" not in "".join(part.proto.body for part in there.get("html"))
