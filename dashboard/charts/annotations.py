"""What is drawn around the lines of a time axis: closed days, events, names at the right end."""

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.style import BODY_FONT, Palette
from dashboard.data.events import Event
from etl.calendars import sessions

NOON = time(12)
MOST_WORDED = 4
_COMMON = {"released", "announced", "launched", "shares", "fall", "falls", "largest", "reports"}
BADGE_DAYS = 2.6
WEEK_MS = 7 * 24 * 60 * 60 * 1000


def shade_closed_days(fig: go.Figure, rebased: pd.DataFrame, colours: Palette) -> None:
    """Shade the days on which hardly any of the companies traded."""
    counts = rebased.groupby("date")["ticker"].nunique()
    traded = counts.index[counts * 2 >= counts.max()]
    closed = pd.date_range(rebased["date"].min(), rebased["date"].max(), freq="D").difference(traded)
    stretches = closed.to_series().groupby(closed - pd.to_timedelta(range(len(closed)), unit="D"))
    bands = [band(days.iloc[0], days.iloc[-1] + timedelta(days=1), colours) for _, days in stretches]
    _draw(fig, shapes=bands)


def band(start: Any, end: Any, colours: Palette) -> dict[str, Any]:
    """A shaded stretch of time behind everything that is drawn, as a shape."""
    return {
        "type": "rect",
        "x0": start,
        "x1": end,
        "xref": "x",
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "fillcolor": colours.band,
        "line": {"width": 0},
        "layer": "below",
    }


def _draw(
    fig: go.Figure, shapes: Sequence[dict[str, Any]] = (), annotations: Sequence[dict[str, Any]] = ()
) -> None:
    """Add shapes and annotations all at once: one by one, each would have the others checked again."""
    if shapes:
        fig.layout.shapes = [*fig.layout.shapes, *shapes]
    if annotations:
        fig.layout.annotations = [*fig.layout.annotations, *annotations]


def name_ends(
    fig: go.Figure,
    ends: Sequence[tuple[str, float, str]],
    low: float,
    high: float,
    *,
    panel: str = "",
    spacing: float = 0.048,
) -> None:
    """Write names (label, place on the axis, colour) at the right end of a panel, moved apart where close together.

    `low` and `high` are the ends of what the panel shows, `spacing` the share of it that a label needs; on a log
    axis all places are logarithms to base 10. `panel` is the number of the panel's axes ("" is the first).
    """
    ends = sorted(ends, key=lambda end: end[1])
    places = spread([value for _, value, _ in ends], (high - low) * spacing)
    names = [
        {
            "x": 1,
            "xref": f"x{panel} domain",
            "y": place,
            "yref": f"y{panel}",
            "text": f"<b>{words.safe(label)}</b>",
            "showarrow": False,
            "xanchor": "left",
            "xshift": 4,
            "font": {"color": colour, "size": 12, "family": BODY_FONT},
        }
        for (label, _, colour), place in zip(ends, places, strict=True)
    ]
    _draw(fig, annotations=names)
    fig.update_layout(margin={"r": 70})


def spread(values: Sequence[float], gap: float) -> list[float]:
    """The places nearest to ascending `values` that lie at least `gap` apart.

    Least squares under the ordering, by pooling adjacent violators of the values less multiples of the gap.
    """
    pools: list[tuple[float, int]] = []
    for position, value in enumerate(values):
        mean, size = value - position * gap, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    levels = [mean for mean, size in pools for _ in range(size)]
    return [level + position * gap for position, level in enumerate(levels)]


def mark_events(
    fig: go.Figure,
    events: Sequence[Event],
    focus: Event,
    colours: Palette,
    badge_days: float = BADGE_DAYS,
) -> None:
    """A numbered badge and a line for each event; the focus in ink, closely set ones staggered.

    `badge_days` is how much of the time axis a badge covers.
    """
    levels: list[datetime] = []
    lines, badges = [], []
    for number, event in enumerate(events, start=1):
        moment = moment_of(event)
        level = next(
            (i for i, last in enumerate(levels) if moment - last >= timedelta(days=badge_days)), len(levels)
        )
        levels[level : level + 1] = [moment]
        strong = event.event_id == focus.event_id
        lines.append(_event_line(moment, colours, strong=strong))
        badges.append(_badge(number, event, level, colours, strong=strong))
    _draw(fig, shapes=lines, annotations=badges)
    fig.update_layout(margin={"t": 26 + 20 * max(len(levels) - 1, 0)})


def worded_events(events: Sequence[Event], focus: Event, most: int = MOST_WORDED) -> list[Event]:
    """The events to be named beside a chart of `focus`: those that share a word with it, then the nearest in time."""
    mine = _long_words(focus)
    others = sorted(
        (event for event in events if event.event_id != focus.event_id),
        key=lambda event: (not mine & _long_words(event), abs(event.moment - focus.moment), event.event_id),
    )
    return sorted([focus, *others[: most - 1]], key=lambda event: event.moment)


def _long_words(event: Event) -> set[str]:
    return {word for word in re.findall(r"\w{5,}", event.title.casefold()) if word not in _COMMON}


def events_in_words(fig: go.Figure, events: Sequence[Event], focus: Event, colours: Palette) -> None:
    """The names of events above the first panel, each on a line of its own, with a line down through that panel."""
    lines, names = [], []
    begin, end = (pd.Timestamp(edge) for edge in fig.layout.xaxis.range)
    for level, event in enumerate(reversed(events)):
        strong = event.event_id == focus.event_id
        late = pd.Timestamp(moment_of(event)) > begin + 0.6 * (end - begin)
        line = _event_line(moment_of(event), colours, strong=strong)
        lines.append({**line, "yref": "y domain"})
        text = words.safe(event.title, 34)
        names.append(
            {
                "x": moment_of(event),
                "y": 1,
                "yref": "y domain",
                "ax": 0,
                "ay": -(10 + 16 * level),
                "text": f"<b>{text}</b>" if strong else text,
                "hovertext": f"<b>{words.safe(event.title)}</b><br>{when(event)}",
                "showarrow": True,
                "arrowhead": 0,
                "arrowwidth": 1,
                "arrowcolor": colours.ink if strong else colours.muted,
                "standoff": 0,
                "xanchor": "right" if late else "left",
                "yanchor": "middle",
                "font": {"color": colours.ink if strong else colours.muted, "size": 12},
            }
        )
    _draw(fig, shapes=lines, annotations=names)
    fig.update_layout(margin={"t": 16 + 16 * len(events)})


def _event_line(moment: datetime, colours: Palette, *, strong: bool) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": moment,
        "x1": moment,
        "y0": 0,
        "y1": 1.0,
        "xref": "x",
        "yref": "paper",
        "line": {
            "color": colours.ink if strong else colours.muted,
            "width": 1.4 if strong else 1,
            "dash": "solid" if strong else "dot",
        },
        "layer": "below",
    }


def _badge(number: int, event: Event, level: int, colours: Palette, *, strong: bool) -> dict[str, Any]:
    return {
        "x": moment_of(event),
        "xref": "x",
        "y": 1.0,
        "yref": "paper",
        "yshift": 10 + 20 * level,
        "text": f"<b>{number}</b>",
        "hovertext": f"<b>{words.safe(event.title)}</b><br>{when(event)}",
        "showarrow": False,
        "bgcolor": colours.ink if strong else colours.muted,
        "bordercolor": colours.paper,
        "borderpad": 2,
        "font": {"color": colours.paper, "size": 11},
    }


def with_gaps(path: pd.DataFrame, exchange: str, *, weekly: bool = False) -> pd.DataFrame:
    """Put an empty row into a path wherever a session that the exchange held is missing: the line breaks there.

    Weekends and holidays are no gap. In a path of one session a week, where a whole week lies between two.
    """
    days = path["date"].to_numpy(dtype="datetime64[D]")
    if weekly or len(days) < 2:
        apart = np.diff(days).astype(int) > 13
    else:
        held = np.array(sessions(exchange, days[0].item(), days[-1].item()), dtype="datetime64[D]")
        apart = np.searchsorted(held, days[1:]) > np.searchsorted(held, days[:-1], side="right")
    gaps = pd.DataFrame({"date": path["date"].to_numpy()[:-1][apart] + np.timedelta64(1, "D")})
    return pd.concat([path, gaps]).sort_values("date", ignore_index=True)


def on_mondays(first: pd.Timestamp, last: pd.Timestamp, most: int = 6) -> dict[str, Any]:
    """Settings of a time axis: at most `most` ticks, on Mondays where the axis shows 3 to 28 weeks.

    Left alone, Plotly marks every week by its Sunday, on which no exchange trades.
    """
    weeks = (last - first).days / 7
    if not 3 <= weeks <= 28:
        return {"nticks": most + 1}
    step = np.ceil(weeks / most)
    monday = first.normalize() - timedelta(days=first.weekday())
    return {"tick0": monday.strftime("%Y-%m-%d"), "dtick": float(step) * WEEK_MS}


def key_of(events: Sequence[Event]) -> str:
    """What the numbered marks stand for, as a sentence; "" without marks."""
    marks = [f"{number} {event.title} ({when(event)})" for number, event in enumerate(events, start=1)]
    return f"{' · '.join(marks)}." if marks else ""


def moment_of(event: Event) -> datetime:
    """Where an event stands on the time axis: its New York time where known, else noon of its day."""
    return event.occurred_at if event.time_known else datetime.combine(event.occurred_at.date(), NOON)


def when(event: Event) -> str:
    """The day of an event in words, with its time where that is known."""
    text = words.day(event.occurred_at.date())
    return f"{text}, {event.occurred_at:%H:%M}" if event.time_known else text
