"""Ranks of any apps over time, no. 1 on top: measured and reported drawn apart, and never joined over a gap."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.analysis.captures import lines
from dashboard.charts import rank_words, words
from dashboard.charts.annotations import band, key_of, mark_events, name_ends
from dashboard.charts.chart import Chart
from dashboard.charts.ranks import RANK_TICKS
from dashboard.charts.style import Palette, figure, halo, palette
from dashboard.data.events import Event

HEIGHT = 480
BADGE_SHARE = 0.07
STRIP = 1.2
CROWDED_SHARE = 0.35
LATE_SHARE = 0.65
FAINT = 0.45


def rank_history(
    points: pd.DataFrame,
    names: dict[str, str],
    chart: str,
    pauses: pd.DataFrame,
    events: Sequence[Event],
    focus: Event,
    source: str,
    *,
    firsts: dict[str, pd.Timestamp],
    daily: bool = False,
    theme: str = "light",
) -> Chart:
    """The ranks of the apps of `names` (id to name, in the order of drawing) in the chart that `chart` describes.

    `points` as `dashboard.data.captures.history` returns it, placed by `dashboard.analysis.captures.placed`, at
    least one row; `pauses`: since, until (UTC, no zone), where no capture was made; `firsts`: when each app is first
    known at no. 1 of this chart in all of the data (UTC, no zone), whatever stretch is drawn.
    """
    colours = palette(theme)
    fig = figure(colours, HEIGHT)
    tones = {app: colours.series[i % len(colours.series)] for i, app in enumerate(names)}
    worst = max(int(points["rank"].max()) if points["rank"].notna().any() else 1, 5)
    absent = list(points.loc[points["rank"].isna(), "app"].unique())
    span = _span(points)
    ends = _apps(fig, points, names, tones, absent, span, worst)
    fig.update_traces(textfont_shadow=halo(colours), selector={"mode": "markers+text"})
    bottom = worst * STRIP ** (len(absent) + 2.4)
    _axes(fig, points, worst, bottom, len(absent), colours)
    _shade_pauses(fig, pauses, colours)
    if ends:
        name_ends(fig, ends, math.log10(0.72), math.log10(bottom))
        fig.update_layout(margin={"r": 118})
    marks = [event for event in events if span[0] <= pd.Timestamp(event.occurred_at) <= span[1]]
    days = max((span[1] - span[0]).days, 1)
    marks = marks if days <= 130 else [event for event in marks if event.event_id == focus.event_id]
    mark_events(fig, marks, focus, colours, badge_days=days * BADGE_SHARE)
    return Chart(
        name="rank-history",
        figure=fig,
        title=finding(points, names, firsts),
        subtitle=f"Rank in {chart}, no. 1 on top, log scale"
        + ("; the last capture of each day" if daily else ""),
        source=source,
        alt=_alt(points, names, chart),
        table=table(points, names),
        note=_note(points, pauses, marks),
    )


def _apps(
    fig: go.Figure,
    points: pd.DataFrame,
    names: dict[str, str],
    tones: dict[str, str],
    absent: list[str],
    span: tuple[pd.Timestamp, pd.Timestamp],
    worst: int,
) -> list[tuple[str, float, str]]:
    """Draw every app; returns what stands at the right end of each measured line: words, place, colour."""
    ends = []
    for app, name in names.items():
        of_app = points[points["app"] == app]
        measured = of_app[(of_app["evidence"] == "measured") & of_app["rank"].notna()]
        _measured(fig, measured, name, tones[app])
        reported = of_app[of_app["evidence"] != "measured"]
        labels = _labels(reported, name, points) if measured.empty else [""] * len(reported)
        late = reported["moment"] > span[0] + (span[1] - span[0]) * LATE_SHARE
        _reported(fig, reported, name, tones[app], labels, late)
        if app in absent:
            _absent(
                fig, of_app[of_app["rank"].isna()], name, tones[app], worst * STRIP ** (absent.index(app) + 2)
            )
        if not measured.empty:
            last = int(measured["rank"].iloc[-1])
            ends.append((f"{rank_words.short_name(name, 12)} {last}", math.log10(last), tones[app]))
    return ends


def _measured(fig: go.Figure, path: pd.DataFrame, name: str, colour: str) -> None:
    if path.empty:
        return
    whole = lines(path)
    fig.add_scatter(
        x=whole["moment"].dt.strftime("%Y-%m-%d %H:%M"),
        y=whole["rank"].astype(float).to_numpy(),
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2.2},
        marker={"size": 6 if len(path) < 200 else 3, "color": colour},
        hovertext=[
            "" if pd.isna(row.rank) else rank_words.hover(row, name) for row in whole.itertuples(index=False)
        ],
        hoverinfo="text",
        connectgaps=False,
    )


def _reported(
    fig: go.Figure, path: pd.DataFrame, name: str, colour: str, labels: list[str], late: pd.Series
) -> None:
    if path.empty:
        return
    fig.add_scatter(
        x=path["moment"].dt.strftime("%Y-%m-%d %H:%M"),
        y=path["rank"].astype(float).to_numpy(),
        name=f"{name}, reported",
        mode="markers+text",
        text=labels,
        textposition=["top left" if near_end else "middle right" for near_end in late],
        textfont={"color": colour, "size": 12},
        marker={
            "symbol": "circle-open",
            "size": 12,
            "color": colour,
            "line": {"width": 2.4, "color": colour},
            "opacity": [FAINT if grade == "C" else 1.0 for grade in path["confidence"]],
        },
        hovertext=[rank_words.hover(row, name) for row in path.itertuples(index=False)],
        hoverinfo="text",
        cliponaxis=False,
    )


def _labels(path: pd.DataFrame, name: str, points: pd.DataFrame) -> list[str]:
    """A report's app and rank, nothing where the app's next report is close by at a similar rank."""
    first, last = _span(points)
    soon = path["moment"].shift(-1) - path["moment"] < (last - first) * CROWDED_SHARE
    similar = (path["rank"].shift(-1) / path["rank"]).between(0.5, 2)
    return [
        "" if crowded else f" <b>{words.safe(rank_words.short_name(name))}</b> no. {rank}"
        for crowded, rank in zip(soon & similar, path["rank"], strict=True)
    ]


def _absent(fig: go.Figure, path: pd.DataFrame, name: str, colour: str, place: float) -> None:
    fig.add_scatter(
        x=path["moment"].dt.strftime("%Y-%m-%d %H:%M"),
        y=[place] * len(path),
        name=f"{name}, {rank_words.not_in(path['depth'])}",
        mode="markers",
        marker={"symbol": "x-thin", "size": 7, "color": colour, "line": {"width": 1.6, "color": colour}},
        hovertext=[rank_words.hover(row, name) for row in path.itertuples(index=False)],
        hoverinfo="text",
    )


def _span(points: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
    first, last = points["moment"].min(), points["moment"].max()
    room = max((last - first) * 0.05, pd.Timedelta(days=1))
    return first - room, last + room


def _axes(
    fig: go.Figure, points: pd.DataFrame, worst: int, bottom: float, absent: int, colours: Palette
) -> None:
    ticks = [tick for tick in RANK_TICKS if tick <= worst * 1.2]
    labels = [f"no. {tick}" if tick == 1 else str(tick) for tick in ticks]
    if absent:
        ticks.append(worst * STRIP ** ((absent - 1) / 2 + 2))
        depths = points.loc[points["rank"].isna(), "depth"]
        labels.append(rank_words.not_in(depths).replace(" first", "<br>first"))
        fig.add_hline(y=worst * STRIP**1.2, line_width=1, line_color=colours.faint)
    fig.update_yaxes(
        type="log",
        range=[math.log10(bottom), math.log10(0.72)],
        tickvals=ticks,
        ticktext=labels,
        zeroline=False,
    )
    first, last = _span(points)
    form = "%-d %b" if (last - first).days < 200 else "%b\n%Y"
    fig.update_xaxes(range=[first, last], tickformat=form, nticks=6, tickangle=0)


def _shade_pauses(fig: go.Figure, pauses: pd.DataFrame, colours: Palette) -> None:
    bands = [band(row.since, row.until, colours) for row in pauses.itertuples()]
    fig.layout.shapes = [*fig.layout.shapes, *bands]


def finding(points: pd.DataFrame, names: dict[str, str], firsts: dict[str, pd.Timestamp]) -> str:
    """The first day at no. 1 of the first app that has one, else the best rank of the first app that is known."""
    ranked = points[points["rank"].notna()].sort_values("moment")
    for app in names:
        top = ranked[(ranked["app"] == app) & (ranked["rank"] == 1)]
        if not top.empty:
            row = top.iloc[0]
            earlier = firsts.get(app, row["moment"])
            if earlier.normalize() < row["moment"].normalize():
                return (
                    f"{rank_words.short_name(names[app], 40)} was at no. 1 on {words.day(row['moment'].date())}, "
                    f"and is known to have been there on {words.day(earlier.date())} already"
                )
            return (
                f"{rank_words.short_name(names[app], 40)} was first {row['evidence']} at no. 1 on "
                f"{words.day(row['moment'].date())}"
            )
    if ranked.empty:
        told = rank_words.not_in(points["depth"])
        return f"{words.listed(list(names.values()))}: {told} of any capture of this time"
    row = ranked.loc[ranked["rank"].idxmin()]
    name = rank_words.short_name(names[row["app"]], 40)
    return f"{name} was no. {row['rank']} at best, on {words.day(row['moment'].date())}"


def _alt(points: pd.DataFrame, names: dict[str, str], chart: str) -> str:
    parts = []
    for app, name in names.items():
        of_app = points[(points["app"] == app) & points["rank"].notna()]
        if not of_app.empty:
            measured = int((of_app["evidence"] == "measured").sum())
            best = of_app.loc[of_app["rank"].idxmin()]
            parts.append(
                f"{name}: {measured} measured and {len(of_app) - measured} reported points, best no. {best['rank']} on "
                f"{words.day(best['moment'].date())}"
            )
        missing = points[(points["app"] == app) & points["rank"].isna()]
        if not missing.empty:
            several = "s" if len(missing) > 1 else ""
            parts.append(f"{name}: {rank_words.not_in(missing['depth'])} in {len(missing)} capture{several}")
    return f"Ranks in {chart} over time. {'; '.join(parts)}."


def table(points: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Every point with its capture or report: one row each, in the order of time."""
    ordered = points.sort_values(["moment", "app"], kind="stable")
    state = [_state(row) for row in ordered.itertuples(index=False)]
    return pd.DataFrame(
        {
            "app": ordered["app"].map(names),
            "time (UTC), or day": [rank_words.moment(row) for row in ordered.itertuples(index=False)],
            "rank": ordered["rank"].astype("Int64"),
            "state": state,
            "evidence": ordered["evidence"],
            "confidence": ordered["confidence"],
            "source": [rank_words.source(row) for row in ordered.itertuples(index=False)],
            "link": [rank_words.link(address) for address in ordered["source_url"]],
            "note": ordered["note"],
        }
    ).reset_index(drop=True)


def _state(row: Any) -> str:
    if pd.isna(row.rank):
        return f"not in the first {row.depth}"
    return f"in a capture complete to no. {row.depth}" if pd.notna(row.depth) else "a single point"


def _note(points: pd.DataFrame, pauses: pd.DataFrame, marks: Sequence[Event]) -> str:
    measured = (points["evidence"] == "measured").any()
    parts = [key_of(marks)]
    if measured:
        parts.append(
            "Discs are ranks measured in a capture of the chart, joined only where captures follow each other within "
            "36 hours."
        )
    missing = points["rank"].isna()
    if missing.any():
        parts.append(
            f"A cross: {rank_words.not_in(points.loc[missing, 'depth'])}, as far down as that capture goes; deeper is "
            "not known."
        )
    if (points["evidence"] != "measured").any():
        parts.append("Open rings are ranks that a publication reported; nothing joins them.")
    if (points["confidence"] == "C").any():
        parts.append("Fainter rings are approximate: their day, or their country, is not certain.")
    if not pauses.empty:
        parts.append("Shaded: more than 36 hours without a capture (not fetched).")
    if not measured:
        parts.append("No capture of this chart in this time: what lies between the reports is not known.")
    return " ".join(part for part in parts if part)
