"""The story page, in Streamlit's own test harness and in a real browser."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page
from streamlit.testing.v1 import AppTest

from etl.settings import PROJECT_ROOT
from tests.conftest import Visit, wait_until_drawn

APP = str(PROJECT_ROOT / "dashboard" / "app.py")
FIRST_PAGE_SECONDS = 10


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
    assert [metric.value for metric in app.metric][:3] == ["−16.97%", "−$592.7bn", "−$1.44tn"]


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


def test_the_page_is_complete_in_a_browser_in_time(visit: Visit) -> None:
    begun = time.monotonic()
    page = visit("/")
    assert time.monotonic() - begun < FIRST_PAGE_SECONDS
    text = page.inner_text("[data-testid=stMain]")
    for expected in ("−16.97%", "$592.7 billion", "DeepSeek", "The claims, checked", "not yet"):
        assert expected in text
    assert page.locator("[data-testid=stPlotlyChart]").count() == 5


def test_the_ranks_stand_below_the_prices_on_the_same_time_axis(visit: Visit) -> None:
    page = visit("/")
    layout = page.evaluate("document.querySelector('.js-plotly-plot')._fullLayout")
    assert layout["yaxis2"]["domain"][1] < layout["yaxis"]["domain"][0]
    assert layout["xaxis"]["range"] == layout["xaxis2"]["range"]
    assert layout["yaxis2"]["range"][0] > layout["yaxis2"]["range"][1]  # no. 1 on top


def test_reported_ranks_are_open_and_never_joined(visit: Visit) -> None:
    page = visit("/")
    traces = page.evaluate(
        """[...document.querySelector('.js-plotly-plot').data].filter(t => t.yaxis === 'y2')
            .map(t => ({name: t.name, mode: t.mode, symbol: t.marker.symbol, hover: t.hovertext}))"""
    )
    assert {trace["name"] for trace in traces} == {"DeepSeek", "ChatGPT"}
    for trace in traces:
        assert "lines" not in trace["mode"]
        assert set(trace["symbol"]) == {"circle-open"}
        assert all("reported by" in hover for hover in trace["hover"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_charts_wear_the_readers_theme(visit: Visit, theme: str) -> None:
    page = visit("/", theme=theme)
    paper = page.evaluate("document.querySelector('.js-plotly-plot')._fullLayout.paper_bgcolor")
    assert paper == {"light": "#FCFBF8", "dark": "#14171A"}[theme]


def test_nothing_is_wider_than_a_phone(visit: Visit) -> None:
    page = visit("/", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    clipped = page.evaluate(
        """[...document.querySelectorAll('[data-testid=stMetricValue] *')]
            .filter(value => value.scrollWidth > value.clientWidth + 1).length"""
    )
    assert clipped == 0


def drawn_labels(page: Page) -> list[str]:
    labels: list[str] = page.evaluate(
        "document.querySelector('.js-plotly-plot').layout.annotations.map(a => a.text)"
    )
    return labels


def test_the_address_names_the_companies_in_colour(visit: Visit) -> None:
    page = visit("/?show=ORCL&show=GOOGL&show=%3Cb%3E")
    assert "<b>ORCL</b>" in drawn_labels(page)
    assert "<b>NVDA</b>" not in drawn_labels(page)


def test_a_choice_in_the_page_is_put_into_the_address(visit: Visit) -> None:
    page = visit("/")
    page.get_by_role("combobox", name="The story of").fill("Stargate")
    page.get_by_role("option", name="Stargate announced").click()
    page.wait_for_url("**/?event=stargate")
    wait_until_drawn(page)
    again = visit(page.url.removeprefix(visit.dashboard.url))
    assert again.inner_text("h1") == page.inner_text("h1")
    assert "Jan 2025" in again.inner_text("h1")


def test_back_returns_to_the_event_before(visit: Visit) -> None:
    page = visit("/")
    before = page.inner_text("h1")
    page.get_by_role("combobox", name="The story of").fill("Stargate")
    page.get_by_role("option", name="Stargate announced").click()
    page.wait_for_url("**/?event=stargate")
    wait_until_drawn(page)
    page.go_back()
    page.wait_for_function("text => document.querySelector('h1').innerText === text", arg=before)
