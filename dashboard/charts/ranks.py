"""App-store ranks on a time axis: no. 1 on top, measured ones solid, reported ones open, never joined."""

import math

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.style import Palette

RANK_TICKS = (1, 2, 3, 5, 10, 20, 50, 100, 200)


def add_ranks(fig: go.Figure, ranks: pd.DataFrame, colours: Palette, row: int) -> None:
    """Ranks with no. 1 on top: measured ones as solid discs, reported ones as open rings, never joined."""
    for position, (app, path) in enumerate(ranks.groupby("app", sort=False)):
        colour = (colours.loss, colours.gain, *colours.series[2:])[position % len(colours.series)]
        measured = path["evidence"] == "measured"
        fig.add_scatter(
            x=[moment.to_pydatetime() for moment in path["moment"]],
            y=path["rank"],
            name=str(app),
            mode="markers+text",
            text=[f"<b>{words.safe(str(app))}</b> {rank}" for rank in path["rank"]],
            textposition=["bottom center" if rank <= 2 and position == 0 else "top center" for rank in path["rank"]],
            textfont={"color": colour, "size": 11},
            marker={
                "symbol": ["circle" if solid else "circle-open" for solid in measured],
                "size": 11,
                "color": colour,
                "line": {"width": 2.4, "color": colour},
            },
            hovertext=[_rank_hover(row) for row in path.itertuples(index=False)],
            hoverinfo="text",
            cliponaxis=False,
            row=row,
            col=1,
        )
    worst = max(int(ranks["rank"].max()), 5)
    ticks = [tick for tick in RANK_TICKS if tick <= worst * 1.3]
    fig.update_yaxes(
        type="log",
        range=[math.log10(worst * 1.9), math.log10(0.55)],
        tickvals=ticks,
        ticktext=[f"no. {tick}" if tick == 1 else str(tick) for tick in ticks],
        row=row,
        col=1,
    )


def _rank_hover(row: object) -> str:
    """One sentence for a point: what rank, when, who says so."""
    known = row.time_known  # type: ignore[attr-defined]
    moment = row.moment  # type: ignore[attr-defined]
    stamp = f"{words.day(moment.date())}, {moment:%H:%M} New York time" if known else words.day(moment.date())
    how = "measured in" if row.evidence == "measured" else "reported by"  # type: ignore[attr-defined]
    note = f"<br>{words.safe(row.note, 90)}" if row.note else ""  # type: ignore[attr-defined]
    return (
        f"<b>{words.safe(row.app_name)}</b> was no. {row.rank} on {stamp},<br>"  # type: ignore[attr-defined]
        f"{how} {words.safe(row.source, 80)}{note}"  # type: ignore[attr-defined]
    )
