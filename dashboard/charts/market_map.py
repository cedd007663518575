"""The market by segment: area is market value, colour the change."""

from datetime import date

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.losses import company_hover, late_note, no_dollars_note, table_of
from dashboard.charts.style import Palette, mixed, palette, readable_on, template

WHOLE = "AI companies"
MOST = 0.20


def market_map(
    changes: pd.DataFrame, segments: pd.DataFrame, session: date, source: str, theme: str = "light"
) -> Chart:
    """A treemap by segment: area is market value before the session, colour the change in percent.

    `changes` as for `losses_dollars`; `segments` as `dashboard.analysis.losses.by_segment` returns it, with `WHOLE`
    first. Companies without a share count have no area and are named in the note.
    """
    drawn = changes.dropna(subset=["value_change", "change"])
    worst = segments["value_change"].iloc[1:].idxmin()
    lost = float(segments.at[worst, "value_change"])
    return Chart(
        name="shock-map",
        figure=_figure(drawn, segments, palette(theme)),
        title=f"{worst} lost most: {words.billions(abs(lost))} of market value"
        if lost < 0
        else "No segment lost market value",
        subtitle=f"Area: market value before {words.day(session)}. Colour: change in percent, orange down, blue up",
        source=source,
        alt="Treemap of AI companies by segment. "
        + "; ".join(f"{name} {words.percent(change)}" for name, change in segments["change"].items())
        + ".",
        table=table_of(drawn),
        note=late_note(drawn, session) + no_dollars_note(changes),
    )


def _figure(drawn: pd.DataFrame, segments: pd.DataFrame, colours: Palette) -> go.Figure:
    shades = [*segments["change"], *drawn["change"]]
    limit = min(max(float(drawn["change"].abs().max()), 0.01), MOST)
    inner, leaves = len(segments), len(drawn)
    fig = go.Figure(layout={"template": template(colours), "height": 560})
    fig.add_treemap(
        ids=[*segments.index, *drawn["ticker"]],
        labels=[*segments.index, *drawn["ticker"]],
        parents=["", *[WHOLE] * (inner - 1), *drawn["segment"]],
        values=[*segments["value_before"], *drawn["value_before"]],
        branchvalues="total",
        text=[words.percent(x) for x in shades],
        texttemplate=["<b>%{label}</b>  %{text}"] * inner + ["<b>%{label}</b><br>%{text}"] * leaves,
        hovertext=[*map(_segment_hover, segments.itertuples()), *map(company_hover, drawn.itertuples())],
        hoverinfo="text",
        marker={
            "colors": shades,
            "colorscale": [[0, colours.loss], [0.5, colours.band], [1, colours.gain]],
            "cmin": -limit,
            "cmid": 0,
            "cmax": limit,
            "line": {"color": colours.paper, "width": 1.5},
        },
        textfont={"size": 13, "color": [_text_on(x / limit, colours) for x in shades]},
        pathbar={"visible": False},
        tiling={"pad": 2},
    )
    return fig.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})


def _segment_hover(row: object) -> str:
    name, value, change = row.Index, row.value_change, row.change  # type: ignore[attr-defined]
    return f"<b>{words.safe(name)}</b>: {words.billions(value, plus=True)} together, {words.percent(change)}"


def _text_on(strength: float, colours: Palette) -> str:
    """The text colour that reads better on a tile whose colour lies at `strength`, from -1 to 1, on the scale."""
    full = colours.loss if strength < 0 else colours.gain
    return readable_on(mixed(colours.band, full, min(abs(strength), 1)), colours)
