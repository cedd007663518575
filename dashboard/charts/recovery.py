"""What came after: how deep each company fell and when it had made good its fall."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.style import palette, template

ROW_HEIGHT = 22


def recovery(table: pd.DataFrame, names: pd.Series, source: str, theme: str = "light") -> Chart:
    """For each company that fell: its lowest close (dot), its latest close (ring) and the day it was back (label).

    `table` as `dashboard.analysis.recovery.recoveries` returns it; `names`: ticker to name.
    """
    colours = palette(theme)
    drawn = table.sort_values("drawdown", ascending=False).reset_index(drop=True)
    fig = go.Figure(layout={"template": template(colours), "height": 80 + ROW_HEIGHT * len(drawn)})
    for row in drawn.itertuples():
        fig.add_shape(
            type="line",
            x0=row.drawdown * 100,
            x1=0,
            y0=row.Index,
            y1=row.Index,
            line={"color": colours.faint, "width": 2},
            layer="below",
        )
    hover = [_hover(row, str(names.get(row.ticker, row.ticker))) for row in drawn.itertuples()]
    back = drawn["recovered"].notna()
    fig.add_scatter(
        x=drawn["drawdown"] * 100,
        y=drawn.index,
        mode="markers",
        name="Lowest close",
        marker={"size": 10, "color": [colours.gain if done else colours.loss for done in back]},
        hovertext=hover,
        hoverinfo="text",
    )
    fig.add_scatter(
        x=[0.6] * len(drawn),
        y=drawn.index,
        mode="text",
        text=[
            f"back after {row.sessions} session{'s' if row.sessions != 1 else ''}"
            if pd.notna(row.recovered)
            else f"not back by {words.day(row.last.date(), weekday=False, year=False)}"
            for row in drawn.itertuples()
        ],
        textposition="middle right",
        textfont={"size": 11, "color": [colours.gain if done else colours.loss for done in back]},
        hovertext=hover,
        hoverinfo="text",
    )
    lowest = float(drawn["drawdown"].min()) * 100
    ticks = [tick for tick in range(-100, 1, 10) if tick >= lowest * 1.04]
    fig.update_xaxes(
        range=[lowest * 1.04, abs(lowest) * 0.5],
        tickvals=ticks,
        ticktext=[words.percent(tick / 100, 0) for tick in ticks],
        side="top",
        zeroline=True,
        showgrid=True,
    )
    fig.update_yaxes(
        tickvals=list(drawn.index),
        ticktext=[words.safe(str(names.get(ticker, ticker)), 22) for ticker in drawn["ticker"]],
        showgrid=False,
        range=[-0.7, len(drawn) - 0.3],
    )
    count = int(back.sum())
    return Chart(
        name="shock-recovery",
        figure=fig,
        title=f"{count} of the {len(drawn)} AI companies that fell were back at their old price"
        + f" by {words.day(drawn['last'].max().date())}",
        subtitle="Lowest close before the recovery, in percent below the last close before the event (with dividends), "
        "and sessions until the first close at or above it; the event’s own session counts as one",
        source=source,
        alt=f"Dot chart of {len(drawn)} AI companies that fell. {count} recovered. Deepest falls: "
        + words.listed(
            [
                f"{names.get(row.ticker, row.ticker)} {words.percent(row.drawdown)}"
                for row in drawn.tail(3)[::-1].itertuples()
            ]
        )
        + ".",
        table=_table(drawn, names),
    )


def _hover(row: Any, name: str) -> str:
    text = (
        f"<b>{words.safe(name)}</b> fell as low as {words.percent(row.drawdown)} on "
        f"{words.day(row.low.date())}."
    )
    if pd.notna(row.recovered):
        return f"{text}<br>It was back on {words.day(row.recovered.date())}."
    return f"{text}<br>It stood at {words.percent(row.last_change)} on {words.day(row.last.date())}."


def _table(drawn: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    table = drawn[::-1].copy()
    table.insert(1, "name", table["ticker"].map(names))
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
