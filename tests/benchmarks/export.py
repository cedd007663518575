"""The time of the whole set of charts as PNG, SVG and PDF, beside plain `fig.write_image` and beside bare warm Kaleido.

All three draw the same figures at the same size in the same run. `python -m tests.benchmarks.export` prints the ratios;
they are to be at most a fifth of the plain loop, and at most 1.25 times bare Kaleido.
"""

from __future__ import annotations

import asyncio
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kaleido import Kaleido
from rich.console import Console
from rich.table import Table

from dashboard.charts.chart import Chart
from dashboard.export.drawing import Look
from dashboard.export.provenance import make
from dashboard.export.render import FORMATS, render
from dashboard.export.spec import Spec
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow

WIDTH, SCALE = 850, 2
MOST_OF_PLAIN, MOST_OF_KALEIDO = 1 / 5, 1.25


def charts() -> list[Chart]:
    """Every chart that the warehouse has data for."""
    found = []
    for name in CHARTS:
        try:
            found.append(make(Spec(name)).chart)
        except NothingToShow:
            continue
    return found


def size(chart: Chart) -> dict[str, Any]:
    """The size of a bare figure: as wide as an article, as high as the chart is on the page."""
    return {"width": WIDTH, "height": int(chart.figure.layout.height or 480), "scale": SCALE}


def ours(drawn: list[Chart], folder: Path) -> None:
    """As an export does it: with frame, checks and metadata."""
    for chart in drawn:
        for form, content in render(chart, Look()).files.items():
            (folder / f"{chart.name}.{form}").write_bytes(content)


def plain(drawn: list[Chart], folder: Path) -> None:
    """As anybody would: each picture with its own browser."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for chart in drawn:
            for form in FORMATS:
                chart.figure.write_image(folder / f"plain-{chart.name}.{form}", format=form, **size(chart))


async def bare(drawn: list[Chart], folder: Path) -> float:
    """One warm Kaleido and nothing but the figures; returns the seconds without its start."""
    async with Kaleido(n=1, mathjax=False) as kaleido:
        await kaleido.calc_fig(drawn[0].figure, opts={"format": "png"})
        start = time.perf_counter()
        for chart in drawn:
            for form in FORMATS:
                opts = {"format": form, **size(chart)}
                content = await kaleido.calc_fig(chart.figure, opts=opts)
                (folder / f"bare-{chart.name}.{form}").write_bytes(content)
        return time.perf_counter() - start


def seconds(work: Callable[[], None]) -> float:
    """How long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> int:
    """Measure, print the table, and end with 1 when a bar is missed."""
    drawn = charts()
    render(drawn[0], Look(), {"png"})
    with TemporaryDirectory() as name:
        folder = Path(name)
        rounds = [(seconds(lambda: ours(drawn, folder)), asyncio.run(bare(drawn, folder))) for _ in range(3)]
        loop = seconds(lambda: plain(drawn, folder))
    mine, kaleido = (min(times) for times in zip(*rounds, strict=True))
    table = Table(f"{len(drawn)} charts × {', '.join(FORMATS)}", "seconds", "ratio", "bar", box=None)
    table.add_row("this export, browser warm", f"{mine:.1f}", "", "")
    table.add_row("bare warm Kaleido", f"{kaleido:.1f}", f"{mine / kaleido:.2f}", f"{MOST_OF_KALEIDO:.2f}")
    table.add_row(
        "plain loop of fig.write_image", f"{loop:.1f}", f"{mine / loop:.3f}", f"{MOST_OF_PLAIN:.3f}"
    )
    Console().print(table)
    return 0 if mine <= MOST_OF_KALEIDO * kaleido and mine <= MOST_OF_PLAIN * loop else 1


if __name__ == "__main__":
    sys.exit(main())
