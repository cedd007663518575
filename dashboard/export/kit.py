"""The kit of a chart: its files by name, what failed, and `metadata.json`, which makes the same kit again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from dashboard.charts.chart import Chart
from dashboard.export import files, html, tables
from dashboard.export.browser import BrowserError
from dashboard.export.making import Made, make, software
from dashboard.export.order import Order
from dashboard.export.render import FORMATS as PICTURES
from dashboard.export.render import CannotDraw, render

METADATA = "metadata.json"


@dataclass(frozen=True)
class Kit:
    """A kit in memory. `failures` are sentences by the format or file that is missing; `metadata` lacks the files."""

    order: Order
    made: Made = field(repr=False)
    files: dict[str, bytes] = field(repr=False)
    failures: dict[str, str]
    warnings: tuple[str, ...] = ()
    size: tuple[float, float] | None = None

    def metadata(self, names: list[str] | None = None) -> bytes:
        """`metadata.json` of the kit, or of the part of it that `names` lists."""
        return tables.as_json(_metadata(self, list(self.files) if names is None else names))

    def zipped(self) -> bytes:
        """The whole kit as a zip."""
        return files.zipped({**self.files, METADATA: self.metadata()}, self.order.folder())


def build(order: Order, state: str | None = None) -> Kit:
    """Make the chart and every file of its order; a format that fails is named and the others are there.

    `state` names the state of the warehouse to read, by default the published one.

    Raises
    ------
    UnknownChart, NothingToShow, WarehouseError
        As `dashboard.export.making.make`: when there is no chart at all.
    """
    made = make(order, state)
    chart = made.chart
    found: dict[str, bytes] = {}
    failures: dict[str, str] = {}
    size: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()
    wanted = [name for name in order.formats if name in PICTURES]
    if wanted:
        try:
            drawn = render(chart, order.look(), wanted, made.state)
            size, warnings = (drawn.width, drawn.height), drawn.warnings
            found = {f"{order.name}.{name}": drawn.files[name] for name in wanted}
        except (BrowserError, CannotDraw) as error:
            failures = dict.fromkeys(wanted, str(error))
    makers: dict[str, Callable[[], dict[str, bytes]]] = {
        "html": lambda: {f"{order.name}.html": html.interactive(chart, order.look())},
        "csv": lambda: {
            f"{order.name}.csv": tables.csv(chart),
            f"{order.name}.schema.json": tables.as_json(tables.schema(chart)),
        },
        "json": lambda: {f"{order.name}.plotly.json": plotly_json(chart)},
    }
    for name in order.formats:
        if name in makers:
            found.update(makers[name]())
    found["alt.txt"] = f"{chart.alt}\n".encode()
    found["caption.txt"] = f"{caption(chart, order.credit)}\n".encode()
    if "html" in order.formats:
        found["embed.txt"] = f"{embed_code(chart, f'{order.name}.html')}\n".encode()
    return Kit(order, made, found, failures, warnings, size)


def caption(chart: Chart, credit: str) -> str:
    """The words under a picture in an article: what it shows, how it is measured, from where, by whom."""
    parts = (chart.title, chart.subtitle, chart.note, chart.source, credit)
    return " ".join(
        part if part.endswith((".", "!", "?")) else f"{part}." for part in map(str.strip, parts) if part
    )


def embed_code(chart: Chart, address: str) -> str:
    """The HTML that puts the interactive chart at `address` into a page."""
    height = html.height(chart) + html.FRAME_HEIGHT
    return (
        f'<iframe src="{escape(address)}" title="{escape(chart.title or chart.name)}" loading="lazy" '
        f'style="width:100%;height:{height}px;border:0"></iframe>'
    )


def plotly_json(chart: Chart) -> bytes:
    """The figure as Plotly's JSON, which `plotly.io.from_json` and plotly.js read."""
    text: str = chart.figure.to_json(pretty=True)
    return f"{text}\n".encode()


def write(
    kit: Kit, folder: Path, done: Callable[[str], None] = lambda name: None
) -> tuple[list[str], dict[str, str]]:
    """Write a kit into its folder, each file whole or not at all; returns what was written and what failed, why.

    `metadata.json` comes last and lists the files that are there.
    """
    written: list[str] = []
    failures = dict(kit.failures)
    for name, content in kit.files.items():
        try:
            files.write(folder / name, content)
            written.append(name)
        except OSError as error:
            failures[name] = _why(error, folder)
        done(name)
    if written:
        try:
            files.write(folder / METADATA, kit.metadata(written))
            written.append(METADATA)
        except OSError as error:
            failures[METADATA] = _why(error, folder)
    return written, failures


def _why(error: OSError, folder: Path) -> str:
    return f"{folder} cannot be written ({error.strerror or error})"


def _metadata(kit: Kit, names: list[str]) -> dict[str, Any]:
    made, chart = kit.made, kit.made.chart
    data = tables.csv(chart)
    return {
        "chart": kit.order.name,
        "title": chart.title,
        "subtitle": chart.subtitle,
        "note": chart.note,
        "source": chart.source,
        "credit": kit.order.credit,
        "alt": chart.alt,
        "parameters": kit.order.parameters(),
        "event": made.event,
        "data": {"rows": len(chart.table), "columns": len(chart.table.columns), "sha256": _hash(data)},
        "queries": made.queries,
        "sources": made.sources,
        "warehouse": {"state": made.state},
        "software": software(),
        "size": {"width": kit.size[0], "height": kit.size[1], "unit": "CSS pixels"} if kit.size else None,
        "files": {
            name: {"bytes": len(kit.files[name]), "sha256": _hash(kit.files[name])} for name in sorted(names)
        },
    }


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()
