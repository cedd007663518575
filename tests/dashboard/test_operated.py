"""A dashboard that an operator runs, on a computer without a browser: it is refreshed, published to, and broken.

One server serves all of it, in the order below; each test also holds alone.
"""

import shutil
from pathlib import Path

import pytest

from dashboard.charts.style import DARK, LIGHT
from etl.warehouse.files import FileWarehouse
from tests.conftest import Dashboard, StartDashboard, Visit, get

NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
OPERATED = {
    "AIMI_ALLOW_REFRESH": "1",
    "AIMI_ATTEMPTS": "1",
    "AIMI_TIMEOUT": "2",
    "AIMI_LOOK_AGAIN": "0.5",
    "BROWSER_PATH": "/nonexistent/chromium",
    **NO_NETWORK,
}


@pytest.fixture(scope="module")
def warehouse(bundled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> FileWarehouse:
    path = tmp_path_factory.mktemp("operated") / "market.duckdb"
    shutil.copyfile(bundled_database, path)
    return FileWarehouse(path)


@pytest.fixture(scope="module")
def running(warehouse: FileWarehouse, start_dashboard: StartDashboard) -> Dashboard:
    """A dashboard whose pages look for new states twice a second, with the operator's button."""
    return start_dashboard(warehouse.path, **OPERATED)


def test_the_button_runs_a_refresh_beside_the_server_and_tells_how_it_went(
    running: Dashboard, visit: Visit
) -> None:
    page = visit("/data", at=running)
    assert page.get_by_role("link", name="The DeepSeek shock").count()  # the frame, even for the first reader
    assert page.get_by_text("Prices to the close of Friday 14 March 2025").count() == 1
    page.get_by_role("button", name="Refresh now").click()
    page.get_by_text("Refreshing for").wait_for()
    assert page.get_by_role("button", name="Refresh now").is_disabled()
    page.get_by_text("Nothing came; the data is as it was. The lines below say why.").wait_for(timeout=60_000)
    page.get_by_text("cannot be reached").first.wait_for()
    page.get_by_role("button", name="Refresh now", disabled=False).wait_for()


def test_an_open_page_follows_a_newly_published_state_and_the_readers_theme(
    warehouse: FileWarehouse, running: Dashboard, visit: Visit
) -> None:
    page = visit("/", at=running)
    assert page.inner_text("h1").startswith("NVIDIA lost $592.7 billion")
    with warehouse.writing() as con:
        con.execute("UPDATE price_daily SET close = close + 1 WHERE ticker = 'NVDA' AND date = '2025-01-27'")
        con.execute("DELETE FROM price_daily WHERE date > '2025-03-13'")
    page.get_by_text("Prices to the close of Thursday 13 March 2025").wait_for()
    page.get_by_role("heading", name="NVIDIA lost $568.2 billion").wait_for()
    paper = "document.querySelector('.js-plotly-plot').layout.template.layout.paper_bgcolor"
    assert page.evaluate(paper) == LIGHT.paper
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{paper} === '{DARK.paper}'")
    assert "Traceback" not in running.log()


def test_without_a_browser_an_image_is_a_503_that_says_what_to_install(running: Dashboard) -> None:
    status, kind, body = get(f"{running.url}/chart/shock-map.png")
    assert (status, kind) == (503, "text/plain; charset=utf-8")
    assert b"No Chrome or Chromium was found: install one" in body


@pytest.fixture
def broken(warehouse: FileWarehouse, running: Dashboard) -> Dashboard:
    """The same server after something has overwritten the warehouse."""
    warehouse.path.unlink()
    warehouse.path.write_bytes(b"not a database" * 1000)
    return running


def test_over_a_broken_warehouse_health_is_503_and_a_page_is_a_sentence_and_no_traceback(
    broken: Dashboard, visit: Visit
) -> None:
    status, kind, body = get(f"{broken.url}/healthz")
    assert status == 503
    assert kind.startswith("text/plain")
    assert b"cannot be read as a DuckDB database" in body
    assert body.count(b"\n") == 1
    page = visit("/", at=broken, heading=False)
    page.get_by_text("cannot be read as a DuckDB database").wait_for()
    assert "Traceback" not in page.inner_text("body")
