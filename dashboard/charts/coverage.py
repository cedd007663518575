"""Which sessions are held, company by company, as a heatmap."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.style import Palette, palette, template

ROW_HEIGHT = 17
STATES = ("missing", "closes", "bars")
_PERIODS = {
    "day": ("%{x|%a %-d %b %Y}", "session"),
    "week": ("the week of %{x|%-d %b %Y}", "week"),
    "month": ("%{x|%B %Y}", "month"),
}


def coverage_map(
    cells: pd.DataFrame,
    companies: pd.DataFrame,
    period: str,
    left_out: int,
    source: str,
    theme: str = "light",
) -> Chart:
    """A row a company, a column a session (week, month): a full bar, a close alone, or something missing.

    `cells`: ticker, period (datetime64), expected, held, bars (numbers of sessions); `companies`: ticker, name,
    exchange, first, last, sessions, expected, missing, one row a company in the order to draw; `left_out` is the
    number of companies with prices that are not drawn.
    """
    colours = palette(theme)
    tickers = companies["ticker"].tolist()
    shown = cells[cells["ticker"].isin(tickers)]
    fig = go.Figure(layout={"template": template(colours), "height": 70 + ROW_HEIGHT * len(tickers)})
    states = np.select(
        [shown["held"] < shown["expected"], shown["bars"] < shown["held"]], STATES[:2], STATES[2]
    )
    for name, colour, sentence in _kinds(colours, period):
        _layer(fig, shown[states == name], shown, tickers, colour, sentence)
    fig.update_xaxes(side="top", range=_range(shown), tickformat="%b\n%Y", nticks=8)
    fig.update_yaxes(
        autorange="reversed", showgrid=False, ticks="", tickfont={"size": 11, "color": colours.ink}, dtick=1
    )
    total, missing = (
        int(shown["expected"].sum()),
        int((shown["expected"] - shown["held"]).clip(lower=0).sum()),
    )
    return Chart(
        name="data-coverage",
        figure=fig,
        title=_title(companies, missing),
        subtitle=f"Every {_PERIODS[period][1]} of each company from its first price on. Blue: open, high, low, close "
        "and volume; pale: the close alone; orange: a session that its exchange held is missing; blank: the exchange "
        "was closed, or the company not yet listed",
        source=source,
        alt=f"Heatmap of the sessions held of {len(tickers)} companies: {total - missing:,} of {total:,}. "
        + _worst(companies),
        table=_table(companies),
        note=_left_out(left_out),
    )


def _kinds(colours: Palette, period: str) -> list[tuple[str, str, str]]:
    when, what = _PERIODS[period]
    some = "was not a session that we hold" if what == "session" else "lacks sessions that its exchange held"
    return [
        ("bars", colours.gain, f"<b>%{{y}}</b>, {when}: open, high, low, close and volume"),
        (
            "closes",
            _mixed(colours.gain, colours.paper),
            f"<b>%{{y}}</b>, {when}: closing prices, without a full bar for each",
        ),
        ("missing", colours.loss, f"<b>%{{y}}</b>: {when} {some}"),
    ]


def _mixed(colour: str, paper: str, share: float = 0.4) -> str:
    """`share` of a colour on paper, both as hex strings."""
    parts = (
        round(share * int(colour[i : i + 2], 16) + (1 - share) * int(paper[i : i + 2], 16)) for i in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)


def _layer(
    fig: go.Figure, rows: pd.DataFrame, shown: pd.DataFrame, tickers: list[str], colour: str, sentence: str
) -> None:
    """One kind of cell; drawn over all periods, so that the layers lie on each other."""
    if rows.empty:
        return
    periods = np.sort(shown["period"].unique())
    grid = np.full((len(tickers), len(periods)), np.nan, dtype="float32")
    place = {ticker: position for position, ticker in enumerate(tickers)}
    grid[rows["ticker"].map(place).to_numpy(), np.searchsorted(periods, rows["period"].to_numpy())] = 1
    fig.add_heatmap(
        x=[str(day)[:10] for day in periods],
        y=[words.safe(ticker, 16) for ticker in tickers],
        z=grid,
        colorscale=[[0, colour], [1, colour]],
        showscale=False,
        hoverongaps=False,
        hovertemplate=f"{sentence}<extra></extra>",
        ygap=1.5,
    )


def _range(shown: pd.DataFrame) -> list[pd.Timestamp]:
    margin = pd.Timedelta(days=1)
    return [shown["period"].min() - margin, shown["period"].max() + margin]


def _title(companies: pd.DataFrame, missing: int) -> str:
    count = len(companies)
    if not missing:
        return f"No session is missing from the prices of {count} companies and funds"
    lacking = int((companies["missing"] > 0).sum())
    return f"{missing:,} session{'s' if missing != 1 else ''} missing, in {lacking} of {count} companies and funds"


def _worst(companies: pd.DataFrame) -> str:
    worst = companies[companies["missing"] > 0].sort_values("missing", ascending=False).head(3)
    if worst.empty:
        return "None is missing."
    lacking = [f"{row.ticker} {row.missing}" for row in worst.itertuples()]
    return f"Most are missing from {words.listed(lacking)}."


def _left_out(count: int) -> str:
    return (
        f"{count:,} more companies have prices; those with the most missing sessions are drawn first."
        if count
        else ""
    )


def _table(companies: pd.DataFrame) -> pd.DataFrame:
    columns = {
        "ticker": "ticker",
        "name": "name",
        "exchange": "exchange (MIC)",
        "first": "first session",
        "last": "latest session",
        "sessions": "sessions held",
        "bars": "of them with open, high, low and volume",
        "expected": "sessions of the exchange",
        "missing": "sessions missing",
        "sources": "sources",
    }
    return companies[list(columns)].rename(columns=columns).reset_index(drop=True)
