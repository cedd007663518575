"""Who lost what in a session: sorted bars in percent and in dollars."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.bars import FITS, LONG, with_figures
from dashboard.charts.chart import Chart
from dashboard.charts.columns import headed
from dashboard.charts.style import Palette, palette, template

ROW_HEIGHT = 22
EDGE, LABEL = 0.03, 0.36  # of the span, beyond the longest bar of a side: a figure beside it fits on a phone
LABEL_PIXELS = 64


def losses_percent(changes: pd.DataFrame, session: date, source: str, theme: str = "light") -> Chart:
    """Every company's change in percent, the largest fall on top, or the largest rise where more rose.

    `changes`: one row a company with ticker, name, change (fraction), value_change (US dollars, missing where
    unknown), missing (why), close_before, close, before, on (sessions), shares, shares_as_of, currency.
    """
    known = changes.dropna(subset=["change"])
    fell, rose = int((known["change"] < 0).sum()), int((known["change"] > 0).sum())
    drawn = known.sort_values("change", ascending=rose > fell)
    return Chart(
        name="shock-losses-percent",
        figure=_bars(
            drawn, drawn["change"] * 100, [words.percent(x) for x in drawn["change"]], palette(theme)
        ),
        title=f"{max(fell, rose)} of {len(drawn)} AI companies {'rose' if rose > fell else 'fell'}, "
        f"{drawn.iloc[-1]['name']} furthest",
        subtitle=f"Change of the closing price with dividends on {words.day(session)}, percent",
        source=source,
        alt=f"Bar chart of the change of {len(drawn)} AI companies. {_extremes(drawn, 'change', words.percent)}",
        table=table_of(changes),
        note=late_note(drawn, session) + _absent(changes),
    )


def losses_dollars(changes: pd.DataFrame, session: date, source: str, theme: str = "light") -> Chart:
    """Every company's change of market value in US dollars, the largest loss on top, or the largest gain where more
    was gained; `changes` as above.
    """
    known = changes.dropna(subset=["value_change"])
    lost, gained = (float(known["value_change"].clip(*ends).sum()) for ends in ((None, 0), (0, None)))
    rises = gained > -lost
    drawn, total = known.sort_values("value_change", ascending=rises), gained if rises else lost
    share = float(drawn.iloc[-1]["value_change"]) / total if total else 0.0
    return Chart(
        name="shock-losses-dollars",
        figure=_bars(
            drawn,
            drawn["value_change"] / 1e9,
            [words.compact(x, plus=True) for x in drawn["value_change"]],
            palette(theme),
        ),
        title=f"{drawn.iloc[-1]['name']} alone was {words.percent(share, 0, plus=False)} of the "
        f"{words.billions(abs(total))} {'gained' if rises else 'lost'}",
        subtitle=f"Change of market value on {words.day(session)}: change of the close times shares outstanding",
        source=source,
        alt=f"Bar chart of the change of market value of {len(drawn)} AI companies. "
        + _extremes(drawn, "value_change", words.billions),
        table=table_of(changes),
        note=late_note(drawn, session) + no_dollars_note(changes),
    )


def _bars(drawn: pd.DataFrame, values: pd.Series, labels: list[str], colours: Palette) -> go.Figure:
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    within = values.abs() >= max(LONG * max(-low, high), FITS * (high - low))
    shades = [colours.loss if change < 0 else colours.gain for change in values]
    fig = go.Figure(
        layout={"template": template(colours), "height": 30 + ROW_HEIGHT * len(drawn), "bargap": 0.26}
    )
    fig.add_bar(
        y=[words.safe(name, 22) for name in drawn["name"]],
        x=values,
        orientation="h",
        hovertext=[company_hover(row) for row in drawn.itertuples()],
        hoverinfo="text",
        **with_figures(labels, shades, list(within), colours),
    )
    span = high - low or 1.0
    falls, gains = values < 0, values > 0
    before = LABEL if falls.any() and not within[falls].any() else EDGE
    if gains.any() and not within[gains].any():
        fig.update_layout(margin={"r": LABEL_PIXELS})
    fig.update_xaxes(
        range=[low - before * span, high + EDGE * span],
        showticklabels=False,
        ticks="",
        zeroline=True,
        zerolinecolor=colours.muted,
    )
    fig.update_yaxes(showgrid=False, ticks="", tickfont={"color": colours.ink, "size": 12})
    return fig


def company_hover(row: Any) -> str:
    """A company's session as a sentence: prices, percent, dollars or why there are none."""
    name, change, value = words.safe(row.name), row.change, row.value_change
    text = (
        f"<b>{name}</b> went from {words.price(row.close_before, row.currency)} on "
        f"{words.day(row.before.date(), year=False)} to {words.price(row.close, row.currency)} on "
        f"{words.day(row.on.date(), year=False)}: {words.percent(change, 2)}"
    )
    if pd.isna(value):
        return f"{text}<br>Dollars: {row.missing}"
    count = f"{row.shares / 1e6:,.0f} million shares at {words.day(row.shares_as_of.date(), weekday=False)}"
    return f"{text}<br>{words.billions(value, plus=True)} of market value ({count})"


def _extremes(drawn: pd.DataFrame, column: str, spell: Callable[[float], str]) -> str:
    order = drawn.sort_values(column)
    low = [f"{row['name']} {spell(row[column])}" for _, row in order.head(3).iterrows()]
    high = [f"{row['name']} {spell(row[column])}" for _, row in order[::-1].head(3).iterrows()]
    return f"Lowest: {words.listed(low)}. Highest: {words.listed(high)}."


def late_note(drawn: pd.DataFrame, session: date) -> str:
    """Names the companies whose own exchange first traded after the event on another day than New York's."""
    other = drawn[drawn["on"] != pd.Timestamp(session)]
    return "".join(
        f"{words.listed(group['name'].tolist())} first traded after the event on {words.day(on.date())}. "
        for on, group in other.groupby("on")
    )


def no_dollars_note(changes: pd.DataFrame) -> str:
    """Names the companies that have a change in percent and none in dollars, with the reason."""
    unknown = changes[changes["change"].notna() & changes["value_change"].isna()]
    return "".join(
        f"Left out, {reason}: {words.listed(group['name'].tolist())}. "
        for reason, group in unknown.groupby("missing")
    )


def _absent(changes: pd.DataFrame) -> str:
    names = changes.loc[changes["change"].isna(), "name"].tolist()
    return f"No prices yet: {words.listed(names)}. " if names else ""


def table_of(changes: pd.DataFrame) -> pd.DataFrame:
    """The numbers of the charts, the largest fall first, units in the column names."""
    table = changes.sort_values("change")[
        [
            *("ticker", "name", "segment", "before", "close_before", "on", "close", "currency", "change"),
            *("shares", "shares_as_of", "value_before", "value_change", "missing"),
        ]
    ].copy()
    table["change"] = (table["change"] * 100).round(4)
    return headed(
        table,
        change="change, percent (with dividends)",
        shares_as_of="shares as of",
        value_before="market value before, US dollars",
        value_change="change of market value, US dollars",
    ).reset_index(drop=True)
