"""Daily factor returns from Kenneth French's data library, which anyone may use who names it."""

from __future__ import annotations

from datetime import date

import duckdb
import httpx
import pandas as pd

from etl.factors import FactorFileError, parse_factors
from etl.network import Fault, FetchError, explain, explain_status, retrying, share_authorities
from etl.product import SLUG
from etl.settings import settings
from etl.sources.base import Batch, Request, Task

HOST = "mba.tuck.dartmouth.edu"
FOLDER = f"https://{HOST}/pages/faculty/ken.french/ftp"
FILES = ("F-F_Research_Data_5_Factors_2x3_daily_CSV.zip", "F-F_Momentum_Factor_daily_CSV.zip")
COLUMNS = {
    "Mkt-RF": "mkt_rf",
    "SMB": "smb",
    "HML": "hml",
    "RMW": "rmw",
    "CMA": "cma",
    "RF": "rf",
    "Mom": "umd",
}
LIBRARY = "Kenneth French's library"


class FrenchFactors:
    """The five factors of Fama and French and momentum, fractions a day; the library adds a month at a time."""

    name = "french"
    tables = ("factor_daily",)
    patience = 1

    def __init__(self) -> None:
        """Open a client that stays with the library."""
        share_authorities()
        self._client = httpx.Client(
            timeout=settings().timeout,
            follow_redirects=True,
            headers={"User-Agent": SLUG},
            event_hooks={"request": [_refuse_others]},
        )

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def plan(self, con: duckdb.DuckDBPyConnection | None, request: Request) -> list[Task]:
        """One task: the files come whole; rows from before `since` or the history are not kept."""
        return [Task(self.name, request.since or settings().history_start, request.until)]

    def fetch(self, task: Task) -> Batch:
        """Both files, joined by their days."""
        five, momentum = (self._table(name) for name in FILES)
        joined = five.join(momentum, how="left")
        missing = sorted(set(COLUMNS) - set(joined.columns))
        if missing:
            raise FetchError(Fault.SPOILED, f"{LIBRARY} sent no {', '.join(missing)}")
        rows = joined[list(COLUMNS)].rename(columns=COLUMNS).reset_index(names="date")
        rows["date"] = rows["date"].dt.date
        return Batch({"factor_daily": _within(rows, task).assign(source=self.name)}, len(rows))

    def follow_up(self, con: duckdb.DuckDBPyConnection, tasks: dict[Task, Batch]) -> list[Task]:
        """None: the files come whole."""
        return []

    def _table(self, name: str) -> pd.DataFrame:
        try:
            answer = retrying(lambda: self._client.get(f"{FOLDER}/{name}"))
        except httpx.HTTPError as error:
            raise explain(error, LIBRARY) from error
        if answer.status_code >= 400:
            raise explain_status(answer.status_code, LIBRARY)
        try:
            return parse_factors(answer.content)
        except FactorFileError as error:
            raise FetchError(Fault.SPOILED, f"{LIBRARY} sent another form. {error}") from error


def _within(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    first, last = task.asked_from or date.min, task.asked_to or date.max
    return rows[(rows["date"] >= first) & (rows["date"] <= last)].reset_index(drop=True)


def _refuse_others(request: httpx.Request) -> None:
    if request.url.host != HOST:
        raise FetchError(Fault.SPOILED, f"{LIBRARY} sent us to another host, {request.url.host[:60]}")
