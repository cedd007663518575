"""App-store ranks on a time axis: no. 1 on top, measured ones solid, reported ones open, never joined."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.style import Palette, halo

RANK_TICKS = (1, 3, 10, 30, 100)
LABEL_DAYS = 8


def add_ranks(fig: go.Figure, ranks: pd.DataFrame, colours: Palette, row: int) -> None:
    """Ranks with no. 1 on top: measured ones as solid discs, reported ones as open rings, never joined."""
    for position, (app, path) in enumerate(ranks.groupby("app", sort=False)):
        colour = (colours.ink, colours.muted, *colours.series)[position % (2 + len(colours.series))]
        fig.add_scatter(
            x=[moment.to_pydatetime() for moment in path["moment"]],
            y=path["rank"],
            name=str(app),
            mode="markers+text",
            text=_labels(str(app), path),
            textposition="middle right",
            textfont={"color": colour, "size": 12, "shadow": halo(colours)},
            marker={
                "symbol": ["circle" if how == "measured" else "circle-open" for how in path["evidence"]],
                "size": 11,
                "color": colour,
                "line": {"width": 2.4, "color": colour},
            },
            hovertext=[_rank_hover(point) for point in path.itertuples(index=False)],
            hoverinfo="text",
            cliponaxis=False,
            row=row,
            col=1,
        )
    worst = max(int(ranks["rank"].max()), 5)
    ticks = [tick for tick in RANK_TICKS if tick <= worst * 1.5]
    fig.update_yaxes(
        type="log",
        range=[math.log10(worst * 1.6), math.log10(0.7)],
        tickvals=ticks,
        ticktext=[f"no. {tick}" if tick == 1 else str(tick) for tick in ticks],
        row=row,
        col=1,
    )


def _labels(app: str, path: pd.DataFrame) -> list[str]:
    """A point's app and rank, nothing where the app's next point is close by at a similar rank."""
    soon = path["moment"].shift(-1) - path["moment"] < pd.Timedelta(days=LABEL_DAYS)
    similar = (path["rank"].shift(-1) / path["rank"]).between(0.5, 2)
    return [
        "" if crowded else f" <b>{words.safe(app)}</b> no. {rank}"
        for crowded, rank in zip(soon & similar, path["rank"], strict=True)
    ]


def _rank_hover(row: Any) -> str:
    """One sentence for a point: what rank, when, who says so."""
    known = row.time_known
    moment = row.moment
    stamp = f"{words.day(moment.date())}, {moment:%H:%M} New York time" if known else words.day(moment.date())
    how = "measured in" if row.evidence == "measured" else "reported by"
    note = f"<br>{words.safe(row.note, 90)}" if row.note else ""
    return (
        f"<b>{words.safe(row.app_name)}</b> was no. {row.rank} on {stamp},<br>"
        f"{how} {words.safe(row.source, 80)}{note}"
    )
