"""Intraday bars from Yahoo Finance, which keeps those of five minutes for 60 days and of one for a week."""

from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd

from etl import calendars, intraday
from etl.catalogue import Company
from etl.hours import placed
from etl.network import Fault, FetchError
from etl.sources.base import Batch, Request, Task
from etl.sources.yahoo_session import YahooClient

COLUMNS = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}


class YahooIntraday(YahooClient):
    """Bars of some minutes, split-adjusted, in the listing's currency, with the hours before and after the session."""

    name = "yahoo-intraday"
    tables = ("price_intraday", "intraday_asked")

    def __init__(self) -> None:
        """Open the session; nothing is wanted yet."""
        super().__init__()
        self._wanted: intraday.Wanted = {}
        self._minutes = intraday.SAVED

    def plan(self, con: duckdb.DuckDBPyConnection | None, request: Request) -> list[Task]:
        """The session that the operator names, else those that were signalled or have an event; one task a company."""
        self._minutes = request.minutes
        if request.since:
            self._wanted = intraday.of_session(request)
        else:
            self._wanted = intraday.due(con, request) if con else {}
        return [
            Task(company.ticker, self._wanted[company.ticker][0], self._wanted[company.ticker][-1], company)
            for company in request.companies
            if company.ticker in self._wanted
        ]

    def fetch(self, task: Task) -> Batch:
        """The bars of the sessions that are wanted; one that has not ended yet is left out."""
        company: Company = task.detail
        now, wanted = pd.Timestamp.now("UTC"), self._wanted[task.item]
        gone = ""
        try:
            bars = self._bars(task, company)
        except FetchError as error:
            if error.fault is not Fault.MISSING:
                raise
            bars, gone = _none(), str(error) if (self.session.status or 0) >= 400 else ""
        bars = bars.join(placed(company.exchange, pd.DatetimeIndex(bars["starts_at"])))
        bars = _whole(bars[bars["local_time"].dt.date.isin(wanted)], self._minutes, now)
        asked = pd.DataFrame({"session": wanted}).assign(asked_at=now)
        common = {"ticker": task.item, "minutes": self._minutes, "source": self.name}
        rows = {"price_intraday": bars.assign(**common), "intraday_asked": asked.assign(**common)}
        return Batch(rows, len(bars), lacking=gone or self._lacking(bars, wanted))

    def _bars(self, task: Task, company: Company) -> pd.DataFrame:
        zone = calendars.time_zone(company.exchange)
        history, meta = self.company_bars(
            task, zone, Fault.SPOILED, interval=f"{self._minutes}m", prepost=True, actions=False
        )
        if history.empty:
            return _none()
        bars = history[list(COLUMNS)].rename(columns=COLUMNS).dropna(subset=["close"])
        bars.index = bars.index.tz_convert("UTC").rename("starts_at")
        return bars.reset_index().assign(currency=str(meta.get("currency") or company.currency))

    def _lacking(self, bars: pd.DataFrame, wanted: list[date]) -> str:
        there = set(bars.loc[bars["phase"] == "regular", "session"])
        missing = [str(session) for session in wanted if session not in there]
        return f"Yahoo has no {self._minutes}-minute bars of {', '.join(missing)}" if missing else ""


def _whole(bars: pd.DataFrame, minutes: int, now: pd.Timestamp) -> pd.DataFrame:
    """The bars that are over; the newest may be the price of a moment, which begins on no minute of its own."""
    over = bars[bars["starts_at"] + pd.Timedelta(minutes=minutes) <= now]
    if len(over) and over["starts_at"].iloc[-1] != over["starts_at"].iloc[-1].floor(f"{min(minutes, 5)}min"):
        return over.iloc[:-1]
    return over


def _none() -> pd.DataFrame:
    """No bars, with the columns that bars have."""
    figures = {name: pd.Series(dtype="float64") for name in COLUMNS.values()}
    return pd.DataFrame(
        {
            "starts_at": pd.Series(dtype="datetime64[ns, UTC]"),
            **figures,
            "currency": pd.Series(dtype="object"),
        }
    )
