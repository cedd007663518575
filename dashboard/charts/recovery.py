"""What came after: how deep each company fell and when it had made good its fall."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.columns import headed
from dashboard.charts.style import Palette, palette, template

FIRST = 10
ROW_HEIGHT = 25
LABEL_PIXELS = 112
GAP = "\u2003"  # sets a label clear of a dot at 0


def recovery(
    table: pd.DataFrame,
    order: Sequence[str],
    names: pd.Series,
    source: str,
    theme: str = "light",
    *,
    everybody: bool = False,
) -> Chart:
    """For the companies that fell most, or all of them: the lowest close (dot) and when it was back (label).

    `table` as `dashboard.analysis.recovery.recoveries` returns it; `order`: the tickers, the largest loss first;
    `names`: ticker to name.
    """
    every = table.assign(name=[str(names.get(ticker, ticker)) for ticker in table["ticker"]])
    places = {ticker: at for at, ticker in enumerate(order)}
    ranked = every.sort_values("ticker", key=lambda tickers: tickers.map(places), na_position="last")
    shown = ranked if everybody else ranked.head(FIRST)
    drawn = shown.sort_values("drawdown", ascending=False).reset_index(drop=True)
    count, until = int(every["recovered"].notna().sum()), words.day(every["last"].max().date())
    deepest = [f"{row['name']} {words.percent(row['drawdown'])}" for _, row in drawn[::-1].head(3).iterrows()]
    return Chart(
        name="shock-recovery",
        figure=_figure(drawn, palette(theme)),
        title=f"{_first_back(ranked.iloc[0])}{_of_all(count, len(every))}, in our data to {until}",
        subtitle="Lowest close on the way, below the last one before the event, and sessions until the first close at "
        "or above it (with dividends; the event’s own session counts as one)",
        source=source,
        alt=f"Dot chart of {len(drawn)} of {len(every)} AI companies that fell. {count} of all recovered. "
        f"Deepest falls of those drawn: {words.listed(deepest)}.",
        table=_table(every.sort_values("drawdown", ascending=False).reset_index(drop=True)),
        note=_left_in_the_table(len(drawn), len(every)),
    )


def _of_all(count: int, every: int) -> str:
    if every == 1:
        return ", the only AI company that fell"
    if count == every == 2:
        return "; both AI companies that fell are"
    whom = "all" if count == every else "none" if count == 0 else count
    return f"; {whom} of the {every} AI companies that fell {'is' if count in (0, 1) else 'are'}"


def _left_in_the_table(drawn: int, every: int) -> str:
    if drawn == every:
        return ""
    others = "1 other is" if every - drawn == 1 else f"{every - drawn} others are"
    return f"Drawn: the {drawn} largest losses in dollars; {others} in the table."


def _first_back(row: pd.Series) -> str:
    if pd.isna(row["recovered"]):
        return f"{row['name']} is not back"
    count = int(row["sessions"])
    return f"{row['name']} was back after {count} session{'s' if count != 1 else ''}"


def _figure(drawn: pd.DataFrame, colours: Palette) -> go.Figure:
    fig = go.Figure(layout={"template": template(colours), "height": 80 + ROW_HEIGHT * len(drawn)})
    stem: list[float | None] = [x for low in drawn["drawdown"] * 100 for x in (low, 0.0, None)]
    place: list[int | None] = [y for row in drawn.index for y in (row, row, None)]
    fig.add_scatter(
        x=stem,
        y=place,
        mode="lines",
        line={"color": colours.faint, "width": 2},
        hoverinfo="skip",
        name="Drawdown",
    )
    hover = [_hover(row) for row in drawn.itertuples()]
    shade = [colours.gain if done else colours.loss for done in drawn["recovered"].notna()]
    fig.add_scatter(
        x=drawn["drawdown"] * 100,
        y=drawn.index,
        mode="markers",
        name="Lowest close",
        marker={"size": 10, "color": shade},
        hovertext=hover,
        hoverinfo="text",
    )
    lowest = float(drawn["drawdown"].min()) * 100
    fig.add_scatter(
        x=[0.0] * len(drawn),
        y=drawn.index,
        mode="text",
        name="Recovery",
        text=[GAP + _label(row) for row in drawn.itertuples()],
        textposition="middle right",
        textfont={"size": 11, "color": shade},
        cliponaxis=False,
        hovertext=hover,
        hoverinfo="text",
    )
    return _axes(fig, drawn, lowest)


def _axes(fig: go.Figure, drawn: pd.DataFrame, lowest: float) -> go.Figure:
    fig.update_layout(margin={"r": LABEL_PIXELS})
    ticks = [tick for tick in range(-100, 1, 20 if lowest < -30 else 10) if tick >= lowest * 1.04]
    fig.update_xaxes(
        range=[lowest * 1.08, abs(lowest) * 0.01],
        tickangle=0,
        tickvals=ticks,
        ticktext=[words.percent(tick / 100, 0) for tick in ticks],
        side="top",
        zeroline=True,
        showgrid=True,
    )
    return fig.update_yaxes(
        tickvals=list(drawn.index),
        ticktext=[words.safe(name, 22) for name in drawn["name"]],
        showgrid=False,
        range=[-0.7, len(drawn) - 0.3],
    )


def _label(row: Any) -> str:
    if pd.isna(row.recovered):
        return "not in our data"
    return f"after {row.sessions} session{'s' if row.sessions != 1 else ''}"


def _hover(row: Any) -> str:
    text = (
        f"<b>{words.safe(row.name)}</b> fell as low as {words.percent(row.drawdown)} on "
        f"{words.day(row.low.date())}."
    )
    if pd.notna(row.recovered):
        return f"{text}<br>It was back on {words.day(row.recovered.date())}."
    return f"{text}<br>It stood at {words.percent(row.last_change)} on {words.day(row.last.date())}."


def _table(drawn: pd.DataFrame) -> pd.DataFrame:
    table = drawn[["ticker", "name", *drawn.columns.drop(["ticker", "name"])]][::-1].copy()
    for column in ("first_change", "drawdown", "last_change"):
        table[column] = (table[column] * 100).round(4)
    return headed(
        table,
        first_change="first session, percent",
        low="session of the lowest close",
        drawdown="drawdown, percent",
        recovered="recovered on",
        sessions="sessions to recover",
        last="latest session",
        last_change="latest, percent",
    ).reset_index(drop=True)
