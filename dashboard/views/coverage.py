"""How far the prices reach: the dateline of every page, and the chart of the sessions held."""

import duckdb

from dashboard.analysis.coverage import completeness, coverage, suitable_period
from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.coverage import coverage_map
from dashboard.data import market, status
from dashboard.views.request import Heeds, Maker, NothingToShow, Request
from etl.freshness import Freshness, Level

MOST_ROWS = 80


def dateline_words(age: Freshness | None) -> str:
    """As of when the numbers are and how many sessions have passed since."""
    if age is None:
        return ""
    day = age.session
    text = f"Prices to the close of {day:%A} {day.day} {day:%B} {day.year}"
    if age.level is Level.BUNDLED:
        return f"{text}, the data bundled with the project."
    if age.behind:
        text += f" · {age.behind:,} session{'s' if age.behind > 1 else ''} behind"
    return f"{text}."


def coverage_chart(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
    """The sessions held, company by company; `tickers` narrows it.

    Raises
    ------
    NothingToShow
        When there are no prices, or none of the tickers asked for.
    """
    companies = completeness(status.reach(con))
    if request.tickers:
        companies = companies[companies["ticker"].isin(request.tickers)]
    if companies.empty:
        raise NothingToShow(
            "There are no prices yet.", "Run `python -m etl load-bundled` or `python -m etl refresh`."
        )
    drawn = companies.sort_values("missing", ascending=False, kind="stable").head(MOST_ROWS)
    drawn = drawn.sort_values(["exchange", "ticker"])
    first, last = drawn["first"].min().date(), companies["last"].max().date()
    period = suitable_period(first, last)
    held = status.held_sessions(con, drawn["ticker"].tolist(), period)
    sources = words.listed(market.price_sources(con, first, last))
    return coverage_map(
        coverage(held, drawn, period),
        drawn,
        period,
        len(companies) - len(drawn),
        f"Source: {sources}; sessions: the exchanges’ calendars; prices to {words.day(last)}",
        request.theme,
    )


CHARTS: dict[str, Maker] = {"data-coverage": coverage_chart}
HEEDS: dict[str, Heeds] = {"data-coverage": Heeds(event=False)}
