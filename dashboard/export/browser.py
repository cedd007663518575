"""One warm Chromium, owned by one thread, that draws charts for every thread of the process, one after the other."""

import asyncio
import atexit
import base64
import os
import shutil
import threading
from collections.abc import Callable, Collection, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, CDPSession, Page, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from dashboard.export.presets import Preset
from etl.errors import ProductError
from etl.temporary import own_folder

PAGE = Path(__file__).parent / "page" / "index.html"
CLEAR = {"r": 0, "g": 0, "b": 0, "a": 0}
STRIP = 8
"""Height in pixels of the strip below a PNG in which the marker of its spec stands until it has been checked."""
DRAWINGS_PER_PAGE = 200
CLOSE_SECONDS = 10.0
FOLDERS = ("TMPDIR", "TEMP", "TMP")
LONGEST_FOLDER = 60
NO_BROWSER = (
    "No Chrome or Chromium was found: install one (`apt install chromium`), or name it in BROWSER_PATH. HTML, CSV and "
    "JSON need none."
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    *(
        f"{os.environ.get(root, '')}/{name}"
        for root in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
        for name in ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
    ),
)
FLAGS = (
    "--disable-lcd-text",
    "--font-render-hinting=none",
    "--enable-font-subpixel-positioning",
    "--force-color-profile=srgb",
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
"""Nothing that depends on the machine's screen, and no way to a network."""


class BrowserError(ProductError):
    """A picture could not be drawn; the message says why."""


class NoBrowser(BrowserError):
    """There is no Chrome or Chromium on this computer."""


class BrowserDied(BrowserError):
    """The browser ended or hung while it drew."""


@dataclass(frozen=True)
class Drawing:
    """A drawn chart: what the page said of it, and the raw files, not yet checked."""

    answer: dict[str, Any]
    svg: str = field(default="", repr=False)
    png: bytes = field(default=b"", repr=False)
    pdf: bytes = field(default=b"", repr=False)


class Renderer:
    """Owns one browser in a thread of its own; `draw` may be called from any thread and waits for its turn.

    The browser starts with the first drawing, is started again when it dies or hangs, and ends with the process.
    """

    def __init__(self, timeout: float = 60.0) -> None:
        """`timeout` is the longest that one drawing may take, in seconds."""
        self._timeout = timeout
        self._loop = asyncio.new_event_loop()
        self._turn = asyncio.Lock()
        self._works: set[Future[Any]] = set()
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._page: Page | None = None
        self._chrome: CDPSession | None = None
        self._drawn = 0
        self.starts = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="chart-renderer", daemon=True)
        self._thread.start()

    def draw(self, job: str, preset: Preset, formats: Collection[str]) -> Drawing:
        """Draw a job (JSON, see `dashboard.export.drawing`) and make files of the drawing: png, svg, pdf.

        A browser that dies on the way is started again and given the job a second time.

        Raises
        ------
        NoBrowser
            When none is installed.
        BrowserError
            When it fails twice, or the page refuses the job.
        """
        drawing: Drawing = self._submit(lambda page: self._draw(page, job, preset, formats)).result()
        return drawing

    def printed(self, path: Path) -> bytes:
        """A page of files as a PDF on the paper that its style asks for.

        Raises
        ------
        BrowserError
            As `draw`: when no browser is installed, or it fails twice.
        """
        pdf: bytes = self._submit(lambda page: _printed(page, path)).result()
        return pdf

    def warm_up(self) -> None:
        """Start the browser for a drawing that is to come; does not wait, and leaves every fault to `draw`."""
        self._submit(_nothing)

    def close(self) -> None:
        """End the browser and the thread."""
        if self._loop.is_running():
            for work in tuple(self._works):
                work.cancel()
            asyncio.run_coroutine_threadsafe(self._wind_up(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
        if not self._loop.is_running():
            self._loop.close()

    async def _wind_up(self) -> None:
        """Playwright's own tasks go on: without them it could not end the browser."""
        async with self._turn:
            await self._stop()

    def _submit(self, work: Callable[[Page], Coroutine[Any, Any, Any]]) -> "Future[Any]":
        future = asyncio.run_coroutine_threadsafe(self._in_turn(work), self._loop)
        self._works.add(future)
        future.add_done_callback(self._works.discard)
        return future

    async def _in_turn(self, work: Callable[[Page], Coroutine[Any, Any, Any]]) -> Any:
        async def on_page() -> Any:
            return await work(await self._ready())

        async with self._turn:
            for last in (False, True):
                try:
                    return await asyncio.wait_for(on_page(), self._timeout)
                except TimeoutError:
                    fault = BrowserDied(f"the browser did not answer within {self._timeout:g} seconds")
                except PlaywrightError as error:
                    fault = BrowserDied(f"the browser failed ({str(error)[:200]})")
                await self._stop()
                if last:
                    raise fault
        raise AssertionError("the loop ends in a return or an exception")

    async def _draw(self, page: Page, job: str, preset: Preset, formats: Collection[str]) -> Drawing:
        answer = await page.evaluate(
            "job => picture.draw(job).catch(error => ({ fault: String(error) }))", job
        )
        if answer.get("fault"):
            raise BrowserError(f"The chart could not be drawn: {answer['fault'].splitlines()[0][:200]}")
        if answer.get("refused"):
            return Drawing(answer)
        width, scale = preset.css_width, preset.scale
        height = preset.css_height or answer["cssHeight"]
        svg, png, pdf = "", b"", b""
        if "svg" in formats:
            svg = await page.evaluate("lengths => picture.file(...lengths)", preset.lengths(height))
        if "png" in formats:
            png = await self._picture(page, round(width * scale), round(height * scale))
        if "pdf" in formats:
            await page.evaluate("size => picture.show(...size)", [width, height, 0])
            pdf = await page.pdf(
                width=f"{width}px", height=f"{height}px", print_background=True, page_ranges="1"
            )
        self._drawn += 1
        return Drawing({**answer, "css_height": height}, svg, png, pdf)

    async def _picture(self, page: Page, width: int, height: int) -> bytes:
        """Chromium's own command compresses less and takes two thirds of the time of Playwright's `screenshot`."""
        assert self._chrome is not None  # noqa: S101 - it comes with the page
        screen = {"width": width, "height": height + STRIP, "deviceScaleFactor": 1, "mobile": False}
        await self._chrome.send("Emulation.setDeviceMetricsOverride", screen)
        await page.evaluate("size => picture.show(...size)", [width, height, STRIP])
        taken = await self._chrome.send("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True})
        return base64.b64decode(taken["data"])

    async def _ready(self) -> Page:
        if self._browser is None or not self._browser.is_connected():
            await self._stop()
            await self._start()
        elif self._page is not None and self._drawn % DRAWINGS_PER_PAGE != 0:
            return self._page
        assert self._browser is not None  # noqa: S101 - it has just been started
        if self._page is not None:
            await self._page.close()
        self._page, self._drawn = await self._browser.new_page(), 0
        self._chrome = await self._page.context.new_cdp_session(self._page)
        await self._chrome.send("Emulation.setDefaultBackgroundColorOverride", {"color": CLEAR})
        await self._page.goto(PAGE.as_uri())
        return self._page

    async def _start(self) -> None:
        path = find_browser()
        if path is None:
            raise NoBrowser(NO_BROWSER)
        with _temporary_files_in(own_folder("browser")):
            self._playwright = await async_playwright().start()
        self._browser = await _launched(self._playwright, path)
        self.starts += 1

    async def _stop(self) -> None:
        playwright, browser = self._playwright, self._browser
        self._playwright = self._browser = self._page = self._chrome = None
        for end in (browser.close if browser else None, playwright.stop if playwright else None):
            if end is not None:
                with suppress(TimeoutError, PlaywrightError):
                    await asyncio.wait_for(end(), CLOSE_SECONDS)


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Have a program that is started keep its temporary files in a folder, so that they go with this process.

    One whose path is too long is left unused: Chromium ends where the name of its socket has no room.
    """
    if len(str(folder)) > LONGEST_FOLDER:
        yield
        return
    before = {name: os.environ.get(name) for name in FOLDERS}
    os.environ.update(dict.fromkeys(FOLDERS, str(folder)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


async def _nothing(page: Page) -> None:
    """No drawing."""


async def _printed(page: Page, path: Path) -> bytes:
    browser = page.context.browser
    assert browser is not None  # noqa: S101 - the renderer's own page has one
    own = await browser.new_page()
    try:
        await own.goto(path.absolute().as_uri())
        await own.evaluate(
            """Promise.all([...document.images].map(image => {
                image.loading = 'eager';
                return image.decode();
            }))"""
        )
        return await own.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
    finally:
        await own.close()


async def _launched(playwright: Playwright, path: str) -> Browser:
    """The browser with its sandbox; without where the system has none, and for root, whom Chromium refuses one."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    for sandbox in (False,) if root else (True, False):
        try:
            return await playwright.chromium.launch(
                executable_path=path, chromium_sandbox=sandbox, args=FLAGS, handle_sigint=False
            )
        except PlaywrightError:
            if not sandbox:
                raise
    raise AssertionError("the loop ends in a return or an exception")


def find_browser() -> str | None:
    """The path of the Chrome or Chromium that draws: `BROWSER_PATH`, or the first one that is installed."""
    named = os.environ.get("BROWSER_PATH")
    if named:
        return named if Path(named).is_file() else None
    return next(filter(None, map(shutil.which, NAMES)), None) or next(
        (place for place in PLACES if Path(place).is_file()), None
    )


def token(job: str) -> str:
    """The hash of a job, which the page computes again from what it has drawn."""
    return sha256(job.encode("utf-8")).hexdigest()


_shared: tuple[int, Renderer] | None = None
_sharing = threading.Lock()


def renderer() -> Renderer:
    """The renderer of this process, made on first use."""
    global _shared
    with _sharing:
        if _shared is None or _shared[0] != os.getpid():
            _shared = (os.getpid(), Renderer())
            atexit.register(_shared[1].close)
        return _shared[1]


def close() -> None:
    """End the renderer of this process, where there is one."""
    with _sharing:
        if _shared is not None and _shared[0] == os.getpid():
            _shared[1].close()
