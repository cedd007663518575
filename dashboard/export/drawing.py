"""What the renderer is told about one chart: its figure, the words of its frame, and the look of both, as JSON."""

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from babel import Locale

from dashboard.charts import locales
from dashboard.charts.chart import Chart
from dashboard.charts.style import BODY_FONT, HEADING_FONT, Palette, palette
from dashboard.export.presets import CSS_DPI, PRESETS, BadSpec, Preset
from etl.errors import ProductError
from etl.product import NAME

HOUSE_CREDIT = f"Chart: {NAME}"
LIMITS = {"title": 300, "subtitle": 400, "note": 3000, "source": 1000, "credit": 200}
WORDS = ("title", "subtitle", "note", "source", "alt", "caption")
"""The words around a figure that an editor may replace."""
TEXT_KEYS = ("text", "name", "ticktext", "labels", "x", "y")
LEAST_ROW = 17
AROUND_ROWS = 44
DEFAULT_HEIGHT = 480
LEAST_TYPE = 6.5 / 72 * CSS_DPI
"""The smallest type in print, in CSS pixels: 6.5 points."""


class NoData(ProductError):
    """The figure holds nothing that could be drawn."""


@dataclass(frozen=True)
class Look:
    """How a chart is to look in a file. `theme` must be the one that the chart was drawn in."""

    preset: Preset = PRESETS["article"]
    theme: str = "light"
    locale: str = "en"
    credit: str = HOUSE_CREDIT
    language: str = "en"
    caption: str | None = None


def caption(chart: Chart, look: Look) -> str:
    """The words under a picture in an article: what it shows, how it is measured, from where, by whom."""
    if look.caption is not None:
        return look.caption
    parts = (chart.title, chart.subtitle, chart.note, chart.source, look.credit)
    return " ".join(
        part if part.endswith((".", "!", "?")) else f"{part}." for part in map(str.strip, parts) if part
    )


def worded(chart: Chart, words: Mapping[str, str], figure: Iterable[tuple[str, str]] = ()) -> Chart:
    """The chart with an editor's words in place of its own ("" leaves them out), in its figure and its table too.

    Raises
    ------
    BadSpec
        When the words are too long for a picture, or the figure has no such words to replace.
    """
    own: dict[str, Any] = {
        name: readable(name, text) if name in LIMITS else readable_alt(text)
        for name, text in words.items()
        if name != "caption"
    }
    said = dict(figure)
    if said:
        unknown = sorted(set(said) - set(figure_words(chart)))
        if unknown:
            raise BadSpec(
                f"{chart.name} has no words “{unknown[0][:60]}” in its figure: metadata.json lists those that it has."
            )
        own["numbers"] = said.get(chart.numbers, chart.numbers)
        own["table"] = chart.table.rename(columns=said)
        own["figure"] = go.Figure(_replaced(json.loads(chart.figure.to_json()), said))
    return replace(chart, **own)


def figure_words(chart: Chart) -> list[str]:
    """The words inside a figure (labels, names, titles of axes), of its table's heads, and what that is called."""
    found: dict[str, None] = {}

    def look(node: Any, key: str = "") -> None:
        if isinstance(node, dict):
            for name, value in node.items():
                if name not in ("template", "meta", "customdata", "hovertemplate"):
                    look(value, name)
        elif isinstance(node, list):
            for value in node:
                look(value, key)
        elif isinstance(node, str) and key in TEXT_KEYS and _has_letters(node):
            found[node] = None

    look(json.loads(chart.figure.to_json()))
    heads = (str(name) for name in chart.table.columns)
    return list(found | dict.fromkeys((*filter(_has_letters, heads), chart.numbers)))


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


def _replaced(node: Any, said: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: value if key == "template" else _replaced(value, said) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value, said) for value in node]
    return said.get(node, node) if isinstance(node, str) else node


def readable(name: str, text: str) -> str:
    """Words without control characters, lone surrogates and runs of blanks.

    Raises
    ------
    BadSpec
        When they are longer than `LIMITS` allows.
    """
    kept = readable_alt(text)
    if len(kept) > LIMITS[name]:
        raise BadSpec(
            f"The {name} has {len(kept):,} characters; {LIMITS[name]} is the most that a picture takes."
        )
    return kept


def job(chart: Chart, look: Look) -> str:
    """The job of drawing a chart, as JSON that is the same for the same chart and look.

    Raises
    ------
    NoData
        When no trace of the figure has a point.
    BadSpec
        When the title, measure, note, source or credit are too long for a picture.
    """
    figure = plain_figure(chart, look.locale)
    if not any(map(_has_data, figure["data"])):
        raise NoData(
            f"{chart.name} has no data to draw for what was asked: choose other companies, days or event."
        )
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
            "wanted": (figure["layout"].get("meta") or {}).get("wanted", 0),
            "least": min(natural, max(180, AROUND_ROWS + 6 * LEAST_ROW if rows else round(0.55 * natural))),
            "rows": rows,
            "cutNote": _cut_note(look.language, rows["count"]) if rows else "",
            "style": _style(palette(look.theme), preset.sheet),
            "lang": look.language.replace("_", "-"),
            "locale": locales.plotly_locale(locale),
            "leastType": LEAST_TYPE if preset.unit == "mm" else 0,
        },
        sort_keys=True,
        ensure_ascii=False,
    )


def is_english(language: str) -> bool:
    """Whether the words around a figure are in the house's language."""
    return locales.parse(language).language == "en"


def _cut_note(language: str, count: int) -> str:
    """What says that rows are left out, in any language but the house's without words."""
    return (
        "Shown: the first {shown} rows; all are in the data."
        if is_english(language)
        else f"1–{{shown}} / {count}"
    )


def plain_figure(chart: Chart, locale: str) -> dict[str, Any]:
    """The figure as plain values without a width, its numbers and the dates of its axes as a locale writes them."""
    figure: dict[str, Any] = json.loads(chart.figure.to_json())
    figure["layout"].pop("width", None)
    parsed = locales.parse(locale)
    figure["layout"]["separators"] = locales.separators(parsed)
    return figure if locales.is_house(parsed) else _dated(figure, parsed)


def _dated(node: Any, locale: Locale) -> Any:
    if isinstance(node, dict):
        return {
            key: locales.plotly_dates(locale, value)
            if key in ("tickformat", "hoverformat", "hovertemplate") and isinstance(value, str)
            else locales.percent_sign(locale)
            if key == "ticksuffix" and value == "%"
            else _dated(value, locale)
            for key, value in node.items()
        }
    return [_dated(value, locale) for value in node] if isinstance(node, list) else node


def readable_alt(text: str) -> str:
    """A description without control characters, of any length; what is not to be broken across lines is kept so."""
    kept = (sign if unicodedata.category(sign) not in ("Cc", "Cs", "Cn") else " " for sign in text)
    return re.sub("[ \\n]+", " ", "".join(kept)).strip()


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
