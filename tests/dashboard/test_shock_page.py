"""The story page, in Streamlit's own test harness and in a real browser."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from streamlit.testing.v1 import AppTest

from etl.settings import PROJECT_ROOT
from tests.conftest import SOAK, Visit, wait_until_drawn

APP = str(PROJECT_ROOT / "dashboard" / "app.py")
FIRST_PAGE_SECONDS = 10 if SOAK else 30  # the long forms have the machine to themselves


def run(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def titles(app: AppTest) -> list[str]:
    return [title.value.replace("\\", "") for title in app.title]


@pytest.mark.usefixtures("on_bundled_data")
def test_the_page_opens_on_the_deepseek_sell_off() -> None:
    app = run()
    assert not app.exception
    assert titles(app)[0].startswith("NVIDIA lost $592.7 billion of market value on Mon 27 Jan 2025")
    shown = "".join(part.proto.body for part in app.get("html"))
    assert re.findall(r'"value">(.*?)<', shown)[:3] == ["−16.97%", "−$592.7bn", "−$1.44tn"]


@pytest.mark.usefixtures("on_bundled_data")
def test_the_address_chooses_another_event_or_a_day() -> None:
    day = run(event="day", day="2024-09-03")
    assert titles(day)[0].startswith("NVIDIA lost $278.5 billion of market value on Tue 3 Sep 2024")
    assert not day.exception


@pytest.mark.usefixtures("on_bundled_data")
def test_a_day_outside_the_data_gets_a_sentence() -> None:
    app = run(event="day", day="1999-12-31")
    assert not app.exception
    assert "choose an event from the list or a day inside the data" in app.info[0].value.replace("\\", "")


def test_without_a_warehouse_the_page_says_what_to_do(
    tmp_path: Path, use_database: Callable[[Path], None]
) -> None:
    use_database(tmp_path / "none.duckdb")
    app = run()
    assert not app.exception
    assert "run `make run` or `python -m etl load-bundled`" in app.warning[0].value


@pytest.fixture(scope="module")
def story(visit_shared: Visit) -> Page:
    """The story as its address opens it, visited once: look only, and leave it as it was."""
    begun = time.monotonic()
    page = visit_shared("/")
    assert time.monotonic() - begun < FIRST_PAGE_SECONDS
    return page


def test_the_page_is_complete_in_a_browser_in_time(story: Page) -> None:
    text = story.inner_text("[data-testid=stMain]")
    for expected in ("−16.97%", "$592.7 billion", "DeepSeek", "The claims, checked", "not yet"):
        assert expected in text
    assert story.locator("[data-testid=stPlotlyChart]").count() == 5


def test_the_ranks_stand_below_the_prices_on_the_same_time_axis(story: Page) -> None:
    layout = story.evaluate(
        """(({yaxis, yaxis2, xaxis, xaxis2}) => ({
            prices: yaxis.domain, ranks: yaxis2.domain, order: yaxis2.range, days: xaxis.range, days2: xaxis2.range
        }))(document.querySelector('.js-plotly-plot')._fullLayout)"""
    )
    assert layout["ranks"][1] < layout["prices"][0]
    assert layout["days"] == layout["days2"]
    assert layout["order"][0] > layout["order"][1]  # no. 1 on top


def test_reported_ranks_are_open_and_never_joined(story: Page) -> None:
    traces = story.evaluate(
        """[...document.querySelector('.js-plotly-plot').data].filter(t => t.yaxis === 'y2')
            .map(t => ({name: t.name, mode: t.mode, symbol: t.marker.symbol, hover: t.hovertext}))"""
    )
    assert {trace["name"] for trace in traces} == {"DeepSeek", "ChatGPT"}
    for trace in traces:
        assert "lines" not in trace["mode"]
        assert set(trace["symbol"]) == {"circle-open"}
        assert all("reported by" in hover for hover in trace["hover"])


def test_nothing_is_wider_than_a_phone(story: Page) -> None:
    story.set_viewport_size({"width": 390, "height": 900})
    story.wait_for_function("document.documentElement.scrollWidth <= 390")
    story.wait_for_function(
        """![...document.querySelectorAll('.figures .value')]
            .some(value => value.scrollWidth > value.clientWidth + 1)"""
    )
    story.set_viewport_size({"width": 1280, "height": 900})


def drawn_labels(page: Page) -> list[str]:
    labels: list[str] = page.evaluate(
        "document.querySelector('.js-plotly-plot').layout.annotations.map(a => a.text)"
    )
    return labels


def test_the_address_names_the_companies_in_colour(story: Page, visit: Visit) -> None:
    page = visit("/?show=ORCL&show=GOOGL&show=%3Cb%3E")
    assert "<b>ORCL</b>" in drawn_labels(page)
    assert "<b>NVDA</b>" not in drawn_labels(page)
    assert "<b>NVDA</b>" in drawn_labels(story)


def test_a_choice_in_the_page_is_put_into_the_address_and_back_returns_from_it(
    story: Page, visit: Visit
) -> None:
    before = story.inner_text("h1")
    story.get_by_role("combobox", name="The story of").fill("Stargate")
    story.get_by_role("option", name="Stargate announced").click()
    story.wait_for_url("**/?event=stargate")
    wait_until_drawn(story)
    again = visit(story.url.removeprefix(visit.dashboard.url))
    assert again.inner_text("h1") == story.inner_text("h1") != before
    assert "Jan 2025" in again.inner_text("h1")
    story.go_back()
    story.wait_for_function("text => document.querySelector('h1').innerText === text", arg=before)
