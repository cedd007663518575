"""How far below its old price one company stood after an event, until it was back."""

from datetime import timedelta

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.annotations import on_mondays, with_gaps
from dashboard.charts.chart import Chart
from dashboard.charts.comparison_words import literal
from dashboard.charts.style import BODY_FONT, Palette, figure, palette

CLOSE = pd.Timedelta(hours=16)


def company_recovery(
    path: pd.DataFrame,
    found: pd.Series | None,
    name: str,
    exchange: str,
    source: str,
    *,
    weekly: bool = False,
    theme: str = "light",
) -> Chart:
    """The price since the event, in percent of the last close before it; the low and the recovery are labelled.

    `path`: date, close, change (fraction since the base; the base is the first row), one row a session or week;
    `found`: the company's row of `dashboard.analysis.recovery.recoveries`, None where it did not fall.
    """
    base = path["date"].iloc[0].date()
    return Chart(
        name="company-recovery",
        figure=_figure(path, found, name, exchange, palette(theme), weekly=weekly),
        title=_finding(path, found, name),
        subtitle=f"Closing price with dividends, percent above or below the last close before the event "
        f"({words.day(base)})" + ("; the last close of each week" if weekly else ""),
        source=source,
        alt=f"Line chart. {_finding(path, found, name)}.",
        table=_table(path),
        note="Sessions are counted from the event’s own, which is the first; recovered means a close at or above the "
        "base."
        + (
            " The line breaks where the data lack a session."
            if _broken(path, exchange, weekly=weekly)
            else ""
        ),
    )


def _figure(
    path: pd.DataFrame, found: pd.Series | None, name: str, exchange: str, colours: Palette, *, weekly: bool
) -> go.Figure:
    base = path["date"].iloc[0].date()
    whole = with_gaps(path, exchange, weekly=weekly)
    fig = figure(colours, 380)
    lost = found is not None and pd.isna(found["recovered"])
    fig.add_scatter(
        x=(whole["date"] + CLOSE).dt.strftime("%Y-%m-%d %H:%M"),
        y=(whole["change"] * 100).to_numpy(),
        customdata=whole["close"].to_numpy(),
        mode="lines",
        line={"color": colours.loss if lost else colours.gain, "width": 2.2},
        hovertemplate=f"<b>{literal(name)}</b> closed %{{y:+.1f}}% from {words.day(base)}<br>on "
        "%{x|%a %-d %b %Y}<extra></extra>",
        connectgaps=False,
    )
    fig.add_hline(y=0, line_width=1, line_color=colours.ink)
    labels = [] if found is None else _labels(found)
    for day, change, text, above in labels:
        fig.add_annotation(
            x=(day + CLOSE).strftime("%Y-%m-%d %H:%M"),
            y=change * 100,
            text=f"<b>{text}</b>",
            ax=0,
            xanchor=_anchor(day, path["date"]),
            ay=-30 if above else 30,
            arrowcolor=colours.muted,
            arrowwidth=1,
            arrowhead=0,
            font={"color": colours.ink, "size": 12, "family": BODY_FONT},
        )
    low, high = float(path["change"].min()) * 100, float(path["change"].max()) * 100
    room = max(high - low, 1) * 0.2
    headroom = room if any(above for *_, above in labels) else room * 0.4
    fig.update_yaxes(range=[low - room, high + headroom], ticksuffix="%")
    fig.update_xaxes(
        range=[path["date"].iloc[0] - timedelta(hours=12), path["date"].iloc[-1] + timedelta(hours=60)],
        tickformat="%-d %b" if (path["date"].iloc[-1] - path["date"].iloc[0]).days < 200 else "%b %Y",
        **on_mondays(path["date"].iloc[0], path["date"].iloc[-1]),
    )
    return fig


def _broken(path: pd.DataFrame, exchange: str, *, weekly: bool) -> bool:
    return len(with_gaps(path, exchange, weekly=weekly)) > len(path)


def _anchor(day: pd.Timestamp, dates: pd.Series) -> str:
    """Which edge of a label stands at its day, so that it stays inside the chart."""
    share = (day - dates.iloc[0]) / max(dates.iloc[-1] - dates.iloc[0], pd.Timedelta(days=1))
    return "right" if share > 0.7 else ("left" if share < 0.3 else "center")


def _labels(found: pd.Series) -> list[tuple[pd.Timestamp, float, str, bool]]:
    low = f"{words.percent(found['drawdown'])}, {words.day(found['low'].date(), weekday=False)}"
    labels = [(found["low"], float(found["drawdown"]), low, False)]
    if pd.notna(found["recovered"]):
        back = f"back, {words.day(found['recovered'].date(), weekday=False)}"
        labels.append((found["recovered"], 0.0, back, True))
    return labels


def _finding(path: pd.DataFrame, found: pd.Series | None, name: str) -> str:
    if found is None:
        change = words.percent(float(path["change"].iloc[1]))
        return f"{name} had nothing to recover: {change} at its first close after the news"
    if pd.notna(found["recovered"]):
        count = int(found["sessions"])
        return (
            f"{name} was back at its old price after {count} session{'s' if count != 1 else ''}, on "
            f"{words.day(found['recovered'].date(), weekday=False)}"
        )
    return (
        f"{name} was still {words.percent(abs(found['last_change']), plus=False)} below its old price on "
        f"{words.day(found['last'].date(), weekday=False)}"
    )


def _table(path: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "session": path["date"],
            "close": path["close"],
            "change since the base, percent (with dividends)": np.round(path["change"] * 100, 4),
        }
    )
