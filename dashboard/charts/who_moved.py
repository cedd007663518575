"""Who lost and who gained in a session: dollars and percent of each company side by side, the largest first."""

from datetime import date

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts import words
from dashboard.charts.bars import FITS, LONG, with_figures
from dashboard.charts.chart import Chart
from dashboard.charts.losses import company_hover, late_note, no_dollars_note, table_of
from dashboard.charts.style import BODY_FONT, Palette, palette, template

FIRST = 10
ROW_HEIGHT = 27
HEAD = 34
NAME_LENGTH = 17
WIDTHS = (0.8, 0.2)
ROOM = 0.5  # of the span: a figure beside a bar fits on a phone


def who_moved(
    changes: pd.DataFrame, session: date, source: str, theme: str = "light", *, everybody: bool = False
) -> Chart:
    """The companies whose market value changed most, with what the others came to; all of them for `everybody`.

    `changes` as for `dashboard.charts.losses.losses_dollars`. Without any dollars the order is that of the percentages.
    """
    known = changes.dropna(subset=["change"])
    dollars = known["value_change"].notna().any()
    by = "value_change" if dollars else "change"
    order = known.assign(size=known[by].abs()).sort_values("size", ascending=False, na_position="last")
    shown = order if everybody else order.head(FIRST)
    others = order.iloc[len(shown) :]
    value = known[by].dropna()
    rises = value[value > 0].sum() > -value[value < 0].sum()
    drawn = shown.sort_values(by, ascending=not rises, na_position="last")
    return Chart(
        name="shock-losses",
        figure=_figure(drawn, others, palette(theme), dollars=dollars),
        title=_title(known, dollars=dollars),
        subtitle=f"Change on {words.day(session)} of market value (close times shares outstanding) and of the share "
        "price with dividends"
        if dollars
        else f"Change of the share price with dividends on {words.day(session)}",
        source=source,
        alt=_alt(drawn, others),
        table=table_of(changes),
        note=late_note(shown, session) + no_dollars_note(known),
    )


def _title(known: pd.DataFrame, *, dollars: bool) -> str:
    falls, rises = known[known["change"] < 0], known[known["change"] > 0]
    if not dollars:
        count, verb, group = max(
            ((len(falls), "fell", falls), (len(rises), "rose", rises)), key=lambda each: each[0]
        )
        furthest = group.loc[group["change"].abs().idxmax(), "name"] if count else ""
        return f"{count} of {len(known)} AI companies {verb}, {furthest} furthest"
    value = known["value_change"].dropna()
    lost, gained = float(value[value < 0].sum()), float(value[value > 0].sum())
    total, verb = (lost, "lost") if -lost >= gained else (gained, "gained")
    largest = known.loc[(value.idxmin() if verb == "lost" else value.idxmax())]
    share = float(largest["value_change"]) / total if total else 0.0
    return (
        f"{largest['name']} alone was {words.percent(share, 0, plus=False)} of the "
        f"{words.billions(abs(total))} {verb}"
    )


def _figure(drawn: pd.DataFrame, others: pd.DataFrame, colours: Palette, *, dollars: bool) -> go.Figure:
    rows = [
        (str(row.name), row.value_change, row.change, company_hover(row))
        for row in drawn.itertuples(index=False)
    ]
    if len(others):
        mean = float(others["change"].mean())
        total = others["value_change"].sum(min_count=1)
        said = f"<b>{len(others)} others</b> together, {words.percent(mean)} on average"
        rows.append((f"{len(others)} others", total, mean, said))
    places = list(range(len(rows)))[::-1]
    fig = make_subplots(
        cols=2 if dollars else 1,
        shared_yaxes=True,
        horizontal_spacing=0,
        column_widths=list(WIDTHS) if dollars else None,
    )
    fig.update_layout(
        template=template(colours), height=HEAD + ROW_HEIGHT * len(rows) + 8, bargap=0.28, margin={"t": HEAD}
    )
    measured = [
        (value, _money(value)) if dollars else (change, words.percent(change)) for _, value, change, _ in rows
    ]
    _bars(fig, places, measured, [row[3] for row in rows], colours)
    if dollars:
        _percentages(fig, places, rows, colours)
        _column_head(fig, "", "Market value", "left", colours)
        _column_head(fig, "2", "Share price", "right", colours)
    fig.update_yaxes(
        showgrid=False,
        ticks="",
        tickvals=places,
        ticktext=[words.safe(row[0], NAME_LENGTH) for row in rows],
        tickfont={"color": colours.ink, "size": 12},
        range=[-0.6, len(rows) - 0.4],
    )
    return fig


def _money(value: float) -> str:
    return "not known" if pd.isna(value) else words.compact(value, plus=True)


def _bars(
    fig: go.Figure, places: list[int], measured: list[tuple[float, str]], hovers: list[str], colours: Palette
) -> None:
    values = [value for value, _ in measured]
    known = [value for value in values if pd.notna(value)]
    low, high = min(*known, 0.0), max(*known, 0.0)
    span = (high - low) or 1.0
    shades = [colours.loss if value < 0 else colours.gain for value in values]
    shortest, (left, right) = LONG * max(-low, high), _ends(known, LONG * max(-low, high))
    while any(shortest <= abs(value) < FITS * (right - left) for value in known):
        shortest = FITS * (right - left)
        left, right = _ends(known, shortest)
    within = [abs(value) >= shortest for value in values]
    fig.add_bar(
        x=values,
        y=places,
        orientation="h",
        hovertext=hovers,
        hoverinfo="text",
        row=1,
        col=1,
        **with_figures([text for _, text in measured], shades, within, colours, size=12),
    )
    fig.update_xaxes(
        range=[left - 0.02 * span, right + 0.02 * span],
        showticklabels=False,
        ticks="",
        zeroline=True,
        zerolinecolor=colours.muted,
        row=1,
        col=1,
    )


def _ends(values: list[float], shortest: float) -> tuple[float, float]:
    """Where an axis begins and ends that has room for the figures beside all bars below a length."""
    low, high = min(*values, 0.0), max(*values, 0.0)
    room = ROOM * ((high - low) or 1.0)
    beside = [value for value in values if abs(value) < shortest]
    return (
        min([low, *(value - room for value in beside if value < 0)]),
        max([high, *(value + room for value in beside if value >= 0)]),
    )


def _percentages(
    fig: go.Figure, places: list[int], rows: list[tuple[str, float, float, str]], colours: Palette
) -> None:
    fig.add_scatter(
        x=[1] * len(rows),
        y=places,
        mode="text",
        text=[f"<b>{words.percent(change)}</b>" for _, _, change, _ in rows],
        textposition="middle left",
        textfont={
            "size": 13,
            "color": [colours.loss if change < 0 else colours.gain for _, _, change, _ in rows],
        },
        hoverinfo="skip",
        cliponaxis=False,
        name="Share price",
        row=1,
        col=2,
    )
    fig.update_xaxes(visible=False, range=[0, 1], row=1, col=2)


def _column_head(fig: go.Figure, axis: str, title: str, side: str, colours: Palette) -> None:
    fig.add_annotation(
        x=int(side == "right"),
        xref=f"x{axis} domain",
        y=1,
        yref="paper",
        yshift=16,
        text=title,
        showarrow=False,
        xanchor=side,
        font={"color": colours.muted, "size": 12, "family": BODY_FONT},
    )


def _alt(drawn: pd.DataFrame, others: pd.DataFrame) -> str:
    told = [
        f"{row['name']} {_money(row['value_change'])}, {words.percent(row['change'])}"
        for _, row in drawn.iterrows()
    ]
    end = (
        f"; {len(others)} others {words.percent(float(others['change'].mean()))} on average"
        if len(others)
        else ""
    )
    return f"Bars of the change of market value and of the share price. {'; '.join(told)}{end}."
