"""A loss or a gain as an area beside whole companies that were worth about as much that day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.style import Palette, mixed, palette, readable_on, template

HEIGHT = 250
GAP = 0.035
LONG_NAME = 12
TILES = (0.55, 0.4, 0.28, 0.18)


@dataclass(frozen=True)
class Moved:
    """What moved: a company (or group), by how many US dollars, of what value before, and when."""

    name: str
    value_change: float
    value_before: float
    day: date
    before: date


def proportion(
    moved: Moved, beside: pd.DataFrame, yardsticks: Sequence[str], source: str, theme: str = "light"
) -> Chart:
    """The area of a loss (or gain) and, to the same scale, of whole companies before it.

    `beside`: ticker, name, value_before (US dollars), the largest first; `yardsticks` are sentences for the note.
    """
    total, falls = float(beside["value_before"].sum()), moved.value_change < 0
    names = [str(name) for name in beside["name"]]
    what = "loss" if falls else "gain"
    whole = f"the whole of {names[0]}" if len(names) == 1 else f"{words.listed(names)} put together"
    return Chart(
        name="shock-proportion",
        figure=_figure(moved, beside, palette(theme)),
        title=f"{words.possessive(moved.name)} {what} was about as large as {whole}",
        subtitle=f"Market value {'lost' if falls else 'gained'} on {words.day(moved.day)}, and what whole companies "
        f"were worth at the close of {words.day(moved.before, weekday=False)}; areas to scale",
        source=source,
        alt=f"Two areas to scale: {moved.name} {'lost' if falls else 'gained'} "
        f"{words.billions(abs(moved.value_change))}; beside it "
        + words.listed(
            [f"{row.name} {words.billions(row.value_before)}" for row in beside.itertuples(index=False)]
        )
        + f", {words.billions(total)} together.",
        table=_table(moved, beside),
        note=" ".join(yardsticks),
    )


def _figure(moved: Moved, beside: pd.DataFrame, colours: Palette) -> go.Figure:
    amount, total = abs(moved.value_change), float(beside["value_before"].sum())
    falls = moved.value_change < 0
    edge = (1 - GAP) * amount / (amount + total)
    full = colours.loss if falls else colours.gain
    fig = go.Figure(layout={"template": template(colours), "height": HEIGHT})
    fig.add_treemap(
        labels=[moved.name],
        parents=[""],
        values=[amount],
        text=[f"{'lost' if falls else 'gained'}<br><b>{words.billions(amount)}</b>"],
        hovertext=[
            f"<b>{words.safe(moved.name)}</b> {'lost' if falls else 'gained'} {words.billions(amount)} on "
            f"{words.day(moved.day)}"
        ],
        domain={"x": [0, edge], "y": [0, 1]},
        textfont={"size": 24, "color": readable_on(full, colours)},
        **_looks([full], colours),
    )
    shades = [mixed(colours.band, colours.muted, share) for share in TILES[: len(beside)]]
    fig.add_treemap(
        labels=[_in_two_lines(words.safe(name)) for name in beside["name"]],
        parents=[""] * len(beside),
        values=beside["value_before"].tolist(),
        text=[words.compact(value) for value in beside["value_before"]],
        hovertext=[
            f"<b>{words.safe(row.name)}</b> was worth {words.billions(row.value_before)} on {words.day(moved.before)}"
            for row in beside.itertuples(index=False)
        ],
        domain={"x": [edge + GAP, 1], "y": [0, 1]},
        textfont={"size": 14, "color": [readable_on(shade, colours) for shade in shades]},
        **_looks(shades, colours),
    )
    return fig.update_layout(margin={"l": 0, "r": 0, "t": 4, "b": 4})


def _in_two_lines(name: str) -> str:
    """A long name broken before its last word, so that a narrow tile holds it in a size that reads."""
    first, _, last = name.rpartition(" ")
    return f"{first}<br>{last}" if first and len(name) > LONG_NAME else name


def _looks(shades: Sequence[str], colours: Palette) -> dict[str, object]:
    return {
        "hoverinfo": "text",
        "texttemplate": "<b>%{label}</b><br>%{text}",
        "textposition": "middle center",
        "marker": {
            "colors": list(shades),
            "line": {"color": colours.paper, "width": 2},
            "pad": {"t": 0, "l": 0, "r": 0, "b": 0},
        },
        "pathbar": {"visible": False},
        "tiling": {"pad": 0},
        "root": {"color": colours.ground},
        "sort": True,
    }


def _table(moved: Moved, beside: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {
            "name": moved.name,
            "what": "change of market value",
            "US dollars": moved.value_change,
            "day": moved.day,
        }
    ]
    rows += [
        {"name": row.name, "what": "market value", "US dollars": row.value_before, "day": moved.before}
        for row in beside.itertuples(index=False)
    ]
    return pd.DataFrame(rows)
