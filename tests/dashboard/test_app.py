"""The frame of every page, and what is prepared before a reader asks."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from dashboard.app_pages import PAGES
from dashboard.export.browser import Renderer
from dashboard.images import NO_PICTURE
from dashboard.routes import chart
from dashboard.views import shock
from dashboard.views.coverage import dateline_words
from dashboard.views.request import Request as ChartRequest
from dashboard.warm import warm
from etl.freshness import Freshness, Level, freshness
from etl.product import NAME, PROJECT_ROOT, VERSION
from etl.warehouse.files import FileWarehouse

APP = str(PROJECT_ROOT / "dashboard" / "app.py")
FRIDAY = date(2025, 3, 14)


def reach(*ends: str, exchange: str = "XNAS", sources: str = "yahoo") -> pd.DataFrame:
    last = pd.to_datetime(list(ends)).as_unit("us")
    return pd.DataFrame({"exchange": exchange, "last": last, "sources": sources})


def at(moment: str) -> pd.Timestamp:
    return pd.Timestamp(moment, tz="America/New_York").tz_convert("UTC")


def test_sessions_count_as_behind_once_they_have_closed_and_settled() -> None:
    held = reach("2025-03-14")
    for moment, behind in (
        ("2025-03-15 12:00", 0),
        ("2025-03-17 15:59", 0),
        ("2025-03-17 16:20", 0),
        ("2025-03-17 16:31", 1),
        ("2025-03-18 17:00", 2),
    ):
        assert freshness(held, at(moment)).behind == behind


def test_a_holiday_is_no_session_to_wait_for() -> None:
    assert freshness(reach("2025-01-08"), at("2025-01-09 20:00")).behind == 0


def test_the_session_is_the_one_that_half_of_the_companies_have() -> None:
    found = freshness(reach("2025-03-14", "2025-03-13", "2025-03-13", "2025-02-03"), at("2025-03-14 18:00"))
    assert (found.session, found.lagging) == (date(2025, 3, 13), 1)
    assert freshness(reach("2025-03-14", "2025-03-13"), at("2025-03-14 18:00")).session == FRIDAY


def test_seoul_counts_only_where_new_york_has_no_prices() -> None:
    both = pd.concat([reach("2025-03-14"), reach("2025-01-02", "2025-01-02", exchange="XKRX")])
    assert freshness(both, at("2025-03-14 18:00")).session == FRIDAY
    assert freshness(reach("2025-01-24", exchange="XKRX"), at("2025-01-31 23:00")).behind == 1
    assert freshness(reach("2025-01-24", exchange="NOWHERE"), at("2025-01-31 23:00")) is None


@pytest.mark.parametrize(
    ("behind", "bundled", "level", "words"),
    [
        (0, False, Level.FRESH, "Prices to the close of Friday 14 March 2025."),
        (1, False, Level.FRESH, "Prices to the close of Friday 14 March 2025 · 1 session behind."),
        (2, False, Level.LATE, "· 2 sessions behind."),
        (5, False, Level.LATE, "· 5 sessions behind"),
        (6, False, Level.STALE, "· 6 sessions behind"),
        (0, True, Level.FRESH, "Prices to the close of Friday 14 March 2025."),
        (426, True, Level.BUNDLED, "the data bundled with the project."),
    ],
)
def test_the_dateline_tells_the_age_in_sessions(behind: int, bundled: bool, level: Level, words: str) -> None:
    age = Freshness(FRIDAY, behind, 0, bundled)
    assert age.level is level
    assert words in dateline_words(age)
    if not bundled:
        assert "bundled" not in dateline_words(replace(age, behind=426))


@pytest.mark.usefixtures("on_bundled_data")
def test_every_page_begins_with_as_of_when_its_prices_are() -> None:
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert app.caption[-1].value == f"{NAME} {VERSION}"
    assert app.caption[0].value.startswith("Prices to the close of Friday 2 October 2026")
    assert ":red[" not in app.caption[0].value


@pytest.mark.usefixtures("on_bundled_data")
def test_without_a_browser_an_image_is_a_503_that_tells_nothing_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lone = Renderer()
    monkeypatch.setenv("BROWSER_PATH", "/nonexistent/chromium")
    monkeypatch.setattr("dashboard.export.browser.renderer", lambda: lone)
    try:
        request = Request(
            {
                "type": "http",
                "headers": [],
                "path_params": {"name": "shock-map"},
                "query_string": b"size=613x411",
            }
        )
        with ThreadPoolExecutor(1) as apart:  # a browser of other tests may hold this thread's loop
            answer = apart.submit(asyncio.run, chart(request)).result()
    finally:
        lone.close()
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/plain; charset=utf-8")
    assert answer.body == f"{NO_PICTURE}\n".encode()


@pytest.mark.parametrize("page", PAGES)
def test_without_a_warehouse_the_operator_is_told_what_to_do_and_a_reader_nothing_of_the_place(
    tmp_path: Path, use_database: Callable[[Path], None], operator: Callable[[str], None], page: str
) -> None:
    use_database(tmp_path / "none.duckdb")
    app = AppTest.from_file(APP, default_timeout=60).run()
    app.switch_page(f"app_pages/{page}.py").run()
    assert not app.exception
    assert app.warning[0].value == "There are no data here yet."
    operator("1")
    assert "run `make run` or `python -m etl load-bundled`" in app.run().warning[0].value


def test_the_default_story_is_drawn_before_a_reader_asks(
    on_bundled_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn_again(*_: object) -> None:
        raise AssertionError("a chart was not prepared")

    warm(FileWarehouse(on_bundled_data).version())
    monkeypatch.setattr(shock, "draw", drawn_again)
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == len(shock.ON_THE_PAGE)


def test_nothing_is_prepared_where_there_is_no_story_to_tell(
    tmp_path: Path, use_database: Callable[[Path], None]
) -> None:
    empty = FileWarehouse(tmp_path / "market.duckdb")
    with empty.writing():
        pass
    use_database(empty.path)
    warm(empty.version())


def test_what_is_sent_to_a_reader_is_the_figure(on_bundled_data: Path) -> None:
    with FileWarehouse(on_bundled_data).reading() as con:
        figure = shock.CHARTS["shock-timeline"](con, ChartRequest()).figure
    app = AppTest.from_file(APP, default_timeout=60).run().run()
    sent = json.loads(app.get("plotly_chart")[1].proto.spec)
    sent["layout"].pop("datarevision", None)  # tells Plotly whether it has drawn this figure already
    assert sent == json.loads(figure.to_json())
