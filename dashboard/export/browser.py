"""One warm Chromium, owned by one thread, that draws charts for every thread of the process, one after the other."""

import asyncio
import atexit
import base64
import json
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from choreographer import Browser
from choreographer.channels import Pipe
from choreographer.errors import ChromeNotFoundError

from dashboard.export.chromium import (
    NO_BROWSER,
    HeadlessChromium,
    find_browser,
    has_ended,
    kill,
    page,
    workplace,
)

CSS_UNIT = 96
"""CSS pixels to the inch."""
STRIP = 8
"""Height in pixels of the strip below a PNG in which the marker of its spec stands until it has been checked."""
DRAWINGS_PER_PAGE = 200
LOADED = 'document.readyState === "complete" && typeof aimi === "object"'
LOOK_SECONDS = 0.25
CLOSE_SECONDS = 10.0
END_SECONDS = 5.0
READER_NAME = "readwrite_thread"


class BrowserError(Exception):
    """A picture could not be drawn; the message says why."""


class NoBrowser(BrowserError):
    """There is no Chrome or Chromium on this computer."""


class BrowserDied(BrowserError):
    """The browser ended or hung while it drew."""


@dataclass(frozen=True)
class Sheet:
    """What a drawing is to be turned into: the size in CSS pixels with its unit, and the files wanted."""

    unit: str
    width: float
    height: float | None
    scale: float
    wanted: frozenset[str]


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
        self._browser: Browser | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._index = Path()
        self._farewell = -1
        self._readers: list[threading.Thread] = []
        self._drawn = 0
        self.starts = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="chart-renderer", daemon=True)
        self._thread.start()
        logging.getLogger("choreographer").setLevel(logging.CRITICAL)

    def draw(self, job: str, sheet: Sheet) -> Drawing:
        """Draw a job (JSON, see `dashboard.export.jobs`).

        A browser that dies on the way is started again and given the job a second time.

        Raises
        ------
        NoBrowser
            When none is installed.
        BrowserError
            When it fails twice, or the page refuses the job.
        """
        return self._wait(self._in_turn(job, sheet))

    def process_id(self) -> int | None:
        """The process of the running browser, None while there is none."""
        return self._browser.subprocess.pid if self._browser else None

    def close(self) -> None:
        """End the browser and the thread."""
        if self._loop.is_running():
            self._wait(self._wind_up())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
        if not self._loop.is_running():
            self._loop.close()

    async def _wind_up(self) -> None:
        await self._stop()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _in_turn(self, job: str, sheet: Sheet) -> Drawing:
        async with self._turn:
            for last in (False, True):
                try:
                    return await self._limited(job, sheet)
                except BrowserDied:
                    await self._stop(at_once=True)
                    if last:
                        raise
        raise AssertionError("the loop ends in a return or an exception")

    async def _limited(self, job: str, sheet: Sheet) -> Drawing:
        """Draw, unless it takes too long or the browser's process ends, which may leave its pipe silent for ever."""
        work = asyncio.ensure_future(self._draw(job, sheet))
        reason = await self._trouble(work)
        if reason:
            work.cancel()
            work.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise BrowserDied(reason)
        if work.cancelled():
            raise BrowserDied("the browser was ended while it drew")
        fault = work.exception()
        if fault is None or isinstance(fault, BrowserError):
            return work.result()
        raise BrowserDied(f"the browser failed ({type(fault).__name__}: {str(fault)[:200]})") from fault

    async def _trouble(self, work: "asyncio.Future[Drawing]") -> str:
        end, ended = self._loop.time() + self._timeout, False
        while True:
            done, _ = await asyncio.wait({work}, timeout=LOOK_SECONDS)
            if done:
                return ""
            if ended:
                return "the browser was ended while it drew"
            if self._loop.time() > end:
                return f"the browser did not answer within {self._timeout:g} seconds"
            ended = self._browser is not None and has_ended(self._browser)

    async def _draw(self, job: str, sheet: Sheet) -> Drawing:
        await self._ready()
        answer = await self._call("draw", job)
        if answer.get("refused"):
            return Drawing(answer)
        width = sheet.width
        height = sheet.height or answer["cssHeight"]
        svg = png = pdf = None
        if "svg" in sheet.wanted:
            svg = await self._call("file", *_lengths(sheet, height))
        if "png" in sheet.wanted:
            png = await self._picture(round(width * sheet.scale), round(height * sheet.scale))
        if "pdf" in sheet.wanted:
            pdf = await self._print(width, height)
        self._drawn += 1
        return Drawing({**answer, "css_height": height}, svg or "", png or b"", pdf or b"")

    async def _picture(self, width: int, height: int) -> bytes:
        screen = {"width": width, "height": height + STRIP, "deviceScaleFactor": 1, "mobile": False}
        await self._send("Emulation.setDeviceMetricsOverride", screen)
        await self._call("show", width, height, STRIP)
        taken = await self._send("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True})
        return base64.b64decode(taken["data"])

    async def _print(self, width: float, height: float) -> bytes:
        await self._call("show", width, height, 0)
        margins = dict.fromkeys(("marginTop", "marginBottom", "marginLeft", "marginRight"), 0)
        size = {"paperWidth": width / CSS_UNIT, "paperHeight": height / CSS_UNIT}
        printed = await self._send(
            "Page.printToPDF", {**size, **margins, "printBackground": True, "pageRanges": "1"}
        )
        return base64.b64decode(printed["data"])

    async def _ready(self) -> None:
        if self._browser is not None and has_ended(self._browser):
            await self._stop()
        if self._browser is None:
            await self._start()
        elif self._drawn and self._drawn % DRAWINGS_PER_PAGE == 0:
            await self._load()

    async def _start(self) -> None:
        path = find_browser()
        if path is None:
            raise NoBrowser(NO_BROWSER)
        folder = workplace(path)
        channel, others = Pipe(), set(threading.enumerate())
        try:
            browser = Browser(
                path,
                browser_cls=HeadlessChromium,
                channel_cls=lambda: channel,  # type: ignore[arg-type]
                tmp_dir=folder.name,
            )
        except ChromeNotFoundError:
            folder.cleanup()
            raise NoBrowser(NO_BROWSER) from None
        self.starts += 1
        self._browser, self._folder, self._drawn = browser, folder, 0
        self._farewell = os.dup(channel.from_external_to_choreo)
        self._readers = [
            one for one in threading.enumerate() if one not in others and one.name.startswith(READER_NAME)
        ]
        await browser.open()
        self._index = Path(folder.name) / "index.html"
        self._index.write_text(page(), encoding="utf-8")
        await self._load()

    async def _load(self) -> None:
        await self._send(
            "Emulation.setDefaultBackgroundColorOverride", {"color": {"r": 0, "g": 0, "b": 0, "a": 0}}
        )
        await self._send("Page.navigate", {"url": self._index.as_uri()})
        while not await self._evaluate(LOADED):  # a load event may be that of the blank page before it
            await asyncio.sleep(0.01)

    async def _stop(self, at_once: bool = False) -> None:
        browser, self._browser = self._browser, None
        if browser is not None:
            gone = threading.Event()
            farewell = threading.Thread(target=self._say_farewell, args=(browser, gone), daemon=True)
            farewell.start()
            if at_once:
                await self._end(browser)
            closing = asyncio.ensure_future(browser.close())
            await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
            await self._end(browser)
            closing.add_done_callback(lambda late: late.cancelled() or late.exception())
            await self._until(lambda: not any(reader.is_alive() for reader in self._readers))
            gone.set()
            farewell.join()
            os.close(self._farewell)
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    async def _end(self, browser: Browser) -> None:
        """Kill the browser and wait until it is gone: asking one that is dying to close would wait for ever."""
        kill(browser)
        await self._until(lambda: has_ended(browser))

    async def _until(self, done: Callable[[], bool]) -> None:
        end = self._loop.time() + END_SECONDS
        while not done() and self._loop.time() < end:
            await asyncio.sleep(0.02)

    def _say_farewell(self, browser: Browser, gone: threading.Event) -> None:
        """Wake the thread that reads from a dead browser, whose last message may have broken off in the middle.

        It must have ended before the next browser gets a pipe with the same number.
        """
        turn = 0
        while not gone.wait(0.02):
            if has_ended(browser):
                turn += 1
                with suppress(OSError):
                    os.write(self._farewell, b"{bye}\n" if turn % 2 else b"\0")

    def _tab(self) -> Any:
        tab = self._browser.get_tab() if self._browser else None
        if tab is None:
            raise BrowserDied("the browser has no page")
        return tab

    async def _send(self, command: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        response = await self._tab().send_command(command, params or {})
        if "error" in response:
            raise BrowserDied(f"{command}: {response['error'].get('message', 'failed')}")
        result: dict[str, Any] = response["result"]
        return result

    async def _call(self, function: str, *arguments: Any) -> Any:
        return await self._evaluate(f"aimi.{function}({','.join(json.dumps(one) for one in arguments)})")

    async def _evaluate(self, expression: str) -> Any:
        result = await self._send(
            "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True}
        )
        fault = result.get("exceptionDetails")
        if fault:
            said = str(fault.get("exception", {}).get("description") or fault.get("text"))
            raise BrowserError(f"The chart could not be drawn: {said.splitlines()[0][:200]}")
        return result["result"].get("value")


def token(job: str) -> str:
    """The hash of a job, which the page computes again from what it has drawn."""
    return sha256(job.encode("utf-8")).hexdigest()


def _lengths(sheet: Sheet, height: float) -> tuple[str, str]:
    if sheet.unit == "mm":
        return f"{sheet.width * 25.4 / CSS_UNIT:.10g}mm", f"{height * 25.4 / CSS_UNIT:.10g}mm"
    return f"{sheet.width:g}", f"{height:g}"


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
