"""The day on which each app is first known as no. 1, country by country."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import rank_words, words
from dashboard.charts.chart import Chart
from dashboard.charts.style import BODY_FONT, Palette, figure, mixed, palette

FEW = 8
ROW_HEIGHT = 46
MOST_APPS = 4
MOST_COUNTRIES = 40
STRENGTH = 0.42
MARKS = {"measured": "●", "reported": "○"}


def first_days(
    firsts: pd.DataFrame,
    earliest: pd.DataFrame,
    countries: dict[str, str],
    chosen: Sequence[str],
    chart: str,
    source: str,
    theme: str = "light",
) -> Chart:
    """A field for each country and app with the day of its first no. 1, the earlier the stronger its colour.

    `firsts` as `dashboard.data.captures.first_at_top` returns it and `earliest` as `dashboard.analysis.captures` does,
    at least one row each; `countries`: code to name; the apps of `chosen` are shown before those that led in more
    countries.
    """
    shown = _shown(earliest, chosen)
    return Chart(
        name="rank-first-days",
        figure=_figure(shown, firsts, countries, palette(theme)),
        title=_finding(earliest, countries, chosen),
        subtitle=f"First day on which each app is known as no. 1 of {chart}, by country: the stronger the "
        "blue, the earlier",
        source=source,
        alt="Table of the first days at no. 1 in the captures and reports held here. "
        + "; ".join(
            f"{row.name} in {countries[row.country]}: {words.day(row.moment.date())} ({row.evidence})"
            for row in shown.itertuples(index=False)
        )
        + ".",
        table=_table(firsts, countries),
        note="● measured in a capture, ○ reported by a publication; ≤ where the country’s first capture had the app "
        "at no. 1 already. Empty: not known as no. 1 there. Countries without a capture or report held here are not "
        "counted: an app may have led in more." + _left_out(earliest, shown),
    )


def _figure(
    shown: pd.DataFrame, firsts: pd.DataFrame, countries: dict[str, str], colours: Palette
) -> go.Figure:
    order = shown.groupby("country")["moment"].min().sort_values(kind="stable").index
    apps = list(dict.fromkeys(shown.sort_values("moment", kind="stable")["app"]))
    names = dict(zip(shown["app"], shown["name"], strict=True))
    fig = figure(colours, 70 + ROW_HEIGHT * len(order))
    days = (shown["moment"] - shown["moment"].min()) / pd.Timedelta(days=1)
    grid = shown.assign(days=days).pivot(index="country", columns="app", values="days").reindex(order)[apps]
    fig.add_heatmap(
        x=list(range(len(apps))),
        y=list(range(len(order))),
        z=grid.to_numpy(dtype=float),
        colorscale=[[0, _blend(colours)], [1, colours.band]],
        zmin=0,
        zmax=max(float(days.max()), 1.0),
        showscale=False,
        xgap=4,
        ygap=4,
        hoverinfo="skip",
    )
    fig.add_scatter(
        x=[apps.index(app) for app in shown["app"]],
        y=[order.get_loc(country) for country in shown["country"]],
        mode="text",
        text=[_field(row, shown) for row in shown.itertuples(index=False)],
        textfont={"color": colours.ink, "size": 12 if len(shown) > FEW else 15, "family": BODY_FONT},
        hovertext=[_hover(row, firsts, countries) for row in shown.itertuples(index=False)],
        hoverinfo="text",
    )
    _name_axes(fig, [names[app] for app in apps], [countries[country] for country in order], colours)
    return fig


def _name_axes(fig: go.Figure, apps: list[str], countries: list[str], colours: Palette) -> None:
    fig.update_xaxes(
        side="top",
        tickvals=list(range(len(apps))),
        ticktext=[f"<b>{_wrapped(app)}</b>" for app in apps],
        tickangle=0,
        zeroline=False,
        tickfont={"color": colours.ink, "size": 12},
        ticks="",
        range=[-0.5, len(apps) - 0.5],
    )
    fig.update_yaxes(
        tickvals=list(range(len(countries))),
        ticktext=[words.safe(country, 18) for country in countries],
        tickfont={"color": colours.ink, "size": 12},
        showgrid=False,
        zeroline=False,
        ticks="",
        range=[len(countries) - 0.5, -0.5],
    )


def _shown(earliest: pd.DataFrame, chosen: Sequence[str]) -> pd.DataFrame:
    """The chosen apps, those that led in most countries, and the countries in which they did first."""
    led = list(earliest["app"].value_counts().index)
    apps = sorted(led, key=lambda app: app not in chosen)[:MOST_APPS]
    kept = earliest[earliest["app"].isin(apps)]
    countries = kept.groupby("country")["moment"].min().sort_values(kind="stable").index[:MOST_COUNTRIES]
    return kept[kept["country"].isin(countries)]


def _left_out(earliest: pd.DataFrame, shown: pd.DataFrame) -> str:
    missing = len(earliest) - len(shown)
    return f" {missing} more are in the table." if missing else ""


def _blend(colours: Palette) -> str:
    """The colour of the earliest day: a share of the strong colour that leaves the text readable."""
    return mixed(colours.band, colours.gain, STRENGTH)


def _wrapped(name: str) -> str:
    """A column's head, one word a line."""
    return "<br>".join(words.safe(word, 10) for word in rank_words.short_name(name).split()[:2])


def _field(row: Any, shown: pd.DataFrame) -> str:
    one_year = shown["moment"].dt.year.nunique() == 1
    day = words.day(row.moment.date(), weekday=False, year=not one_year)
    return f"{MARKS[row.evidence]} {'≤' if row.already else ''}{day}"


def _hover(row: Any, firsts: pd.DataFrame, countries: dict[str, str]) -> str:
    start = f"<b>{words.safe(row.name)}</b> in {words.safe(countries[row.country])}: "
    known = firsts[(firsts["app"] == row.app) & (firsts["country"] == row.country)]
    return start + "".join(
        f"<br>{words.day(one.captured_at.date())}, {one.evidence} by {words.safe(rank_words.source(one), 70)}"
        + (" (already no. 1 in the first capture)" if one.already else "")
        for one in known.itertuples(index=False)
    )


def _finding(earliest: pd.DataFrame, countries: dict[str, str], chosen: Sequence[str]) -> str:
    """What the captures and reports held here say of an app: never in how many countries it led."""
    led = earliest["app"].value_counts()
    app = next((app for app in chosen if app in led.index), led.index[0])
    rows = earliest[earliest["app"] == app].sort_values("moment", kind="stable")
    row, kinds = rows.iloc[0], set(rows["evidence"])
    held = "captures and reports" if len(kinds) > 1 else "captures" if "measured" in kinds else "reports"
    country = rank_words.with_article(countries[row["country"]])
    where = f"{led[app]} countries, first in {country}" if led[app] > 1 else f"{country} only, first"
    return (
        f"The {held} held here have {rank_words.short_name(row['name'], 40)} at no. 1 in {where} on "
        f"{words.day(row['moment'].date(), weekday=False)}"
    )


def _table(firsts: pd.DataFrame, countries: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "app": firsts["name"],
            "country": firsts["country"].map(countries),
            "first known as no. 1 (UTC)": firsts["captured_at"].dt.strftime("%Y-%m-%d %H:%M"),
            "evidence": firsts["evidence"],
            "already no. 1 in the first capture": firsts["already"],
            "source": [rank_words.source(row) for row in firsts.itertuples(index=False)],
            "link": [rank_words.link(address) for address in firsts["source_url"]],
            "note": firsts["note"],
        }
    )
