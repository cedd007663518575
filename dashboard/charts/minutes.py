"""The day, minute by minute: the event's companies and the benchmarks from the close before, with the day's news."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import cycle
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.annotations import band, events_in_words, name_ends
from dashboard.charts.chart import Chart
from dashboard.charts.style import Palette, figure, palette
from dashboard.data.events import Event

HEIGHT = 420
APART = pd.Timedelta(minutes=61)
"""Bars further apart than this are not joined: nobody traded, or the exchange had closed for lunch."""
DASHES = ("solid", "dash", "dot")
PHASES = {"pre": "before the session", "regular": "in the session", "post": "after the session"}


@dataclass(frozen=True)
class Day:
    """A session within the day.

    `bars`: ticker, name, benchmark (whether it is one), ends (when the bar ends, on the clock of the exchange),
    starts_at (UTC), phase, close, currency, minutes, change (from the close before, a fraction), by ticker in the order
    of drawing and by time; `closed`: the change at the official close by ticker; `opens` and `closes` of the session
    and `news` on the clock of the exchange, which `clock` names; `before` is the day of the close before;
    `earlier` the news since then, up to the first bar; `without` names those that were asked for and have no bars.
    """

    session: date
    before: date
    bars: pd.DataFrame = field(repr=False)
    closed: dict[str, float]
    opens: datetime
    closes: datetime
    clock: str
    news: Sequence[Event]
    focus: Event
    earlier: Sequence[Event]
    without: Sequence[str] = ()


def day_by_minutes(day: Day, source: str, theme: str = "light") -> Chart:
    """Lines from the close before, the hours around the session shaded, the day’s news at its time."""
    names = list(day.bars.drop_duplicates("ticker")["name"])
    length = words.listed([str(minutes) for minutes in sorted(day.bars["minutes"].unique())])
    return Chart(
        name="shock-minutes",
        figure=_figure(day, palette(theme)),
        title=_title(day),
        subtitle=f"Change from the close of {words.day(day.before)}, without dividends; {length}-minute bars of "
        f"{words.day(day.session)}, {day.clock}"
        + ("; shaded: before and after the session" if _has_hours_around(day) else ""),
        source=source,
        alt=f"Line chart of {words.listed(names)} on {words.day(day.session)}, {day.clock}. "
        + " ".join(f"{_course(day, ticker)}." for ticker in day.bars["ticker"].unique())
        + "".join(f" {event.occurred_at:%H:%M}: {event.title}." for event in day.news),
        table=_table(day),
        note=_note(day),
    )


def _figure(day: Day, colours: Palette) -> go.Figure:
    fig = figure(colours, HEIGHT)
    lines = [rows for _, rows in day.bars.groupby("ticker", sort=False)]
    shades = _shades(day, lines, colours)
    fig.add_hline(y=0, line={"color": colours.faint, "width": 1})
    dashes = cycle(DASHES)
    styles = [next(dashes) if rows["benchmark"].iloc[0] else "solid" for rows in lines]
    for rows, shade, dash in reversed(list(zip(lines, shades, styles, strict=True))):
        _line(fig, rows, {"color": shade, "dash": dash, "width": 2.4 if rows is lines[0] else 1.5})
    first, last = min(day.bars["ends"].min(), day.opens), max(day.bars["ends"].max(), day.closes)
    fig.update_xaxes(range=[first, last], tickformat="%H:%M")
    fig.update_yaxes(
        tickvals=(ticks := _ticks(day.bars["change"])), ticktext=[words.percent(t, 0) for t in ticks]
    )
    fig.layout.shapes = [
        *fig.layout.shapes,
        *(
            band(start, end, colours)
            for start, end in ((first, day.opens), (day.closes, last))
            if start < end
        ),
    ]
    if day.news:
        events_in_words(fig, day.news, day.focus, colours)
    low, high = day.bars["change"].min(), day.bars["change"].max()
    ends = [
        (str(rows["name"].iloc[0]), float(rows["change"].iloc[-1]), shade)
        for rows, shade in zip(lines, shades, strict=True)
    ]
    name_ends(fig, [(_short(name), at, shade) for name, at, shade in ends], low, high, spacing=0.06)
    longest = max(len(_short(name)) for name, *_ in ends)
    return fig.update_layout(margin={"r": max(86, 12 + 7 * longest)})


def _shades(day: Day, lines: Sequence[pd.DataFrame], colours: Palette) -> list[str]:
    """A loss's colour, or a gain's, for the first line, the others' for companies, grey for the benchmarks."""
    falls = _closed(day, str(lines[0]["ticker"].iloc[0])) < 0
    own, other = (colours.loss, colours.gain) if falls else (colours.gain, colours.loss)
    companies = cycle([own, other, *colours.series[2:]])
    return [colours.muted if rows["benchmark"].iloc[0] else next(companies) for rows in lines]


def _line(fig: go.Figure, rows: pd.DataFrame, style: dict[str, Any]) -> None:
    gaps = rows["ends"].diff() > APART
    breaks = rows.loc[gaps].assign(change=float("nan"), ends=rows.loc[gaps, "ends"] - pd.Timedelta(seconds=1))
    path = pd.concat([rows, breaks]).sort_values("ends", kind="stable")
    name = str(rows["name"].iloc[0])
    fig.add_scatter(
        x=path["ends"],
        y=path["change"],
        mode="lines",
        name=words.safe(name),
        line=style,
        hovertext=[_hover(name, row) for row in path.itertuples(index=False)],
        hoverinfo="text",
    )


def _hover(name: str, row: Any) -> str:
    return (
        f"<b>{words.safe(name)}</b> {words.percent(row.change, 2)} at {row.ends:%H:%M},<br>"
        f"{words.price(row.close, row.currency)}, {PHASES[row.phase]}"
    )


def _ticks(changes: pd.Series) -> list[float]:
    """Whole per cents, at most seven."""
    low, high = float(changes.min()) * 100, float(changes.max()) * 100
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if (high - low) / step <= 6)
    return [at * step / 100 for at in range(int(low // step), int(high // step) + 2)]


def _short(name: str) -> str:
    return words.cut(name.partition(" (")[0], 18)


def _closed(day: Day, ticker: str) -> float:
    return day.closed[ticker]


def _course(day: Day, ticker: str) -> str:
    """Where a line was furthest from the close before, in the session, and where it closed."""
    rows = day.bars[(day.bars["ticker"] == ticker) & (day.bars["phase"] == "regular")]
    name, closed = day.bars.loc[day.bars["ticker"] == ticker, "name"].iloc[0], _closed(day, ticker)
    if rows.empty:
        return f"{name} closed at {words.percent(closed)}"
    far = rows.loc[rows["change"].idxmin() if closed < 0 else rows["change"].idxmax()]
    return (
        f"{name} was {'lowest' if closed < 0 else 'highest'} at {far['ends']:%H:%M} ({words.percent(far['change'])}) "
        f"and closed at {words.percent(closed)}"
    )


def _title(day: Day) -> str:
    return _course(day, str(day.bars["ticker"].iloc[0]))


def _has_hours_around(day: Day) -> bool:
    return bool((day.bars["phase"] != "regular").any())


def _note(day: Day) -> str:
    told = [
        f"{event.title} ({words.day(event.occurred_at.date())}, {event.occurred_at:%H:%M})"
        for event in day.earlier
    ]
    since = f"Between the close before and the first bar: {'; '.join(told)}. " if told else ""
    without = f"No bars by this clock are held of {words.listed(list(day.without))}. " if day.without else ""
    return f"{since}{without}Each point is the price at the end of a bar; the official close is that of an auction."


def _table(day: Day) -> pd.DataFrame:
    bars = day.bars
    return pd.DataFrame(
        {
            "ticker": bars["ticker"],
            "name": bars["name"],
            f"end of the bar, {day.clock}": bars["ends"].dt.strftime("%Y-%m-%d %H:%M"),
            "end of the bar, UTC": bars["ends_at"].dt.strftime("%Y-%m-%dT%H:%MZ"),
            "phase": bars["phase"],
            "price": bars["close"],
            "currency": bars["currency"],
            "change, percent": (bars["change"] * 100).round(4),
        }
    )
