"""A session for yfinance that tries again, keeps to Yahoo's hosts and remembers what the answer was."""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pandas as pd

from etl.network import Fault, FetchError, explain, explain_status, retrying, share_authorities
from etl.settings import settings
from etl.sources.base import Batch, Task
from etl.temporary import own_folder

share_authorities()  # curl_cffi looks for authorities when it is imported

import yfinance  # noqa: E402

if os.environ.get("YF_DISABLE_CURL_CFFI", "").lower() in ("1", "true", "yes"):
    from requests import Session as Backend

    _OPTIONS: dict[str, Any] = {}
else:
    from curl_cffi.requests import Session as Backend  # type: ignore[assignment]

    _OPTIONS = {"impersonate": "chrome"}

_BROWSER = (
    "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
_COOKIE = "https://fc.yahoo.com"
_COOKIE_SECONDS = 24 * 3600
_CHART = "/v8/finance/chart/"
_CACHE = threading.Lock()
"""One thread at a time opens yfinance's cache: SQLite is locked for the others while the first ones set it up."""


class YahooSession(Backend):
    """The session of the HTTP client that yfinance is set up for."""

    def __init__(self) -> None:
        """Open a session with the usual headers of a browser."""
        super().__init__(**_OPTIONS)
        if not _OPTIONS:
            self.headers["User-Agent"] = _BROWSER
        self._seen = threading.local()

    @property
    def answer(self) -> Any:
        """The last answer about a chart that this thread got, or ``None``."""
        return getattr(self._seen, "answer", None)

    @property
    def status(self) -> int | None:
        """The HTTP status of that answer."""
        return getattr(self.answer, "status_code", None)

    def forget(self) -> None:
        """Drop the last answer of this thread."""
        self._seen.answer = None

    def request(self, method: str, url: str, **options: Any) -> Any:  # type: ignore[override]
        """One request; only those for data are tried again, since yfinance can do without the others."""
        send = super().request
        if url.startswith(_COOKIE):
            return self._cookie(lambda: send(method, url, **options))
        if _CHART not in url and "/timeseries/" not in url:
            return send(method, url, **options)
        answer = retrying(lambda: send(method, url, **options))
        host = urlsplit(str(answer.url)).hostname or ""
        if host != "yahoo.com" and not host.endswith(".yahoo.com"):
            raise FetchError(Fault.SPOILED, f"Yahoo sent us to another host, {host[:100]}")
        self._seen.answer = answer
        return answer

    def _cookie(self, send: Callable[[], Any]) -> Any:
        """Charts come without the cookie too; yfinance handles its absence, but not every error about it.

        A cookie without an expiry date gets one, by which yfinance judges those that it has kept.
        """
        try:
            answer = send()
            for cookie in getattr(self.cookies, "jar", self.cookies):
                if cookie.expires is None:
                    cookie.expires = int(time.time()) + _COOKIE_SECONDS
            return answer
        except Exception as error:
            logging.getLogger("etl").debug("no cookie from Yahoo: %s", type(error).__name__)
            return None


class YahooClient:
    """What the sources that ask Yahoo have in common: a session for all threads, and faults in a sentence."""

    patience = 3

    def __init__(self) -> None:
        """Open the session."""
        _quiet_yfinance()
        yfinance.data.YfData.cache_get.cache_clear()
        self.session = YahooSession()

    def close(self) -> None:
        """Close the session."""
        self.session.close()

    def follow_up(self, con: duckdb.DuckDBPyConnection, tasks: dict[Task, Batch]) -> list[Task]:
        """None, unless a source needs more."""
        return []

    def ticker(self, symbol: str, zone: str) -> yfinance.Ticker:
        """A ticker whose time zone is known, which saves yfinance a request."""
        with _CACHE:
            yfinance.cache.get_tz_cache().store(symbol.upper(), zone)
        self.session.forget()
        return yfinance.Ticker(symbol, session=self.session)

    def ask(self, call: Callable[[], Any]) -> Any:
        """What the call to yfinance returns.

        Raises
        ------
        FetchError
            When Yahoo did not answer as it should.
        """
        try:
            return call()
        except Exception as error:
            raise _explained(error, self.session.status) from error

    def history(self, ticker: yfinance.Ticker, task: Task, **options: Any) -> pd.DataFrame:
        """The bars from ``asked_from`` to ``asked_to``, split-adjusted; the options are those of yfinance.

        Raises
        ------
        FetchError
            When Yahoo did not answer as it should.
        """
        first, end = f"{task.asked_from}", f"{day_after(task.asked_to)}"
        return self.ask(
            lambda: ticker.history(
                start=first, end=end, auto_adjust=False, timeout=settings().timeout, **options
            )
        )

    def company_bars(
        self, task: Task, zone: str, renamed: Fault, **options: Any
    ) -> tuple[pd.DataFrame, Mapping[str, Any]]:
        """The bars of a company (``history``), and what Yahoo says of the listing.

        Raises
        ------
        FetchError
            When Yahoo did not answer as it should; with the fault ``renamed`` when it answered for another ticker.
        """
        ticker = self.ticker(task.item, zone)
        bars = self.history(ticker, task, **options)
        meta = ticker.history_metadata
        symbol = str(meta.get("symbol") or task.item)
        if symbol.upper() != task.item.upper():
            raise FetchError(renamed, f"Yahoo answers for {symbol[:20]!r}: was the ticker renamed?")
        return bars, meta


def day_after(day: date | None) -> date | None:
    """The day after, as the end of a range that does not include it."""
    return day + timedelta(days=1) if day else None


def _explained(error: Exception, status: int | None) -> FetchError:
    if isinstance(error, yfinance.exceptions.YFRateLimitError):
        return explain_status(429, "Yahoo")
    if status and (status >= 500 or status in (401, 429)):
        return explain_status(status, "Yahoo")
    if isinstance(error, yfinance.exceptions.YFTickerMissingError):
        reason = str(error.rationale or "no prices for the sessions asked for").splitlines()[0][:200]
        return FetchError(Fault.MISSING, f"Yahoo does not know it or has delisted it: {reason}")
    if type(error) is yfinance.exceptions.YFDataException:
        return FetchError(Fault.SPOILED, "Yahoo is closed for maintenance")
    if status and status >= 400:
        return explain_status(status, "Yahoo")
    return explain(error, "Yahoo")


@lru_cache(maxsize=1)
def _quiet_yfinance() -> None:
    """Make yfinance raise instead of log, with caches of its own for each process."""
    yfinance.config.debug.hide_exceptions = False
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="yfinance")
    yfinance.cache.set_cache_location(str(own_folder("yfinance")))
