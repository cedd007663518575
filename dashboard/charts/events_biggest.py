"""The biggest days of the AI companies, each with what it is known for."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.columns import headed
from dashboard.charts.events_days import NO_EVENT, label_of
from dashboard.charts.style import Palette, palette, template

ROW_HEIGHT = 23
MEASURES = {
    "abnormal": "Average abnormal return against the S&P 500 (SPY)",
    "change": "Mean change of the AI companies",
}


def biggest(days: pd.DataFrame, measure: str, source: str, theme: str = "light") -> Chart:
    """The days in `days` (rows of `League.days`), the largest on top, by a measure: "abnormal" or "change"."""
    colours = palette(theme)
    drawn = days.assign(size=days[measure].abs()).sort_values("size", ascending=False)
    with_event = int((drawn["title"] != "").sum())
    noted = int(((drawn["title"] == "") & (drawn["explanation"] != "")).sum())
    open_days = len(drawn) - with_event - noted
    falls = int((drawn[measure] < 0).sum())
    return Chart(
        name="events-biggest",
        figure=_bars(drawn, measure, colours),
        title=f"{open_days} of the {len(drawn)} biggest days for AI shares have no event on record",
        subtitle=f"{MEASURES[measure]} on the {falls} largest falls and the {len(drawn) - falls} largest rises, "
        "percent; filled where an event of the list or a source explains the day",
        source=source,
        alt=f"Bar chart of the {len(drawn)} largest moves. "
        + "; ".join(
            f"{words.day(row['date'].date(), weekday=False)} {words.percent(row[measure])}, {label_of(row)}"
            for _, row in drawn.head(8).iterrows()
        )
        + ".",
        table=_table(drawn),
        note=f"{with_event} have an event of the list, {noted} an explanation by a source.",
    )


def explained(row: pd.Series) -> bool:
    """Whether an event or a source says what happened on a day."""
    return bool(row["title"] or row["explanation"])


def _label(row: pd.Series) -> str:
    return f"{words.day(row['date'].date(), weekday=False)}  {label_of(row)}"


def _bars(drawn: pd.DataFrame, measure: str, colours: Palette) -> go.Figure:
    values = drawn[measure].to_numpy() * 100
    shades = [colours.loss if value < 0 else colours.gain for value in values]
    known = [explained(row) for _, row in drawn.iterrows()]
    places = np.arange(len(drawn))
    fig = go.Figure(
        layout={"template": template(colours), "height": 40 + ROW_HEIGHT * len(drawn), "bargap": 0.4}
    )
    fig.add_bar(
        y=places,
        x=values,
        orientation="h",
        marker={
            "color": [shade if told else colours.ground for shade, told in zip(shades, known, strict=True)],
            "line": {"color": shades, "width": 1.2},
        },
        text=[words.percent(value / 100) for value in values],
        textposition="outside",
        textangle=0,
        constraintext="none",
        cliponaxis=False,
        textfont={"size": 11, "color": colours.ink},
        hovertext=[_hover(row, measure) for _, row in drawn.iterrows()],
        hoverinfo="text",
    )
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    room = 0.22 * (high - low)
    axis: dict[str, Any] = {
        "showticklabels": False,
        "ticks": "",
        "zeroline": True,
        "zerolinecolor": colours.muted,
    }
    fig.update_xaxes(range=[low - room, high + room], **axis)
    fig.update_yaxes(
        tickvals=places.tolist(),
        ticktext=[words.safe(_label(row), 60) for _, row in drawn.iterrows()],
        tickfont={"color": colours.ink, "size": 12},
        range=[len(drawn) - 0.4, -0.6],
        showgrid=False,
        ticks="",
    )
    return fig


def _hover(row: pd.Series, measure: str) -> str:
    text = f"<b>{words.day(row['date'].date())}</b>: {words.percent(row[measure], 2)}<br>"
    return text + words.safe(row["title"] or row["explanation"] or NO_EVENT, 110)


def _table(drawn: pd.DataFrame) -> pd.DataFrame:
    columns = [
        "date",
        "change",
        "abnormal",
        "companies",
        "event_id",
        "title",
        "explanation",
        "note_source",
        "note_url",
    ]
    return headed(
        drawn[columns],
        date="session",
        change="AI mean, fraction",
        note_source="source",
        note_url="address",
    )
