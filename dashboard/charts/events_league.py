"""The league of events as a chart: one row an event, its abnormal return, and the path around it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.style import Palette, palette, template

ROW_HEIGHT = 23
PATH_ROOM = 0.4
SHARED = "†"
"""Marks an event that shares its session with another."""
UNITS = {
    "event_id": "event",
    "title": "title",
    "kind": "kind",
    "occurred_at": "occurred at",
    "session": "session",
    "mean_change": "AI mean, fraction",
    "companies": "companies in the mean",
    "abnormal": "abnormal return, fraction",
    "abnormal_0_1": "abnormal return 0 to +1, fraction",
    "firms": "firms with an abnormal return",
    "left_out": "in the mean without an abnormal return",
    "lost": "market value lost, US dollars",
    "gained": "market value gained, US dollars",
    "value_change": "change of market value, US dollars",
    "valued": "companies with dollars",
    "lead": "lead",
    "lead_name": "lead company or segment",
    "lead_change": "lead’s move, fraction",
    "recovered": "sessions to recover",
    "ordinary_days": "ordinary days before",
    "as_large": "of these moved as much",
    "share": "share of ordinary days",
    "t": "t",
    "p": "p",
    "p_holm": "p, Holm",
    "p_bh": "p, Benjamini-Hochberg",
    "same_session": "same session as",
    "next_session": "followed the next session by",
    "session_before": "preceded the session before by",
}
"""The columns of the league's table as they are written to files, in their order."""


def league(
    rows: pd.DataFrame,
    paths: pd.DataFrame,
    title: str,
    ordered: str,
    note: str,
    source: str,
    theme: str = "light",
) -> Chart:
    """The rows as they are ordered, the first on top.

    `rows`: as `dashboard.views.league.read_league` describes the table; `paths`: cumulative abnormal return, events ×
    days; `ordered` says by what they are sorted, in words.
    """
    colours = palette(theme)
    drawn = rows.dropna(subset=["abnormal"])
    return Chart(
        name="events-league",
        figure=_figure(drawn, paths, colours),
        title=title,
        subtitle="Average abnormal return of the AI companies in the event’s session against the S&P 500 (SPY), "
        "percent; filled where it stands out after allowing for all events (false discovery rate of 5%). The "
        "small line "
        f"is the cumulative path from −10 to +20 sessions. {ordered}",
        source=source,
        alt=_alt(drawn),
        table=table_of(rows),
        note=note,
    )


def table_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Every column of the league with its unit; lists of events as text, no recovery yet as missing."""
    table = rows.reset_index()
    for name in ("same_session", "next_session", "session_before"):
        table[name] = table[name].map(" ".join)
    table["left_out"] = table["left_out"].map("; ".join)
    table["recovered"] = table["recovered"].replace(np.inf, np.nan)
    return table[list(UNITS)].rename(columns=UNITS)


def stands_out(row: Any, level: float = 0.05) -> bool:
    """Whether an event stands out after allowing for the number of events looked at."""
    return bool(row.p_bh < level)


def _figure(drawn: pd.DataFrame, paths: pd.DataFrame, colours: Palette) -> go.Figure:
    count = len(drawn)
    places = np.arange(count)
    values = drawn["abnormal"].to_numpy() * 100
    out = (drawn["p_bh"] < 0.05).to_numpy()
    shades = [colours.loss if value < 0 else colours.gain for value in values]
    fig = go.Figure(layout={"template": template(colours), "height": 58 + ROW_HEIGHT * count, "bargap": 0.5})
    fig.add_bar(
        y=places,
        x=values,
        orientation="h",
        marker={
            "color": [shade if filled else colours.ground for shade, filled in zip(shades, out, strict=True)],
            "line": {"color": shades, "width": 1.2},
        },
        hovertext=[hover(row) for row in drawn.reset_index().itertuples()],
        hoverinfo="text",
        text=[words.percent(value / 100) for value in values],
        textposition="outside",
        textangle=0,
        constraintext="none",
        cliponaxis=False,
        textfont={"size": 11, "color": colours.ink},
    )
    _sparklines(fig, drawn.index, paths, colours)
    _axes(fig, drawn, values)
    return fig


def _axes(fig: go.Figure, drawn: pd.DataFrame, values: np.ndarray) -> None:
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    room = 0.4 * (high - low)
    fig.update_layout(
        xaxis={
            "domain": [0, 0.66],
            "range": [low - room, high + room],
            "showticklabels": False,
            "ticks": "",
            "zeroline": True,
        },
        xaxis2={
            "domain": [0.72, 1],
            "anchor": "y",
            "range": [-10.5, 20.5],
            "tickvals": [-10, 0, 10, 20],
            "side": "top",
        },
        yaxis={
            "tickvals": list(range(len(drawn))),
            "ticktext": [_label(row) for row in drawn.itertuples()],
            "range": [len(drawn) - 0.4, -0.6],
            "showgrid": False,
            "ticks": "",
            "tickfont": {"color": fig.layout.template.layout.font.color, "size": 12},
        },
    )


def _label(row: Any) -> str:
    mark = f" {SHARED}" if row.same_session else ""
    return words.safe(f"{row.title}, {words.day(row.session.date(), weekday=False)}{mark}", 62)


def _sparklines(fig: go.Figure, event_ids: Sequence[str], paths: pd.DataFrame, colours: Palette) -> None:
    """A line an event, all on one scale, in the middle of its row; one trace, broken between the rows."""
    chosen = paths.reindex(event_ids)
    size = float(np.nanquantile(np.abs(chosen.to_numpy()), 0.97)) or 1.0
    x: list[float | None] = []
    y: list[float | None] = []
    for place, (_, path) in enumerate(chosen.iterrows()):
        known = path.dropna()
        x += [*known.index.tolist(), None]
        y += [*(place - PATH_ROOM * (known / size).clip(-1.5, 1.5)).tolist(), None]
    fig.add_scatter(
        x=x, y=y, mode="lines", line={"color": colours.muted, "width": 1.2}, xaxis="x2", hoverinfo="skip"
    )
    fig.add_shape(
        type="line",
        xref="x2",
        yref="paper",
        x0=0,
        x1=0,
        y0=0,
        y1=1,
        line={"color": colours.faint, "width": 1},
    )


def hover(row: Any) -> str:
    """An event's figures as sentences."""
    text = (
        f"<b>{words.safe(row.title)}</b>, {words.day(row.session.date())}<br>AI mean "
        f"{words.percent(row.mean_change, 2)} ({row.companies:.0f} companies), abnormal "
        f"{words.percent(row.abnormal, 2)} ({row.firms:.0f}{words.safe(without(row.left_out), 160)})"
    )
    if row.ordinary_days:
        text += f"<br>{row.as_large:.0f} of {row.ordinary_days:.0f} ordinary days before it moved as much"
    return text


def without(left_out: Sequence[str]) -> str:
    """The companies left out of an abnormal return, in words; "" where none is."""
    return f", without {words.listed(list(left_out))}" if left_out else ""


def _alt(drawn: pd.DataFrame) -> str:
    first = [f"{row.title} {words.percent(row.abnormal)}" for row in drawn.head(5).itertuples()]
    out = int((drawn["p_bh"] < 0.05).sum())
    return (
        f"Bar chart of the abnormal returns of {len(drawn)} events with a small line for each path. On top: "
        f"{words.listed(first)}. {out} stand out after allowing for the number of events."
    )
