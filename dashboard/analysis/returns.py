"""Returns around a session: what each company's own exchange did, on its own sessions."""

from datetime import date
from typing import TypeAlias

import pandas as pd

Sessions: TypeAlias = date | pd.Series
"""One session for all tickers, or each one's own: datetime64 by ticker; a ticker that is not in it is left out."""


def last_sessions(prices: pd.DataFrame, before: Sessions) -> pd.DataFrame:
    """The last session of each ticker before that: index ticker, columns date, close, adj_close.

    `prices` is one row a ticker and session (ticker, date, close, adj_close), sorted by date within a ticker.
    """
    return _edge(prices[prices["date"] < each_rows_own(before, prices)], last=True)


def first_sessions(prices: pd.DataFrame, since: Sessions) -> pd.DataFrame:
    """The first session of each ticker on or after that: index ticker, columns date, close, adj_close."""
    return _edge(prices[prices["date"] >= each_rows_own(since, prices)], last=False)


def each_rows_own(sessions: Sessions, prices: pd.DataFrame) -> pd.Timestamp | pd.Series:
    """The session that the rows of `prices` are compared with: of all, or of each row's ticker (NaT: none)."""
    return prices["ticker"].map(sessions) if isinstance(sessions, pd.Series) else pd.Timestamp(sessions)


def _edge(prices: pd.DataFrame, last: bool) -> pd.DataFrame:
    grouped = prices.groupby("ticker", sort=True)
    rows = grouped.tail(1) if last else grouped.head(1)
    return rows.set_index("ticker")[["date", "close", "adj_close"]]


def rebase(prices: pd.DataFrame, before: Sessions) -> pd.DataFrame:
    """Each ticker's dividend-adjusted price as a percentage of its last one before a session: that one = 100.

    Returns `prices` with a column `index`; tickers without a session before it are left out.
    """
    base = last_sessions(prices, before)["adj_close"]
    kept = prices[prices["ticker"].isin(base.index)].copy()
    kept["index"] = 100 * kept["adj_close"] / kept["ticker"].map(base)
    return kept


def equal_weighted(rebased: pd.DataFrame, tickers: list[str]) -> pd.DataFrame:
    """The mean index of `tickers` on each session of their commonest calendar: columns date, index, companies.

    An equal-weighted basket bought at the base session and held. A session on which fewer than half of the
    companies have a price (a holiday of the main exchange) is left out; a company with no price on a day is
    left out of that day's mean.
    """
    wide = rebased[rebased["ticker"].isin(tickers)].pivot(index="date", columns="ticker", values="index")
    count = wide.notna().sum(axis=1)
    kept = wide[count * 2 >= wide.shape[1]]
    return pd.DataFrame({"index": kept.mean(axis=1), "companies": kept.notna().sum(axis=1)}).reset_index()
