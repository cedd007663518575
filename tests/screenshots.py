"""Takes a picture of every page, light, dark and at phone width: `make screenshots`, or with a folder as argument."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright
from streamlit.testing.v1 import AppTest

from etl.product import variable
from tests.dashboard.pages import seen

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "story": "/",
    "events": "/events",
    "companies": "/companies",
    "event-study": "/event-study",
    "app-rankings": "/app-rankings",
    "export": "/export",
    "data": "/data",
}
LOOKS = {"light": ("light", 1280), "dark": ("dark", 1280), "phone": ("light", 390)}
# The picture of the README: page, look, and how many pixels of it from the top.
README = ("story", "light", 1340)
PORT = int(os.environ.get("PORT", "8599"))


def serve(database: Path) -> subprocess.Popen[bytes]:
    """A dashboard over the bundled data, once it answers."""
    env = {**os.environ, variable("database"): str(database)}
    subprocess.run([sys.executable, "-m", "etl", "load-bundled"], cwd=ROOT, env=env, check=True)
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(PORT)]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    for _ in range(300):
        try:
            with urlopen(f"http://127.0.0.1:{PORT}/_stcore/health", timeout=1):
                return process
        except (URLError, OSError):
            time.sleep(0.1)
    process.kill()
    raise SystemExit("The dashboard did not start.")


def drawn(page: Page) -> None:
    """Wait until the script has run and every figure is drawn."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)
    page.wait_for_function(
        """() => document.querySelector("[data-testid=stMain] h1")
            && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')
            && [...document.querySelectorAll('[data-testid=stPlotlyChart]')]
                .every(chart => chart.querySelector('.main-svg'))""",
        timeout=60_000,
    )


def take(browser: Browser, name: str, look: str, target: Path, height: int | None = None) -> None:
    """One page in one look: the whole of it, or its first `height` pixels."""
    scheme, width = LOOKS[look]
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{PORT}{PAGES[name]}")
    drawn(page)
    whole = int(page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight"))
    page.set_viewport_size({"width": width, "height": height or min(whole + 40, 12_000)})
    page.wait_for_timeout(1500)  # what was out of sight begins to draw, figures follow the new size
    drawn(page)
    page.wait_for_timeout(500)
    page.screenshot(path=str(target / f"{name}-{look}.png"))
    context.close()


def main(target: Path) -> None:
    """Take all pictures into a folder."""
    target.mkdir(parents=True, exist_ok=True)
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("No Chromium or Chrome on the PATH: run `make chromium`.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        database = Path(folder) / "market.duckdb"
        server = serve(database)
        try:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            for name in PAGES:
                for look in LOOKS:
                    take(browser, name, look, target)
                    print(target / f"{name}-{look}.png")
            (target / "readme").mkdir(exist_ok=True)
            name, look, height = README
            take(browser, name, look, target / "readme", height)
            browser.close()
            os.environ[variable("database")] = str(database)
            page = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60).run()
            (target / "readme" / f"{name}-{look}.txt").write_text(seen(page), encoding="utf-8")
        finally:
            server.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "pictures")
