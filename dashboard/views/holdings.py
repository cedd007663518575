"""What a published state of the warehouse holds, in figures and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pandas as pd

from dashboard.charts import words
from dashboard.data import status
from dashboard.data.intraday import held_within
from dashboard.views.headline import Figure
from etl.freshness import Freshness

TABLE_WORDS = {
    "price_daily": "Daily prices: open, high, low, close, adjusted close, volume",
    "price_intraday": "Intraday bars of days that were signalled or have an event",
    "dividend": "Dividends by ex-date",
    "split": "Share splits",
    "shares_outstanding": "Shares outstanding, by date of the count",
    "exchange_rate": "Exchange rates to the US dollar",
    "factor_daily": "Fama and French’s five factors and momentum, fractions a day",
    "company": "Companies, funds and indices: segment, exchange, currency, role and since when",
    "rule": "Rules of the catalogue in words: who has the role AI",
    "event": "Dated AI events with their sources",
    "reported_move": "Largest one-day losses and gains of market value, as the press gave them",
    "day_note": "What happened on days of large moves, each with its source",
    "app_ranking": "App-store ranks, each with its source",
    "ranking_capture": "Captures of app-store charts, and how deep each is",
    "etl_run": "Runs: one row for each run and source",
    "etl_run_item": "Runs in detail: one row for each ticker or chart",
    "revision": "What refreshes changed: old and new value",
    "absent_session": "Sessions for which the source has no bar",
    "intraday_asked": "Sessions whose intraday bars a source was asked for",
    "quarantine": "Rows that were refused, and why",
    "quarantine_decision": "What an operator decided about refused rows",
    "signal": "What refreshes noticed: moves, records, ranks",
    "signal_run": "When signals were computed, and through which session",
}

SOURCES = (
    (
        "Prices, dividends and splits",
        "The bundled ones are public price histories, compiled for this project and compared with second copies; "
        "they come with the project’s licence. A refresh asks Yahoo Finance, whose terms cover personal use of its "
        "service: a newsroom that publishes figures of a live refresh should check that it may.",
    ),
    (
        "Share counts",
        "Covers of the companies’ quarterly and annual reports, with the date of each count; a refresh adds Yahoo "
        "Finance’s.",
    ),
    (
        "App-store charts",
        "Measured ranks come from Apple’s public chart feed, or from captures of it in the Internet Archive, "
        "with the "
        "time and the address of each. Apple keeps no history: what was not captured is not known. Google "
        "Play has no "
        "public feed; where the operator asks for its charts, they come as the store’s own page gets them.",
    ),
    (
        "Reported ranks",
        "They belong to those who measured them: name the publication beside the figure, as the charts here do.",
    ),
    (
        "Events and claims",
        "Dated by this project from the public sources that are linked beside each.",
    ),
)


@dataclass(frozen=True)
class Holdings:
    """What one published state holds, read once; each frame as its function in `dashboard.data.status` says."""

    reach: pd.DataFrame = field(repr=False)
    rank_charts: pd.DataFrame = field(repr=False)
    runs: pd.DataFrame = field(repr=False)
    troubled: pd.DataFrame = field(repr=False)
    quarantined: pd.DataFrame = field(repr=False)
    revisions: pd.DataFrame = field(repr=False)
    within: pd.DataFrame = field(repr=False)
    sizes: dict[str, int]
    rules: dict[str, str]


def read_holdings(con: duckdb.DuckDBPyConnection, history: Sequence[Mapping[str, Any]]) -> Holdings:
    """Everything that the Data page tells of a state."""
    return Holdings(
        reach=status.reach(con),
        rank_charts=status.rank_charts(con),
        runs=status.runs(history),
        troubled=status.troubled_items(history),
        quarantined=status.quarantined(con),
        revisions=status.revisions(con),
        within=held_within(con),
        sizes=status.table_sizes(con),
        rules=status.rules(con),
    )


def title(held: Holdings) -> str:
    """What there is, in one sentence."""
    with_prices = int((held.reach["sessions"] > 0).sum())
    if not with_prices:
        return "No prices yet"
    parts = [f"Prices of {with_prices:,} companies and funds"]
    for evidence in ("measured", "reported"):
        count = int(held.rank_charts.loc[held.rank_charts["evidence"] == evidence, "ranks"].sum())
        if count:
            parts.append(f"{count:,} {evidence} app-store rank{'s' if count != 1 else ''}")
    return words.listed(parts)


def figures(held: Holdings, age: Freshness | None) -> list[Figure]:
    """The figures at the top of the Data page."""
    return [*_price_figures(held, age), _rank_figure(held), _run_figure(held), _refused_figure(held)]


def _price_figures(held: Holdings, age: Freshness | None) -> list[Figure]:
    reach = held.reach
    without = reach.loc[reach["sessions"] == 0, "ticker"].tolist()
    if age is None:
        return [Figure("Prices", "none", "not yet", "No company has a price.")]
    return [
        Figure(
            "Latest session",
            words.day(age.session, weekday=False, year=False),
            f"{age.session.year}; {age.behind:,} session{'s' if age.behind != 1 else ''} closed since",
            "The newest session that at least half of the companies in New York have, and the sessions that the "
            "exchange has closed since.",
        ),
        Figure(
            "Sessions held",
            f"{int(reach['sessions'].sum()):,}",
            f"{int(reach['bars'].sum()):,} with open, high, low and volume",
            "One closing price of one company is one session held." + _single(reach),
        ),
        Figure(
            "With prices",
            f"{len(reach) - len(without)} of {len(reach)}",
            f"none yet: {_few(without)}" if without else "all that are followed",
            "Companies and funds of `companies.toml` that have at least one price.",
        ),
    ]


def _single(reach: pd.DataFrame) -> str:
    """How many of the bundled closes one history alone confirms, and of whom the most."""
    count, held = int(reach["single"].sum()), int(reach["sessions"].sum())
    if not count:
        return ""
    most = reach.sort_values("single", ascending=False, kind="stable").head(2)["name"].tolist()
    return (
        f" {count:,} of them ({words.percent(count / held, 1).lstrip('+')}) rest on one price history, most of "
        f"{words.listed(most)}; the others are confirmed by a second."
    )


def _few(tickers: list[str], most: int = 4) -> str:
    return (
        ", ".join(tickers)
        if len(tickers) <= most
        else f"{', '.join(tickers[:most])} and {len(tickers) - most} more"
    )


def _rank_figure(held: Holdings) -> Figure:
    charts = held.rank_charts
    if charts.empty:
        return Figure("App-store ranks", "none", "not yet", "No app rank is held.")
    last = charts["last"].max()
    return Figure(
        "App-store ranks",
        f"{int(charts['ranks'].sum()):,}",
        f"latest {words.day(last.date(), weekday=False)}",
        "Measured in a capture of a chart, or reported by a publication.",
    )


def _run_figure(held: Holdings) -> Figure:
    if held.runs.empty:
        return Figure("Latest run", "none", "not yet", "No run has been logged.")
    latest = held.runs.iloc[0]
    finished = latest["finished_at"]
    return Figure(
        "Latest run",
        words.day(finished.date(), weekday=False, year=False),
        f"{finished.year}, {finished:%H:%M} UTC: {latest['source']}, {status_words(latest['status'])}",
        "The newest run, whether or not it changed anything.",
    )


def status_words(status: str) -> str:
    """How a run ended."""
    return {"ok": "all came", "part": "part came", "failed": "nothing came"}.get(status, status)


def _refused_figure(held: Holdings) -> Figure:
    count = held.sizes["quarantine"]
    return Figure(
        "Rows refused",
        f"{count:,}",
        "kept with the reason" if count else "nothing in quarantine",
        "Rows of a source that failed a check (a price of zero, a session that never took place, a rank twice).",
    )


def within_words(held: Holdings) -> str:
    """Which intraday bars are held, in a sentence."""
    if held.within.empty:
        return "No intraday bars are held: a refresh saves them for days that are signalled or have an event."
    parts = [
        f"{row.minutes}-minute bars of {_number(row.companies, 'company', 'companies')} on "
        f"{_number(row.sessions, 'session', 'sessions')}, {words.day(row.first)} to {words.day(row.last)}"
        for row in held.within.itertuples(index=False)
    ]
    return f"Intraday: {'; '.join(parts)}."


def _number(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"
