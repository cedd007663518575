"""Charts at an address: `/chart/NAME.png?event=…&tickers=…&theme=…` gives the latest picture, for a page elsewhere."""

import logging
import math
from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from hashlib import sha256
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from dashboard.data.naming import UnknownName, resolve
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow
from etl.warehouse import WarehouseError, published_version

if TYPE_CHECKING:
    from dashboard.export.spec import Spec

OPTION = "option."
FRESH_SECONDS = 60
_drawing = BoundedSemaphore(8)
logger = logging.getLogger(__name__)


class BadParameter(ValueError):
    """A parameter of the address that cannot be met; the message says which values can."""


class Busy(Exception):
    """Too many pictures are being drawn."""


def picture(name: str, query: Iterable[tuple[str, str]]) -> tuple[bytes, str]:
    """A chart as PNG, and a tag that changes with the published state or what is asked for.

    Raises
    ------
    BadParameter
        When a parameter is not known or has a value that cannot be.
    NothingToShow
        When there is no such chart, or nothing for it in the data.
    dashboard.export.render.CannotDraw, dashboard.export.browser.BrowserError
        When the chart does not fit the size, or there is no browser to draw it.
    Busy
        When too many are being drawn.
    """
    try:
        name = resolve("chart", name, CHARTS, f"choose from {', '.join(sorted(CHARTS))}")
    except UnknownName as unknown:
        raise NothingToShow(str(unknown)) from None
    spec = parse(name, query)
    state = published_version()
    if not _drawing.acquire(blocking=False):
        raise Busy
    try:
        return _drawn(state, spec), f'"{sha256(repr((state, spec)).encode()).hexdigest()[:32]}"'
    finally:
        _drawing.release()


@lru_cache(maxsize=64)
def _drawn(state: str, spec: "Spec") -> bytes:
    from dashboard.export.provenance import make
    from dashboard.export.render import render

    made = make(spec, state)
    return render(made.chart, spec.look(), {"png"}).files["png"]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadParameter(f"“{text[:20]}” is no day: write it as 2025-01-27.") from None


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadParameter(f"“{text[:20]}” is no number.")
    return number


PARAMETERS: dict[str, Callable[[str], Any]] = {
    "event": str,
    "start": _day,
    "end": _day,
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
        When a parameter is not known, or has a value that cannot be.
    """
    from dashboard.export.spec import Spec

    values: dict[str, Any] = {}
    tickers: list[str] = []
    options: list[tuple[str, str]] = []
    for key, text in query:
        if key == "tickers":
            tickers += [ticker.strip() for ticker in text.split(",") if ticker.strip()]
        elif key.startswith(OPTION):
            options.append((key.removeprefix(OPTION), text))
        elif key in PARAMETERS:
            values[key] = PARAMETERS[key](text)
        else:
            known = ", ".join(("tickers", *PARAMETERS, f"{OPTION}NAME"))
            raise BadParameter(f"There is no parameter “{key[:40]}”: choose from {known}.")
    try:
        return Spec(
            name,
            tickers=tuple(dict.fromkeys(tickers)),
            options=tuple(sorted(options)),
            formats=("png",),
            **values,
        )
    except ValueError as error:
        raise BadParameter(str(error)) from None


def answer(request: Request, refuse: Callable[[int, str], Response]) -> Response:
    """The picture, or one sentence: 400 for a bad parameter, 404 for nothing to draw, 503 where none can be drawn."""
    from dashboard.export.browser import BrowserError
    from dashboard.export.render import CannotDraw

    try:
        png, tag = picture(request.path_params["name"], request.query_params.multi_items())
    except NothingToShow as error:
        return refuse(404, str(error))
    except (BadParameter, CannotDraw) as error:
        return refuse(400, str(error))
    except BrowserError as error:
        return refuse(503, str(error))
    except WarehouseError as error:
        logger.warning("%s", error)
        return refuse(503, "The data cannot be read at the moment: try again in a minute.")
    except Busy:
        return refuse(503, "Several pictures are being drawn already: try again in a minute.")
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={FRESH_SECONDS}"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(png, media_type="image/png", headers=headers)
