"""What is drawn around the lines of a time axis: closed days, numbered events, names at the right end."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.style import BODY_FONT, Palette
from dashboard.data.events import Event

NOON = time(12)
BADGE_DAYS = 2.6


def shade_closed_days(fig: go.Figure, rebased: pd.DataFrame, colours: Palette) -> None:
    """Shade the days on which hardly any of the companies traded."""
    counts = rebased.groupby("date")["ticker"].nunique()
    open_days = set(counts[counts * 2 >= counts.max()].index)
    for day in pd.date_range(rebased["date"].min(), rebased["date"].max(), freq="D"):
        if day not in open_days:
            fig.add_shape(
                type="rect",
                x0=day,
                x1=day + timedelta(days=1),
                xref="x",
                y0=0,
                y1=1,
                yref="paper",
                fillcolor=colours.band,
                line_width=0,
                layer="below",
            )


def label_ends(
    fig: go.Figure, rebased: pd.DataFrame, average: pd.DataFrame, highlighted: Sequence[str], colours: Palette
) -> None:
    """Name each highlighted line at its right end, moved apart where the ends lie close together."""
    ends = [("AI mean", float(average["index"].iloc[-1]), colours.ink)]
    for position, ticker in enumerate(highlighted):
        path = rebased[rebased["ticker"] == ticker]
        if not path.empty:
            colour = colours.series[position % len(colours.series)]
            ends.append((ticker, float(path["index"].iloc[-1]), colour))
    ends.sort(key=lambda end: end[1])
    gap = (rebased["index"].max() - rebased["index"].min()) * 0.048
    places: list[float] = []
    for _, value, _ in ends:
        places.append(max(value, places[-1] + gap) if places else value)
    overshoot = (places[-1] - ends[-1][1]) / 2 if places else 0.0
    for (label, _, colour), place in zip(ends, places, strict=True):
        fig.add_annotation(
            x=1,
            xref="x domain",
            y=place - overshoot,
            yref="y",
            text=f"<b>{words.safe(label)}</b>",
            showarrow=False,
            xanchor="left",
            xshift=4,
            font={"color": colour, "size": 12, "family": BODY_FONT},
        )
    fig.update_layout(margin={"r": 70})


def mark_events(fig: go.Figure, events: Sequence[Event], focus: Event, colours: Palette) -> None:
    """A numbered badge and a line for each event; the focus in the colour of losses, closely set ones staggered."""
    levels: list[datetime] = []
    for number, event in enumerate(events, start=1):
        moment = moment_of(event)
        level = next(
            (i for i, last in enumerate(levels) if moment - last >= timedelta(days=BADGE_DAYS)), len(levels)
        )
        levels[level : level + 1] = [moment]
        strong = event.event_id == focus.event_id
        fig.add_shape(
            type="line",
            x0=moment,
            x1=moment,
            y0=0,
            y1=1.0,
            xref="x",
            yref="paper",
            line={
                "color": colours.loss if strong else colours.muted,
                "width": 1.6 if strong else 1,
                "dash": "solid" if strong else "dot",
            },
            layer="below",
        )
        fig.add_annotation(
            x=moment,
            xref="x",
            y=1.0,
            yref="paper",
            yshift=10 + 20 * level,
            text=f"<b>{number}</b>",
            hovertext=f"<b>{words.safe(event.title)}</b><br>{when(event)}",
            showarrow=False,
            bgcolor=colours.loss if strong else colours.muted,
            bordercolor=colours.paper,
            borderpad=2,
            font={"color": colours.paper, "size": 11},
        )
    fig.update_layout(margin={"t": 26 + 20 * max(len(levels) - 1, 0)})


def moment_of(event: Event) -> datetime:
    """Where an event stands on the time axis: its New York time where known, else noon of its day."""
    return event.occurred_at if event.time_known else datetime.combine(event.occurred_at.date(), NOON)


def when(event: Event) -> str:
    """The day of an event in words, with its time where that is known."""
    text = words.day(event.occurred_at.date())
    return f"{text}, {event.occurred_at:%H:%M}" if event.time_known else text
