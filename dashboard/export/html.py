"""A chart as one HTML file: interactive, self-contained, and unable to ask any other computer for anything."""

import base64
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from dashboard.charts import locales
from dashboard.charts.chart import Chart
from dashboard.charts.style import BODY_FONT, CONFIG, HEADING_FONT, palette
from dashboard.export.drawing import DEFAULT_HEIGHT, Look, is_english, plain_figure
from etl.product import NAME, VERSION

STATIC = Path(__file__).parents[1] / "static"
PLOTLY_JS = STATIC / "plotly-charts.min.js"
TEMPLATES = Path(__file__).parent / "templates"
FACES = (("Inter", "100 900", "inter.woff2"), ("Source Serif", "200 900", "source-serif.woff2"))
MOST_ROWS = 200
MOST_COLUMNS = 20
DRAWING, EMBED = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("drawing.js", "embed.js"))

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=select_autoescape(("html.j2", "xmp.j2", "xml.j2"), default=False),
    undefined=StrictUndefined,
    trim_blocks=False,
    keep_trailing_newline=True,
)
environment.globals.update(product=NAME, version=VERSION)
environment.filters["direction"] = locales.direction


def interactive(chart: Chart, look: Look) -> bytes:
    """The chart with its frame as an HTML document that works from a file, from a server and inside an iframe."""
    text = environment.get_template("chart.html.j2").render(
        chart=chart,
        credit=look.credit,
        language=look.language.replace("_", "-"),
        height=height(chart),
        css=style(look.theme, embedded=True),
        table=_table(chart.table),
        plotly_js=plotly_js(),
        drawing=f"{DRAWING}drawChart(document.getElementById({in_script(chart.name)}), {_arguments(chart, look)});",
        embed=EMBED,
    )
    return text.encode("utf-8")


def height(chart: Chart) -> int:
    """How many pixels high the figure is on a page."""
    return int(chart.figure.layout.height or DEFAULT_HEIGHT)


def style(theme: str, embedded: bool) -> str:
    """The style sheet of a theme, its fonts `embedded` or beside it in `fonts/`."""
    faces = [
        {"family": family, "weight": weight, "source": font_data(name) if embedded else f'"fonts/{name}"'}
        for family, weight, name in FACES
    ]
    return environment.get_template("frame.css.j2").render(
        faces=faces, theme=theme, colours=palette(theme), body_font=BODY_FONT, heading_font=HEADING_FONT
    )


def figure_script(chart: Chart, look: Look) -> str:
    """A script of the static edition: it hands the chart to `site.js`."""
    return f"siteFigure({in_script(chart.name)}, {_arguments(chart, look)});\n"


def _arguments(chart: Chart, look: Look) -> str:
    """What Plotly is given: the figure, the locale (null for the house's English) and its settings."""
    figure = plain_figure(chart, look.locale)
    figure["layout"].update(autosize=True, height=height(chart))
    for number, trace in enumerate(figure["data"]):
        trace["uid"] = f"trace{number}"
        if not is_english(look.language):  # the sentences under a pointer are the house's English
            trace["hoverinfo"] = "skip"
            trace.pop("hovertext", None)
            trace.pop("hovertemplate", None)
    foreign = locales.plotly_locale(locales.parse(look.locale))
    config = {**CONFIG, "locale": foreign["name"] if foreign else "en"}
    return ", ".join(map(in_script, (figure, foreign, config)))


def in_script(value: Any) -> str:
    """A value as a JavaScript literal that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    for sign, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029")):
        text = text.replace(sign, escaped)
    return text


@lru_cache(maxsize=1)
def plotly_js() -> str:
    """The library that draws, as the text of a script element: HTML allows no control characters."""
    text = PLOTLY_JS.read_text(encoding="utf-8").replace("</script", "<\\/script")
    return _CONTROL.sub(lambda sign: f"\\x{ord(sign[0]):02x}", text)


@lru_cache
def font_data(name: str) -> str:
    """A font of the house as an address that holds it."""
    return f"data:font/woff2;base64,{base64.b64encode((STATIC / name).read_bytes()).decode()}"


def _table(table: pd.DataFrame) -> dict[str, Any] | None:
    """A short table as text, None for one too long to read on a page."""
    if len(table) > MOST_ROWS or len(table.columns) > MOST_COLUMNS:
        return None
    rows = [["" if pd.isna(cell) else _cell(cell) for cell in row] for row in table.itertuples(index=False)]
    return {"head": [str(name) for name in table.columns], "rows": rows}


def _cell(value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat() if value == value.normalize() else value.isoformat()
    return f"{value:,.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
