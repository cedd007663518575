"""What came after: how deep each company fell and when it had made good its fall."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.style import Palette, palette, template

ROW_HEIGHT = 22
LABEL_PIXELS = 130
GAP = "\u2003"  # sets a label clear of a dot at 0


def recovery(table: pd.DataFrame, names: pd.Series, source: str, theme: str = "light") -> Chart:
    """For each company that fell: its lowest close (dot) and when it was back (label).

    `table` as `dashboard.analysis.recovery.recoveries` returns it; `names`: ticker to name.
    """
    drawn = table.sort_values("drawdown", ascending=False).reset_index(drop=True)
    drawn["name"] = [str(names.get(ticker, ticker)) for ticker in drawn["ticker"]]
    count = int(drawn["recovered"].notna().sum())
    deepest = [f"{row['name']} {words.percent(row['drawdown'])}" for _, row in drawn[::-1].head(3).iterrows()]
    return Chart(
        name="shock-recovery",
        figure=_figure(drawn, palette(theme)),
        title=f"{count} of the {len(drawn)} AI companies that fell were back at their old price by "
        f"{words.day(drawn['last'].max().date())}",
        subtitle="Lowest close before the recovery, in percent below the last close before the event (with dividends), "
        "and sessions until the first close at or above it; the event’s own session counts as one",
        source=source,
        alt=f"Dot chart of {len(drawn)} AI companies that fell. {count} recovered. "
        f"Deepest falls: {words.listed(deepest)}.",
        table=_table(drawn),
    )


def _figure(drawn: pd.DataFrame, colours: Palette) -> go.Figure:
    fig = go.Figure(layout={"template": template(colours), "height": 80 + ROW_HEIGHT * len(drawn)})
    stem: list[float | None] = [x for low in drawn["drawdown"] * 100 for x in (low, 0.0, None)]
    place: list[int | None] = [y for row in drawn.index for y in (row, row, None)]
    fig.add_scatter(
        x=stem,
        y=place,
        mode="lines",
        line={"color": colours.faint, "width": 2},
        hoverinfo="skip",
        name="Drawdown",
    )
    hover = [_hover(row) for row in drawn.itertuples()]
    shade = [colours.gain if done else colours.loss for done in drawn["recovered"].notna()]
    fig.add_scatter(
        x=drawn["drawdown"] * 100,
        y=drawn.index,
        mode="markers",
        name="Lowest close",
        marker={"size": 10, "color": shade},
        hovertext=hover,
        hoverinfo="text",
    )
    lowest = float(drawn["drawdown"].min()) * 100
    fig.add_scatter(
        x=[0.0] * len(drawn),
        y=drawn.index,
        mode="text",
        name="Recovery",
        text=[GAP + _label(row) for row in drawn.itertuples()],
        textposition="middle right",
        textfont={"size": 11, "color": shade},
        cliponaxis=False,
        hovertext=hover,
        hoverinfo="text",
    )
    return _axes(fig, drawn, lowest)


def _axes(fig: go.Figure, drawn: pd.DataFrame, lowest: float) -> go.Figure:
    fig.update_layout(margin={"r": LABEL_PIXELS})
    ticks = [tick for tick in range(-100, 1, 20 if lowest < -30 else 10) if tick >= lowest * 1.04]
    fig.update_xaxes(
        range=[lowest * 1.08, abs(lowest) * 0.01],
        tickangle=0,
        tickvals=ticks,
        ticktext=[words.percent(tick / 100, 0) for tick in ticks],
        side="top",
        zeroline=True,
        showgrid=True,
    )
    return fig.update_yaxes(
        tickvals=list(drawn.index),
        ticktext=[words.safe(name, 22) for name in drawn["name"]],
        showgrid=False,
        range=[-0.7, len(drawn) - 0.3],
    )


def _label(row: Any) -> str:
    if pd.isna(row.recovered):
        return f"not back by {words.day(row.last.date(), weekday=False, year=False)}"
    return f"back after {row.sessions} session{'s' if row.sessions != 1 else ''}"


def _hover(row: Any) -> str:
    text = (
        f"<b>{words.safe(row.name)}</b> fell as low as {words.percent(row.drawdown)} on "
        f"{words.day(row.low.date())}."
    )
    if pd.notna(row.recovered):
        return f"{text}<br>It was back on {words.day(row.recovered.date())}."
    return f"{text}<br>It stood at {words.percent(row.last_change)} on {words.day(row.last.date())}."


def _table(drawn: pd.DataFrame) -> pd.DataFrame:
    table = drawn[["ticker", "name", *drawn.columns.drop(["ticker", "name"])]][::-1].copy()
    for column in ("first_change", "drawdown", "last_change"):
        table[column] = (table[column] * 100).round(4)
    return table.rename(
        columns={
            "before": "session before",
            "first_change": "first session, percent",
            "low": "session of the lowest close",
            "drawdown": "drawdown, percent",
            "recovered": "recovered on",
            "sessions": "sessions to recover",
            "last": "latest session",
            "last_change": "latest, percent",
        }
    ).reset_index(drop=True)
