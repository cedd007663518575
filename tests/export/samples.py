"""Charts made for tests."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.chart import Chart
from dashboard.charts.style import figure, palette
from dashboard.export.drawing import Look
from dashboard.export.presets import PRESETS
from dashboard.export.render import render

NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND"


def lines(
    series: int = 3, *, points: int = 30, below: float = 0.0, theme: str = "light", **words: str
) -> Chart:
    """A chart of lines named at their right end, each falling by its own slope; `below` moves all down."""
    fig = figure(palette(theme), 480)
    days = pd.date_range("2025-01-02", periods=points)
    table = pd.DataFrame({"session": days})
    for number in range(series):
        level = [100 - below - number * 0.3 - 0.1 * number * step for step in range(points)]
        fig.add_scatter(x=days, y=level, mode="lines", name=f"S{number}")
        fig.add_annotation(
            x=1,
            xref="x domain",
            y=level[-1],
            yref="y",
            text=f"<b>S{number}</b>",
            showarrow=False,
            xanchor="left",
        )
        table[f"Series {number}, index"] = level
    usual = {
        "title": "What fell, and how far",
        "subtitle": "Index, first session = 100",
        "source": "Source: a test",
        "alt": "Lines that fall.",
        "note": "Nothing is real.",
    }
    return Chart("sample-lines", fig, table=table, **{**usual, **words})


def flag(colour: str, name: str, height: int) -> Chart:
    """A chart whose whole plot is one colour, so that a mix-up can be seen in its pixels."""
    fig = go.Figure(layout={"height": height, "template": None, "margin": dict.fromkeys("lrtb", 0)})
    fig.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"width": 0})
    fig.add_shape(
        type="rect", x0=0, x1=1, y0=0, y1=1, xref="paper", yref="paper", fillcolor=colour, line_width=0
    )
    fig.update_xaxes(visible=False)
    fig.update_yaxes(visible=False)
    return Chart(name, fig, name, "", "Source: a test", name, pd.DataFrame({"colour": [colour]}))


def render_png(chart: Chart, preset: str = "article", theme: str = "light") -> bytes:
    """The chart as a PNG; `theme` is the one that it was drawn in."""
    return render(chart, Look(PRESETS[preset], theme), {"png"}).files["png"]


def chromiums() -> set[int]:
    """The process ids of the Chromiums that draw for this process: the topmost of those with the renderer's flags."""
    parents: dict[int, int] = {}
    flagged: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            number = int(stat.parent.name)
            parents[number] = int(stat.read_text().rpartition(")")[2].split()[1])
            if NO_NETWORK in stat.with_name("cmdline").read_text():
                flagged.add(number)
    return {
        number
        for number in flagged
        if parents[number] not in flagged and parents.get(parents[number]) == os.getpid()
    }
