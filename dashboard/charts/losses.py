"""Who lost what in a session: sorted bars in percent and dollars, and a map of the market by segment."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.style import Palette, palette, template

ROW_HEIGHT = 22
WHOLE = "AI companies"


def losses_percent(changes: pd.DataFrame, session: date, source: str, theme: str = "light") -> Chart:
    """Every company's change in percent, the largest fall on top.

    `changes`: one row a company with ticker, name, change (fraction), value_change (US dollars, missing where
    unknown), missing (why), close_before, close, before, on (sessions), shares, shares_as_of, currency.
    """
    drawn = changes.dropna(subset=["change"]).sort_values("change", ascending=False)
    worst, fell = drawn.iloc[-1], int((drawn["change"] < 0).sum())
    return Chart(
        name="shock-losses-percent",
        figure=_bars(
            drawn, drawn["change"] * 100, [words.percent(x) for x in drawn["change"]], palette(theme)
        ),
        title=f"{fell} of {len(drawn)} AI companies fell, {worst['name']} furthest"
        if fell
        else f"None of {len(drawn)} AI companies fell",
        subtitle=f"Change of the closing price with dividends on {words.day(session)}, percent",
        source=source,
        alt=f"Bar chart of the change of {len(drawn)} AI companies. {_extremes(drawn, 'change', words.percent)}",
        table=_table(changes),
        note=_late(drawn, session) + _absent(changes),
    )


def losses_dollars(changes: pd.DataFrame, session: date, source: str, theme: str = "light") -> Chart:
    """Every company's change of market value in US dollars, the largest loss on top; `changes` as above."""
    drawn = changes.dropna(subset=["value_change"]).sort_values("value_change", ascending=False)
    worst, lost = drawn.iloc[-1], float(drawn.loc[drawn["value_change"] < 0, "value_change"].sum())
    share = float(worst["value_change"]) / lost if lost else 0.0
    return Chart(
        name="shock-losses-dollars",
        figure=_bars(
            drawn,
            drawn["value_change"] / 1e9,
            [words.compact(x, plus=True) for x in drawn["value_change"]],
            palette(theme),
        ),
        title=f"{worst['name']} alone was {words.percent(share, 0, plus=False)} of the "
        f"{words.billions(abs(lost))} lost"
        if lost
        else "No AI company lost market value",
        subtitle=f"Change of market value on {words.day(session)}: change of the close times shares outstanding",
        source=source,
        alt=f"Bar chart of the change of market value of {len(drawn)} AI companies. "
        + _extremes(drawn, "value_change", words.billions),
        table=_table(changes),
        note=_late(drawn, session) + _no_dollars(changes),
    )


def _bars(drawn: pd.DataFrame, values: pd.Series, labels: list[str], colours: Palette) -> go.Figure:
    fig = go.Figure(
        layout={"template": template(colours), "height": 30 + ROW_HEIGHT * len(drawn), "bargap": 0.26}
    )
    fig.add_bar(
        y=[words.safe(name, 22) for name in drawn["name"]],
        x=values,
        orientation="h",
        text=labels,
        textposition="outside",
        cliponaxis=False,
        textfont={"size": 11, "color": colours.ink},
        marker={"color": [colours.loss if change < 0 else colours.gain for change in values]},
        hovertext=[_hover(row) for row in drawn.itertuples()],
        hoverinfo="text",
    )
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    room = (high - low) * 0.26 or 1.0
    fig.update_xaxes(
        range=[low - room, high + room],
        showticklabels=False,
        ticks="",
        zeroline=True,
        zerolinecolor=colours.muted,
    )
    fig.update_yaxes(showgrid=False, ticks="", tickfont={"color": colours.ink, "size": 12})
    return fig


def _hover(row: Any) -> str:
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
    low = [f"{row['name']} {spell(row[column])}" for _, row in drawn[::-1].head(3).iterrows()]
    high = [f"{row['name']} {spell(row[column])}" for _, row in drawn.head(3).iterrows()]
    return f"Lowest: {words.listed(low)}. Highest: {words.listed(high)}."


def _late(drawn: pd.DataFrame, session: date) -> str:
    late = drawn[drawn["on"] > pd.Timestamp(session)]
    return "".join(
        f"{words.listed(group['name'].tolist())} first traded again on {words.day(on.date())}. "
        for on, group in late.groupby("on")
    )


def _no_dollars(changes: pd.DataFrame) -> str:
    unknown = changes[changes["change"].notna() & changes["value_change"].isna()]
    return "".join(
        f"Left out, {reason}: {words.listed(group['name'].tolist())}. "
        for reason, group in unknown.groupby("missing")
    )


def _absent(changes: pd.DataFrame) -> str:
    names = changes.loc[changes["change"].isna(), "name"].tolist()
    return f"No prices yet: {words.listed(names)}. " if names else ""


def _text_on(change: float, limit: float, colours: Palette) -> str:
    """The text colour that reads on a tile: the paper's on a strong colour of the light theme, else the ink's."""
    strong = abs(change) > 0.62 * limit
    return colours.paper if strong else colours.ink


def _table(changes: pd.DataFrame) -> pd.DataFrame:
    table = changes.sort_values("change")[
        [
            *("ticker", "name", "segment", "before", "close_before", "on", "close", "currency", "change"),
            *("shares", "shares_as_of", "value_change", "missing"),
        ]
    ].copy()
    table["change"] = (table["change"] * 100).round(4)
    return table.rename(
        columns={
            "before": "session before",
            "close_before": "close before",
            "on": "session",
            "change": "change, percent (with dividends)",
            "shares_as_of": "shares as of",
            "value_change": "change of market value, US dollars",
        }
    ).reset_index(drop=True)


def market_map(changes: pd.DataFrame, session: date, source: str, theme: str = "light") -> Chart:
    """A treemap by segment: area is market value before the session, colour the change in percent.

    `changes` as for `losses`. Companies without a share count have no area and are named in the note.
    """
    colours = palette(theme)
    drawn = changes.dropna(subset=["value_change", "change"]).copy()
    drawn["value"] = (drawn["close_before"] * drawn["shares"]).astype(float)
    groups = drawn.groupby("segment", sort=False).agg(value=("value", "sum"), moved=("value_change", "sum"))
    groups["change"] = groups["moved"] / groups["value"]
    limit = min(max(float(drawn["change"].abs().max()), 0.01), 0.20)
    whole = pd.DataFrame(
        {"value": [drawn["value"].sum()], "moved": [drawn["value_change"].sum()]}, index=[WHOLE]
    )
    whole["change"] = whole["moved"] / whole["value"]
    groups = pd.concat([whole, groups])
    shades = [*groups["change"], *drawn["change"]]
    fig = go.Figure(layout={"template": template(colours), "height": 560})
    fig.add_treemap(
        ids=[*groups.index, *drawn["ticker"]],
        labels=[*groups.index, *drawn["ticker"]],
        parents=["", *[WHOLE] * (len(groups) - 1), *drawn["segment"]],
        values=[*groups["value"], *drawn["value"]],
        branchvalues="total",
        text=[words.percent(x) for x in shades],
        texttemplate=["<b>%{label}</b>  %{text}"] * len(groups) + ["<b>%{label}</b><br>%{text}"] * len(drawn),
        hovertext=[
            *(
                f"<b>{words.safe(str(name))}</b>: {words.billions(row.moved, plus=True)} together, "
                f"{words.percent(row.change)}"
                for name, row in groups.iterrows()
            ),
            *(_hover(row) for row in drawn.itertuples()),
        ],
        hoverinfo="text",
        marker={
            "colors": shades,
            "colorscale": [[0, colours.loss], [0.5, colours.band], [1, colours.gain]],
            "cmin": -limit,
            "cmid": 0,
            "cmax": limit,
            "line": {"color": colours.paper, "width": 1.5},
        },
        textfont={"size": 13, "color": [_text_on(x, limit, colours) for x in shades]},
        pathbar={"visible": False},
        tiling={"pad": 2},
    )
    fig.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})
    segments = groups.drop(index=WHOLE)
    worst = segments["moved"].idxmin()
    return Chart(
        name="shock-map",
        figure=fig,
        title=f"{worst} lost most: {words.billions(abs(float(segments['moved'].min())))} of market value"
        if segments["moved"].min() < 0
        else "No segment lost market value",
        subtitle=f"Area: market value before {words.day(session)}. Colour: change in percent, orange down, blue up",
        source=source,
        alt="Treemap of AI companies by segment. "
        + "; ".join(f"{name} {words.percent(row.change)}" for name, row in groups.iterrows())
        + ".",
        table=_table(drawn),
        note=_late(drawn, session) + _no_dollars(changes),
    )
