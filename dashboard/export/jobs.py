"""What the renderer is told about one chart: its figure, the words of its frame, and the look of both, as JSON."""

import base64
import json
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dashboard.charts import locales
from dashboard.charts.chart import Chart
from dashboard.charts.style import BODY_FONT, HEADING_FONT, Palette, palette
from dashboard.export.presets import PRESETS, Preset

HOUSE_CREDIT = "Chart: AI Market Impact"
LIMITS = {"title": 300, "subtitle": 400, "note": 3000, "source": 1000, "credit": 200}
LEAST_ROW = 17
AROUND_ROWS = 44
DEFAULT_HEIGHT = 480


class NoData(ValueError):
    """The figure holds nothing that could be drawn."""


class BadWords(ValueError):
    """Words that no picture can hold; the message says which and how many fit."""


@dataclass(frozen=True)
class Look:
    """How a chart is to look in a file. `theme` must be the one that the chart was drawn in."""

    preset: Preset = PRESETS["article"]
    theme: str = "light"
    locale: str = "en"
    credit: str = HOUSE_CREDIT


def worded(chart: Chart, title: str | None = None, subtitle: str | None = None) -> Chart:
    """The chart with words of one's own in place of its title or measure; "" leaves them out.

    Raises
    ------
    BadWords
        When the words are too long for a picture.
    """
    own = {"title": title, "subtitle": subtitle}
    return replace(chart, **{name: readable(name, text) for name, text in own.items() if text is not None})


def readable(name: str, text: str) -> str:
    """Words without control characters, lone surrogates and runs of blanks.

    Raises
    ------
    BadWords
        When they are longer than `LIMITS` allows.
    """
    kept = "".join(sign if unicodedata.category(sign) not in ("Cc", "Cs", "Cn") else " " for sign in text)
    kept = " ".join(kept.split())
    if len(kept) > LIMITS[name]:
        raise BadWords(
            f"The {name} has {len(kept):,} characters; {LIMITS[name]} is the most that a picture takes."
        )
    return kept


def job(chart: Chart, look: Look) -> str:
    """The job of drawing a chart, as JSON that is the same for the same chart and look.

    Raises
    ------
    NoData
        When no trace of the figure has a point.
    BadWords
        When the title, measure, note, source or credit are too long for a picture.
    """
    figure = json.loads(chart.figure.to_json())
    if not any(map(_has_data, figure["data"])):
        raise NoData(
            f"{chart.name} has no data to draw for what was asked: choose other companies, days or event."
        )
    figure["layout"].pop("width", None)
    natural = figure["layout"].pop("height", None) or DEFAULT_HEIGHT
    rows = _rows(figure, natural)
    preset, locale = look.preset, locales.parse(look.locale)
    height = None if preset.css_height is None else preset.sheet * preset.css_height / preset.css_width
    words = {name: readable(name, getattr(chart, name)) for name in ("title", "subtitle", "note", "source")}
    return json.dumps(
        {
            "name": chart.name,
            "alt": readable_alt(chart.alt),
            "words": {**words, "credit": readable("credit", look.credit)},
            "figure": figure,
            "width": preset.sheet,
            "height": height,
            "css": preset.css_width,
            "natural": natural,
            "least": min(natural, max(180, AROUND_ROWS + 6 * LEAST_ROW if rows else round(0.55 * natural))),
            "rows": rows,
            "cutNote": f"Shown: the first {{shown}} of {rows['count']} rows; all are in the data."
            if rows
            else "",
            "style": _style(palette(look.theme), preset.sheet),
            "lang": str(locale).replace("_", "-"),
            "locale": None if locale.language == locales.HOUSE else locales.plotly_locale(locale),
            "separators": locales.separators(locale),
        },
        sort_keys=True,
        ensure_ascii=False,
    )


def readable_alt(text: str) -> str:
    """A description without control characters, of any length."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _style(colours: Palette, sheet: int) -> dict[str, Any]:
    title = 24 if sheet >= 800 else 22
    body = {"family": BODY_FONT, "weight": 400, "leading": 1.38, "color": colours.muted}
    return {
        "pad": 24 if sheet >= 800 else 18,
        "background": "" if colours.background else colours.paper,
        "accent": colours.loss,
        "rule": colours.faint,
        "title": {
            "family": HEADING_FONT,
            "weight": 600,
            "leading": 1.18,
            "size": title,
            "color": colours.ink,
            "balance": True,
        },
        "subtitle": {**body, "size": 14},
        "note": {**body, "size": 11.5},
    }


def _has_data(trace: dict[str, Any]) -> bool:
    arrays = (trace.get(key) for key in ("x", "y", "z", "values", "labels", "close", "r", "lat", "locations"))
    return any(bool(array.get("bdata")) if isinstance(array, dict) else bool(array) for array in arrays)


def _is_row_by_row(trace: dict[str, Any]) -> bool:
    lying = trace.get("type") == "bar" and trace.get("orientation") == "h"
    return (lying or trace.get("type") in ("scatter", "heatmap")) and isinstance(trace.get("y"), list)


def _rows(figure: dict[str, Any], natural: float) -> dict[str, Any] | None:
    """The rows of a chart that has one a company (or so): which axis, how many, and which end is on top."""
    layout = figure["layout"]
    if any(name.startswith("yaxis") and name != "yaxis" for name in layout):
        return None
    axis = layout.get("yaxis", {})
    ticks = axis.get("tickvals")
    if isinstance(ticks, list) and ticks == list(range(len(ticks))) and axis.get("ticktext"):
        count = len(ticks)
    else:
        named = [trace["y"] for trace in figure["data"] if _is_row_by_row(trace)]
        count = len(dict.fromkeys(label for labels in named for label in labels if isinstance(label, str)))
    if count < 8 or natural / count > 60:
        return None
    limits = axis.get("range")
    down = axis.get("autorange") == "reversed" or (isinstance(limits, list) and limits[0] > limits[1])
    return {
        "axis": "yaxis",
        "count": count,
        "reversed": down,
        "least": LEAST_ROW,
        "around": AROUND_ROWS,
        "values": _lying_values(figure, count),
    }


def _lying_values(figure: dict[str, Any], count: int) -> list[float]:
    """The values of the only bar of each row, in the order of the rows; none where there is more to a row."""
    first, *others = figure["data"]
    if others or not _is_row_by_row(first) or first["type"] != "bar":
        return []
    x = first["x"]
    values = np.frombuffer(base64.b64decode(x["bdata"]), x["dtype"]).tolist() if isinstance(x, dict) else x
    return values if len(values) == count else []
