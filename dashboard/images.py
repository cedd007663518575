"""Charts at an address: `/chart/NAME.png?event=…&tickers=…&theme=…` gives the latest picture, for a page elsewhere.

Equal requests are one drawing. Others wait their turn for some seconds; meanwhile the last good picture is shown.
Whoever is refused is told when the queue will have come to that picture: it is drawn all the same, and there by then.
"""

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboard import metrics
from dashboard.data.naming import UnknownName, day_named, resolve
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow
from etl.errors import ProductError, UsageError
from etl.warehouse import published_version

if TYPE_CHECKING:
    from dashboard.export.spec import Spec

OPTION = "option."
FRESH_SECONDS = 60
OLD_SECONDS = 5
WAIT_SECONDS = 15.0
MOST_WAITING = 256
LEAST_RETRY, MOST_RETRY = 5, 600
NO_PICTURE = "No picture can be drawn here at the moment: open the page of the chart, or try again later."
MOST_PIXELS = 12_000_000
MOST_BYTES = 64_000_000
AT_ONCE = 2
"""One chart is read from the warehouse while the browser draws the other."""
PACE_OF_LAST = 8
"""The pace of the queue is that of about so many last drawings."""

logger = logging.getLogger(__name__)


class BadParameter(UsageError):
    """A parameter of the address that cannot be met; the message says which values can."""


class Busy(Exception):
    """Too many pictures are being drawn; `seconds` is when the one asked for is expected."""

    def __init__(self, seconds: float) -> None:
        """The expectation is held to what a reader can do with it."""
        self.seconds = math.ceil(min(max(seconds, LEAST_RETRY), MOST_RETRY))
        super().__init__(f"Many pictures are being drawn already: try again in {self.seconds} seconds.")


@dataclass(frozen=True)
class Picture:
    """A PNG and the state of the warehouse that it shows."""

    state: str
    png: bytes

    def tag(self) -> str:
        """An ETag, which changes with the picture."""
        return f'"{sha256(self.png).hexdigest()[:32]}"'


class Pictures:
    """The pictures of a process: those that were drawn, by what was asked for, and those that are being drawn."""

    def __init__(self, draw: "Callable[[Spec, str], bytes]") -> None:
        """`draw` makes the PNG of a spec from a state; it is called in threads of this object."""
        self._draw = draw
        self._drawn: OrderedDict[Spec, Picture] = OrderedDict()
        self._drawing: dict[tuple[str, Spec], asyncio.Task[Picture]] = {}
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="images")
        self._pace = 1.0

    async def get(self, spec: "Spec", state: str) -> Picture:
        """The picture of a spec: that of the state, or the last good one while it is being drawn.

        Raises
        ------
        Busy
            When too many are waiting already, or it takes longer than `WAIT_SECONDS`.
        """
        last = self._drawn.get(spec)
        if last is not None:
            self._drawn.move_to_end(spec)
            if last.state == state:
                return last
        task = self._drawing.get((state, spec)) or self._begin(spec, state)
        if last is not None:
            return last
        if task is None:
            raise Busy(len(self._drawing) * self._pace)
        try:
            return await asyncio.wait_for(asyncio.shield(task), WAIT_SECONDS)
        except TimeoutError:
            before = list(self._drawing).index((state, spec)) + 1 if (state, spec) in self._drawing else 0
            raise Busy(before * self._pace) from None

    def _begin(self, spec: "Spec", state: str) -> "asyncio.Task[Picture] | None":
        if len(self._drawing) >= MOST_WAITING:
            return None
        task = asyncio.create_task(self._made(spec, state))
        self._drawing[state, spec] = task
        metrics.DRAWINGS_WAITING.set(len(self._drawing))
        task.add_done_callback(lambda done: self._ended(spec, state, done))
        return task

    async def _made(self, spec: "Spec", state: str) -> Picture:
        drawn = await asyncio.get_running_loop().run_in_executor(self._pool, self._paced, spec, state)
        return Picture(state, drawn)

    def _paced(self, spec: "Spec", state: str) -> bytes:
        begun = time.monotonic()
        try:
            return self._draw(spec, state)
        finally:
            self._pace += ((time.monotonic() - begun) / AT_ONCE - self._pace) / PACE_OF_LAST

    def _ended(self, spec: "Spec", state: str, task: "asyncio.Task[Picture]") -> None:
        self._drawing.pop((state, spec), None)
        metrics.DRAWINGS_WAITING.set(len(self._drawing))
        if not task.cancelled() and task.exception() is None:
            self._drawn[spec] = task.result()
            self._drawn.move_to_end(spec)
        while sum(len(picture.png) for picture in self._drawn.values()) > MOST_BYTES:
            self._drawn.popitem(last=False)


def draw(spec: "Spec", state: str) -> bytes:
    """The PNG of a spec from a state of the warehouse."""
    from dashboard.export.provenance import make
    from dashboard.export.render import render

    return render(make(spec, state).chart, spec.look(), {"png"}).files["png"]


pictures = Pictures(draw)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadParameter(f"“{text[:20]}” is not a number.")
    return number


PARAMETERS: dict[str, Callable[[str], Any]] = {
    "event": str,
    "start": day_named,
    "end": day_named,
    "theme": str,
    "preset": str,
    "size": str,
    "scale": _number,
    "locale": str,
}


def parse(name: str, query: Iterable[tuple[str, str]]) -> "Spec":
    """What the address asks for; `tickers` may be repeated or joined by commas, `option.NAME` goes to the chart.

    Raises
    ------
    BadParameter
        When a parameter is not known or not heeded by the chart, has a value that cannot be, or asks for more pixels
        than an address may.
    """
    from dashboard.export.spec import Spec, heeded

    values: dict[str, Any] = {}
    tickers: list[str] = []
    options: dict[str, str] = {}
    try:
        for key, text in query:
            if key == "tickers":
                tickers += [ticker.strip() for ticker in text.split(",") if ticker.strip()]
            elif key.startswith(OPTION):
                options[key.removeprefix(OPTION)] = text
            elif key in PARAMETERS:
                values[key] = PARAMETERS[key](text)
            else:
                known = ", ".join(("tickers", *PARAMETERS, f"{OPTION}NAME"))
                raise BadParameter(f"There is no parameter “{key[:40]}”: choose from {known}.")
        values |= {"tickers": tuple(dict.fromkeys(tickers)), "options": tuple(sorted(options.items()))}
        spec = heeded(Spec(name, formats=("png",), **values))
    except (ValueError, UsageError) as error:
        raise BadParameter(str(error)) from None
    shape = spec.shape()
    pixels = shape.css_width * (shape.css_height or shape.css_width) * shape.scale**2
    if pixels > MOST_PIXELS:
        raise BadParameter(
            f"That is a picture of {pixels / 1e6:.0f} million pixels; an address gives at most "
            f"{MOST_PIXELS / 1e6:.0f}: choose a smaller size or scale, or take the kit from the Export page."
        )
    return spec


async def answer(request: Request, refuse: Callable[..., Response]) -> Response:
    """The picture, or one sentence: 400 for a bad parameter, 404 for nothing to draw, 503 where none can be drawn."""
    from dashboard.export.browser import BrowserError
    from dashboard.export.render import CannotDraw

    try:
        name = resolve(
            "chart", request.path_params["name"], CHARTS, f"choose from {', '.join(sorted(CHARTS))}"
        )
        query = request.query_params.multi_items()
        spec, state = await run_in_threadpool(lambda: (parse(name, query), published_version()))
        picture = await pictures.get(spec, state)
    except (UnknownName, NothingToShow) as error:
        return _refused("nothing", refuse(404, str(error)))
    except (BadParameter, CannotDraw) as error:
        return _refused("bad", refuse(400, str(error)))
    except BrowserError as error:
        logger.warning("%s", error)
        return _refused("failed", refuse(503, NO_PICTURE))
    except (ProductError, duckdb.Error, OSError) as error:
        logger.warning("%s", error)
        return _refused(
            "failed", refuse(503, "The data cannot be read at the moment: try again in a minute.")
        )
    except Busy as busy:
        return _refused("busy", refuse(503, str(busy)), busy.seconds)
    metrics.DRAWINGS.labels("given").inc()
    fresh = FRESH_SECONDS if picture.state == state else OLD_SECONDS
    headers = {"ETag": picture.tag(), "Cache-Control": f"public, max-age={fresh}"}
    if picture.tag() in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(picture.png, media_type="image/png", headers=headers)


def _refused(outcome: str, response: Response, seconds: int = FRESH_SECONDS) -> Response:
    metrics.DRAWINGS.labels(outcome).inc()
    if response.status_code == 503:
        response.headers["Retry-After"] = str(seconds)
    return response
