"""How fast the pages are against a bare Streamlit page that draws the same Plotly figures from memory.

Both run in the same run, in headless Chromium, each on a server of its own. The story: the first reader after the
start, a later reader, and a reader who chooses another event or removes a company, with the bundled warehouse and with
500 and 5,000 tickers of ten years. With the bundled one also 40 readers at once, and a later reader of each other page
that has figures. Ends with 1 when a ratio is above its bar.
`python -m tests.benchmarks.dashboard [ROUNDS [READERS]]` takes fewer rounds or readers.
"""

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.async_api import Browser, Page, async_playwright

from dashboard.views.request import Request
from dashboard.views.shock import CHARTS, ON_THE_PAGE
from etl.bundled import load_bundled
from etl.product import variable
from etl.settings import PROJECT_ROOT
from etl.warehouse.files import FileWarehouse

BAR = 1.3
WAREHOUSES = (
    ("bundled, 49 tickers", 0, 0, True),
    ("500 tickers, 10 years", 500, 10, False),
    ("5,000 tickers, 10 years", 5000, 10, False),
)
"""Each with its made-up tickers and years, and whether readers at once and the other pages are timed there too."""
EVENTS = {"deepseek-selloff": "DeepSeek sell-off", "ai-diffusion-rule": "US caps AI chip exports worldwide"}
BARE_PAGE = """
import json, sys
from pathlib import Path
import plotly.graph_objects as go
import streamlit as st

@st.cache_resource
def figures():
    kept = json.loads(Path(FILE).read_text())
    return {name: [go.Figure(json.loads(text), skip_invalid=True) for text in kept[name]] for name in NAMES}

st.set_page_config(layout="wide")
name = st.selectbox("The story of", NAMES)
st.title(f"Figures of {name}")
for figure in figures()[name]:
    st.plotly_chart(figure, theme=None)
"""
DRAWN = """([heading, count]) => {
    const plots = [...document.querySelectorAll('[data-testid=stPlotlyChart]')]
    const title = document.querySelector('[data-testid=stMain] h1')
    return title && title.innerText !== heading && plots.length >= count
        && plots.every(plot => plot.querySelector('.main-svg'))
        && document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
        && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')
}"""
FIRST_FIGURE = (
    "JSON.stringify((document.querySelector('.st-key-shock-timeline .js-plotly-plot') || {layout: {}})"
    ".layout.annotations || 0)"
)
PAGES = ("companies", "events", "event-study", "app-rankings", "data")
FIGURES = """() => [...document.querySelectorAll('.js-plotly-plot')].map(plot => JSON.stringify(
    {data: plot.data, layout: plot.layout}, (_, value) => ArrayBuffer.isView(value) ? Array.from(value) : value))"""
SETTLED_SECONDS = 4
ERRORS = "document.querySelectorAll('[data-testid=stException], [data-testid=stAlertContentError]').length"


def grow(database: Path, tickers: int, years: int) -> None:
    """Add made-up daily prices of so many companies to a warehouse, ending where it ends."""
    with FileWarehouse(database).writing() as con:
        con.execute(
            "INSERT INTO company BY NAME SELECT 'X' || lpad(i::VARCHAR, 4, '0') AS ticker, 'Company ' || i AS name, "
            "'Other' AS segment, 'XNAS' AS exchange, 'USD' AS currency, 'comparison' AS role, "
            "false AS is_benchmark, false AS bundled FROM range($count) t(i)",
            {"count": tickers},
        )
        con.execute(
            "INSERT INTO price_daily BY NAME SELECT ticker, date, close AS open, close * 1.01 AS high, "
            "close * 0.99 AS low, close, close AS adj_close, 1000000 AS volume, 'USD' AS currency, "
            "'yahoo' AS source, 'made-up' AS run_id FROM (SELECT company.ticker, day::DATE AS date, "
            "20 + 10 * sin(hash(company.ticker) % 1000 + epoch(day) / 1e7) AS close FROM company, "
            "range(DATE '2025-03-14' - to_years($years), DATE '2025-03-15', INTERVAL 1 DAY) d(day) "
            "WHERE company.ticker LIKE 'X____' AND isodow(day) < 6 "
            "AND company.ticker NOT IN (SELECT ticker FROM price_daily))",
            {"years": years},
        )


def figures_of_the_story(database: Path) -> dict[str, list[str]]:
    """The figures of each event's story as JSON, by the event's title."""
    with FileWarehouse(database).reading() as con:
        return {
            title: [
                make(con, Request(event_id=event)).figure.to_json()
                for make in (CHARTS[name] for name in ON_THE_PAGE)
            ]
            for event, title in EVENTS.items()
        }


def write_bare_page(figures: dict[str, list[str]], folder: Path) -> Path:
    """The page to compare with: the same figures from memory, those of one name at a time."""
    data, page = folder / "figures.json", folder / "bare.py"
    data.write_text(json.dumps(figures), encoding="utf-8")
    page.write_text(
        BARE_PAGE.replace("FILE", repr(str(data))).replace("NAMES", repr(list(figures))), encoding="utf-8"
    )
    return page


@contextmanager
def served(script: Path, database: Path | str) -> Iterator[str]:
    """The address of a server that runs a script."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--server.address", "127.0.0.1"],
        cwd=PROJECT_ROOT,
        env={**os.environ, variable("database"): str(database)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            try:
                with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                    break
            except (URLError, OSError):
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


async def open_page(browser: Browser, url: str, figures: int = len(ON_THE_PAGE)) -> tuple[Page, float]:
    """A page of a new reader, and the seconds until it was complete with that many figures."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(900_000)
    page = await context.new_page()
    begun = time.perf_counter()
    await page.goto(url, wait_until="commit")
    await page.wait_for_function(DRAWN, arg=["", figures])
    return page, time.perf_counter() - begun


async def read(browser: Browser, url: str) -> tuple[float, float, float]:
    """Seconds until a new reader's page is complete, until it is after the choice of another event, and until the
    first figure is after the removal of a company (on the bare page, which has no such choice: as before)."""
    page, first = await open_page(browser, url)
    other = await choose(page, EVENTS["ai-diffusion-rule"])
    colours = page.get_by_role("button", name="Companies in colour")
    if await colours.count():
        await colours.click()
        companies = page.get_by_role("combobox", name="Companies in colour")
        before = await page.evaluate(FIRST_FIGURE)
        await companies.focus()
        begun = time.perf_counter()
        await page.keyboard.press("Backspace")
        await page.wait_for_function(f"before => {FIRST_FIGURE} !== before && ({DRAWN})(['', 0])", arg=before)
        company = time.perf_counter() - begun
    else:
        company = await choose(page, EVENTS["deepseek-selloff"])
    await page.context.close()
    return first, other, company


async def choose(page: Page, title: str) -> float:
    """Seconds until the page is complete after the choice of an event."""
    heading = await page.inner_text("h1")
    await page.get_by_role("combobox", name="The story of").fill(title)
    option = page.get_by_role("option", name=title)
    await option.wait_for()
    begun = time.perf_counter()
    await option.click()
    await page.wait_for_function(DRAWN, arg=[heading, len(ON_THE_PAGE)])
    return time.perf_counter() - begun


async def crowd(browser: Browser, url: str, readers: int) -> tuple[float, int]:
    """Seconds until the last of so many readers has a complete page, and how many of them see an error."""
    begun = time.perf_counter()
    pages = await asyncio.gather(*(open_page(browser, url) for _ in range(readers)))
    seconds = time.perf_counter() - begun
    errors = sum([await page.evaluate(ERRORS) > 0 for page, _ in pages])
    for page, _ in pages:
        await page.context.close()
    return seconds, errors


async def visit_pages(browser: Browser, ours: str, database: Path, folder: Path, rounds: int) -> bool:
    """The other pages, each against a bare page with the figures that the browser found on it."""
    passed = []
    for name in PAGES:
        page, _ = await open_page(browser, f"{ours}/{name}", 0)
        await asyncio.sleep(SETTLED_SECONDS)
        figures = await page.evaluate(FIGURES)
        await page.context.close()
        with served(write_bare_page({name: figures}, folder), database) as bare:
            times: dict[str, list[float]] = {f"{ours}/{name}": [], bare: []}
            for number in range(rounds + 1):
                for url, found in times.items():
                    page, seconds = await open_page(browser, url, len(figures))
                    await page.context.close()
                    if number:  # the first visit to a server is slow
                        found.append(seconds)
            middle = [statistics.median(found) for found in times.values()]
        passed.append(tell(f"/{name}, {len(figures)} figures", *middle))
    return all(passed)


def tell(what: str, ours: float, bare: float) -> bool:
    """Print one comparison; whether it is within the bar."""
    print(
        f"  {what:<34} {ours:7.2f} s  bare {bare:7.2f} s  ratio {ours / bare:5.2f} (at most {BAR})",
        flush=True,
    )
    return ours <= BAR * bare


async def compare(browser: Browser, ours: str, bare: str, rounds: int, readers: int) -> bool:
    """All comparisons over one warehouse."""
    start = [await read(browser, url) for url in (ours, bare)]
    passed = [tell("first reader after the start", start[0][0], start[1][0])]
    times: dict[str, list[tuple[float, float, float]]] = {ours: [], bare: []}
    for number in range(rounds):
        for url in (ours, bare) if number % 2 else (bare, ours):
            times[url].append(await read(browser, url))
    for position, what in enumerate(("a later reader", "another event chosen", "a company removed")):
        middle = {
            url: statistics.median(found[position] for found in found_here)
            for url, found_here in times.items()
        }
        passed.append(tell(what, middle[ours], middle[bare]))
    if not readers:
        return all(passed)
    crowds = {url: await crowd(browser, url, readers) for url in (bare, ours)}
    passed.append(tell(f"the last of {readers} at once", crowds[ours][0], crowds[bare][0]))
    print(f"  readers who saw an error: {crowds[ours][1]}", flush=True)
    return all(passed) and crowds[ours][1] == 0


async def main(rounds: int = 5, readers: int = 40) -> int:
    """Compare over each warehouse, with many readers at once over the first."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        print("No Chromium or Chrome on the PATH: run `make chromium`.")
        return 1
    passed = []
    with tempfile.TemporaryDirectory() as name:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--disable-gpu"]
            )
            await (await browser.new_page()).goto(
                "about:blank"
            )  # the first page of a browser is slow, whose it may be
            for title, tickers, years, at_once in WAREHOUSES:
                folder = Path(name) / str(tickers)
                folder.mkdir()
                database = folder / "market.duckdb"
                load_bundled(FileWarehouse(database), PROJECT_ROOT / "data")
                if tickers:
                    grow(database, tickers, years)
                print(f"{title}, {len(ON_THE_PAGE)} figures, median of {rounds}", flush=True)
                script = PROJECT_ROOT / "dashboard" / "app.py"
                with (
                    served(script, database) as ours,
                    served(write_bare_page(figures_of_the_story(database), folder), database) as bare,
                ):
                    passed.append(await compare(browser, ours, bare, rounds, at_once and readers))
                    if at_once:
                        passed.append(await visit_pages(browser, ours, database, folder, rounds))
            await browser.close()
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:3]))))
