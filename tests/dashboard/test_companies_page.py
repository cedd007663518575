"""The companies' page: its controls, its address, and what it says where there is nothing to draw."""

from __future__ import annotations

from functools import partial

import pytest

from tests.dashboard.pages import opened as open_page
from tests.dashboard.pages import titles

opened = partial(open_page, "companies")


def test_the_page_compares_companies_and_shows_one_in_detail(on_bundled_data):
    page = opened()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 4
    assert titles(page)[0] == "Broadcom fell 23.4% between 24 Jan 2025 and 3 Mar 2025; IBM rose 12.0%"
    assert titles(page)[2] == "27 Jan 2025 was the worst of NVIDIA’s 1,255 days in the data"
    assert all(chart.proto.alt for chart in page.get("plotly_chart"))


def test_the_address_restores_the_controls(on_bundled_data):
    page = opened(compare=["IBM"], measure="price", range="max", company="ORCL", log="true")
    assert titles(page)[0] == "IBM went from $137.02 on 1 Oct 2021 to $222.64 on 2 Oct 2026"
    assert page.header[0].value == "Oracle"


@pytest.mark.parametrize(
    "address",
    [
        {"compare": ["<b>", "' OR 1=1 --"], "company": "NOPE", "measure": "x", "range": "y", "log": "maybe"},
        {"range": "dates", "from": "9999-12-31", "to": "0001-01-01"},
        {"range": "dates", "from": "not-a-day", "to": ""},
        {"compare": ["NVDA"] * 40},
    ],
)
def test_a_hostile_address_still_gives_a_usable_page(on_bundled_data, address):
    page = opened(**address)
    assert not page.exception
    assert page.multiselect(key="compare").value
    assert len(page.get("plotly_chart")) >= 3


def test_a_day_that_is_none_is_refused_by_name(on_bundled_data):
    page = opened(event="day", day="1999-02-30")
    assert not page.exception
    assert "1999-02-30” is not a date" in page.warning[0].value.replace("\\", "")
    assert not page.get("plotly_chart")


def test_chosen_days_bound_the_comparison(on_bundled_data):
    page = opened(compare=["IBM"], measure="price", range="dates", to="2025-01-31", **{"from": "2025-01-27"})
    assert "on 27 Jan 2025 to" in titles(page)[0]
    assert titles(page)[0].endswith("on 31 Jan 2025")


def test_no_company_asks_for_one(on_bundled_data):
    page = opened()
    page.multiselect(key="compare").set_value([]).run()
    assert any("at least one company" in note.value for note in page.info)


def test_a_company_without_prices_says_so_and_what_to_do(on_bundled_data):
    page = opened(company="0700.HK")
    assert page.header[0].value == "Tencent"
    assert any("no prices of Tencent yet" in note.value.replace("\\", "") for note in page.info)
    assert not page.exception
