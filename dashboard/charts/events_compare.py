"""Two or more events beside each other: the paths around them, aligned at the session before."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.annotations import name_ends
from dashboard.charts.chart import Chart
from dashboard.charts.events_days import wrapped
from dashboard.charts.style import Palette, palette, template

HEIGHT = 520
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "solid", "dash", "dot")


def compare(
    paths: pd.DataFrame,
    band: pd.DataFrame,
    events: pd.DataFrame,
    group: str,
    source: str,
    theme: str = "light",
) -> Chart:
    """Cumulative abnormal return of a group around each event, 0 at the close before its session.

    `paths`: events × days −10 to +20 (fractions); `band`: length, low, high (see
    `dashboard.analysis.placebo.placebo_range`), drawn from day 0 on; `events`: index event_id; title, session.
    """
    colours = palette(theme)
    at_zero = paths[0].dropna()
    last = paths.columns.max()
    return Chart(
        name="events-compare",
        figure=_figure(paths, band, events, colours),
        title=_title(at_zero, events, group),
        subtitle="Cumulative abnormal return against the S&P 500 (SPY) since the close before the event’s "
        f"session, percent, from session {words.MINUS}10 to +{last}. Grey: where 95% of equally long "
        f"stretches before these events lie",
        source=source,
        alt=f"Line chart of {len(paths)} paths. "
        + "; ".join(
            f"{events.at[event_id, 'title']}: {words.percent(value)} in the session"
            for event_id, value in at_zero.items()
        )
        + ".",
        table=_table(paths, events),
    )


def _title(at_zero: pd.Series, events: pd.DataFrame, group: str) -> str:
    most = at_zero.abs().idxmax()
    furthest = f" furthest of {len(at_zero)} events" if len(at_zero) > 1 else ""
    name = words.cut(events.at[most, "title"], 60)
    return f"{name} moved {group}{furthest}: {words.percent(at_zero[most])} beyond the market"


def _figure(paths: pd.DataFrame, band: pd.DataFrame, events: pd.DataFrame, colours: Palette) -> go.Figure:
    fig = go.Figure(layout={"template": template(colours), "height": HEIGHT})
    known = band.dropna()
    days = known["length"] - 1
    fig.add_scatter(
        x=[-1, *days, *days[::-1], -1],
        y=[0, *(known["high"] * 100), *(known["low"][::-1] * 100), 0],
        fill="toself",
        fillcolor=colours.grid,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
    fig.add_hline(y=0, line={"color": colours.faint, "width": 1})
    fig.add_vline(x=0, line={"color": colours.muted, "width": 1, "dash": "dot"})
    ends = []
    for place, (event_id, path) in enumerate(paths.iterrows()):
        drawn = path.dropna()
        colour, title = colours.series[place % len(colours.series)], str(events.at[event_id, "title"])
        fig.add_scatter(
            x=drawn.index,
            y=drawn * 100,
            mode="lines",
            line={"color": colour, "width": 2.4, "dash": DASHES[place % len(DASHES)]},
            name=words.safe(title),
            hovertext=[_hover(title, day, value) for day, value in drawn.items()],
            hoverinfo="text",
        )
        ends.append((title, float(drawn.iloc[-1]) * 100, colour))
    values = [
        paths.min().min() * 100,
        paths.max().max() * 100,
        known["low"].min() * 100,
        known["high"].max() * 100,
    ]
    _key(fig, ends, min(values), max(values))
    fig.update_xaxes(
        title_text="sessions from the event",
        dtick=5,
        range=[paths.columns.min() - 0.3, paths.columns.max() + 0.3],
    )
    fig.update_yaxes(ticksuffix="%")
    fig.update_layout(margin={"b": 52})
    return fig


def _key(fig: go.Figure, ends: list[tuple[str, float, str]], low: float, high: float) -> None:
    """A number at the end of each line; the names stand in a legend above, which has room at any width."""
    name_ends(
        fig, [(str(place + 1), value, colour) for place, (_, value, colour) in enumerate(ends)], low, high
    )
    for place, (title, _, _) in enumerate(ends):
        fig.data[place + 1].name = f"{place + 1}  {wrapped(title, 44)}"
        fig.data[place + 1].showlegend = True
    fig.update_layout(
        showlegend=True,
        legend={
            "orientation": "v",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "xanchor": "left",
            "font": {"size": 12},
        },
        margin={"r": 30, "t": 18 + 19 * len(ends)},
    )


def _hover(title: str, day: Any, value: float) -> str:
    place = f"{day:+d}".replace("-", words.MINUS) if day else "0"
    return f"<b>{words.safe(title)}</b>, session {place}: {words.percent(value, 2)}"


def _table(paths: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    table = paths.T.rename_axis("session from the event").reset_index()
    return table.rename(
        columns={
            event_id: f"{events.at[event_id, 'title']} ({event_id}), cumulative abnormal return, fraction"
            for event_id in paths.index
        }
    )
