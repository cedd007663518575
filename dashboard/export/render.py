"""Charts as pictures. Every function may be called from any thread; one browser draws for all of them in turn.

Each picture is checked to be the one asked for: the page computes the hash of the spec that it drew, and the PNG (as a
strip of pixels that is cut off again), the SVG and the PDF carry it back.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256

from dashboard.charts.chart import Chart
from dashboard.export import browser, pictures, tables
from dashboard.export.browser import BrowserError, Drawing, token
from dashboard.export.drawing import Look, NoData, caption, job
from dashboard.export.pictures import Label, WrongPicture
from dashboard.export.presets import CSS_DPI, PRESETS, BadSpec
from etl.errors import ProductError

POINT = 72 / CSS_DPI
FORMATS = ("png", "svg", "pdf")


class CannotDraw(ProductError):
    """The chart does not fit what was asked; the message says why and what to change."""


@dataclass(frozen=True)
class Pictures:
    """The files of one chart by format, the size in CSS pixels, and what is worth a warning."""

    files: dict[str, bytes] = field(repr=False)
    width: float
    height: float
    warnings: tuple[str, ...] = ()


def render(chart: Chart, look: Look, formats: Collection[str] = FORMATS) -> Pictures:
    """The chart in several formats, drawn once.

    Raises
    ------
    CannotDraw
        When there is no data, the words leave no room for the chart, or its labels would overlap or be cut off.
    dashboard.export.browser.NoBrowser
        When no Chrome or Chromium is installed.
    dashboard.export.browser.BrowserError
        When the browser failed twice.
    """
    try:
        spec = job(chart, look)
    except (BadSpec, NoData) as fault:
        raise CannotDraw(str(fault)) from fault
    for last in (False, True):
        drawing = browser.renderer().draw(spec, look.preset, formats)
        _require_fit(drawing, chart, look)
        try:
            return _finish(drawing, chart, look, token(spec), formats)
        except WrongPicture as fault:
            if last:
                raise BrowserError(f"The chart could not be drawn: {fault}.") from fault
    raise AssertionError("the loop ends in a return or an exception")


def _finish(drawing: Drawing, chart: Chart, look: Look, key: str, formats: Collection[str]) -> Pictures:
    if drawing.answer["token"] != key:
        raise WrongPicture("the browser drew another chart")
    width, height, scale = look.preset.css_width, drawing.answer["css_height"], look.preset.scale
    words = (chart.title or chart.name, chart.alt, chart.source, look.credit)
    label = Label(*words, caption(chart, look), sha256(tables.csv(chart)).hexdigest())
    files: dict[str, bytes] = {}
    if "png" in formats:
        size = (round(width * scale), round(height * scale))
        opaque = not look.theme.startswith("transparent")
        files["png"] = pictures.finish_png(drawing.png, key, size, CSS_DPI * scale, opaque, label)
    if "svg" in formats:
        files["svg"] = pictures.finish_svg(drawing.svg, key, label)
    if "pdf" in formats:
        files["pdf"] = pictures.finish_pdf(drawing.pdf, key, (width * POINT, height * POINT), label)
    return Pictures(files, width, height, _warnings(drawing))


def _require_fit(drawing: Drawing, chart: Chart, look: Look) -> None:
    answer, name = drawing.answer, look.preset.name
    where, kind = (f"in the preset “{name}”", "preset") if name in PRESETS else (f"at {name}", "size")
    way_out = f"choose a larger {kind} or fewer companies"
    if answer.get("refused"):
        raise CannotDraw(
            f"The words leave {max(answer['room'], 0):.0f} of the {answer['least']:.0f} pixels that {chart.name} needs "
            f"{where}: shorten the title or the subtitle, or choose a higher {kind}."
        )
    if answer["cut"]:
        raise CannotDraw(f"“{_short(answer['cut'])}” would be cut off {where}: {way_out}.")
    if answer["overlap"]:
        one, other = (_short(text) for text in answer["overlap"])
        raise CannotDraw(f"“{one}” and “{other}” would overlap {where}: {way_out}.")


def _warnings(drawing: Drawing) -> tuple[str, ...]:
    signs = " ".join(drawing.answer["undrawable"][:8])
    lack = f"No font on this computer draws {signs}: install one (Debian: fonts-noto-cjk, fonts-noto-core)."
    return (lack,) if signs else ()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"
