"""The codes that put an interactive chart into somebody's page: a script, a frame that listens, a frame alone."""

import math
from html import escape

from dashboard.charts.chart import Chart
from dashboard.export import tables
from dashboard.export.html import height
from etl.product import NAME

NARROW = 320
"""The narrowest page in CSS pixels that a frame without a script is tall enough for."""
WIDEST = 700
_LISTEN = (
    "window.addEventListener('message',function(e){var h=e.source===f.contentWindow&&e.data"
    "&&e.data['datawrapper-height'];if(h&&h['%s'])f.style.height=h['%s']+'px'})"
)


def codes(chart: Chart, address: str, picture: str, credit: str = "") -> dict[str, str]:
    """Three codes by kind: for pages that allow a script, a frame with a listener, or a frame alone.

    `address` is that of the interactive page, `picture` that of a PNG for readers without scripts ("" for none).
    """
    tall, frame = tallest(chart, credit), _frame(chart, address)
    linked = (
        f'<noscript><a href="{escape(address)}"><img src="{escape(picture)}" alt="{escape(chart.alt)}" '
        f'style="width:100%"></a></noscript>'
        if picture
        else ""
    )
    listen = _LISTEN % (chart.name, chart.name)
    script = (
        "(function(s){var f=document.createElement('iframe');f.id='%s';f.src='%s';f.title=s.title;f.loading='lazy';"
        "f.style.cssText='width:0;min-width:100%%;border:0;height:%dpx';s.parentNode.insertBefore(f,s);%s})"
        "(document.currentScript)"
    )
    text = script % (chart.name, _in_script(address), tall, listen)
    finder = f"(function(){{var f=document.getElementById('{chart.name}');{listen}}})()"
    title = escape(chart.title or chart.name)
    return {
        "script": f'<script title="{title}">{text}</script>{linked}',
        "listener": f"{frame % tall}<script>{finder}</script>{linked}",
        "frame": f"{frame % tall}{linked}",
    }


def _frame(chart: Chart, address: str) -> str:
    return (
        f'<iframe src="{_safe(address)}" id="{escape(chart.name)}" title="{_safe(chart.title or chart.name)}" '
        'loading="lazy" style="width:0;min-width:100%%;border:0;height:%dpx"></iframe>'
    )


def _safe(text: str) -> str:
    return escape(text).replace("%", "%%")


def _in_script(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'").replace("<", "\\x3c")


def text(found: dict[str, str]) -> str:
    """The codes as a file, each with what it is for."""
    told = {
        "script": "A page that allows scripts; the frame follows the height of the chart:",
        "listener": "A frame with its listener, for a page that takes both as they are:",
        "frame": f"A frame alone, tall enough from {NARROW} pixels:",
    }
    return "\n\n".join(f"{told[kind]}\n{code}" for kind, code in found.items()) + "\n"


def tallest(chart: Chart, credit: str = "") -> int:
    """Pixels that the page of a chart is high where it is narrowest, from the lengths of its words."""
    around = 170
    lines = (
        (chart.title, 24, 23),
        (chart.subtitle, 32, 22),
        (chart.note, 38, 19),
        (chart.source, 38, 19),
        (credit, 38, 19),
    )
    return height(chart) + around + sum(math.ceil(len(words) / most) * high for words, most, high in lines)


def oembed(chart: Chart, address: str, folder: str, credit: str) -> bytes:
    """What a static file can answer of oEmbed 1.0: a frame alone, since WordPress takes nothing else."""
    high = tallest(chart, credit)
    page, title = f"{address}{folder}", chart.title or chart.name
    frame = (
        f'<iframe src="{escape(page)}index.html" width="{WIDEST}" height="{high}" frameborder="0" scrolling="no" '
        f'title="{escape(title)}"></iframe>'
    )
    return tables.as_json(
        {
            "version": "1.0",
            "type": "rich",
            "title": title,
            "author_name": credit,
            "provider_name": NAME,
            "provider_url": address,
            "html": frame,
            "width": WIDEST,
            "height": high,
            "thumbnail_url": f"{page}social.png",
            "thumbnail_width": 1200,
            "thumbnail_height": 675,
        }
    )
