"""The kit of a chart: its files by name, what failed, and `metadata.json`, which makes the same kit again."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from dashboard.charts.chart import Chart
from dashboard.export import browser, embed, files, html, tables
from dashboard.export.browser import BrowserError
from dashboard.export.drawing import caption, figure_words
from dashboard.export.presets import BadSpec
from dashboard.export.provenance import Made, make, software
from dashboard.export.render import CannotDraw, render
from dashboard.export.spec import PICTURES, Spec, heeded

METADATA = "metadata.json"


@dataclass(frozen=True)
class Kit:
    """A kit in memory. `failures` are sentences by the format or file that is missing; `metadata` lacks the files."""

    spec: Spec
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
        return files.zipped({**self.files, METADATA: self.metadata()}, self.spec.folder())


def build(spec: Spec, state: str | None = None) -> Kit:
    """Make the chart and every file of its spec; a format that fails is named and the others are there.

    `state` names the state of the warehouse to read, by default the published one.

    Raises
    ------
    BadSpec, NothingToShow, WarehouseError
        As `dashboard.export.provenance.make`: when there is no chart at all.
    """
    spec = heeded(spec)
    wanted = [name for name in spec.formats if name in PICTURES]
    if wanted:
        browser.renderer().warm_up()  # while the chart is read: a second of the first picture
    made = make(spec, state)
    chart = made.chart
    found: dict[str, bytes] = {}
    failures: dict[str, str] = {}
    size: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()
    if wanted:
        try:
            drawn = render(chart, spec.look(), wanted)
            size, warnings = (drawn.width, drawn.height), drawn.warnings
            found = {f"{spec.name}.{name}": drawn.files[name] for name in wanted}
        except (BrowserError, CannotDraw) as error:
            failures = dict.fromkeys(wanted, str(error))
    makers: dict[str, Callable[[], dict[str, bytes]]] = {
        "html": lambda: {f"{spec.name}.html": html.interactive(chart, spec.look())},
        "csv": lambda: {
            f"{spec.name}.csv": tables.csv(chart),
            f"{spec.name}.schema.json": tables.as_json(tables.schema(chart)),
        },
        "json": lambda: {f"{spec.name}.plotly.json": plotly_json(chart)},
    }
    for name in spec.formats:
        if name in makers:
            found.update(makers[name]())
    found["alt.txt"] = f"{chart.alt}\n".encode()
    found["caption.txt"] = f"{caption(chart, spec.look())}\n".encode()
    if "html" in spec.formats:
        picture = f"{spec.name}.png" if "png" in spec.formats else ""
        found["embed.txt"] = embed.text(
            embed.codes(chart, f"{spec.name}.html", picture, spec.credit)
        ).encode()
    return Kit(spec, made, found, failures, warnings, size)


def plotly_json(chart: Chart) -> bytes:
    """The figure as Plotly's JSON, which `plotly.io.from_json` and plotly.js read."""
    text: str = chart.figure.to_json(pretty=True)
    return f"{text}\n".encode()


def place(out: Path, spec: Spec) -> Path:
    """The folder for a kit in `out`: a new one, or that of an earlier kit of the same spec.

    Raises
    ------
    BadSpec
        When others lie in both folders that it could have.
    """
    for name in (spec.folder(), f"{spec.folder()}-{'-'.join(spec.formats)}"):
        if held(out / name) in (None, spec.parameters()):
            return out / name
    raise BadSpec(f"{out / spec.folder()} holds another kit: name another folder with --out.")


def held(folder: Path) -> Any:
    """The parameters of the kit in a folder, None for no folder or an empty one."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return None
    return _told(folder).get("parameters", "no kit")


def _told(folder: Path) -> dict[str, Any]:
    try:
        said = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def write(kit: Kit, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Write a kit into its folder, each file whole or not at all; returns what was written and what failed, why.

    `metadata.json` says from the first moment whose the folder is, and at the end which files are there. What an
    earlier kit of the same spec had and this one has not goes.
    """
    written: list[str] = []
    failures = dict(kit.failures)
    old = set(_told(folder).get("files") or ()) | {f"{kit.spec.name}.{name}" for name in kit.failures}
    for name, content in {METADATA: kit.metadata([]), **kit.files}.items():
        try:
            files.write(folder / name, content)
            written.append(name)
        except OSError as error:
            failures[name] = f"{folder} cannot be written ({error.strerror or error})"
    for name in old - set(written):
        if name == Path(name).name:
            (folder / name).unlink(missing_ok=True)
    own = [name for name in written if name != METADATA]
    if METADATA in written:
        files.write(folder / METADATA, kit.metadata(own))
    return [*own, *(name for name in written if name == METADATA and own)], failures


def _metadata(kit: Kit, names: list[str]) -> dict[str, Any]:
    made, chart = kit.made, kit.made.chart
    data = tables.csv(chart)
    return {
        "chart": kit.spec.name,
        "title": chart.title,
        "subtitle": chart.subtitle,
        "note": chart.note,
        "source": chart.source,
        "credit": kit.spec.credit,
        "alt": chart.alt,
        "figure_words": figure_words(chart),
        "parameters": kit.spec.parameters(),
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
