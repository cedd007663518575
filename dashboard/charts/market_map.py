"""The AI companies by segment: a block of equal tiles a segment, the colour of each its change."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.losses import company_hover, late_note, table_of
from dashboard.charts.style import Palette, mixed, palette, readable_on, template

COLUMNS = 8
HALF = COLUMNS // 2
MOST = 0.20
HEAD, TILE = 0.5, 1.0
ROW_PIXELS = 40
GAP = 0.05


def market_map(changes: pd.DataFrame, session: date, source: str, theme: str = "light") -> Chart:
    """Blocks by segment, the largest mean move first; a tile a company with its ticker and change.

    `changes` as for `dashboard.charts.losses.losses_dollars`.
    """
    drawn = changes.dropna(subset=["change"])
    means = drawn.groupby("segment")["change"].mean()
    order = means.sort_values(ascending=drawn["change"].mean() < 0)
    first, moved = str(order.index[0]), float(order.iloc[0])
    members = drawn.loc[drawn["segment"] == first, "name"]
    first = first if len(members) > 1 else f"{first} ({members.iloc[0]} alone)"
    return Chart(
        name="shock-map",
        figure=_figure(drawn, order, palette(theme)),
        title=f"{first} {'fell' if moved < 0 else 'rose'} most: "
        f"{words.percent(abs(moved), plus=False)}{' on average' if len(members) > 1 else ''}",
        subtitle=f"Change of each AI company’s share price on {words.day(session)}, by segment; orange fell, blue rose",
        source=source,
        alt="Tiles of AI companies by segment. "
        + "; ".join(f"{name} {words.percent(change)} on average" for name, change in order.items())
        + ".",
        table=table_of(drawn),
        note=late_note(drawn, session),
    )


def _figure(drawn: pd.DataFrame, order: pd.Series, colours: Palette) -> go.Figure:
    limit = min(max(float(drawn["change"].abs().max()), 0.01), MOST)
    blocks = [
        (
            segment,
            change,
            drawn[drawn["segment"] == segment].sort_values("change", ascending=order.iloc[0] < 0),
        )
        for segment, change in order.items()
    ]
    shapes, heads, tiles = [], [], []
    depth = 0.0
    for shelf in _shelves([len(rows) for _, _, rows in blocks]):
        tallest = 0.0
        for at, start, width in shelf:
            segment, change, rows = blocks[at]
            heads.append((start, depth, f"<b>{words.safe(segment, 26)}</b> {words.percent(change)}"))
            for number, row in enumerate(rows.itertuples()):
                left, top = start + number % width, depth + HEAD + number // width * TILE
                shade = _shade(float(row.change) / limit, colours)
                shapes.append(_tile(left, top, shade))
                tiles.append((left + 0.5, top + TILE / 2, row, readable_on(shade, colours)))
            tallest = max(tallest, HEAD + -(-len(rows) // width) * TILE)
        depth += tallest + 0.1
    height = round(ROW_PIXELS * depth) + 4
    fig = go.Figure(layout={"template": template(colours), "height": height, "shapes": shapes})
    fig.update_layout(meta={"wanted": height})  # lower than that, the two lines of a tile leave it
    _write(fig, tiles, heads, colours)
    fig.update_xaxes(visible=False, range=[0, COLUMNS], fixedrange=True)
    fig.update_yaxes(visible=False, range=[depth, 0], fixedrange=True)
    return fig.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})


def _write(
    fig: go.Figure,
    tiles: Sequence[tuple[float, float, Any, str]],
    heads: Sequence[tuple[float, float, str]],
    colours: Palette,
) -> None:
    """The words on the tiles (place, company, colour of its text) and above the blocks (place, words)."""
    fig.add_scatter(
        x=[x for x, *_ in tiles],
        y=[y for _, y, *_ in tiles],
        mode="text",
        text=[
            f"<b>{words.safe(_short(row.ticker))}</b><br>{words.percent(row.change)}"
            for _, _, row, _ in tiles
        ],
        textfont={"size": 11, "color": [colour for *_, colour in tiles]},
        hovertext=[company_hover(row) for _, _, row, _ in tiles],
        hoverinfo="text",
        name="Companies",
    )
    fig.add_scatter(
        x=[x + GAP for x, *_ in heads],
        y=[y + HEAD * 0.55 for _, y, _ in heads],
        mode="text",
        text=[text for *_, text in heads],
        textposition="middle right",
        textfont={"size": 12.5, "color": colours.ink},
        hoverinfo="skip",
        name="Segments",
        cliponaxis=False,
    )


def _shelves(sizes: list[int]) -> list[list[tuple[int, int, int]]]:
    """Where each block goes: shelves of (block, first column, columns); small ones share a shelf, in their order."""
    shelves: list[list[tuple[int, int, int]]] = []
    waiting: int | None = None
    for at, size in enumerate(sizes):
        if size > HALF:
            shelves.append([(at, 0, COLUMNS)])
        elif waiting is None:
            waiting = len(shelves)
            shelves.append([(at, 0, HALF)])
        else:
            shelves[waiting].append((at, HALF, HALF))
            waiting = None
    return shelves


def _tile(left: float, top: float, shade: str) -> dict[str, object]:
    return {
        "type": "rect",
        "x0": left + GAP / 2,
        "x1": left + 1 - GAP / 2,
        "y0": top + GAP / 2,
        "y1": top + TILE - GAP / 2,
        "fillcolor": shade,
        "line": {"width": 0},
        "layer": "below",
    }


def _short(ticker: str) -> str:
    """A ticker without its exchange, where a tile has no room for both."""
    return ticker if len(ticker) <= 6 else ticker.split(".")[0]


def _shade(strength: float, colours: Palette) -> str:
    full = colours.loss if strength < 0 else colours.gain
    return mixed(colours.band, full, min(abs(strength), 1))
