"""The two-part chart of an event: companies rebased to 100, and the app-store ranks on the same time axis."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts import words
from dashboard.charts.annotations import (
    key_of,
    label_ends,
    mark_events,
    on_mondays,
    shade_closed_days,
    with_gaps,
)
from dashboard.charts.chart import Chart
from dashboard.charts.ranks import add_ranks
from dashboard.charts.style import Palette, palette, template
from dashboard.data.events import Event
from dashboard.data.naming import labelled

CLOSE = time(16)


def timeline(
    rebased: pd.DataFrame,
    average: pd.DataFrame,
    ranks: pd.DataFrame,
    companies: pd.DataFrame,
    events: Sequence[Event],
    focus: Event,
    highlighted: Sequence[str],
    source: str,
    theme: str = "light",
) -> Chart:
    """Companies rebased to 100 with the app ranks below, around the event `focus`.

    `rebased`: ticker, date, index, close, currency (one row a ticker and session); `average`: date, index,
    companies (the equal-weighted mean of the AI companies); `ranks`: app, app_name, moment, time_known, rank,
    evidence, source, note; `companies`: ticker, name; `events` become numbered marks; `highlighted` tickers are
    drawn in colour and labelled, the others in grey. Lines break where an exchange was closed on a weekday.
    """
    colours = palette(theme)
    with_ranks = not ranks.empty
    names = companies.set_index("ticker")["name"]
    base_day = _base_day(average, focus)
    fig = _panels(rebased, with_ranks, colours)
    _companies(fig, rebased, names, highlighted, colours, base_day)
    _average(fig, average, colours, base_day)
    label_ends(fig, rebased, average, highlighted, colours)
    mark_events(fig, events, focus, colours)
    if with_ranks:
        add_ranks(fig, ranks, colours, row=2)
    return Chart(
        name="shock-timeline",
        figure=fig,
        title=_title(average, focus),
        subtitle=f"Closing prices with dividends, {words.day(base_day)} = 100; the thick line is the mean of the AI "
        "companies"
        + (". Below, the rank among Apple’s top free iPhone apps in the US" if with_ranks else ""),
        source=source,
        alt=_alt(average, ranks, focus, base_day),
        table=_table(rebased, average, names),
        note=_note(events, with_ranks),
    )


def _panels(rebased: pd.DataFrame, with_ranks: bool, colours: Palette) -> go.Figure:
    fig = make_subplots(
        rows=2 if with_ranks else 1,
        cols=1,
        shared_xaxes=True,
        row_heights=[0.7, 0.3] if with_ranks else None,
        vertical_spacing=0.07,
    )
    fig.update_layout(template=template(colours), height=640 if with_ranks else 480)
    first, last = rebased["date"].min(), rebased["date"].max()
    fig.update_xaxes(
        range=[first - timedelta(hours=12), last + timedelta(hours=40)],
        tickformat="%-d %b",
        **on_mondays(first, last),
    )
    if with_ranks:
        fig.update_xaxes(ticks="", row=1, col=1)
    shade_closed_days(fig, rebased, colours)
    return fig


def _base_day(average: pd.DataFrame, focus: Event) -> date:
    day: date = average.loc[average["date"] < pd.Timestamp(focus.market_session), "date"].max().date()
    return day


def _companies(
    fig: go.Figure,
    rebased: pd.DataFrame,
    names: pd.Series,
    highlighted: Sequence[str],
    colours: Palette,
    base_day: date,
) -> None:
    paths = dict(list(rebased.groupby("ticker", sort=True)))
    order = [ticker for ticker in paths if ticker not in highlighted]
    order += [ticker for ticker in highlighted if ticker in paths]
    for ticker in order:
        strong = ticker in highlighted
        colour = (
            colours.series[list(highlighted).index(ticker) % len(colours.series)] if strong else colours.faint
        )
        name = str(names.get(ticker, ticker))
        hover = partial(_company_hover, name=name, base_day=base_day)
        _line(fig, with_gaps(paths[ticker]), name, hover, color=colour, width=2.2 if strong else 0.9)


def _company_hover(row: Any, name: str, base_day: date) -> str:
    return (
        f"<b>{words.safe(name)}</b> closed at {words.price(row.close, row.currency)} on "
        f"{words.day(row.date.date())},<br>{_since(row.level, base_day)}"
    )


def _average(fig: go.Figure, average: pd.DataFrame, colours: Palette, base_day: date) -> None:
    _line(
        fig,
        with_gaps(average),
        "Mean of the AI companies",
        lambda row: (
            f"<b>Mean of {row.companies:.0f} AI companies</b> on {words.day(row.date.date())}:<br>"
            f"{_since(row.level, base_day)}"
        ),
        color=colours.ink,
        width=3.4,
    )


def _line(fig: go.Figure, path: pd.DataFrame, name: str, hover: Callable[[Any], str], **line: Any) -> None:
    rows = path.rename(columns={"index": "level"}).itertuples(index=False)
    fig.add_scatter(
        x=[datetime.combine(day.date(), CLOSE) for day in path["date"]],
        y=path["index"],
        name=name,
        mode="lines",
        line=line,
        hovertext=["" if pd.isna(row.level) else hover(row) for row in rows],
        hoverinfo="text",
        connectgaps=False,
        **({"row": 1, "col": 1}),
    )


def _since(level: float, base_day: date) -> str:
    return f"{words.percent(level / 100 - 1)} since {words.day(base_day, year=False)}"


def _change_at(average: pd.DataFrame, focus: Event) -> tuple[date, float]:
    row = average[average["date"] >= pd.Timestamp(focus.market_session)].iloc[0]
    return row["date"].date(), float(row["index"]) / 100 - 1


def _title(average: pd.DataFrame, focus: Event) -> str:
    day, change = _change_at(average, focus)
    verb = "fell" if change < 0 else "rose"
    return f"AI shares {verb} {words.percent(abs(change), plus=False)} on average on {words.day(day, year=False)}"


def _alt(average: pd.DataFrame, ranks: pd.DataFrame, focus: Event, base_day: date) -> str:
    day, change = _change_at(average, focus)
    last = average.iloc[-1]
    text = (
        f"Line chart of AI companies' share prices, {words.day(base_day)} = 100. Their mean moved "
        f"{words.percent(change)} to {words.day(day)} and stood at {last['index']:.1f} on "
        f"{words.day(last['date'].date())}."
    )
    points = [
        f"{row.app} no. {row.rank} on {words.day(row.moment.date(), year=False)}"
        for row in ranks.itertuples()
    ]
    return f"{text} Below it, ranks in Apple's US top-free chart: {'; '.join(points)}." if points else text


def _table(rebased: pd.DataFrame, average: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    wide = rebased.pivot(index="date", columns="ticker", values="index")
    wide = wide.rename(
        columns={
            ticker: f"{labelled(str(names.get(ticker, ticker)), ticker)}, index" for ticker in wide.columns
        }
    )
    wide.insert(0, "Mean of the AI companies, index", average.set_index("date")["index"])
    return wide.round(4).rename_axis("session", axis=0).rename_axis(None, axis=1).reset_index()


def _note(events: Sequence[Event], with_ranks: bool) -> str:
    ranks = (
        " Open rings are ranks that a publication reported, solid discs ranks measured in a capture of the chart;"
        " days that nobody measured are not joined."
        if with_ranks
        else ""
    )
    return f"{key_of(events)} Shaded: days without trading in New York.{ranks}"
