"""What many tests share: a warehouse of the bundled data, a running dashboard, a browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from playwright.sync_api import Request as PageRequest

from etl.bundled import load_bundled
from etl.settings import PROJECT_ROOT, settings
from etl.warehouse.files import FileWarehouse

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS = 60
DRAW_SECONDS = 90
SOAK = os.environ.get("AIMI_SOAK") == "1"
"""Whether the long forms are asked for (`make soak`)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a running dashboard take longest, and come first: no worker is left with one at the end."""
    items.sort(key=lambda item: "start_dashboard" not in getattr(item, "fixturenames", ()))


def pytest_sessionfinish() -> None:
    """Streamlit's test harness has a folder that it leaves to the end of the interpreter, which warns of it."""
    harness = sys.modules.get("streamlit.testing.v1.app_test")
    if harness:
        harness.TMP_DIR.cleanup()


@pytest.fixture(scope="session")
def bundled_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of the bundled data, built once: read it only."""
    path = tmp_path_factory.mktemp("bundled") / "market.duckdb"
    load_bundled(FileWarehouse(path), PROJECT_ROOT / "data")
    return path


@pytest.fixture
def use_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Call it with a path to make that the warehouse of this process for the length of a test."""

    def use(path: Path) -> None:
        monkeypatch.setenv("AIMI_DATABASE", str(path))
        settings.cache_clear()

    yield use
    settings.cache_clear()


@pytest.fixture
def on_bundled_data(bundled_database: Path, use_database: Callable[[Path], None]) -> Path:
    """Makes the bundled data the warehouse of this process for the length of a test."""
    use_database(bundled_database)
    return bundled_database


@pytest.fixture(scope="module")
def on_bundled_data_throughout(bundled_database: Path) -> Iterator[Path]:
    """Makes the bundled data the warehouse of this process for the length of a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIMI_DATABASE", str(bundled_database))
        settings.cache_clear()
        yield bundled_database
    settings.cache_clear()


@pytest.fixture
def own_database(bundled_database: Path, tmp_path: Path) -> Path:
    """A copy of the bundled warehouse that a test may write to."""
    path = tmp_path / "market.duckdb"
    shutil.copyfile(bundled_database, path)
    return path


@dataclass
class Dashboard:
    """A running dashboard: its address, its process, and the file that its log goes to."""

    url: str
    process: subprocess.Popen[bytes]
    log_file: Path

    def log(self) -> str:
        """What the server has written so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def wait_until_healthy(self) -> None:
        """Wait until the server answers; fails with its log when it does not."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except (URLError, OSError):
                time.sleep(0.05)
        pytest.fail(f"The dashboard did not start:\n{self.log()}")

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


StartDashboard = Callable[..., Dashboard]


@pytest.fixture(scope="session")
def start_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartDashboard]:
    """Call it with a warehouse's path (and settings as keywords) for a dashboard of one's own; ended at the end."""
    running: list[Dashboard] = []

    def start(database: Path, **env: str) -> Dashboard:
        port = free_port()
        log_file = tmp_path_factory.mktemp("dashboard") / "server.log"
        command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port)]
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [*command, "--server.address", "127.0.0.1"],
                cwd=PROJECT_ROOT,
                env={**os.environ, "AIMI_DATABASE": str(database), **env},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        dashboard = Dashboard(f"http://127.0.0.1:{port}", process, log_file)
        running.append(dashboard)
        dashboard.wait_until_healthy()
        return dashboard

    yield start
    for dashboard in running:
        dashboard.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str, **headers: str) -> tuple[int, str, bytes]:
    """Status, type and body of an answer, whatever its status."""
    try:
        with urlopen(Request(url, headers=headers), timeout=60) as answer:
            return answer.status, answer.headers.get("content-type", ""), answer.read()
    except HTTPError as answer:
        return answer.code, answer.headers.get("content-type", ""), answer.read()


@pytest.fixture(scope="session")
def dashboard(start_dashboard: StartDashboard, bundled_database: Path) -> Dashboard:
    """The dashboard over the bundled data, started once."""
    return start_dashboard(bundled_database)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium or Chrome as it is installed on the system, started once.

    While it runs, `asyncio.run` cannot be called in the main thread: run such code in a thread of its own.
    """
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.fail("No Chromium or Chrome on the PATH: install one, or run `make chromium`.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def door(browser: Browser, dashboard: Dashboard) -> Iterator[Page]:
    """A tab that opens the others: these share its process, in which scripts are fetched and compiled just once."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{dashboard.url}/_stcore/health")
    yield page
    context.close()


@dataclass
class Visit:
    """Opens pages of a dashboard, and keeps what their consoles complain about."""

    door: Page
    dashboard: Dashboard
    pages: list[Page] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __call__(
        self,
        path: str = "/",
        *,
        theme: Literal["light", "dark"] = "light",
        at: Dashboard | None = None,
        heading: bool = True,
    ) -> Page:
        """The page at `path`, as wide as a desk's screen, completely drawn, its `heading` too."""
        with self.door.expect_popup() as opened:
            self.door.evaluate("void open()")
        page = opened.value
        self.pages.append(page)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme=theme)
        page.on("console", self._listen)
        page.on("request", self._watch)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{(at or self.dashboard).url}{path}")
        if heading:
            wait_until_drawn(page)
        return page

    def _watch(self, request: PageRequest) -> None:
        """A reader's browser asks nobody but the dashboard."""
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.complaints.append(f"asked another host: {request.url}")

    def _listen(self, line: ConsoleMessage) -> None:
        """Below the root Streamlit first looks for a server at the page's own path; the browser reports that 404."""
        looked_for = line.location.get("url", "").endswith(("/_stcore/health", "/_stcore/host-config"))
        if line.type == "error" and not looked_for:
            self.complaints.append(f"{line.text} ({line.location.get('url', '')})")


def wait_until_drawn(page: Page) -> None:
    """Wait until the script has run, every figure is drawn and nothing is greyed out as stale."""
    page.wait_for_selector(
        "[data-testid=stApp][data-test-script-state=notRunning]", timeout=DRAW_SECONDS * 1000
    )
    page.wait_for_function(
        """() => document.querySelector('[data-testid=stMain] h1')
            && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')
            && [...document.querySelectorAll('[data-testid=stPlotlyChart]')]
                .every(chart => chart.querySelector('.main-svg'))""",
        timeout=DRAW_SECONDS * 1000,
    )


@contextmanager
def visiting(door: Page, dashboard: Dashboard) -> Iterator[Visit]:
    """Visits whose pages are closed at the end; a complaint in a console or a request to a foreign host fails."""
    opened = Visit(door, dashboard)
    yield opened
    for page in opened.pages:
        page.close()
    assert not opened.complaints


@pytest.fixture
def visit(door: Page, dashboard: Dashboard) -> Iterator[Visit]:
    """Call it with a path to get that page drawn in a browser, for the length of a test."""
    with visiting(door, dashboard) as opened:
        yield opened


@pytest.fixture(scope="module")
def visit_shared(door: Page, dashboard: Dashboard) -> Iterator[Visit]:
    """The same for the length of a module, for pages that several tests look at."""
    with visiting(door, dashboard) as opened:
        yield opened
