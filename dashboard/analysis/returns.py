"""Returns around a session: what each company's own exchange did, on its own sessions."""

from datetime import date

import pandas as pd


def last_sessions(prices: pd.DataFrame, before: date) -> pd.DataFrame:
    """The last session of each ticker before a day: index ticker, columns date, close, adj_close.

    `prices` is one row a ticker and session (ticker, date, close, adj_close), sorted by date within a ticker.
    """
    return _edge(prices[prices["date"] < pd.Timestamp(before)], last=True)


def first_sessions(prices: pd.DataFrame, since: date) -> pd.DataFrame:
    """The first session of each ticker on or after a day: index ticker, columns date, close, adj_close."""
    return _edge(prices[prices["date"] >= pd.Timestamp(since)], last=False)


def _edge(prices: pd.DataFrame, last: bool) -> pd.DataFrame:
    grouped = prices.groupby("ticker", sort=True)
    rows = grouped.tail(1) if last else grouped.head(1)
    return rows.set_index("ticker")[["date", "close", "adj_close"]]


def rebase(prices: pd.DataFrame, before: date) -> pd.DataFrame:
    """Each ticker's dividend-adjusted price as a percentage of its last one before a day: that session = 100.

    Returns `prices` with a column `index`; tickers without a session before the day are left out.
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
