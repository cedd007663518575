"""Events by segment: what each event did to each part of the AI trade."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.style import Palette, mixed, palette, readable_on, template

ROW_HEIGHT = 24
STRONGEST = 0.08
"""The move (a fraction) from which on a cell has the full colour."""
LEVEL = 0.05
NAME_LENGTH = 34
"""Characters of a title that leave the cells room on a phone's screen."""
HEAD_LINE = 16
"""Pixels that the names of the segments need: they stand on two levels, so that neighbours have room."""


def segments(
    cells: pd.DataFrame,
    events: pd.DataFrame,
    names: dict[str, str],
    note: str,
    source: str,
    theme: str = "light",
) -> Chart:
    """A cell for each event and segment, the events in the order of `events` (index event_id; title, session).

    `cells`: event_id, segment (short name), abnormal (fraction), firms, p, p_bh; `names`: segments in order.
    """
    colours = palette(theme)
    cells = cells[cells["event_id"].isin(events.index)]
    cells = cells.sort_values("event_id", key=events.index.get_indexer, kind="stable")
    out = cells[cells["p_bh"] < LEVEL]
    top = out.loc[out["abnormal"].abs().idxmax()] if len(out) else None
    return Chart(
        name="events-segments",
        figure=_grid(cells, events, names, colours),
        title=_title(out, top, events, names),
        subtitle="Average abnormal return in the event’s session against the S&P 500 (SPY), percent. Filled cells "
        "stand out after allowing for all cells (false discovery rate of 5%); in open ones the move is "
        "within what chance "
        "explains",
        source=source,
        alt=f"Grid of {len(events)} events by {len(names)} segments; {len(out)} cells stand out."
        + (
            f" The largest: {names[top['segment']]}, {words.percent(top['abnormal'])}, "
            f"{events.at[top['event_id'], 'title']}."
            if top is not None
            else ""
        ),
        table=_table(cells, events, names),
        note=note,
    )


def _title(out: pd.DataFrame, top: pd.Series | None, events: pd.DataFrame, names: dict[str, str]) -> str:
    if top is None:
        return "In none of the segments did an event stand out"
    return (
        f"{names[top['segment']]} moved furthest: {words.percent(top['abnormal'])} in the session of "
        f"“{words.cut(events.at[top['event_id'], 'title'])}”"
    )


def shade_of(value: float, colours: Palette) -> str:
    """The colour of a cell that stands out."""
    strong = colours.loss if value < 0 else colours.gain
    return mixed(colours.band, strong, min(1.0, 0.35 + 0.65 * abs(value) / STRONGEST))


def _grid(cells: pd.DataFrame, events: pd.DataFrame, names: dict[str, str], colours: Palette) -> go.Figure:
    count = len(events)
    fig = go.Figure(
        layout={
            "template": template(colours),
            "height": 60 + ROW_HEIGHT * count,
            "bargap": 0.12,
            "barmode": "overlay",
        }
    )
    places = {event_id: place for place, event_id in enumerate(events.index)}
    for column, segment in enumerate(names):
        mine = cells[cells["segment"] == segment].dropna(subset=["abnormal"])
        _column(fig, mine, column, names[segment], places, events, colours)
    fig.update_xaxes(range=[0, len(names)], showticklabels=False, ticks="", showgrid=False, zeroline=False)
    for column, name in enumerate(names.values()):
        fig.add_annotation(
            x=column + 0.46,
            y=1,
            yref="paper",
            yanchor="bottom",
            yshift=3 + HEAD_LINE * (column % 2),
            text=words.safe(name.split(" and ")[0]),
            showarrow=False,
            font={"size": 11, "color": colours.ink},
        )
    fig.update_layout(margin={"t": 12 + 2 * HEAD_LINE})
    fig.update_yaxes(
        tickvals=list(range(count)),
        ticktext=[f"{words.safe(row.title, NAME_LENGTH)}, {row.session:%Y}" for row in events.itertuples()],
        tickfont={"color": colours.ink, "size": 12},
        range=[count - 0.4, -0.6],
        showgrid=False,
        ticks="",
    )
    return fig


def _column(
    fig: go.Figure,
    mine: pd.DataFrame,
    column: int,
    name: str,
    places: dict[str, int],
    events: pd.DataFrame,
    colours: Palette,
) -> None:
    out = (mine["p_bh"] < LEVEL).to_numpy()
    fills = [
        shade_of(value, colours) if filled else colours.ground
        for value, filled in zip(mine["abnormal"], out, strict=True)
    ]
    figures = [_short(value) for value in mine["abnormal"]]
    fig.add_bar(
        orientation="h",
        y=[places[event_id] for event_id in mine["event_id"]],
        x=np.full(len(mine), 0.92),
        base=np.full(len(mine), float(column)),
        marker={
            "color": fills,
            "line": {"color": [colours.ink if filled else colours.grid for filled in out], "width": 0.8},
        },
        text=[f"<b>{text}</b>" if filled else text for text, filled in zip(figures, out, strict=True)],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        constraintext="none",
        textfont={
            "size": 10,
            "color": [
                readable_on(fill, colours) if filled else colours.muted
                for fill, filled in zip(fills, out, strict=True)
            ],
        },
        hovertext=[_hover(row, name, events) for row in mine.itertuples()],
        hoverinfo="text",
    )


def _short(value: float) -> str:
    return words.percent(value).removesuffix("%")


def _hover(row: Any, name: str, events: pd.DataFrame) -> str:
    return (
        f"<b>{words.safe(events.at[row.event_id, 'title'])}</b><br>{words.safe(name)} ({row.firms:.0f} firms): "
        f"{words.percent(row.abnormal, 2)}, p = {row.p:.3f}, {row.p_bh:.3f} for all cells"
    )


def _table(cells: pd.DataFrame, events: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    table = cells.copy()
    table.insert(1, "title", table["event_id"].map(events["title"]))
    table.insert(2, "session", table["event_id"].map(events["session"]))
    table["segment"] = table["segment"].map(names)
    return table.rename(
        columns={
            "event_id": "event",
            "abnormal": "abnormal return, fraction",
            "p_bh": "p, Benjamini-Hochberg",
        }
    ).reset_index(drop=True)
