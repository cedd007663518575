"""What many tests share: a warehouse of the bundled data, a running dashboard, a browser."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, ConsoleMessage, Page, TimeoutError, sync_playwright
from playwright.sync_api import Request as PageRequest

from dashboard.settings import settings as dashboard_settings
from etl.bundled import load_bundled
from etl.product import variable
from etl.settings import PROJECT_ROOT, settings
from etl.warehouse.files import FileWarehouse

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS = 60
DRAW_SECONDS = 90
LOOK_MILLISECONDS = 100
SOAK = os.environ.get(variable("soak")) == "1"
"""Whether the long forms are asked for (`make soak`)."""
Tell = Callable[[str, int, int], None]


BREAKS_THE_WAREHOUSE = "test_in_a_browser.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a running dashboard take longest, and come first: no worker is left with one at the end."""
    items.sort(
        key=lambda item: ("start_dashboard" not in _fixtures(item), item.path.name == BREAKS_THE_WAREHOUSE)
    )
    for item in items:
        item.user_properties += [("tried", (*mark.args, 1, 0)) for mark in item.iter_markers("tried")]


def _fixtures(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """The modules of pandas, Plotly and the tests stay to the end: collections need not go through them each time."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counts: dict[str, list[int]] = {}
    for report in (one for kind in ("passed", "failed") for one in terminalreporter.stats.get(kind, [])):
        for name, value in report.user_properties:
            if name == "tried" and report.when == "call":
                what, tried, lost = value
                lost = lost or int(report.outcome == "failed")
                total = counts.setdefault(what, [0, 0])
                total[0] += tried
                total[1] += lost
    if SOAK:
        for what, (tried, lost) in counts.items():
            line = f"SOAK {what}: {tried} tried, {tried - lost} survived, {lost} lost"
            terminalreporter.write_line(line, red=bool(lost), green=not lost)


def pytest_sessionfinish() -> None:
    """Streamlit's test harness has a folder that it leaves to the end of the interpreter, which warns of it."""
    harness = sys.modules.get("streamlit.testing.v1.app_test")
    if harness:
        harness.TMP_DIR.cleanup()


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Call it with what was tried, how often, and how many of these were lost; the summary adds them up."""
    return lambda what, tried, lost: record_property("tried", (what, tried, int(lost)))


@pytest.fixture(scope="session")
def bundled_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of the bundled data, built once for all processes of a run: read it only."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    path = folder / "bundled" / "market.duckdb"
    with FileLock(folder / "bundled.lock"):
        if not path.exists():
            path.parent.mkdir()
            load_bundled(FileWarehouse(path), PROJECT_ROOT / "data")
    return path


@pytest.fixture
def use_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Call it with a path to make that the warehouse of this process for the length of a test."""

    def use(path: Path) -> None:
        monkeypatch.setenv(variable("database"), str(path))
        settings.cache_clear()

    yield use
    settings.cache_clear()


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Call it with "1" to be the operator for the length of a test, with "" to be any reader."""

    def be(value: str) -> None:
        monkeypatch.setenv(variable("operator"), value)
        dashboard_settings.cache_clear()

    yield be
    dashboard_settings.cache_clear()


@pytest.fixture
def on_bundled_data(bundled_database: Path, use_database: Callable[[Path], None]) -> Path:
    """Makes the bundled data the warehouse of this process for the length of a test."""
    use_database(bundled_database)
    return bundled_database


@pytest.fixture(scope="module")
def on_bundled_data_throughout(bundled_database: Path) -> Iterator[Path]:
    """Makes the bundled data the warehouse of this process for the length of a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable("database"), str(bundled_database))
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
        if not answers(f"{self.url}/_stcore/health", lambda: self.process.poll() is None):
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
                env={**os.environ, variable("database"): str(database), **env},
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


def answers(url: str, still: Callable[[], bool]) -> bool:
    """Whether an address answers before the time to start is over, and while `still` holds."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and still():
        try:
            with urlopen(url, timeout=2):
                return True
        except (URLError, OSError):
            time.sleep(0.05)
    return False


def get(url: str, **headers: str) -> tuple[int, str, bytes]:
    """Status, type and body of an answer, whatever its status."""
    try:
        with urlopen(Request(url, headers=headers), timeout=60) as answer:
            return answer.status, answer.headers.get("content-type", ""), answer.read()
    except HTTPError as answer:
        return answer.code, answer.headers.get("content-type", ""), answer.read()


NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
OPERATED = {
    variable("operator"): "1",
    variable("attempts"): "1",
    variable("timeout"): "2",
    variable("look_again"): "2",
}


@pytest.fixture(scope="session")
def published(bundled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> FileWarehouse:
    """The warehouse of the running dashboard: a copy of the bundled one, which may be published to."""
    path = tmp_path_factory.mktemp("published") / "market.duckdb"
    shutil.copyfile(bundled_database, path)
    return FileWarehouse(path)


@pytest.fixture(scope="session")
def dashboard(start_dashboard: StartDashboard, published: FileWarehouse) -> Dashboard:
    """A running dashboard, started once; it looks for new states every 2 s and has the operator's button."""
    return start_dashboard(published.path, **OPERATED, **NO_NETWORK)


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


@dataclass
class Reader:
    """A reader with one tab, in which the dashboard's scripts are fetched and compiled just once."""

    page: Page
    dashboard: Dashboard
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str = "/", *, heading: bool = True) -> Page:
        """The page at an address, loaded anew and completely drawn, its `heading` too."""
        self.page.goto(f"{self.dashboard.url}{address}")
        if heading:
            wait_until_drawn(self.page)
        return self.page

    def follow(self, title: str, address: str) -> Page:
        """The page that the menu calls `title`, completely drawn; the first of all is opened by its address."""
        if not self.page.url.startswith(self.dashboard.url):
            return self.open(address)
        before = self.page.inner_text("h1")
        if urlsplit(self.page.url).path != address:
            self._click(title, address)
            other = "before => ![undefined, before].includes(document.querySelector('h1')?.innerText)"
            wait_for(self.page, other, before)
        wait_until_drawn(self.page)
        return self.page

    def _click(self, title: str, address: str) -> None:
        """Click in the menu, once more where a run of the page drew it anew under the click."""
        link = self.page.get_by_role("link", name=title, exact=True)
        link.click()
        with suppress(TimeoutError):
            self.page.wait_for_url(f"**{address}*", timeout=5000)
        if urlsplit(self.page.url).path != address:
            link.click()

    def listen(self) -> None:
        """Keep what the console complains about, and requests to anybody but the dashboard."""
        self.page.on("console", self._listen)
        self.page.on("request", self._watch)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _watch(self, request: PageRequest) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.complaints.append(f"asked another host: {request.url}")

    def _listen(self, line: ConsoleMessage) -> None:
        """Below the root Streamlit first looks for a server at the page's own path; the browser reports that 404."""
        looked_for = line.location.get("url", "").endswith(("/_stcore/health", "/_stcore/host-config"))
        if line.type == "error" and not looked_for:
            self.complaints.append(f"{line.text} ({line.location.get('url', '')})")


def wait_for(page: Page, condition: str, arg: object = None) -> None:
    """Wait until a function of JavaScript is true of the page, without asking at every frame."""
    page.wait_for_function(condition, arg=arg, timeout=DRAW_SECONDS * 1000, polling=LOOK_MILLISECONDS)


def wait_until_drawn(page: Page) -> None:
    """Wait until the script has run, every figure is drawn and nothing is greyed out as stale."""
    page.wait_for_selector(
        "[data-testid=stApp][data-test-script-state=notRunning]", timeout=DRAW_SECONDS * 1000
    )
    wait_for(
        page,
        """() => document.querySelector('[data-testid=stMain] h1')
            && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')
            && [...document.querySelectorAll('[data-testid=stPlotlyChart]')]
                .every(chart => chart.querySelector('.main-svg'))""",
    )


DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def only_reader(browser: Browser, dashboard: Dashboard) -> Iterator[Reader]:
    """The reader, whose tab stays open from test to test."""
    context = browser.new_context(viewport=DESK)
    context.set_default_timeout(DRAW_SECONDS * 1000)
    found = Reader(context.new_page(), dashboard)
    found.listen()
    yield found
    context.close()


@pytest.fixture
def reader(only_reader: Reader) -> Iterator[Reader]:
    """The reader at a desk; a complaint in the console or a request to a foreign host fails the test."""
    only_reader.complaints.clear()
    only_reader.page.set_viewport_size(DESK)
    yield only_reader
    assert not only_reader.complaints
