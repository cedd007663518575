"""The charts of an event study: raw beside abnormal returns, the firms, the benchmarks."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.bars import with_figures
from dashboard.charts.chart import Chart
from dashboard.charts.style import Palette, faded, halo, palette, template

ROW_HEIGHT = 22
MEAN = "An equal-weighted mean of the firms with a return on each session."
PALE = 0.2
STAND_OUT = 0.05
# Letters of a line of a benchmark's name.
LINE = 24

WIDE_BAR = 0.3
"""From which share of the axis on a bar holds its figure."""


def cumulative(days: pd.DataFrame, group: str, benchmark: str, source: str, theme: str = "light") -> Chart:
    """The group's cumulative average abnormal return from the session before the event on, and its days as bars.

    `days`: one row a session from the one before on, index day (0 = the event's session): session, n, mean_return,
    aar (bars), raw, caar, caar_low, caar_high, placebo_low, placebo_high; all fractions.
    """
    colours = palette(theme)
    fig = go.Figure(layout={"template": template(colours), "height": 440, "bargap": 0.55})
    _area(fig, days, "placebo_low", "placebo_high", colours.grid, "Ordinary stretches")
    _area(fig, days, "caar_low", "caar_high", faded(colours.gain, PALE), "95% band")
    fig.add_hline(y=0, line={"color": colours.faint, "width": 1})
    hover = [_day_hover(row, group, benchmark) for row in days.itertuples()]
    _bars(fig, days, colours, hover)
    for column, name, colour, dash in (
        ("raw", "Raw", colours.muted, "dot"),
        ("caar", "Abnormal", colours.gain, "solid"),
    ):
        fig.add_scatter(
            x=days.index,
            y=days[column] * 100,
            name=name,
            mode="lines",
            line={"color": colour, "width": 2.8 if dash == "solid" else 2, "dash": dash},
            hovertext=hover,
            hoverinfo="text",
            zorder=2,
        )
    _name_ends(fig, days, colours)
    fig.update_xaxes(
        title_text="sessions from the event", dtick=2, range=[days.index.min() - 0.5, days.index.max() + 0.5]
    )
    fig.update_layout(margin={"b": 52})
    fig.update_yaxes(ticksuffix="%")
    at_zero = days.loc[0]
    aar = float(at_zero["aar"])
    return Chart(
        name="study-caar",
        figure=fig,
        title=f"{group}: {words.percent(aar)} abnormal return on {words.day(at_zero['session'].date())}, "
        f"{words.percent(float(at_zero['mean_return']))} raw",
        subtitle=f"Bars: abnormal return of each session against {benchmark}; line: their sum from "
        f"{spell((int(days.index[1]),) * 2)} on, percent. Blue: its 95% band; grey: 95% of equally long stretches "
        "before",
        source=source,
        alt=f"Bar and line chart of the average abnormal return of {group} over {len(days) - 1} sessions: "
        f"{words.percent(aar)} on the event’s session, {words.percent(float(days['caar'].iloc[-1]))} in sum.",
        table=days.reset_index().rename(columns={"day": "event day"}),
        note=MEAN if days["n"].max() > 1 else "",
    )


def _bars(fig: go.Figure, days: pd.DataFrame, colours: Palette, hover: list[str]) -> None:
    """Each session's own abnormal return, coloured by its sign; the event's in full colour, with its figure.

    The figure stands across the zero line from its bar, which is too narrow for it on a phone and in a column;
    the lines start on the bar's side.
    """
    event = days.index == 0
    tones = [colours.gain if value > 0 else colours.loss for value in days["aar"]]
    fig.add_bar(
        x=days.index,
        y=days["aar"] * 100,
        name="Of the session",
        marker={
            "color": [tone if each else faded(tone, PALE) for tone, each in zip(tones, event, strict=True)],
            "line": {"width": 0},
        },
        hovertext=hover,
        hoverinfo="text",
        zorder=1,
    )
    if event.any():
        value = float(days.loc[0, "aar"])
        fig.add_annotation(
            x=-0.4,
            y=0,
            text=f"<b>{words.percent(value)}</b>",
            showarrow=False,
            xanchor="left",
            yanchor="bottom" if value < 0 else "top",
            font={
                "color": colours.loss if value < 0 else colours.gain,
                "size": 13,
                "shadow": halo(colours),
            },
        )


def _area(fig: go.Figure, days: pd.DataFrame, low: str, high: str, colour: str, name: str) -> None:
    fig.add_scatter(
        x=[*days.index, *days.index[::-1]],
        y=[*(days[high] * 100), *(days[low][::-1] * 100)],
        fill="toself",
        fillcolor=colour,
        line={"width": 0},
        mode="lines",
        name=name,
        hoverinfo="skip",
    )


def _name_ends(fig: go.Figure, days: pd.DataFrame, colours: Palette) -> None:
    raw, abnormal = float(days["raw"].iloc[-1]) * 100, float(days["caar"].iloc[-1]) * 100
    shift = 9 if abs(raw - abnormal) < 1.2 else 0
    up = 1 if raw >= abnormal else -1
    for value, text, colour, sign in (
        (raw, "Raw", colours.muted, up),
        (abnormal, "Abnormal", colours.gain, -up),
    ):
        fig.add_annotation(
            x=1,
            xref="x domain",
            y=value,
            text=f"<b>{text}</b>",
            showarrow=False,
            xanchor="left",
            xshift=4,
            yshift=shift * sign,
            font={"color": colour, "size": 12},
        )
    fig.update_layout(margin={"r": 74})


def _day_hover(row: object, group: str, benchmark: str) -> str:
    day, session, raw, mean, aar, caar, low, high, n = (
        getattr(row, name)
        for name in ("Index", "session", "raw", "mean_return", "aar", "caar", "caar_low", "caar_high", "n")
    )
    return (
        f"<b>Session {day:+d}, {words.day(session.date())}</b><br>{n} firms of {words.safe(group)}: "
        f"{words.percent(mean, 2)} raw, {words.percent(aar, 2)} against {words.safe(benchmark)}<br>"
        f"Summed: {words.percent(raw, 2)} raw, {words.percent(caar, 2)} abnormal "
        f"(95% band {words.percent(low, 1)} to {words.percent(high, 1)})"
    )


def firm_cars(
    cars: pd.DataFrame, window: tuple[int, int], benchmark: str, source: str, theme: str = "light"
) -> Chart:
    """Every firm's CAR over a window with its 95% interval, the largest fall on top.

    `cars`: name, car, low, high (fractions), placebo_p, placebo_p_holm; firms whose placebo p-value is below 5%
    are drawn in colour, the others in grey.
    """
    colours = palette(theme)
    drawn = cars.dropna(subset=["car"]).sort_values("car", ascending=False)
    stands_out = drawn["placebo_p"] < STAND_OUT
    shade = [
        colours.muted if not out else (colours.loss if car < 0 else colours.gain)
        for out, car in zip(stands_out, drawn["car"], strict=True)
    ]
    fig = go.Figure(layout={"template": template(colours), "height": 70 + ROW_HEIGHT * len(drawn)})
    fig.add_scatter(
        x=drawn["car"] * 100,
        y=[words.safe(name, 22) for name in drawn["name"]],
        mode="markers",
        marker={"size": 9, "color": shade},
        error_x=interval(drawn, "car", colours),
        hovertext=[_firm_hover(row, benchmark) for row in drawn.itertuples()],
        hoverinfo="text",
        name="CAR",
    )
    fig.add_vline(x=0, line={"color": colours.muted, "width": 1})
    fig.update_xaxes(ticksuffix="%", side="top", showgrid=True)
    fig.update_yaxes(
        showgrid=False, ticks="", tickfont={"color": colours.ink}, range=[-0.8, len(drawn) - 0.2]
    )
    count = int(stands_out.sum())
    return Chart(
        name="study-firms",
        figure=fig,
        title=_stand_out(count, len(drawn)),
        subtitle=f"Cumulative abnormal return over {spell(window)} against {benchmark}, percent, with its "
        "95% interval; in colour where the placebo p-value is below 5%",
        source=source,
        alt=f"Dot chart of the cumulative abnormal returns of {len(drawn)} firm{'s' if len(drawn) > 1 else ''}; "
        f"{count} outside 95% of ordinary stretches.",
        table=cars.sort_values("car").reset_index(drop=True),
    )


def interval(rows: pd.DataFrame, middle: str, colours: Palette) -> dict[str, Any]:
    """A line from `low` to `high` through `middle` (columns, fractions), in percent."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows["high"] - rows[middle]) * 100,
        "arrayminus": (rows[middle] - rows["low"]) * 100,
        "color": colours.faint,
        "thickness": 1.5,
        "width": 0,
    }


def _stand_out(count: int, firms: int) -> str:
    if firms == 1:
        return f"It {'stands' if count else 'does not stand'} out from its own ordinary stretches"
    which = "No firm" if not count else "One firm" if count == 1 else f"{count} of {firms} firms"
    return f"{which} moved more than in 95% of ordinary stretches"


def within(group: str) -> str:
    """A group's name inside a sentence: "All AI companies" → "all AI companies"."""
    return f"a{group[1:]}" if group.startswith("All ") else group


def spell(window: Sequence[int]) -> str:
    """A window in words: (0, 0) → "the event’s session", (−1, 1) → "sessions −1 to +1", (−2, −2) → "session −2"."""
    first, last = ("0" if day == 0 else f"{day:+d}".replace("-", words.MINUS) for day in window)
    if window[0] == window[1]:
        return "the event’s session" if window[0] == 0 else f"session {first}"
    return f"sessions {first} to {last}"


def _firm_hover(row: object, benchmark: str) -> str:
    name, car, low, high, p, holm = (
        getattr(row, key) for key in ("name", "car", "low", "high", "placebo_p", "placebo_p_holm")
    )
    return (
        f"<b>{words.safe(name)}</b>: {words.percent(car, 2)} against {words.safe(benchmark)} "
        f"(95% interval {words.percent(low, 1)} to {words.percent(high, 1)})<br>"
        f"placebo p = {p:.3f}, {holm:.3f} after Holm’s correction for the number of firms"
    )


def benchmarks(
    check: pd.DataFrame, group: str, window: tuple[int, int], source: str, theme: str = "light"
) -> Chart:
    """The same study against several benchmarks: how much of the answer depends on the yardstick.

    `check`: label, benchmark_return, mean_return, caar (fractions), portfolio_regression_p, one row a benchmark.
    """
    raw = float(check["mean_return"].iloc[0])
    least, most = float(check["caar"].max()), float(check["caar"].min())
    return Chart(
        name="study-benchmarks",
        figure=_benchmark_bars(check, raw, palette(theme)),
        title=f"{words.percent(least)} or {words.percent(most)}: the result depends on the benchmark",
        subtitle=f"Cumulative average abnormal return of {within(group)} over {spell(window)}, by benchmark, percent",
        source=source,
        alt="Bar chart by benchmark. "
        + "; ".join(f"against {row.label} {words.percent(row.caar)}" for row in check.itertuples())
        + f"; raw {words.percent(raw)}.",
        table=check,
        note="A benchmark that fell because of the event itself hides part of the effect: compare its own return.",
    )


def _in_lines(label: str) -> str:
    """A benchmark's name in lines that leave the bars of a phone their room, what is in brackets on its own."""
    name, bracket, rest = label.partition(" (")
    lines = [*wrap(name, LINE), f"({rest}"] if bracket else wrap(name, LINE)
    return "<br>".join(words.safe(line) for line in lines)


def _benchmark_bars(check: pd.DataFrame, raw: float, colours: Palette) -> go.Figure:
    height = 90 + 64 * len(check)
    fig = go.Figure(layout={"template": template(colours), "height": height, "bargap": 0.45})
    fig.update_layout(meta={"wanted": round(0.95 * height)})  # the names have up to four lines
    low, high = (edge(0.0, raw, *check["caar"]) * 100 for edge in (min, max))
    fig.add_bar(
        x=check["caar"] * 100,
        y=[
            f"<b>{_in_lines(row.label)}</b><br>itself {words.percent(row.benchmark_return)}"
            for row in check.itertuples()
        ],
        orientation="h",
        hovertext=[
            f"<b>Against {words.safe(row.label)}</b>: {words.percent(row.caar, 2)} abnormal, "
            f"p = {row.portfolio_regression_p:.3f}<br>the benchmark itself {words.percent(row.benchmark_return, 2)}"
            for row in check.itertuples()
        ],
        hoverinfo="text",
        **with_figures(
            [words.percent(x) for x in check["caar"]],
            [colours.gain] * len(check),
            list(check["caar"].abs() * 100 > WIDE_BAR * (high - low)),
            colours,
            size=13,
        ),
    )
    fig.add_vline(x=raw * 100, line={"color": colours.loss, "width": 1.6, "dash": "dot"}, layer="below")
    fig.add_annotation(
        x=raw * 100,
        y=1,
        yref="paper",
        yanchor="bottom",
        xanchor="right" if raw > 0 else "left",
        text=f"<b>raw {words.percent(raw)}</b>",
        showarrow=False,
        font={"color": colours.loss, "size": 12},
    )
    room = (high - low) * 0.2 or 1
    fig.update_xaxes(ticksuffix="%", showgrid=True, zeroline=True, range=[low - room, high + room])
    fig.update_yaxes(showgrid=False, ticks="", tickfont={"color": colours.ink})
    fig.update_layout(margin={"t": 34})
    return fig
