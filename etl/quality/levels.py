"""Finds the tickers whose closes jump or lie off the stored ones, and has :mod:`etl.quality.basis` judge them."""

from __future__ import annotations

import duckdb
import pandas as pd

from etl.quality import stored
from etl.quality.basis import LARGE, LOOKED_AT, Series
from etl.quality.provider import AGREES_WITHIN

SPLITS_UNAPPLIED = "the closes before it are not adjusted for it"
SPLIT_UNSEEN = "the closes jump by its ratio on its day: it never happened, or was applied twice"
AT_ONCE = 500


def judge(con: duckdb.DuckDBPyConnection, with_splits: bool) -> dict[str, list[str]]:
    """Add to ``bad_price_daily`` the bars on another basis, and to ``bad_split`` the splits not yet applied.

    Returns remarks by ticker on what was believed though it could be otherwise. ``with_splits`` tells that splits
    arrived too and have been judged.
    """
    con.execute(_ARRIVING)
    _know_splits(con, with_splits)
    suspects = [ticker for (ticker,) in con.execute(_SUSPECTS, _BOUNDS).fetchall()]
    con.execute(_HELD)
    overlaid = bool(con.execute("SELECT 1 FROM held_bar LIMIT 1").fetchall())
    if overlaid:
        stored.refuse_bars(con)
        suspects += [ticker for (ticker,) in con.execute(_SUSPECTS_LAID_OVER, _BOUNDS | _OTHER).fetchall()]
    suspects = sorted(set(suspects))
    remarks: dict[str, list[str]] = {}
    for first in range(0, len(suspects), AT_ONCE):
        chosen = {"tickers": suspects[first : first + AT_ONCE]}
        bars, splits = con.execute(_SERIES, chosen).df(), con.execute(_SPLITS, chosen).df()
        for ticker, rows in bars.groupby("ticker"):
            told = _judge_ticker(con, str(ticker), rows, splits[splits["ticker"] == ticker])
            if told:
                remarks[str(ticker)] = told
    if overlaid:
        stored.refuse_closes(con)
        if with_splits:
            stored.refuse_splits(con)
    return remarks


def _judge_ticker(
    con: duckdb.DuckDBPyConnection, ticker: str, rows: pd.DataFrame, splits: pd.DataFrame
) -> list[str]:
    series = Series(
        rows, splits[splits["now"]], splits[splits["earlier"]], other_source=bool(rows["other_source"].any())
    )
    found = series.judge()
    if found.refused:
        bad = pd.DataFrame({"position": list(found.refused), "reason": list(found.refused.values())})
        con.register("misplaced", bad)
        con.execute(
            "INSERT INTO bad_price_daily SELECT position, $ticker, reason FROM misplaced", {"ticker": ticker}
        )
        con.unregister("misplaced")
        if len(series.still_shown):
            con.execute("DELETE FROM asked WHERE item = $ticker", {"ticker": ticker})  # nothing is withdrawn
    for days, reason in ((found.unapplied, SPLITS_UNAPPLIED), (found.unseen, SPLIT_UNSEEN)):
        for day in days:
            stored.refuse_split(con, ticker, day, reason)
    return found.remarks


def _know_splits(con: duckdb.DuckDBPyConnection, with_splits: bool) -> None:
    """The splits of before and of now: those stored, less the withdrawn, with those that arrived."""
    if with_splits:
        con.execute(_SPLITS_OF_BOTH)
    else:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE known_split AS "
            "SELECT ticker, date, ratio, true AS now, true AS earlier FROM split"
        )


_BOUNDS = {"looked_at": LOOKED_AT, "large": LARGE}
_OTHER = {"other": AGREES_WITHIN}

_ARRIVING = """
    CREATE OR REPLACE TEMP VIEW arriving_bar AS
    SELECT ticker, date, open, high, low, close, volume, source, position
    FROM arrived_price_daily ANTI JOIN (SELECT position FROM bad_price_daily) USING (position)"""

_SPLITS_OF_BOTH = """
    CREATE OR REPLACE TEMP TABLE known_split AS
    WITH sent AS (
        SELECT ticker, date, ratio FROM arrived_split ANTI JOIN (SELECT position FROM bad_split) USING (position)
    )
    SELECT ticker, date, ratio, bool_or(now) AS now, bool_or(earlier) AS earlier
    FROM (
        SELECT *, true AS now, false AS earlier FROM sent
        UNION ALL
        SELECT ticker, date, ratio,
            NOT EXISTS (FROM asked WHERE asked.item = held.ticker AND held.date BETWEEN asked.first AND asked.last)
            AND NOT EXISTS (FROM sent WHERE sent.ticker = held.ticker AND sent.date = held.date) AS now,
            true AS earlier
        FROM split AS held
    ) GROUP BY ticker, date, ratio"""
"""Of now are those that were sent, and of the stored ones those that were not asked for again."""

_SUSPECTS = """
    SELECT DISTINCT ticker FROM (
        SELECT ticker, ln(close / lag(close) OVER (PARTITION BY ticker ORDER BY date)) AS step FROM arriving_bar
    ) WHERE abs(step) > $large OR (abs(step) > $looked_at AND ticker IN (SELECT ticker FROM known_split))"""

_HELD = """
    CREATE OR REPLACE TEMP TABLE held_bar AS
    SELECT ticker, date, close, source FROM price_daily
    SEMI JOIN (SELECT DISTINCT ticker FROM arriving_bar) USING (ticker)"""

_SUSPECTS_LAID_OVER = """
    WITH incoming AS (
        SELECT ticker, date, close, source FROM arriving_bar
        SEMI JOIN (SELECT DISTINCT ticker FROM held_bar) USING (ticker)
    ), together AS (
        SELECT ticker, date, new.close, coalesce(new.close, held.close) AS laid, held.close AS stored,
               new.source <> held.source AS alien
        FROM held_bar AS held FULL JOIN incoming AS new USING (ticker, date)
    ), measured AS (
        SELECT ticker, ln(laid / lag(laid) OVER (PARTITION BY ticker ORDER BY date)) AS step,
               ln(close / stored) AS shift, coalesce(alien, false) AS alien
        FROM together WHERE laid > 0
    )
    SELECT DISTINCT ticker FROM measured
    WHERE abs(step) > $large OR abs(shift) > $looked_at OR (alien AND abs(shift) > $other)
       OR (abs(step) > $looked_at AND ticker IN (SELECT ticker FROM known_split))"""

_SERIES = """
    SELECT ticker, date, coalesce(new.open, held.open) AS open, coalesce(new.high, held.high) AS high,
           coalesce(new.low, held.low) AS low, coalesce(new.close, held.close) AS close,
           coalesce(new.volume, held.volume)::DOUBLE AS volume, held.close AS held,
           CASE WHEN held.adj_close > 0 THEN ln(held.adj_close / held.close) END AS paid,
           CASE WHEN accepted.position IS NULL THEN new.position END::DOUBLE AS position,
           coalesce(held.source <> sender.source AND NOT coalesce(replaced, false), false) AS other_source
    FROM (FROM arriving_bar WHERE ticker IN $tickers) AS new
    FULL JOIN (FROM price_daily WHERE ticker IN $tickers AND close > 0) AS held USING (ticker, date)
    LEFT JOIN accepted_price_daily AS accepted ON accepted.position = new.position
    LEFT JOIN (
        SELECT ticker, bool_or(first <= oldest AND last >= newest) AS replaced FROM asked JOIN (
            SELECT ticker, min(date) AS oldest, max(date) AS newest FROM price_daily GROUP BY ticker
        ) AS span ON span.ticker = asked.item GROUP BY ticker
    ) AS whole USING (ticker)
    LEFT JOIN (SELECT ticker, min(source) AS source FROM arriving_bar GROUP BY ticker) AS sender USING (ticker)
    ORDER BY ticker, date"""
"""Another provider may replace a history as a whole, which the window asked for tells, but not mix its bars in."""

_SPLITS = (
    "SELECT ticker, date::TIMESTAMP AS date, ratio, now, earlier FROM known_split WHERE ticker IN $tickers"
)
