"""Further charts of an event study: exposed against not exposed, and what would have been."""

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.event_study import within
from dashboard.charts.style import Palette, palette, template

MOST_WEIGHTS = 4


@dataclass(frozen=True)
class Chances:
    """How unusual a gap is.

    `rank` is its place among the firms compared (0: none), with the p-value `across`; `as_large` of `days` days before
    the event had a gap as large; `left_out` are the firms that are not compared.
    """

    rank: int
    across: float
    as_large: int
    days: int
    left_out: list[str]


def contrasted(path: pd.DataFrame, group: str, source: str, theme: str = "light") -> Chart:
    """The group and the firms outside AI, cumulated from the event on, with the band of their difference.

    `path`: one row a session from the one before the event on, index day: session, exposed, unexposed, difference,
    difference_low, difference_high (cumulative, fractions), p_value (of the difference on day 0).
    """
    colours = palette(theme)
    fig = go.Figure(layout={"template": template(colours), "height": 420})
    fig.add_hline(y=0, line={"color": colours.faint, "width": 1})
    low = path["unexposed"] + path["difference_low"]
    high = path["unexposed"] + path["difference_high"]
    fig.add_scatter(
        x=[*path.index, *path.index[::-1]],
        y=[*(high * 100), *(low[::-1] * 100)],
        fill="toself",
        fillcolor=colours.grid,
        line={"width": 0},
        mode="lines",
        name="95% band of the difference",
        hoverinfo="skip",
    )
    for column, name, colour in (
        ("unexposed", "Outside AI", colours.muted),
        ("exposed", "Exposed", colours.loss),
    ):
        _line(fig, path, column, name, colour)
    fig.update_xaxes(title_text="sessions from the event", dtick=2)
    fig.update_yaxes(ticksuffix="%")
    fig.update_layout(margin={"r": 88, "b": 52})
    gap = float(path.loc[0, "difference"])
    return Chart(
        name="study-contrast",
        figure=fig,
        title=f"{words.percent(gap)} against firms outside AI on the event’s session",
        subtitle=f"Cumulative average abnormal return of {within(group)} and of firms outside AI, percent; grey: where "
        "the group would lie, in 95% of cases, if it differed from them by chance alone",
        source=source,
        alt=f"Line chart: {group} {words.percent(float(path.loc[0, 'exposed']))} and firms outside AI "
        f"{words.percent(float(path.loc[0, 'unexposed']))} on the event’s session.",
        table=path.reset_index(),
        note="What moved all firms alike cancels in the difference.",
    )


def _line(
    fig: go.Figure, path: pd.DataFrame, column: str, name: str, colour: str, dash: str = "solid"
) -> None:
    fig.add_scatter(
        x=path.index,
        y=path[column] * 100,
        mode="lines",
        name=name,
        line={"color": colour, "width": 2.6, "dash": dash},
        hovertext=[
            f"<b>Session {day:+d}, {words.day(row.session.date())}</b><br>"
            f"{name}: {words.percent(getattr(row, column), 2)}"
            for day, row in zip(path.index, path.itertuples(), strict=True)
        ],
        hoverinfo="text",
    )
    fig.add_annotation(
        x=1,
        xref="x domain",
        y=float(path[column].iloc[-1]) * 100,
        text=f"<b>{name}</b>",
        showarrow=False,
        xanchor="left",
        xshift=4,
        font={"color": colour, "size": 12},
    )


def rebuilt(
    days: pd.DataFrame,
    weights: pd.Series,
    fit: float,
    group: str,
    source: str,
    theme: str = "light",
) -> Chart:
    """The group's own path and that of its synthetic control, from the event on.

    `days`: index day: session, cumulative_actual, cumulative_synthetic (fractions), gap; `weights`: donor → weight.
    """
    colours: Palette = palette(theme)
    shown = days.loc[-1:] if -1 in days.index else days
    fig = go.Figure(layout={"template": template(colours), "height": 400})
    fig.add_hline(y=0, line={"color": colours.faint, "width": 1})
    _line(fig, shown, "cumulative_synthetic", "Synthetic", colours.muted, "dot")
    _line(fig, shown, "cumulative_actual", "Actual", colours.loss)
    fig.update_xaxes(title_text="sessions from the event", dtick=2)
    fig.update_yaxes(ticksuffix="%")
    fig.update_layout(margin={"r": 82, "b": 52})
    first = [
        f"{name} {weight:.0%}".replace("-", words.MINUS)
        for name, weight in weights.head(MOST_WEIGHTS).items()
    ]
    return Chart(
        name="study-synthetic",
        figure=fig,
        title=f"{words.percent(float(days.loc[0, 'gap']))} against what would have been on the event’s session",
        subtitle=f"Cumulative return of {within(group)} and of its synthetic control from firms outside AI, percent",
        source=source,
        alt=f"Line chart: actual {words.percent(float(days.loc[0, 'actual']))}, synthetic "
        f"{words.percent(float(days.loc[0, 'synthetic']))} on the event’s session.",
        table=days.reset_index(),
        note=f"Weights: {words.listed(first)}{', others less' if len(weights) > MOST_WEIGHTS else ''}. Before the "
        f"event the control explains {fit:.0%} of the variance on days that were not fitted.",
    )


def synthetic_gaps(
    path: pd.DataFrame,
    donors: pd.DataFrame,
    chances: Chances,
    group: str,
    source: str,
    theme: str = "light",
) -> Chart:
    """The gap to the synthetic control beside the gaps of ordinary stretches and of firms that nothing treated.

    `path`: index day: session, gap, cumulative_gap, low, high (95% of equally long stretches before; fractions);
    `donors`: cumulative gaps, days × firms outside AI, each rebuilt from the others.
    """
    shown, others = (each.loc[-1:] if -1 in each.index else each for each in (path, donors))
    return Chart(
        name="study-synthetic-gaps",
        figure=_gap_lines(shown, others, palette(theme)),
        title=_ranked(chances, len(others.columns)),
        subtitle=f"Return of {within(group)} less that of its synthetic control, summed from the event’s session on, "
        "percent; lines: the same for firms outside AI, each rebuilt from the others; grey area: 95% of equally long "
        "stretches before",
        source=source,
        alt=f"Line chart: the gap of {group} is {words.percent(float(path.loc[0, 'gap']))} on the event’s session, "
        f"beside those of {len(others.columns)} firms outside AI.",
        table=path.drop(columns="gap").join(donors).reset_index(),
        note=_chance(chances, len(others.columns)),
    )


def _gap_lines(shown: pd.DataFrame, others: pd.DataFrame, colours: Palette) -> go.Figure:
    fig = go.Figure(layout={"template": template(colours), "height": 420})
    fig.add_scatter(
        x=[*shown.index, *shown.index[::-1]],
        y=[*(shown["high"] * 100), *(shown["low"][::-1] * 100)],
        fill="toself",
        fillcolor=colours.grid,
        line={"width": 0},
        mode="lines",
        name="95% of stretches before",
        hoverinfo="skip",
    )
    fig.add_hline(y=0, line={"color": colours.faint, "width": 1})
    for name in others:
        fig.add_scatter(
            x=others.index,
            y=others[name] * 100,
            mode="lines",
            name=words.safe(name),
            line={"color": colours.faint, "width": 1.2},
            hovertext=[f"<b>{words.safe(name)}</b>: {words.percent(gap, 2)}" for gap in others[name]],
            hoverinfo="text",
        )
    _line(fig, shown, "cumulative_gap", "Gap", colours.loss)
    fig.update_xaxes(title_text="sessions from the event", dtick=2)
    fig.update_yaxes(ticksuffix="%")
    fig.update_layout(margin={"r": 56, "b": 52})
    return fig


def _ranked(chances: Chances, others: int) -> str:
    if not chances.rank:
        return "Too few firms outside AI can be rebuilt to compare the gap with theirs"
    place = {1: "largest", 2: "second largest", 3: "third largest"}.get(
        chances.rank, f"{chances.rank}th largest"
    )
    return f"The gap of the event’s session is the {place} of {others + 1}, relative to its usual size"


def _chance(chances: Chances, others: int) -> str:
    """Both placebos in words, and the firms that are not compared."""
    count = chances.as_large or "None"
    said = [f"{count} of the {chances.days} days before had a gap as large as the session’s."]
    if chances.rank:
        said.append(
            f"With each gap divided by its usual size before, the group is no. {chances.rank} of {others + 1} (p = "
            f"{chances.across:.2f}; with {others} firms to compare, p is never below {1 / (others + 1):.2f})."
        )
    if chances.left_out:
        said.append(
            f"Not compared, since before the event they fit too badly: {words.listed(chances.left_out)}."
        )
    return " ".join(said)
