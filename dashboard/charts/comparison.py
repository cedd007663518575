"""Any set of companies over any stretch of time: one line each, or one panel each where scales differ."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    name_ends,
    on_mondays,
    shade_closed_days,
    with_gaps,
)
from dashboard.charts.chart import Chart
from dashboard.charts.comparison_words import alt_text, finding, hover, measure_line, table
from dashboard.charts.style import Palette, palette, template
from dashboard.data.events import Event

CLOSE = pd.Timedelta(hours=16)
NOON = pd.Timedelta(hours=12)
SHORT = timedelta(days=130)
LOG_MEASURES = ("rebased", "price")
PANEL_HEIGHTS = {"volume": 118, "price": 330}
BADGE_SHARE = 0.07
CURRENCIES = {
    "USD": "US dollars",
    "KRW": "South Korean won",
    "JPY": "Japanese yen",
    "HKD": "Hong Kong dollars",
}


@dataclass(frozen=True)
class Comparison:
    """What is compared: figures, companies in the order of drawing, and how.

    `values`: ticker, date, close, currency, value (see `dashboard.analysis.comparison.measured`), one row a ticker
    and session or week; `companies`: ticker, name, role, exchange; `base_days`: ticker to the session that is 100.
    """

    values: pd.DataFrame = field(repr=False)
    companies: pd.DataFrame = field(repr=False)
    measure: str
    start: date
    end: date
    weekly: bool = False
    log: bool = False
    base_days: dict[str, date] = field(default_factory=dict)

    def names(self) -> dict[str, str]:
        """Ticker to name, in the order of drawing."""
        return dict(zip(self.companies["ticker"], self.companies["name"], strict=True))


def comparison(
    shown: Comparison,
    events: Sequence[Event],
    focus: Event,
    source: str,
    note: str = "",
    theme: str = "light",
) -> Chart:
    """The companies on one time axis; in short stretches closed days are shaded and `events` become numbered marks."""
    colours = palette(theme)
    panels = _panels(shown)
    fig = make_subplots(
        rows=len(panels), cols=1, shared_xaxes=True, vertical_spacing=0.22 / (len(panels) + 1)
    )
    each = PANEL_HEIGHTS.get(shown.measure, 0)
    fig.update_layout(template=template(colours), height=max(460, 60 + each * len(panels)))
    short = shown.end - shown.start <= SHORT
    if short:
        shade_closed_days(fig, shown.values, colours)
    for row, (label, tickers) in enumerate(panels, start=1):
        _panel(fig, shown, tickers, colours, row)
        if shown.measure != "volume":
            parts = [label if len(panels) > 1 else "", "log scale" if shown.log else ""]
            _name_panel(fig, ", ".join(part for part in parts if part), colours.muted, row)
    marks = [event for event in events if short or event.event_id == focus.event_id]
    marks = [event for event in marks if shown.start <= event.occurred_at.date() <= shown.end]
    fig.update_layout(margin={"t": 12, "r": 78})
    days = max((shown.end - shown.start).days, 1)
    mark_events(fig, marks, focus, colours, badge_days=days * BADGE_SHARE)
    _time_axis(fig, shown)
    return Chart(
        name="companies-compare",
        figure=fig,
        title=finding(shown),
        subtitle=measure_line(shown),
        source=source,
        alt=alt_text(shown),
        table=table(shown),
        note=_note(marks, short, note),
    )


def _panels(shown: Comparison) -> list[tuple[str, list[str]]]:
    order = [ticker for ticker in shown.names() if (shown.values["ticker"] == ticker).any()]
    if shown.measure == "volume":
        return [(ticker, [ticker]) for ticker in order]
    if shown.measure != "price":
        return [("", order)]
    currency = shown.values.drop_duplicates("ticker").set_index("ticker")["currency"]
    groups: dict[str, list[str]] = {}
    for ticker in order:
        groups.setdefault(str(currency[ticker]), []).append(ticker)
    return [(CURRENCIES.get(code, code), tickers) for code, tickers in groups.items()]


def _panel(fig: go.Figure, shown: Comparison, tickers: list[str], colours: Palette, row: int) -> None:
    lines = line_colours(shown.companies, colours)
    ends: list[tuple[str, float, str]] = []
    for ticker in tickers:
        path = shown.values[shown.values["ticker"] == ticker]
        colour, dash = lines[ticker]
        if shown.measure == "volume":
            _bars(fig, shown, ticker, path, colour, row)
            _name_panel(fig, shown.names()[ticker], colour, row)
        else:
            _line(fig, shown, ticker, path, {"color": colour, "width": 2.2, "dash": dash}, row)
            ends.append(
                (_short(ticker, shown.names()[ticker]), _place(path["value"].iloc[-1], shown.log), colour)
            )
    values = shown.values.loc[shown.values["ticker"].isin(tickers), "value"]
    low, high = _place(values.min(), shown.log), _place(values.max(), shown.log)
    _value_axis(fig, shown, low, high, row)
    panel = "" if row == 1 else str(row)
    name_ends(fig, ends, low, high, panel=panel, spacing=0.052 * 460 / max(_panel_height(shown, fig), 1))
    if shown.measure == "rebased":
        fig.add_hline(y=100, line_width=1, line_color=colours.muted, row=row, col=1)


def _panel_height(shown: Comparison, fig: go.Figure) -> float:
    return float(PANEL_HEIGHTS.get(shown.measure, fig.layout.height))


def _short(ticker: str, name: str) -> str:
    """What a line's end is called: its ticker, or where that is a number its name."""
    return ticker if ticker[0].isalpha() else (name if len(name) <= 11 else f"{name[:10]}…")


def _place(value: float, log: bool) -> float:
    return math.log10(value) if log and value > 0 else float(value)


def line_colours(companies: pd.DataFrame, colours: Palette) -> dict[str, tuple[str, str]]:
    """A colour and a dash for each ticker: the series' colours in turn, benchmarks dotted in ink and grey."""
    found: dict[str, tuple[str, str]] = {}
    count = {"benchmark": 0, "company": 0}
    for row in companies.itertuples():
        kind = "benchmark" if row.role == "benchmark" else "company"
        tones = (colours.ink, colours.muted) if kind == "benchmark" else colours.series
        found[row.ticker] = (
            tones[count[kind] % len(tones)],
            "dot" if kind == "benchmark" or count[kind] >= len(tones) else "solid",
        )
        count[kind] += 1
    return found


def _line(
    fig: go.Figure, shown: Comparison, ticker: str, path: pd.DataFrame, line: dict[str, Any], row: int
) -> None:
    exchange = shown.companies.loc[shown.companies["ticker"] == ticker, "exchange"].iloc[0]
    whole = with_gaps(path, exchange, weekly=shown.weekly)
    fig.add_scatter(
        x=(whole["date"] + CLOSE).dt.strftime("%Y-%m-%d %H:%M"),
        y=whole["value"].to_numpy(),
        customdata=_behind(whole, path),
        name=shown.names()[ticker],
        mode="lines" if len(path) > 1 else "markers",
        line=line,
        hovertemplate=hover(shown, ticker, str(path["currency"].iloc[0]), single=bool(path["single"].any())),
        connectgaps=False,
        row=row,
        col=1,
    )


def _behind(whole: pd.DataFrame, path: pd.DataFrame) -> np.ndarray:
    """What a hover tells besides the value: the close, the size and, where one is single, how it is confirmed."""
    figures = [whole["close"], whole["value"].abs()]
    if path["single"].any():
        said = whole["single"].fillna(False).astype(bool).map({True: words.ONE_HISTORY, False: ""})
        return np.column_stack([column.astype(object) for column in [*figures, said]])
    return np.column_stack(figures)


def _bars(fig: go.Figure, shown: Comparison, ticker: str, path: pd.DataFrame, colour: str, row: int) -> None:
    fig.add_bar(
        x=(path["date"] + NOON).dt.strftime("%Y-%m-%d %H:%M"),
        y=path["value"].to_numpy(),
        width=(5 if shown.weekly else 0.8) * 86_400_000,
        name=shown.names()[ticker],
        marker={"color": colour, "line": {"width": 0}},
        hovertemplate=hover(shown, ticker, str(path["currency"].iloc[0])),
        row=row,
        col=1,
    )


def _name_panel(fig: go.Figure, label: str, colour: str, row: int) -> None:
    if not label:
        return
    panel = "" if row == 1 else str(row)
    fig.add_annotation(
        x=0,
        xref=f"x{panel} domain",
        y=1,
        yref=f"y{panel} domain",
        text=f"<b>{words.safe(label, 40)}</b>",
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        font={"color": colour, "size": 12},
    )


def _value_axis(fig: go.Figure, shown: Comparison, low: float, high: float, row: int) -> None:
    room = (high - low) * 0.06 or abs(high) * 0.05 or 1
    axis: dict[str, Any] = {"range": [low - room, high + room]}
    if shown.log:
        axis |= {"type": "log", "tickvals": log_ticks(10**low, 10**high), "tickformat": ",~g"}
    if shown.measure == "volume":
        axis |= {"range": [0, high * 1.15], "nticks": 3}
    elif shown.measure == "drawdown":
        axis |= {"range": [low - room, max(-low, 1) * 0.04], "ticksuffix": "%"}
    elif shown.measure == "volatility":
        axis |= {"range": [0, high * 1.08], "ticksuffix": "%"}
    fig.update_yaxes(**axis, row=row, col=1)


def log_ticks(low: float, high: float) -> list[float]:
    """Round figures to mark on a log axis: 1, 2 and 5 of each power of ten, or equal steps where those are too few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    rounded = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    ticks = [tick for tick in rounded if low * 0.98 <= tick <= high * 1.02]
    if len(ticks) >= 4:
        return ticks
    size = 10.0 ** math.floor(math.log10((high - low) / 4 or low))
    step = next(size * factor for factor in (1, 2, 5, 10) if (high - low) / (size * factor) <= 6)
    return [count * step for count in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _time_axis(fig: go.Figure, shown: Comparison) -> None:
    first, last = shown.values["date"].min(), shown.values["date"].max()
    days = (shown.end - shown.start).days
    form = "%-d %b" if days <= SHORT.days else "%b %Y"
    fig.update_xaxes(
        range=[first - timedelta(hours=12), last + timedelta(hours=40)],
        tickformat=form,
        ticks="",
        **on_mondays(first, last),
    )


def _note(marks: Sequence[Event], short: bool, note: str) -> str:
    shaded = "Shaded: days without trading. " if short else ""
    return " ".join(part for part in (key_of(marks), shaded, note) if part).strip()
