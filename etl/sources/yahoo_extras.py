"""Share counts and exchange rates from Yahoo Finance; both change slowly and are asked for by name."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pandas as pd

from etl import calendars
from etl.network import Fault, FetchError
from etl.settings import settings
from etl.sources.base import Batch, Request, Task
from etl.sources.yahoo_session import YahooClient, day_after


class YahooShares(YahooClient):
    """Share counts as Yahoo dates them, in shares of the listing; it does not say which reports they are from."""

    name = "yahoo-shares"
    tables = ("shares_outstanding",)

    def plan(self, con: duckdb.DuckDBPyConnection | None, request: Request) -> list[Task]:
        """The counts since the newest that is held, for everything but funds and indices."""
        held = _newest(con, "shares_outstanding", "ticker", self.name)
        until = min(request.until or request.now.date(), request.now.date())
        return [
            Task(
                company.ticker,
                request.since or held.get(company.ticker, settings().history_start),
                until,
                company,
            )
            for company in request.companies
            if company.role != "benchmark"
        ]

    def fetch(self, task: Task) -> Batch:
        """The counts, one a day: where Yahoo has several for a day, their median."""
        ticker = self.ticker(task.item, calendars.time_zone(task.detail.exchange))
        counts = self.ask(
            lambda: ticker.get_shares_full(start=f"{task.asked_from}", end=f"{day_after(task.asked_to)}")
        )
        if counts is None or counts.empty:
            raise FetchError(Fault.MISSING, "Yahoo has no share counts for it")
        daily = counts.groupby(pd.DatetimeIndex(counts.index.date)).median().round().astype("int64")
        rows = daily.rename("shares").rename_axis("date").reset_index()
        rows = rows.assign(ticker=task.item, basis="Yahoo Finance, date as given there", source=self.name)
        return Batch({"shares_outstanding": rows}, len(counts))


class YahooRates(YahooClient):
    """Closing exchange rates of the currencies of the listings, in US dollars for one unit."""

    name = "yahoo-rates"
    tables = ("exchange_rate",)

    def plan(self, con: duckdb.DuckDBPyConnection | None, request: Request) -> list[Task]:
        """The days since the newest rate that is held, and some before them, for each foreign currency."""
        held = _newest(con, "exchange_rate", "currency", self.name)
        until = min(request.until or request.now.date(), request.now.date() - timedelta(days=1))
        overlap = timedelta(days=settings().overlap_sessions)
        currencies = sorted({company.currency for company in request.companies} - {"USD"})
        return [
            Task(
                currency,
                request.since or (held[currency] - overlap if currency in held else settings().history_start),
                until,
            )
            for currency in currencies
        ]

    def fetch(self, task: Task) -> Batch:
        """The rates of the days from ``asked_from`` to ``asked_to`` on which there was one."""
        ticker = self.ticker(f"{task.item}USD=X", "Europe/London")
        history = self.history(ticker, task, interval="1d", actions=False)
        if history.empty:
            raise FetchError(Fault.MISSING, "Yahoo has no rates for the days asked for")
        rates = history["Close"].set_axis(pd.DatetimeIndex(history.index.date, name="date"))
        rows = (
            rates.dropna().rename("usd_per_unit").reset_index().assign(currency=task.item, source=self.name)
        )
        return Batch({"exchange_rate": rows}, len(history))


def _newest(con: duckdb.DuckDBPyConnection | None, table: str, key: str, name: str) -> dict[str, date]:
    if con is None:
        return {}
    query = f"SELECT {key}, max(date) FROM {table} WHERE source = $name GROUP BY {key}"  # noqa: S608
    return dict(con.execute(query, {"name": name}).fetchall())
