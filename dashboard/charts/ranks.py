"""App-store ranks on a time axis: no. 1 on top, measured ones solid, reported ones open, never joined."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.style import Palette, halo

RANK_TICKS = (1, 3, 10, 30, 100)
LABEL_DAYS = 8


def is_approximate(row: Any) -> bool:
    """Whether the day of a rank is known only roughly, as its source says."""
    return "approximate" in str(row.note).casefold()


def add_ranks(fig: go.Figure, ranks: pd.DataFrame, colours: Palette, row: int) -> None:
    """Ranks with no. 1 on top, each new one labelled, and an arrow for a climb to the top; they are never joined."""
    climbed = ranks.loc[ranks["rank"] == 1, "moment"].min()
    for position, (app, path) in enumerate(ranks.groupby("app", sort=False)):
        colour = (colours.ink, colours.muted, *colours.series)[position % (2 + len(colours.series))]
        rough = [is_approximate(point) for point in path.itertuples(index=False)]
        fig.add_scatter(
            x=[moment.to_pydatetime() for moment in path["moment"]],
            y=path["rank"],
            name=str(app),
            mode="markers+text",
            text=_labels(str(app), path, rough),
            textposition=[words_beside(point, climbed) for point in path.itertuples(index=False)],
            textfont={"color": colour, "size": 12, "shadow": halo(colours)},
            marker={
                "symbol": ["circle" if how == "measured" else "circle-open" for how in path["evidence"]],
                "size": [8 if about else 10 for about in rough],
                "color": colour,
                "opacity": [0.6 if about else 1 for about in rough],
                "line": {"width": [1.4 if about else 2.4 for about in rough], "color": colour},
            },
            hovertext=[_rank_hover(point) for point in path.itertuples(index=False)],
            hoverinfo="text",
            cliponaxis=False,
            row=row,
            col=1,
        )
        _climb(fig, path, colour, row)
    worst = max(int(ranks["rank"].max()), 5)
    ticks = [tick for tick in RANK_TICKS if tick <= worst * 1.5]
    fig.update_yaxes(
        type="log",
        range=[math.log10(worst * 2.6), math.log10(0.45)],
        tickvals=ticks,
        ticktext=[f"no. {tick}" if tick == 1 else str(tick) for tick in ticks],
        row=row,
        col=1,
    )


def words_beside(point: Any, climbed: pd.Timestamp) -> str:
    """Where a point's words stand: off the arrow to no. 1, which lies to the right of all that was before it."""
    if point.rank == 1:
        return "top right"
    early = pd.notna(climbed) and climbed - point.moment > pd.Timedelta(days=LABEL_DAYS)
    return "bottom center" if early else "bottom right"


def _climb(fig: go.Figure, path: pd.DataFrame, colour: str, row: int) -> None:
    """An arrow from the rank before an app's first no. 1 to that one."""
    top = path[path["rank"] == 1]
    before = path[path["moment"] < top["moment"].min()] if len(top) else top
    if before.empty:
        return
    start, end = before.iloc[-1], top.iloc[0]
    axis = "" if row == 1 else str(row)
    fig.add_annotation(
        x=end["moment"].to_pydatetime(),
        y=math.log10(end["rank"]),
        xref=f"x{axis}",
        yref=f"y{axis}",
        ax=start["moment"].to_pydatetime(),
        ay=math.log10(start["rank"]),
        axref=f"x{axis}",
        ayref=f"y{axis}",
        showarrow=True,
        arrowhead=2,
        arrowsize=1.2,
        arrowwidth=1.2,
        arrowcolor=colour,
        standoff=8,
        startstandoff=6,
        opacity=0.7,
        text="",
    )


def _labels(app: str, path: pd.DataFrame, rough: list[bool]) -> list[str]:
    """A point's app and rank, of no. 1 and of rough ones the day too; nothing close behind one at the same rank."""
    soon = path["moment"] - path["moment"].shift(1) < pd.Timedelta(days=LABEL_DAYS)
    same = path["rank"] == path["rank"].shift(1)
    return [
        "" if repeated else f"<b>{words.safe(app)}</b> no. {rank}{_dated(rank, moment, about)}"
        for repeated, rank, moment, about in zip(
            soon & same, path["rank"], path["moment"], rough, strict=True
        )
    ]


def _dated(rank: int, moment: pd.Timestamp, about: bool) -> str:
    if rank > 1 and not about:
        return ""
    return f", {'about ' if about else ''}{words.day(moment.date(), weekday=False, year=False)}"


def _rank_hover(row: Any) -> str:
    """One sentence for a point: what rank, when, who says so."""
    known = row.time_known
    moment = row.moment
    stamp = f"{words.day(moment.date())}, {moment:%H:%M} New York time" if known else words.day(moment.date())
    when = f"about {stamp}" if is_approximate(row) else f"on {stamp}"
    how = "measured in" if row.evidence == "measured" else "reported by"
    note = f"<br>{words.safe(row.note, 90)}" if row.note else ""
    return (
        f"<b>{words.safe(row.app_name)}</b> was no. {row.rank} {when},<br>"
        f"{how} {words.safe(row.source, 80)}{note}"
    )
