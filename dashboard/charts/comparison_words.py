"""The words and the table around a comparison of companies: finding, measure, hover, alternative text."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from dashboard.charts import locales, words
from dashboard.data.naming import labelled

if TYPE_CHECKING:
    from dashboard.charts.comparison import Comparison

WHEN = "%{x|%a %-d %b %Y}"
UNITS = {
    "rebased": "index",
    "price": "price",
    "drawdown": "percent below the highest close",
    "volatility": "volatility, percent a year",
    "volume": "million shares",
}


def finding(shown: Comparison) -> str:
    """What the chart shows, in one sentence with computed figures."""
    names = shown.names()
    low, high = (
        shown.values.loc[shown.values["value"].idxmin()],
        shown.values.loc[shown.values["value"].idxmax()],
    )
    if shown.measure == "rebased":
        return _since_base(shown)
    if shown.measure == "price":
        return _from_to(shown)
    if shown.measure == "drawdown":
        if low["value"] == 0:
            return "Nobody closed below an earlier close of the period"
        return (
            f"{names[low['ticker']]} fell furthest: {words.percent(low['value'] / 100)} at the low of "
            f"{words.day(low['date'].date(), weekday=False)}"
        )
    if shown.measure == "volatility":
        return (
            f"{names[high['ticker']]} swung most: {words.percent(high['value'] / 100, 0, plus=False)} a year in the "
            f"21 sessions to {words.day(high['date'].date(), weekday=False)}"
        )
    when = "in the week to" if shown.weekly else "on"
    return (
        f"{names[high['ticker']]} was traded most: {words.number(high['value'])} million shares {when} "
        f"{words.day(high['date'].date(), weekday=False)}"
    )


def ends(shown: Comparison) -> pd.DataFrame:
    """The first and the latest row of each ticker's figures: index ticker, columns as in `values`, `first_` before."""
    groups = shown.values.groupby("ticker")
    return groups.tail(1).set_index("ticker").join(groups.head(1).set_index("ticker").add_prefix("first_"))


def _since_base(shown: Comparison) -> str:
    latest, names = ends(shown).sort_values("value"), shown.names()
    days = f"{words.day(base_day(shown), weekday=False)} and {words.day(latest['date'].max().date(), weekday=False)}"
    low, high = latest.iloc[0], latest.iloc[-1]
    text = f"{names[low.name]} {_moved(low['value'])} between {days}"
    return text if len(latest) == 1 else f"{text}; {names[high.name]} {_moved(high['value'])}"


def _moved(index: float) -> str:
    verb = "fell" if index < 100 else "rose"
    return f"{verb} {words.percent(abs(index / 100 - 1), plus=False)}"


def base_day(shown: Comparison) -> date:
    """The session that is 100 for most of the companies."""
    return pd.Series(list(shown.base_days.values())).mode().iloc[0]


def _from_to(shown: Comparison) -> str:
    latest, names = ends(shown), shown.names()
    moved = (latest["close"] / latest["first_close"] - 1).abs()
    ticker = moved.idxmax()
    row = latest.loc[ticker]
    return (
        f"{names[ticker]} went from {words.price(row['first_close'], row['currency'])} on "
        f"{words.day(row['first_date'].date(), weekday=False)} to {words.price(row['close'], row['currency'])} on "
        f"{words.day(row['date'].date(), weekday=False)}"
    )


def measure_line(shown: Comparison) -> str:
    """What is measured, in which unit, and how long stretches are thinned."""
    start = words.day(shown.values["date"].min().date(), weekday=False)
    weekly = {
        "drawdown": "; the lowest close of each week",
        "volume": "; sums of each week",
    }.get(shown.measure, "; the last close of each week")
    text = {
        "rebased": f"Closing prices with dividends, {words.day(base_day(shown))} = 100"
        if shown.base_days
        else "Closing prices with dividends",
        "price": "Closing prices, adjusted for splits, in the currency of the exchange",
        "drawdown": f"Closing price with dividends, percent below its highest since {start}",
        "volatility": "Standard deviation of the daily log changes of the last 21 sessions (closing prices with "
        "dividends), times √252, percent a year",
        "volume": "Shares traded, millions, adjusted for splits; each company on its own scale",
    }[shown.measure]
    return text + (weekly if shown.weekly else "") + (", log scale" if shown.log else "")


def hover(shown: Comparison, ticker: str, currency: str, *, single: bool = False) -> str:
    """The hover of a point as a sentence, for Plotly to fill in (x: day, y: value, customdata: close and size).

    With `single` the customdata also says of each point whether one history alone has it.
    """
    name = literal(shown.names()[ticker])
    close = price_form(currency, "customdata[0]")
    text = {
        "rebased": f"<b>{name}</b> closed at {close} on {WHEN},<br>%{{y:.1f}} where "
        + (
            f"{words.day(shown.base_days[ticker])} is 100" if ticker in shown.base_days else "its base is 100"
        ),
        "price": f"<b>{name}</b> closed at {close} on {WHEN}",
        "drawdown": f"<b>{name}</b> closed %{{customdata[1]:.1f}}% below its highest close<br>of the period on "
        f"{WHEN}, at {close}",
        "volatility": f"<b>{name}</b> swung by %{{y:.0f}}% a year<br>in the 21 sessions to {WHEN}",
        "volume": f"%{{y:,.1f}} million shares of <b>{name}</b><br>were traded "
        f"{'in the week to' if shown.weekly else 'on'} {WHEN}",
    }[shown.measure]
    return f"{text}{'%{customdata[2]}' if single else ''}<extra></extra>"


def literal(text: str) -> str:
    """Text from outside for a hover template, where `%{…}` would be filled in."""
    return words.safe(text).replace("%{", "% {")


def price_form(currency: str, what: str) -> str:
    """A price in a hover template: `what` is the variable that Plotly fills in."""
    return f"{locales.sign(currency)}%{{{what}:,.{locales.decimals(currency)}f}}"


def alt_text(shown: Comparison) -> str:
    """The picture in words: what is drawn, and where each line ends."""
    names = shown.names()
    latest = ends(shown)
    kind = "Bar charts" if shown.measure == "volume" else "Line chart"
    parts = [
        f"{names[ticker]} {words.number(latest.loc[ticker, 'value'], 1)}"
        for ticker in names
        if ticker in latest.index
    ]
    day = words.day(shown.values["date"].max().date())
    return f"{kind} of {len(parts)} companies. {measure_line(shown)}. Latest, {day}: {'; '.join(parts)}."


def table(shown: Comparison) -> pd.DataFrame:
    """The figures drawn, one row a session (or week), one column a company."""
    names, unit = shown.names(), UNITS[shown.measure]
    currency = shown.values.drop_duplicates("ticker").set_index("ticker")["currency"]
    wide = shown.values.pivot(index="date", columns="ticker", values="value")
    wide = wide[[ticker for ticker in names if ticker in wide.columns]].round(4)
    wide.columns = [
        f"{labelled(names[ticker], ticker)}, {currency[ticker] if shown.measure == 'price' else unit}"
        for ticker in wide.columns
    ]
    return wide.rename_axis("session").reset_index()
