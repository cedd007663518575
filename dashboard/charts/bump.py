"""The first ten of a chart from capture to capture, one line an app."""

from collections.abc import Sequence
from datetime import timedelta

import pandas as pd
import plotly.graph_objects as go

from dashboard.analysis.captures import lines
from dashboard.charts import rank_words, words
from dashboard.charts.chart import Chart
from dashboard.charts.style import BODY_FONT, Palette, figure, palette

HEIGHT = 460
STEPS = {
    "capture": "each capture",
    "day": "the last capture of each day",
    "week": "the last capture of each week",
}


def bump(
    points: pd.DataFrame,
    chosen: Sequence[str],
    chart: str,
    source: str,
    *,
    depth: int = 10,
    step: str = "capture",
    theme: str = "light",
) -> Chart:
    """The first `depth` of the chart that `chart` describes; the apps of `chosen` in colour, the others in grey.

    `points` as `dashboard.data.captures.top` returns it, placed by `dashboard.analysis.captures.placed`, at least one
    row; fewer places where no capture holds so many. A line breaks where an app left them or captures were more than
    36 hours apart.
    """
    colours = palette(theme)
    fig = figure(colours, HEIGHT)
    held = points["depth"].clip(upper=depth)
    depth = int(held.max())
    names = points.sort_values("moment").groupby("app")["app_name"].last().to_dict()
    strong = [app for app in chosen if app in names] or list(
        points.loc[points["rank"] == 1, "app"].unique()[:3]
    )
    tones = {app: colours.series[i % len(colours.series)] for i, app in enumerate(strong)}
    _others(fig, points[~points["app"].isin(strong)], colours)
    for app in strong:
        _line(fig, points[points["app"] == app], names[app], tones[app], 3.2)
    _name_edges(fig, points, tones, colours)
    first, last = points["moment"].min(), points["moment"].max()
    room = max((last - first) * 0.02, timedelta(hours=12))
    fig.update_yaxes(range=[depth + 0.6, 0.4], tickvals=list(range(1, depth + 1)), showgrid=False)
    fig.update_xaxes(range=[first - room, last + room], tickformat="%-d %b", nticks=7)
    fig.update_layout(margin={"r": 128})
    count = points["captured_at"].nunique()
    return Chart(
        name="rank-bump",
        figure=fig,
        title=_finding(points, names),
        subtitle=f"The first {depth} of {chart} in {STEPS[step]}",
        source=source,
        alt=f"Bump chart of the first {depth} of {chart} in {count} captures. {_finding(points, names)}. Latest: "
        + "; ".join(f"{row.rank} {row.app_name}" for row in _edge(points).itertuples())
        + ".",
        table=_table(points),
        note=_note(held),
    )


def _note(held: pd.Series) -> str:
    varies = ", as far down as each capture goes" if held.nunique() > 1 else ""
    return (
        f"A line breaks where an app was {rank_words.not_in(held)}{varies}, or where more than 36 hours lie between "
        "two captures. Measured captures only."
    )


def _edge(points: pd.DataFrame) -> pd.DataFrame:
    """The rows of the latest capture, best rank first."""
    return points[points["moment"] == points["moment"].max()].sort_values("rank")


def _others(fig: go.Figure, points: pd.DataFrame, colours: Palette) -> None:
    """All apps in grey as one trace, so that a year of captures stays light."""
    if points.empty:
        return
    paths = [lines(path) for _, path in points.groupby("app", sort=False)]
    broken = [part for path in paths for part in (path, pd.DataFrame({"moment": [path["moment"].iloc[-1]]}))]
    _draw(fig, pd.concat(broken, ignore_index=True), "Other apps", colours.faint, 1.6)


def _line(fig: go.Figure, points: pd.DataFrame, name: str, colour: str, width: float) -> None:
    _draw(fig, lines(points), name, colour, width)


def _draw(fig: go.Figure, path: pd.DataFrame, name: str, colour: str, width: float) -> None:
    fig.add_scatter(
        x=path["moment"].dt.strftime("%Y-%m-%d %H:%M"),
        y=path["rank"].astype(float).to_numpy(),
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": width},
        marker={"size": width * 2 + 2, "color": colour},
        hovertext=[
            "" if pd.isna(row.rank) else rank_words.hover(row, row.app_name)
            for row in path.itertuples(index=False)
        ],
        hoverinfo="text",
        connectgaps=False,
    )


def _name_edges(fig: go.Figure, points: pd.DataFrame, tones: dict[str, str], colours: Palette) -> None:
    notes = [
        {
            "x": 1,
            "xref": "x domain",
            "y": row.rank,
            "yref": "y",
            "text": f"<b>{words.safe(rank_words.short_name(row.app_name, 15))}</b>",
            "showarrow": False,
            "xanchor": "left",
            "xshift": 6,
            "font": {"color": tones.get(row.app, colours.muted), "size": 12, "family": BODY_FONT},
        }
        for row in _edge(points).itertuples()
    ]
    fig.update_layout(annotations=notes)


def _finding(points: pd.DataFrame, names: dict[str, str]) -> str:
    leaders = points[points["rank"] == 1]
    count = points["moment"].nunique()
    if leaders.empty:
        return f"No capture of this time has a no. 1 ({count} captures)"
    most = leaders["app"].value_counts()
    name = rank_words.short_name(names[most.index[0]], 40)
    if most.iloc[0] == count:
        return f"{name} led in {f'all {count} captures' if count > 1 else 'the one capture'} shown"
    return f"{name} led in {most.iloc[0]} of {count} captures shown; {len(most)} apps have been no. 1"


def _table(points: pd.DataFrame) -> pd.DataFrame:
    ordered = points.sort_values(["moment", "rank"])
    return pd.DataFrame(
        {
            "time (UTC)": [rank_words.moment(row) for row in ordered.itertuples(index=False)],
            "rank": ordered["rank"],
            "app": ordered["app_name"],
            "source": [rank_words.source(row) for row in ordered.itertuples(index=False)],
            "link": [rank_words.link(address) for address in ordered["source_url"]],
        }
    ).reset_index(drop=True)
