"""One company in detail: its candles with volume, and its worst days."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts import words
from dashboard.charts.annotations import (
    key_of,
    mark_events,
    on_mondays,
    shade_closed_days,
    with_gaps,
)
from dashboard.charts.chart import Chart
from dashboard.charts.columns import headed
from dashboard.charts.comparison import BADGE_SHARE, SHORT
from dashboard.charts.comparison_words import literal, price_form
from dashboard.charts.style import Palette, palette, template
from dashboard.data.events import Event

NOON = pd.Timedelta(hours=12)
DAY_MS = 86_400_000
ROW_HEIGHT = 30


def candles(
    bars: pd.DataFrame,
    name: str,
    ticker: str,
    currency: str,
    exchange: str,
    events: Sequence[Event],
    focus: Event,
    source: str,
    *,
    weekly: bool = False,
    theme: str = "light",
) -> Chart:
    """Candles where open, high and low are known, else the line of closes; below it the volume where it is known.

    `bars` as `dashboard.data.companies.bars` returns it, not empty; `exchange` names its sessions.
    """
    colours = palette(theme)
    known, traded = bars["open"].notna(), bars["volume"].notna()
    fig = _panels(bool(traded.any()), colours)
    first, last = bars["date"].min().date(), bars["date"].max().date()
    short = last - first <= SHORT
    if short:
        shade_closed_days(fig, bars.assign(ticker=ticker), colours)
    _closes(fig, bars, name, currency, exchange, colours, weekly=weekly)
    _candles(fig, bars[known], name, currency, colours, weekly=weekly)
    if traded.any():
        _volume(fig, bars[traded], name, colours, weekly=weekly)
    marks = [event for event in events if first <= event.occurred_at.date() <= last]
    marks = [event for event in marks if short or event.event_id == focus.event_id]
    mark_events(fig, marks, focus, colours, badge_days=max((last - first).days, 1) * BADGE_SHARE)
    fig.update_xaxes(
        range=[bars["date"].min() - timedelta(hours=12), bars["date"].max() + timedelta(hours=40)],
        tickformat="%-d %b" if short else "%b %Y",
        **on_mondays(bars["date"].min(), bars["date"].max()),
        rangeslider={"visible": False},
    )
    if traded.any():
        fig.update_xaxes(ticks="", row=1, col=1)
    return Chart(
        name="company-candles",
        figure=fig,
        title=_range_found(bars, name, currency),
        subtitle=_candle_measure(bars, weekly=weekly),
        source=source,
        alt=f"Candle chart of {name}. {_range_found(bars, name, currency)}. Latest close "
        f"{words.price(bars['close'].iloc[-1], currency)} on {words.day(last)}.",
        table=_candle_table(bars, currency, weekly=weekly),
        note=_candle_note(bars, marks, short=short),
    )


def _panels(with_volume: bool, colours: Palette) -> go.Figure:
    fig = make_subplots(
        rows=2 if with_volume else 1,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.05,
        row_heights=[0.74, 0.26] if with_volume else None,
    )
    return fig.update_layout(template=template(colours), height=560 if with_volume else 440, margin={"t": 12})


def _range_found(bars: pd.DataFrame, name: str, currency: str) -> str:
    low, high = bars.loc[bars["close"].idxmin()], bars.loc[bars["close"].idxmax()]
    return (
        f"{name} closed between {words.price(low['close'], currency)} "
        f"({words.day(low['date'].date(), weekday=False)}) and {words.price(high['close'], currency)} "
        f"({words.day(high['date'].date(), weekday=False)})"
    )


def _candle_measure(bars: pd.DataFrame, *, weekly: bool) -> str:
    unit = "week" if weekly else "session"
    if bars["open"].notna().any():
        text = f"Open, high, low and close of each {unit}, adjusted for splits; hollow blue up, solid orange down"
    else:
        text = f"Close of each {unit}, adjusted for splits"
    return text + ("; below, million shares traded" if bars["volume"].notna().any() else "")


def _candle_note(bars: pd.DataFrame, marks: Sequence[Event], *, short: bool) -> str:
    parts = [key_of(marks), "Shaded: days without trading." if short else ""]
    known = bars.loc[bars["open"].notna(), "date"]
    if known.empty:
        parts.append("Open, high and low are not in the data for these days: the line joins the closes.")
    elif len(known) < len(bars):
        span = (words.day(edge.date(), weekday=False) for edge in (known.min(), known.max()))
        parts.append(
            f"Candles from {' to '.join(span)}, where open, high and low are in the data; else closes."
        )
    return " ".join(part for part in parts if part)


def _closes(
    fig: go.Figure,
    bars: pd.DataFrame,
    name: str,
    currency: str,
    exchange: str,
    colours: Palette,
    *,
    weekly: bool,
) -> None:
    """The line of closes through the days that have no candle, joined to the candles beside them."""
    bare = bars["open"].isna()
    if not bare.any():
        return
    drawn = bare | bare.shift(1, fill_value=False) | bare.shift(-1, fill_value=False)
    whole = with_gaps(bars.assign(close=bars["close"].where(drawn)), exchange, weekly=weekly)
    fig.add_scatter(
        x=(whole["date"] + NOON).dt.strftime("%Y-%m-%d %H:%M"),
        y=whole["close"].to_numpy(),
        name="Close",
        mode="lines" if len(bars) > 1 else "markers",
        line={"color": colours.ink, "width": 1.6},
        customdata=np.where(whole["single"] == "close", words.ONE_HISTORY, ""),
        hovertemplate=f"<b>{literal(name)}</b> closed at {price_form(currency, 'y')} on "
        "%{x|%a %-d %b %Y}%{customdata}<extra></extra>",
        connectgaps=False,
        row=1,
        col=1,
    )


def _candles(
    fig: go.Figure, bars: pd.DataFrame, name: str, currency: str, colours: Palette, *, weekly: bool
) -> None:
    if bars.empty:
        return
    fig.add_candlestick(
        x=(bars["date"] + NOON).dt.strftime("%Y-%m-%d %H:%M"),
        open=bars["open"],
        high=bars["high"],
        low=bars["low"],
        close=bars["close"],
        name="Candles",
        increasing={"line": {"color": colours.gain, "width": 1.4}, "fillcolor": colours.paper},
        decreasing={"line": {"color": colours.loss, "width": 1.4}, "fillcolor": colours.loss},
        hovertext=[_candle_hover(bar, name, currency, weekly=weekly) for bar in bars.itertuples()],
        hoverinfo="text",
        row=1,
        col=1,
    )


def _candle_hover(bar: Any, name: str, currency: str, *, weekly: bool) -> str:
    span = "the week to " if weekly else ""
    return (
        f"<b>{words.safe(name)}</b> opened at {words.price(bar.open, currency)} and closed at "
        f"{words.price(bar.close, currency)}<br>on {span}{words.day(bar.date.date())}, after a low of "
        f"{words.price(bar.low, currency)} and a high of {words.price(bar.high, currency)}"
        f"{words.ONE_HISTORY if bar.single else ''}"
    )


def _volume(fig: go.Figure, bars: pd.DataFrame, name: str, colours: Palette, *, weekly: bool) -> None:
    span = "in the week to" if weekly else "on"
    fig.add_bar(
        x=(bars["date"] + NOON).dt.strftime("%Y-%m-%d %H:%M"),
        y=(bars["volume"] / 1e6).to_numpy(),
        width=(5 if weekly else 0.72) * DAY_MS,
        name="Volume",
        marker={"color": colours.faint, "line": {"width": 0}},
        hovertemplate=f"%{{y:,.1f}} million shares of <b>{literal(name)}</b><br>were traded {span} "
        "%{x|%a %-d %b %Y}<extra></extra>",
        row=2,
        col=1,
    )
    fig.update_yaxes(rangemode="tozero", nticks=3, ticksuffix="m", row=2, col=1)


def _candle_table(bars: pd.DataFrame, currency: str, *, weekly: bool) -> pd.DataFrame:
    kept = bars if weekly else bars.drop(columns="sessions")
    return kept.rename(
        columns={
            "date": "week to" if weekly else "session",
            **{column: f"{column}, {currency}" for column in ("open", "high", "low", "close")},
            "volume": "volume, shares",
        }
    )


def worst_days(
    days: pd.DataFrame, name: str, event: Event, last: date, source: str, theme: str = "light"
) -> Chart:
    """The company's largest falls as bars, the event's own session marked wherever it ranks.

    `days` as `dashboard.data.companies.worst_days` returns it, at least one row; `last` is the end of the data.
    """
    colours = palette(theme)
    fig = go.Figure(layout={"template": template(colours), "height": 36 + ROW_HEIGHT * len(days)})
    fig.add_bar(
        y=list(range(len(days)))[::-1],
        x=(days["change"] * 100).to_numpy(),
        orientation="h",
        width=0.7,
        text=[words.percent(change) for change in days["change"]],
        textposition="outside",
        constraintext="none",
        cliponaxis=False,
        textfont={"size": 12, "color": colours.ink},
        marker={"color": np.where(days["is_event"], colours.loss, colours.faint)},
        hovertext=[_day_hover(row, name) for row in days.itertuples()],
        hoverinfo="text",
    )
    low, high = min(days["change"].min() * 100, 0), max(days["change"].max() * 100, 0)
    room = (high - low) * 0.42 or 1
    fig.update_xaxes(range=[low - room, high + (room if high else 0)], showticklabels=False, ticks="")
    fig.update_yaxes(
        tickvals=list(range(len(days)))[::-1],
        ticktext=[_place_label(row) for row in days.itertuples()],
        tickfont={"color": colours.ink, "size": 12},
        showgrid=False,
        ticks="",
        range=[-0.6, len(days) - 0.4],
    )
    return Chart(
        name="company-worst-days",
        figure=fig,
        title=_ranked(days, name, event),
        subtitle=f"Largest falls of the closing price with dividends, from one session to the next, among "
        f"{words.number(int(days['sessions'].iloc[0]))} sessions from "
        f"{words.day(days['first'].iloc[0].date(), weekday=False)} to {words.day(last, weekday=False)}",
        source=source,
        alt=_alt_of_days(days, name),
        table=_day_table(days),
        note="In colour: the event’s session."
        if days["is_event"].any()
        else f"{name} has no session within two weeks of {words.day(event.market_session)}.",
    )


def _alt_of_days(days: pd.DataFrame, name: str) -> str:
    each = [
        f"{words.day(row.date.date(), weekday=False)} {words.percent(row.change)}"
        for row in days.itertuples()
    ]
    return f"Bar chart of the largest falls of {name}: {'; '.join(each)}."


def _ranked(days: pd.DataFrame, name: str, event: Event) -> str:
    found = days[days["is_event"]]
    if found.empty:
        worst = days.loc[days["change"].idxmin()]
        return f"{name} fell most on {words.day(worst['date'].date(), weekday=False)}: {words.percent(worst['change'])}"
    row = found.iloc[0]
    day, place = words.day(row["date"].date(), weekday=False), int(row["place"])
    if row["change"] >= 0:
        return f"{name} did not fall on {day}: {words.percent(row['change'])}"
    ranked = "worst" if place == 1 else f"{ordinal(place)} worst"
    return f"{day} was the {ranked} of {words.possessive(name)} {words.number(int(row['sessions']))} days in the data"


def ordinal(number: int) -> str:
    """1 → "1st", 22 → "22nd", 113 → "113th"."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _place_label(row: Any) -> str:
    return f"{row.place}.  {words.day(row.date.date(), weekday=False)}"


def _day_hover(row: Any, name: str) -> str:
    return (
        f"<b>{words.safe(name)}</b> went from {words.price(row.close_before, row.currency)} on "
        f"{words.day(row.before.date())}<br>to {words.price(row.close, row.currency)} on "
        f"{words.day(row.date.date())}: {words.percent(row.change, 2)} with dividends,<br>"
        f"no. {row.place} of its {words.number(row.sessions)} days"
    )


def _day_table(days: pd.DataFrame) -> pd.DataFrame:
    table = days[
        ["place", "date", "before", "close_before", "close", "currency", "change", "is_event"]
    ].copy()
    table["change"] = (table["change"] * 100).round(4)
    return headed(
        table, date="session", change="change, percent (with dividends)", is_event="the event’s session"
    )
