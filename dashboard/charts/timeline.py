"""The two-part chart of an event: companies rebased to 100, and the app-store ranks on the same time axis."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts import words
from dashboard.charts.annotations import (
    events_in_words,
    name_ends,
    on_mondays,
    shade_closed_days,
    spread,
    worded_events,
)
from dashboard.charts.chart import Chart
from dashboard.charts.ranks import add_ranks, is_approximate
from dashboard.charts.style import BODY_FONT, Palette, faded, halo, palette, template
from dashboard.data.events import Event
from dashboard.data.market import ONE_HISTORY
from dashboard.data.naming import labelled

CLOSE = time(16)
UNCHANGED = 0.0005
"""Fractions below it are 0.0% in words."""
MOST_LINES = 6
BAND = (0.1, 0.9)
STEEP = 0.06
"""From this change of the first company on, the lines lie far enough apart to be named where they drop."""
SHORT_NAME = 11
LONGEST_NAME = 14
SPACING = 0.085
MOST_OTHERS = 8
"""Events that a note names: more would take the room of the picture on paper."""


def timeline(
    rebased: pd.DataFrame,
    average: pd.DataFrame,
    ranks: pd.DataFrame,
    companies: pd.DataFrame,
    events: Sequence[Event],
    focus: Event,
    highlighted: Sequence[str],
    source: str,
    theme: str = "light",
) -> Chart:
    """Companies rebased to 100 with the app ranks below, around the event `focus`.

    `rebased`: ticker, date, index, close, currency (one row a ticker and session); `average`: date, index,
    companies (the equal-weighted mean of the AI companies); `ranks`: app, app_name, moment, time_known, rank,
    evidence, source, note; `companies`: ticker, name; the nearest of `events` are named at the top; the `highlighted`
    tickers (with the mean at most six lines) are drawn in colour and named, the others are the band of their middle
    80 %.
    """
    colours = palette(theme)
    with_ranks = not ranks.empty
    names = companies.set_index("ticker")["name"]
    base_day = _base_day(average, focus)
    shown = [ticker for ticker in highlighted if (rebased["ticker"] == ticker).any()][: MOST_LINES - 1]
    fig = _panels(rebased, with_ranks, colours)
    _band(fig, rebased, average, colours)
    shades = _colours(colours, rises=_rises(rebased, average, shown, focus))
    _companies(fig, rebased, names, shown, shades, base_day)
    _average(fig, average, colours, base_day)
    _name_lines(fig, rebased, average, names, dict(zip(shown, shades, strict=False)), focus, colours)
    near = worded_events(events, focus)
    events_in_words(fig, near, focus, colours)
    if with_ranks:
        add_ranks(fig, ranks, colours, row=2)
    return Chart(
        name="shock-timeline",
        figure=fig,
        title=_title(average, focus),
        subtitle=f"Closing prices with dividends, {words.day(base_day)} = 100"
        + ("; below, the rank among Apple’s top free iPhone apps in the US" if with_ranks else ""),
        source=source,
        alt=_alt(average, ranks, focus, base_day),
        table=_table(rebased, average, names),
        note=_note([event for event in events if event not in near], ranks, average),
    )


def _panels(rebased: pd.DataFrame, with_ranks: bool, colours: Palette) -> go.Figure:
    fig = make_subplots(
        rows=2 if with_ranks else 1,
        cols=1,
        shared_xaxes=True,
        row_heights=[0.74, 0.26] if with_ranks else None,
        vertical_spacing=0.07,
    )
    fig.update_layout(
        template=template(colours),
        height=500 if with_ranks else 400,
        meta={"wanted": 440 if with_ranks else 340},
    )
    first, last = rebased["date"].min(), rebased["date"].max()
    fig.update_xaxes(
        range=[first - timedelta(hours=12), last + timedelta(hours=40)],
        tickformat="%-d %b",
        **on_mondays(first, last),
    )
    fig.update_yaxes(nticks=6, row=1, col=1)
    if with_ranks:
        fig.update_xaxes(ticks="", row=1, col=1)
    shade_closed_days(fig, rebased, colours)
    return fig


def _base_day(average: pd.DataFrame, focus: Event) -> date:
    day: date = average.loc[average["date"] < pd.Timestamp(focus.market_session), "date"].max().date()
    return day


def _band(fig: go.Figure, rebased: pd.DataFrame, average: pd.DataFrame, colours: Palette) -> None:
    """The middle 80 % of the companies, on the sessions of the mean."""
    inside = rebased[rebased["date"].isin(average["date"])]
    edges = inside.groupby("date")["index"].quantile(list(BAND)).unstack().reset_index()
    days = [datetime.combine(day.date(), CLOSE) for day in edges["date"]]
    for edge, fill in zip(BAND, (None, "tonexty"), strict=True):
        fig.add_scatter(
            x=days,
            y=edges[edge],
            mode="lines",
            line={"width": 0, "color": colours.faint},
            fill=fill,
            fillcolor=f"{colours.faint}66",
            hoverinfo="skip",
            name="Middle 80 % of the AI companies",
            row=1,
            col=1,
        )


def _companies(
    fig: go.Figure,
    rebased: pd.DataFrame,
    names: pd.Series,
    shown: Sequence[str],
    shades: Sequence[str],
    base_day: date,
) -> None:
    for ticker, colour in reversed(list(zip(shown, shades, strict=False))):
        name = str(names.get(ticker, ticker))
        hover = partial(_company_hover, name=name, base_day=base_day)
        path = rebased[rebased["ticker"] == ticker]
        _line(fig, path, name, hover, color=colour, width=2.6 if ticker == shown[0] else 1.8)


def _colours(colours: Palette, *, rises: bool) -> tuple[str, ...]:
    """The colours of the lines: that of the first is a loss's, or a gain's."""
    first, second, *others = colours.series
    return (second, first, *others) if rises else colours.series


def _rises(rebased: pd.DataFrame, average: pd.DataFrame, shown: Sequence[str], focus: Event) -> bool:
    first = rebased[rebased["ticker"] == shown[0]] if shown else average
    after = first.loc[first["date"] >= pd.Timestamp(focus.market_session), "index"]
    return bool(len(after) and after.iloc[0] > 100)


def _company_hover(row: Any, name: str, base_day: date) -> str:
    return (
        f"<b>{words.safe(name)}</b> closed at {words.price(row.close, row.currency)} on "
        f"{words.day(row.date.date())},<br>{_since(row.level, base_day)}"
        f"{words.ONE_HISTORY if row.source == ONE_HISTORY else ''}"
    )


def _average(fig: go.Figure, average: pd.DataFrame, colours: Palette, base_day: date) -> None:
    _line(
        fig,
        average,
        "Mean of the AI companies",
        lambda row: (
            f"<b>Mean of {row.companies:.0f} AI companies</b> on {words.day(row.date.date())}:<br>"
            f"{_since(row.level, base_day)}"
        ),
        color=colours.ink,
        width=3,
    )


def _line(fig: go.Figure, path: pd.DataFrame, name: str, hover: Callable[[Any], str], **line: Any) -> None:
    rows = path.rename(columns={"index": "level"}).itertuples(index=False)
    fig.add_scatter(
        x=[datetime.combine(day.date(), CLOSE) for day in path["date"]],
        y=path["index"],
        name=name,
        mode="lines",
        line=line,
        hovertext=[hover(row) for row in rows],
        hoverinfo="text",
        row=1,
        col=1,
    )


def _since(level: float, base_day: date) -> str:
    return f"{words.percent(level / 100 - 1)} since {words.day(base_day, year=False)}"


def label(name: str, ticker: str) -> str:
    """What a line is called beside it: a short name, or a ticker that readers know; never an exchange's number."""
    if len(name) <= SHORT_NAME:
        return name
    if ticker.isalpha():
        return ticker
    return name if len(name) <= LONGEST_NAME else name.split()[0]


def _name_lines(
    fig: go.Figure,
    rebased: pd.DataFrame,
    average: pd.DataFrame,
    names: pd.Series,
    shades: Mapping[str, str],
    focus: Event,
    colours: Palette,
) -> None:
    """Name each line where it drops (or leaps), with its change; at the right end where all moved little."""
    paths = [("AI mean", average, colours.ink)]
    for ticker, colour in shades.items():
        name = str(names.get(ticker, ticker))
        path = rebased[rebased["ticker"] == ticker]
        paths.append((label(name, ticker), path, colour))
    session = pd.Timestamp(focus.market_session)
    found = []
    for name, path, colour in paths:
        after = path[path["date"] >= session]
        if not after.empty:
            first, last = after.iloc[0], after.iloc[-1]
            found.append((name, first["date"], float(first["index"]), float(last["index"]), colour))
    drawn = [float(y) for trace in fig.data for y in trace.y]
    low, high = min(drawn), max(drawn)
    fig.update_yaxes(range=[low - 0.04 * (high - low), high + 0.04 * (high - low)], row=1, col=1)
    values = [level for *_, level, _, _ in found]
    if max((abs(level - 100) for level in values), default=0) >= 100 * STEEP:
        _on_the_drop(fig, found, _base_day(average, focus), (high - low) * SPACING, colours)
    else:
        name_ends(fig, [(name, end, colour) for name, _, _, end, colour in found], low, high)


def _on_the_drop(
    fig: go.Figure,
    found: list[tuple[str, Any, float, float, str]],
    base_day: date,
    gap: float,
    colours: Palette,
) -> None:
    found = sorted(found, key=lambda each: each[2])
    edge = datetime.combine(base_day, CLOSE) - timedelta(hours=10)
    places = spread([level for _, _, level, _, _ in found], gap)
    for (name, day, level, _, colour), place in zip(found, places, strict=True):
        moment = datetime.combine(day.date(), CLOSE)
        fig.add_scatter(
            x=[edge, moment],
            y=[place, level],
            mode="lines",
            line={"color": colour, "width": 0.8, "dash": "dot"},
            hoverinfo="skip",
            name=name,
            row=1,
            col=1,
        )
        fig.add_scatter(
            x=[moment],
            y=[level],
            mode="markers",
            marker={"color": colour, "size": 7, "line": {"color": colours.paper, "width": 1}},
            hoverinfo="skip",
            name=name,
            row=1,
            col=1,
        )
    fig.layout.annotations = [
        *fig.layout.annotations,
        *(
            {
                "x": edge,
                "y": place,
                "text": f"<b>{words.safe(name)}</b> {words.percent(level / 100 - 1)}",
                "showarrow": False,
                "xanchor": "right",
                "bgcolor": faded(colours.paper, 0.75),  # the lines of the days before pass here
                "font": {"color": colour, "size": 11, "family": BODY_FONT, "shadow": halo(colours)},
            }
            for (name, _, level, _, colour), place in zip(found, places, strict=True)
        ),
    ]


def _change_at(average: pd.DataFrame, focus: Event) -> tuple[date, float]:
    row = average[average["date"] >= pd.Timestamp(focus.market_session)].iloc[0]
    return row["date"].date(), float(row["index"]) / 100 - 1


def _title(average: pd.DataFrame, focus: Event) -> str:
    day, change = _change_at(average, focus)
    on_day = f"on average on {words.day(day, year=False)}"
    if abs(change) < UNCHANGED:
        return f"AI shares were unchanged {on_day}"
    verb = "fell" if change < 0 else "rose"
    return f"AI shares {verb} {words.percent(abs(change), plus=False)} {on_day}"


def _alt(average: pd.DataFrame, ranks: pd.DataFrame, focus: Event, base_day: date) -> str:
    day, change = _change_at(average, focus)
    last = average.iloc[-1]
    text = (
        f"Line chart of AI companies' share prices, {words.day(base_day)} = 100. Their mean moved "
        f"{words.percent(change)} to {words.day(day)} and stood at {last['index']:.1f} on "
        f"{words.day(last['date'].date())}."
    )
    points = [
        f"{row.app} no. {row.rank} {'about' if is_approximate(row) else 'on'} "
        f"{words.day(row.moment.date(), year=False)}"
        for row in ranks.itertuples()
    ]
    return f"{text} Below it, ranks in Apple's US top-free chart: {'; '.join(points)}." if points else text


def _table(rebased: pd.DataFrame, average: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    wide = rebased.pivot(index="date", columns="ticker", values="index")
    wide = wide.rename(
        columns={
            ticker: f"{labelled(str(names.get(ticker, ticker)), ticker)}, index" for ticker in wide.columns
        }
    )
    wide.insert(0, "Mean of the AI companies, index", average.set_index("date")["index"])
    return wide.round(4).rename_axis("session", axis=0).rename_axis(None, axis=1).reset_index()


def _note(others: Sequence[Event], ranks: pd.DataFrame, average: pd.DataFrame) -> str:
    parts = [
        f"Thick line: the mean of {average['companies'].max():.0f} AI companies, each counted alike. Grey: the middle "
        "80% of them. Shaded: days without trading in New York, weekends and holidays alike."
    ]
    if not ranks.empty:
        parts.append(
            "Open rings are ranks that a publication reported, solid discs ranks measured in a capture; days that "
            "nobody measured are not joined."
        )
    if others:
        listed = [f"{event.title} ({words.day(event.occurred_at.date(), year=False)})" for event in others]
        more = f" and {len(listed) - MOST_OTHERS} more" if len(listed) > MOST_OTHERS else ""
        parts.append(f"Also in these weeks: {', '.join(listed[:MOST_OTHERS])}{more}.")
    return " ".join(parts)
