"""The record book: the largest one-day losses (or gains) of market value, the event's day in colour."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.bars import with_figures
from dashboard.charts.chart import Chart
from dashboard.charts.style import Palette, palette, template

FIRST = 10
ROW_HEIGHT = 26
LONG = 0.42
ROOM = 0.3
REPORTED = "○"


def record_book(
    ranked: pd.DataFrame,
    focus: int | None,
    day: pd.Timestamp,
    scope: str,
    source: str,
    theme: str = "light",
    *,
    falls: bool,
    title: str,
) -> Chart:
    """The largest moves, with the event's own (`focus`, its rank) wherever it stands.

    `ranked` as `dashboard.analysis.record_book.Records.ranked` returns it; `day` is the event's session: moves on it
    are in colour; `scope` says what was compared.
    """
    shown = ranked.head(FIRST)
    if focus is not None and focus > FIRST:
        shown = pd.concat([shown, ranked.loc[[focus]]])
    what = "losses" if falls else "gains"
    told = [
        f"{rank} {row['name']}, {words.day(row['date'].date(), weekday=False)}, "
        f"{words.billions(abs(row['value_change']))}{'' if row['evidence'] == 'computed' else ' (reported)'}"
        for rank, row in shown.iterrows()
    ]
    return Chart(
        name="record-book",
        figure=_figure(shown, day, palette(theme), falls=falls),
        title=title,
        subtitle=f"The largest one-day {what} of market value, US dollars; in colour those of {words.day(day.date())}",
        source=source,
        alt=f"Bar chart of the largest one-day {what} of market value. {'; '.join(told)}.",
        table=_table(shown),
        note=scope
        + (
            f" {REPORTED} and outlined: as the press reported it, of a company or a time that is not in the data."
            if (shown["evidence"] == "reported").any()
            else ""
        ),
    )


def _figure(shown: pd.DataFrame, day: pd.Timestamp, colours: Palette, *, falls: bool) -> go.Figure:
    values = shown["value_change"].abs() / 1e9
    own = [bool(date == day) for date in shown["date"]]
    reported = [evidence == "reported" for evidence in shown["evidence"]]
    full = colours.loss if falls else colours.gain
    shades = [
        colours.paper if told else full if mine else colours.faint
        for mine, told in zip(own, reported, strict=True)
    ]
    lines = [
        full if mine else colours.muted if told else shade
        for mine, told, shade in zip(own, reported, shades, strict=True)
    ]
    places = list(range(len(shown)))[::-1]
    settings = with_figures(
        [words.compact(value * 1e9) for value in values],
        shades,
        [value >= LONG * values.max() for value in values],
        colours,
        size=12,
    )
    settings["marker"] = {
        **settings["marker"],
        "line": {"color": lines, "width": [1.4 if told else 0 for told in reported]},
    }
    fig = go.Figure(
        layout={"template": template(colours), "height": 16 + ROW_HEIGHT * len(shown), "bargap": 0.26}
    )
    fig.add_bar(
        x=values,
        y=places,
        orientation="h",
        hovertext=[_hover(rank, row, falls=falls) for rank, row in shown.iterrows()],
        hoverinfo="text",
        **settings,
    )
    fig.update_xaxes(range=[0, float(values.max()) * 1.02], showticklabels=False, ticks="", zeroline=True)
    return fig.update_yaxes(
        tickvals=places,
        ticktext=[_label(row, mine=mine) for mine, (_, row) in zip(own, shown.iterrows(), strict=True)],
        tickfont={"color": colours.ink, "size": 12},
        showgrid=False,
        ticks="",
        range=[-0.6, len(shown) - 0.4],
    )


def _label(row: pd.Series, *, mine: bool) -> str:
    mark = f"{REPORTED} " if row["evidence"] == "reported" else ""
    text = f"{mark}{words.safe(str(row['name']), 14)}, {words.month(row['date'])}"
    return f"<b>{text}</b>" if mine else text


def _hover(rank: Any, row: pd.Series, *, falls: bool) -> str:
    text = (
        f"<b>No. {rank}: {words.safe(str(row['name']))}</b> {'lost' if falls else 'gained'} "
        f"{words.billions(abs(row['value_change']))} on {words.day(row['date'].date())}"
    )
    if pd.notna(row["change"]):
        text += f" ({words.percent(row['change'], 2)})"
    return (
        text
        if row["evidence"] == "computed"
        else f"{text},<br>reported by {words.safe(str(row['source']), 70)}"
    )


def _table(shown: pd.DataFrame) -> pd.DataFrame:
    table = shown.rename_axis("rank").reset_index()
    table["change"] = (table["change"] * 100).round(4)
    return table.rename(
        columns={
            "change": "change, percent",
            "value_change": "change of market value, US dollars",
            "source_url": "link",
        }
    )
