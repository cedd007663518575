"""Adjusted closes of whole histories, computed in the database by the formula of :func:`etl.adjust.back_adjusted`."""

from __future__ import annotations

import duckdb

from etl.warehouse.merge import RELATIVE_TOLERANCE

BARS = "ticker, date, open, high, low, close, adj_close, volume, currency, source"
AGREES_WITHIN = 2e-4
ROUNDED_BY = 0.005
"""What the adjusted close of a source may lie off ours, as a fraction and, since some round to cents, as an amount."""


def adjusted(con: duckdb.DuckDBPyConnection, arrived: str, *others: str) -> tuple[str, dict[str, str]]:
    """The bars of a view with adjusted closes computed from closes and dividends, and the stored bars that change.

    Whole histories are looked at, those that arrived laid over those that are stored: a dividend moves every close
    before it. ``others`` name tables whose tickers are looked at too. Returns the name of a view, and what to tell of
    the tickers whose source says otherwise.
    """
    touched = " UNION ".join(f"SELECT DISTINCT ticker FROM {name}" for name in (arrived, *others))  # noqa: S608
    con.execute(_PAYING.format(touched=touched))
    if con.execute("SELECT 1 FROM paying LIMIT 1").fetchall():
        con.execute(_LAID_OVER.format(arrived=arrived, bars=BARS))
        con.execute(_FACTORS)
        con.execute(_REPRICED)
        con.execute(_WITH_REPRICED.format(arrived=arrived, bars=BARS, tolerance=RELATIVE_TOLERANCE))
    else:
        con.execute(_PLAIN.format(arrived=arrived, bars=BARS))
    found = con.execute(_DIFFERING.format(arrived=arrived, near=AGREES_WITHIN, rounded=ROUNDED_BY)).fetchall()
    return "adjusted_price_daily", {
        ticker: f"{count} adjusted closes differ from those that follow from closes and dividends, by up to "
        f"{most:.2%}; the latter are stored"
        for ticker, count, most in found
    }


_PAYING = """
    CREATE OR REPLACE TEMP TABLE paying AS
    WITH touched AS MATERIALIZED ({touched})
    SELECT ticker FROM touched SEMI JOIN (
        SELECT ticker FROM dividend UNION ALL
        SELECT ticker FROM price_daily WHERE adj_close <> close
    ) USING (ticker)"""

_LAID_OVER = """
    CREATE OR REPLACE TEMP TABLE laid_over AS
    SELECT {bars}, CAST(NULL AS DOUBLE) AS stored FROM {arrived} SEMI JOIN paying USING (ticker)
    UNION ALL BY NAME
    SELECT {bars}, adj_close AS stored FROM price_daily SEMI JOIN paying USING (ticker)
    ANTI JOIN {arrived} USING (ticker, date)"""

_FACTORS = """
    CREATE OR REPLACE TEMP TABLE adjustment AS
    SELECT paid.ticker, ex_date,
        product(1 - amount / close) OVER (PARTITION BY paid.ticker ORDER BY ex_date DESC) AS factor
    FROM dividend AS paid
    JOIN (SELECT ticker, max(date) AS newest FROM laid_over GROUP BY ticker) AS span
        ON span.ticker = paid.ticker AND ex_date <= newest
    ASOF JOIN laid_over AS bar ON bar.ticker = paid.ticker AND paid.ex_date > bar.date"""

_REPRICED = """
    CREATE OR REPLACE TEMP TABLE repriced AS
    SELECT bar.* REPLACE (close * coalesce(factor, 1) AS adj_close)
    FROM laid_over AS bar
    ASOF LEFT JOIN adjustment ON adjustment.ticker = bar.ticker AND bar.date < adjustment.ex_date"""

_PLAIN = """
    CREATE OR REPLACE TEMP VIEW adjusted_price_daily AS
    SELECT * REPLACE (close AS adj_close) FROM (SELECT {bars} FROM {arrived})"""

_WITH_REPRICED = """
    CREATE OR REPLACE TEMP VIEW adjusted_price_daily AS
    SELECT * REPLACE (close AS adj_close) FROM (SELECT {bars} FROM {arrived} ANTI JOIN paying USING (ticker))
    UNION ALL BY NAME
    SELECT {bars} FROM repriced
    WHERE stored IS NULL OR abs(adj_close - stored) > {tolerance} * abs(stored)"""

_DIFFERING = """
    WITH odd AS MATERIALIZED (SELECT DISTINCT ticker FROM {arrived} WHERE adj_close <> close),
    compared AS (
        SELECT ticker, date, given.adj_close AS given, ours.adj_close AS ours
        FROM (FROM {arrived} SEMI JOIN odd USING (ticker)) AS given
        JOIN adjusted_price_daily AS ours USING (ticker, date)
    ), later AS (SELECT ticker, arg_max(given / ours, date) AS share FROM compared GROUP BY ticker)
    SELECT ticker, count(*), max(abs(given / (ours * share) - 1))
    FROM compared JOIN later USING (ticker)
    WHERE abs(given - ours * share) > {near} * given + {rounded}
    GROUP BY ticker ORDER BY ticker"""
"""A window that ends before later dividends has all its adjusted closes lower by one share, which says nothing."""
