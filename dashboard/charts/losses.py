"""Who lost what in a session: sorted bars in percent and dollars, and a map of the market by segment."""

from datetime import date

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.style import Palette, palette, template

ROW_HEIGHT = 21


def losses(changes: pd.DataFrame, session: date, source: str, theme: str = "light") -> Chart:
    """Every company's change in percent (left) and in dollars (right), the largest fall on top.

    `changes`: one row a company with ticker, name, change (fraction), value_change (US dollars, missing where
    unknown), missing (why), close_before, close, before, on (sessions), shares, shares_as_of, currency.
    """
    colours = palette(theme)
    drawn = changes.dropna(subset=["change"]).sort_values("change", ascending=False)
    fig = make_subplots(
        rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.03, column_widths=[0.5, 0.5]
    )
    fig.update_layout(template=template(colours), height=90 + ROW_HEIGHT * len(drawn), bargap=0.28)
    hover = [_hover(row) for row in drawn.itertuples()]
    value = drawn["value_change"] / 1e9
    _bars(fig, drawn, drawn["change"] * 100, [words.percent(x) for x in drawn["change"]], hover, colours, 1)
    labels = ["" if pd.isna(x) else words.billions(x, plus=True).replace(" billion", " bn") for x in drawn["value_change"]]
    labels = [text.replace(" million", " m").replace(" trillion", " tn") for text in labels]
    _bars(fig, drawn, value, labels, hover, colours, 2)
    fig.update_yaxes(showgrid=False, ticks="", tickfont={"color": colours.ink, "size": 12})
    fig.update_xaxes(showgrid=False, showticklabels=False, ticks="", zeroline=True)
    for column, (values, title) in enumerate(((drawn["change"] * 100, "percent"), (value, "US dollars")), start=1):
        room = (values.max() - values.min()) * 0.24 or 1
        low, high = min(values.min(), 0), max(values.max(), 0)
        fig.update_xaxes(range=[low - room, high + room], title_text=title, side="top", row=1, col=column)
    worst = drawn.iloc[-1]
    fell = int((drawn["change"] < 0).sum())
    return Chart(
        name="shock-losses",
        figure=fig,
        title=f"{fell} of {len(drawn)} AI companies fell; {worst['name']} fell furthest"
        if worst["change"] < 0
        else f"None of {len(drawn)} AI companies fell",
        subtitle=f"Change on {words.day(session)} (or the first session after it on the company’s own exchange), "
        "in percent and in market value",
        source=source,
        alt=f"Bar chart of {len(drawn)} AI companies. {_extremes(drawn)}",
        table=_table(changes),
        note=_note(changes, session),
    )


def _bars(
    fig: go.Figure,
    drawn: pd.DataFrame,
    values: pd.Series,
    labels: list[str],
    hover: list[str],
    colours: Palette,
    column: int,
) -> None:
    fig.add_bar(
        y=drawn["ticker"],
        x=values,
        orientation="h",
        text=labels,
        textposition="outside",
        cliponaxis=False,
        textfont={"size": 11, "color": colours.ink},
        marker={"color": [colours.loss if change < 0 else colours.gain for change in drawn["change"]]},
        hovertext=hover,
        hoverinfo="text",
        row=1,
        col=column,
    )


def _hover(row: object) -> str:
    name, change, value = words.safe(row.name), row.change, row.value_change  # type: ignore[attr-defined]
    text = (
        f"<b>{name}</b> went from {words.price(row.close_before, row.currency)} on "  # type: ignore[attr-defined]
        f"{words.day(row.before.date(), year=False)} to {words.price(row.close, row.currency)} on "  # type: ignore[attr-defined]
        f"{words.day(row.on.date(), year=False)}: {words.percent(change, 2)}"  # type: ignore[attr-defined]
    )
    if pd.isna(value):
        return f"{text}<br>Dollars: {row.missing}"  # type: ignore[attr-defined]
    count = f"{row.shares / 1e6:,.0f} million shares at {words.day(row.shares_as_of.date(), weekday=False)}"  # type: ignore[attr-defined]
    return f"{text}<br>{words.billions(value, plus=True)} of market value ({count})"


def _extremes(drawn: pd.DataFrame) -> str:
    worst = [f"{row.name} {words.percent(row.change)}" for row in drawn[::-1].head(3)[["name", "change"]].itertuples(index=False)]
    best = [f"{row.name} {words.percent(row.change)}" for row in drawn.head(3)[["name", "change"]].itertuples(index=False)]
    return f"Lowest: {words.listed(worst)}. Highest: {words.listed(best)}."


def _note(changes: pd.DataFrame, session: date) -> str:
    late = changes.dropna(subset=["change"])
    late = late[late["on"] > pd.Timestamp(session)]
    notes = [
        f"{row['name']} first traded again on {words.day(row['on'].date(), year=False)}." for _, row in late.iterrows()
    ]
    no_dollars = changes[changes["change"].notna() & changes["value_change"].isna()]
    notes += [f"{row['name']}: {row['missing']}, so no dollars." for _, row in no_dollars.iterrows()]
    absent = changes.loc[changes["change"].isna(), "name"].tolist()
    if absent:
        notes.append(f"No prices yet: {words.listed(absent)}.")
    return " ".join(notes)


def _table(changes: pd.DataFrame) -> pd.DataFrame:
    table = changes.sort_values("change")[
        ["ticker", "name", "segment", "before", "close_before", "on", "close", "currency", "change", "shares"]
        + ["shares_as_of", "value_change", "missing"]
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
    fig = go.Figure(layout={"template": template(colours), "height": 560})
    fig.add_treemap(
        ids=[*groups.index, *drawn["ticker"]],
        labels=[*groups.index, *drawn["ticker"]],
        parents=[""] * len(groups) + drawn["segment"].tolist(),
        values=[*groups["value"], *drawn["value"]],
        branchvalues="total",
        text=[words.percent(x) for x in [*groups["change"], *drawn["change"]]],
        texttemplate="<b>%{label}</b><br>%{text}",
        hovertext=[
            *(
                f"<b>{name}</b>: {words.billions(row.moved, plus=True)} together, {words.percent(row.change)}"
                for name, row in groups.iterrows()
            ),
            *(_hover(row) for row in drawn.itertuples()),
        ],
        hoverinfo="text",
        marker={
            "colors": [*groups["change"], *drawn["change"]],
            "colorscale": [[0, colours.loss], [0.5, colours.band], [1, colours.gain]],
            "cmin": -limit,
            "cmid": 0,
            "cmax": limit,
            "line": {"color": colours.paper, "width": 1.5},
        },
        pathbar={"visible": False},
        tiling={"pad": 2},
    )
    fig.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0}, uniformtext={"minsize": 9, "mode": "hide"})
    worst = groups["moved"].idxmin()
    return Chart(
        name="shock-map",
        figure=fig,
        title=f"{worst} lost most: {words.billions(abs(float(groups['moved'].min())))} of market value"
        if groups["moved"].min() < 0
        else "No segment lost market value",
        subtitle=f"Area: market value before {words.day(session)}. Colour: change in percent, orange down, blue up",
        source=source,
        alt="Treemap of AI companies by segment. "
        + "; ".join(f"{name} {words.percent(row.change)}" for name, row in groups.iterrows())
        + ".",
        table=_table(drawn),
        note=_note(changes, session),
    )
