"""What an event study is run on: daily returns of a group of firms and of the benchmarks, on New York's sessions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import pandas as pd

from dashboard.data import market
from dashboard.data.naming import resolve, tickers_named
from etl.calendars import HOME, sessions
from etl.errors import ProductError

# Exchanges that trade on New York's sessions.
NEW_YORK = ("XNYS", "XNAS", "ARCX", "BATS", "XASE")
ALL_AI = "ai"
INDEX = "^GSPC"


class NothingToStudyError(ProductError):
    """There is no firm or no price to study."""


@dataclass(frozen=True)
class StudyInputs:
    """Prices for an event study, sessions × tickers.

    Attributes:
        prices: adj_close of the group's firms on New York's sessions, NaN where missing.
        universe: adj_close of every followed firm (AI and comparison) on the same sessions.
        treated: the firms that an AI event treats: every AI company, and the group.
        benchmarks: adj_close of the funds.
        left_out: firm, reason: members of the group that cannot be on these sessions.
    """

    prices: pd.DataFrame
    universe: pd.DataFrame
    treated: list[str]
    benchmarks: pd.DataFrame
    left_out: pd.DataFrame


def groups(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The groups that can be studied: short name → title. "ai" is every AI company; the others are segments."""
    rows = con.execute(
        "SELECT DISTINCT segment FROM company WHERE NOT is_benchmark ORDER BY segment"
    ).fetchall()
    return {ALL_AI: "All AI companies", **{slug(segment): segment for (segment,) in rows}}


def slug(segment: str) -> str:
    """A segment's name as a word: "AI chips" → "chips", "Foundry and equipment" → "foundry-and-equipment"."""
    words = re.findall(r"[a-z0-9]+", segment.lower())
    return "-".join(words[1:] if words[0] == "ai" and len(words) > 1 else words)


def load_study_inputs(
    con: duckdb.DuckDBPyConnection, group: str = ALL_AI, tickers: Sequence[str] = (), on: date | None = None
) -> StudyInputs:
    """The adjusted closes of a group (or of `tickers`), of all followed firms and of the benchmarks.

    With `on`, the session of the event, a group holds no company that has the role AI only later; `tickers` are taken
    as they are named. Prices begin with each company's own history; indices are no firms.

    Raises:
        UnknownName: no such group or ticker; the message names the nearest.
        NothingToStudyError: no member has a price on New York's sessions, or one is an index.
    """
    companies = market.companies(con, None if tickers else on)
    members = _members(con, companies, group, tickers)
    for row in members[members["role"] == "index"].itertuples():
        raise NothingToStudyError(
            f"{row.name} ({row.ticker}) is an index, not a firm: name companies or funds."
        )
    prices = _adjusted_closes(con)
    if prices.empty:
        raise NothingToStudyError("There are no prices yet.", "`python -m etl refresh` brings them in.")
    on_sessions = [ticker for ticker in members["ticker"] if ticker in prices.columns]
    left_out = [
        (row.ticker, _why(row.exchange)) for row in members.itertuples() if row.ticker not in prices.columns
    ]
    if not on_sessions:
        raise NothingToStudyError(
            f"No firm of the group has prices on New York's sessions ({left_out[0][0]}: {left_out[0][1]})."
        )
    roles = companies.set_index("ticker")["role"].reindex(prices.columns)
    return StudyInputs(
        prices[on_sessions],
        prices.loc[:, roles.isin(("AI", "comparison"))],
        list(prices.columns[(roles == "AI") | prices.columns.isin(on_sessions)]),
        prices.loc[:, roles == "benchmark"],
        pd.DataFrame(left_out, columns=["firm", "reason"]),
    )


def members(
    con: duckdb.DuckDBPyConnection, group: str, tickers: Sequence[str], on: date | None = None
) -> list[str]:
    """The tickers of a group (or `tickers` themselves) on whatever exchange; raises UnknownName as above."""
    companies = market.companies(con, None if tickers else on)
    return list(_members(con, companies, group, tickers)["ticker"])


def benchmark_prices(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """adj_close of the funds, sessions × tickers."""
    companies = market.companies(con)
    prices = _adjusted_closes(con)
    return prices[[t for t in companies.loc[companies["role"] == "benchmark", "ticker"] if t in prices]]


def _members(
    con: duckdb.DuckDBPyConnection, companies: pd.DataFrame, group: str, tickers: Sequence[str]
) -> pd.DataFrame:
    if tickers:
        return companies.set_index("ticker", drop=False).loc[list(tickers_named(con, tickers))]
    known = groups(con)
    group = resolve("group", group, known)
    if group == ALL_AI:
        return companies[companies["role"] == "AI"]
    return companies[(companies["segment"] == known[group]) & ~companies["is_benchmark"]]


def _adjusted_closes(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """adj_close of every ticker that trades on New York's sessions, sessions × tickers."""
    rows = con.execute(
        """
        SELECT ticker, date, adj_close FROM price_daily JOIN company USING (ticker)
        WHERE list_contains($exchanges::VARCHAR[], exchange) AND adj_close > 0
        ORDER BY date, ticker
        """,
        {"exchanges": list(NEW_YORK)},
    ).df()
    if rows.empty:
        return pd.DataFrame()
    wide = rows.pivot(index="date", columns="ticker", values="adj_close")
    known = pd.DatetimeIndex(sessions(HOME, wide.index[0].date(), wide.index[-1].date()))
    wide.columns.name = None
    return wide.reindex(known.rename("session"))


def _why(exchange: str) -> str:
    if exchange in NEW_YORK:
        return "no prices in the warehouse"
    return f"listed on {exchange}, whose sessions are not New York’s"


def market_values(con: duckdb.DuckDBPyConnection, session: date) -> pd.Series:
    """Market value of each company at the close before `session`, US dollars, by ticker."""
    moves = market.value_moves(con, session, session)
    return moves.dropna(subset=["value_before"]).set_index("ticker")["value_before"]


def index_parts(con: duckdb.DuckDBPyConnection, session: date) -> tuple[pd.Series, pd.DataFrame]:
    """What the S&P 500 was worth at the close before each session, and its AI companies then.

    The worth is the index's level times the dollars for a point that were known on `session` (kept as its number of
    shares), none where that was not known. One row a session and company that had the role AI and was in the index:
    ticker, date, value_before (US dollars), change (fraction).
    """
    levels = con.execute(
        """
        SELECT date, close * (
            SELECT arg_max(shares, date) FROM shares_outstanding
            WHERE ticker = $index AND coalesce(filed, date) <= $session
        ) AS worth
        FROM price_daily WHERE ticker = $index ORDER BY date
        """,
        {"index": INDEX, "session": session},
    ).df()
    worth = levels.set_index(pd.DatetimeIndex(levels["date"]))["worth"].astype(float).shift(1)
    companies = market.companies(con).dropna(subset=["sp500_from"])
    since = pd.to_datetime(companies.set_index("ticker")["sp500_from"])
    moves = market.value_moves(con, valued=True)
    inside = moves["is_ai"] & (pd.to_datetime(moves["ticker"].map(since)) <= moves["date"])
    return worth, moves.loc[inside, ["ticker", "date", "value_before", "change"]]


def volumes(con: duckdb.DuckDBPyConnection, tickers: Sequence[str]) -> pd.DataFrame:
    """Shares traded, sessions × tickers; empty columns are left out."""
    rows = con.execute(
        "SELECT date, ticker, volume FROM price_daily WHERE list_contains($tickers, ticker) AND volume > 0",
        {"tickers": list(tickers)},
    ).df()
    wide = rows.pivot(index="date", columns="ticker", values="volume")
    return wide.set_axis(pd.DatetimeIndex(wide.index), axis=0).sort_index().astype(float)


def prices_elsewhere(con: duckdb.DuckDBPyConnection, tickers: Sequence[str]) -> dict[str, pd.DataFrame]:
    """adj_close of the tickers that trade on other clocks than New York's: exchange → its sessions × tickers."""
    rows = con.execute(
        """
        SELECT exchange, date, ticker, adj_close FROM price_daily JOIN company USING (ticker)
        WHERE list_contains($tickers::VARCHAR[], ticker) AND adj_close > 0
            AND NOT list_contains($home::VARCHAR[], exchange)
        ORDER BY exchange, date, ticker
        """,
        {"tickers": list(tickers), "home": list(NEW_YORK)},
    ).df()
    found = {}
    for exchange, part in rows.groupby("exchange"):
        wide = part.pivot(index="date", columns="ticker", values="adj_close")
        known = sessions(str(exchange), wide.index[0].date(), wide.index[-1].date())
        wide.columns.name = None
        found[str(exchange)] = wide.reindex(pd.DatetimeIndex(known).rename("session"))
    return found
