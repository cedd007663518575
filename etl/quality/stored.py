"""What the stored closes say against an answer: bars of other days or shares, and splits that moved nothing."""

from __future__ import annotations

import duckdb
import pandas as pd

from etl.quality.basis import ENOUGH, LOOKED_AT
from etl.quality.gates import NEAR
from etl.quality.provider import FARTHEST, ROUNDED_BY
from etl.warehouse.merge import RELATIVE_TOLERANCE

SHIFTED = "a session late or early: each close is the stored one of the session beside it"
OTHER_SHARES = (
    "each close differs from the stored one by another factor: has the ticker been given to another company? "
    "Retire it in companies.toml, or accept these rows"
)
UNMOVED = (
    "the closes stored from before it came again unchanged: accept it if these were adjusted for it already"
)
OUTSIDE = "the close is outside the stored range of its session"
OFF, APART = 0.01, 0.002
"""A close is off the stored one when they differ by more than the first (a logarithm), and each by its own share where
the difference changes from session to session by more than the second, in the middle."""
PENNY = 0.1
"""Below such a price the last digit alone is a share of the price."""
EXPLAINS = 0.1
"""Splits explain a difference of levels to so much (a logarithm)."""


def refuse_bars(con: duckdb.DuckDBPyConnection) -> None:
    """Add to ``bad_price_daily`` the tickers whose bars are those of other days, or of other shares."""
    con.execute(_SHIFTED, {"reason": SHIFTED, "near": RELATIVE_TOLERANCE})
    values = {"reason": OTHER_SHARES, "off": OFF, "apart": APART, "enough": ENOUGH, "penny": PENNY}
    con.execute(_OTHER_SHARES, values)


def refuse_closes(con: duckdb.DuckDBPyConnection) -> None:
    """Add to ``bad_price_daily`` the closes that came without a range and do not fit the one that is stored."""
    values = {"reason": OUTSIDE, "near": NEAR, "farthest": 1 + FARTHEST, "rounded": ROUNDED_BY}
    con.execute(_OUTSIDE, values)


def refuse_splits(con: duckdb.DuckDBPyConnection) -> None:
    """Add to ``bad_split`` those of which the stored closes show nothing, though they were stored without them."""
    fresh = con.execute(_FRESH, {"least": LOOKED_AT}).df()
    if fresh.empty:
        return
    missing = dict(con.execute(_NOT_MOVED).fetchall())
    for ticker, splits in fresh.groupby("ticker"):
        lacking = float(missing.get(ticker, 0.0))
        phantoms = _making_up(splits, lacking) if abs(lacking) > LOOKED_AT else []
        for day in phantoms:
            refuse_split(con, str(ticker), day, UNMOVED)


def refuse_split(con: duckdb.DuckDBPyConnection, ticker: str, day: pd.Timestamp, reason: str) -> None:
    """Add a split to ``bad_split``, unless it is there already or an operator has accepted it."""
    con.execute(_REFUSE_SPLIT, {"ticker": ticker, "day": day.date(), "reason": reason})


def _making_up(splits: pd.DataFrame, size: float) -> list[pd.Timestamp]:
    """The days of the splits that are of this ``size``, each by itself or all together; none where neither is."""
    alone = splits[(splits["size"] - size).abs() <= EXPLAINS]
    together = abs(float(splits["size"].sum()) - size) <= EXPLAINS
    return list((alone if len(alone) else splits if together else splits.head(0))["date"])


_SHIFTED = """
    INSERT INTO bad_price_daily
    WITH beside AS (
        SELECT ticker, date, close, lag(close) OVER in_time AS before, lead(close) OVER in_time AS after
        FROM held_bar WINDOW in_time AS (PARTITION BY ticker ORDER BY date)
    ), compared AS (
        SELECT ticker, abs(new.close / held.close - 1) > $near AS off, abs(new.close / before - 1) <= $near AS late,
            abs(new.close / after - 1) <= $near AS early
        FROM arriving_bar AS new JOIN beside AS held USING (ticker, date)
    ), shifted AS (
        SELECT ticker FROM compared GROUP BY ticker
        HAVING count(*) FILTER (off) >= greatest(4, 0.5 * count(*))
            AND greatest(count(*) FILTER (off AND late), count(*) FILTER (off AND early)) >= 0.8 * count(*) FILTER (off)
    )
    SELECT position, ticker, $reason FROM arriving_bar SEMI JOIN shifted USING (ticker)
    ANTI JOIN accepted_price_daily USING (position)"""
"""Bars read in the wrong time zone lie a session off: of four or more that differ, most are those of the day beside."""

_OTHER_SHARES = """
    INSERT INTO bad_price_daily
    WITH compared AS (
        SELECT ticker, date, ln(new.close / held.close) AS shift
        FROM arriving_bar AS new JOIN held_bar AS held USING (ticker, date, source)
        WHERE least(new.close, held.close) >= $penny
    ), stepping AS (
        SELECT ticker, shift, abs(shift - lag(shift) OVER (PARTITION BY ticker ORDER BY date)) AS step FROM compared
    ), others AS (
        SELECT ticker FROM stepping GROUP BY ticker
        HAVING count(*) FILTER (abs(shift) > $off) >= greatest($enough, 0.5 * count(*)) AND median(step) > $apart
    )
    SELECT position, ticker, $reason FROM arriving_bar SEMI JOIN others USING (ticker)
    ANTI JOIN accepted_price_daily USING (position)"""
"""A split, another unit or another adjustment moves the closes by one factor up to some day, not each by its own."""

_OUTSIDE = """
    INSERT INTO bad_price_daily
    SELECT position, ticker, $reason FROM (
        SELECT new.*, held.high AS top, held.low AS bottom,
            CASE WHEN new.source = held.source THEN $near ELSE $farthest END AS within
        FROM arriving_bar AS new JOIN price_daily AS held USING (ticker, date)
        WHERE new.high IS NULL OR new.low IS NULL
    ) ANTI JOIN accepted_price_daily USING (position)
    WHERE close > coalesce(high, top) * within + $rounded OR close < coalesce(low, bottom) / within - $rounded"""
"""The closes of two providers may be apart, and so may the close of one and the range of the other."""

_FRESH = """
    SELECT new.ticker, new.date, ln(new.ratio / coalesce(old.ratio, 1)) AS size
    FROM known_split AS new LEFT JOIN known_split AS old
        ON old.ticker = new.ticker AND old.date = new.date AND old.earlier AND NOT old.now
    WHERE new.now AND NOT new.earlier AND abs(size) > $least ORDER BY ALL"""
"""The splits that are not stored yet, with the logarithm of what they change the closes before them by."""

_NOT_MOVED = """
    WITH changed AS (
        SELECT ticker, min(date) AS first, min(date) FILTER (now) AS next, max(date) FILTER (now) AS last,
            sum(CASE WHEN now THEN ln(ratio) ELSE -ln(ratio) END) AS expected
        FROM known_split WHERE now <> earlier GROUP BY ticker
    ), newest AS (
        SELECT ticker, max(date) AS day FROM price_daily SEMI JOIN changed USING (ticker) GROUP BY ticker
    ), begun AS (SELECT run_id, CAST(min(started_at) AS DATE) AS day FROM etl_run GROUP BY run_id)
    SELECT ticker, any_value(expected) + median(ln(new.close / held.close))
    FROM changed JOIN newest USING (ticker) JOIN arriving_bar AS new USING (ticker)
    JOIN price_daily AS held USING (ticker, date, source) LEFT JOIN begun USING (run_id)
    WHERE new.date < changed.first AND (newest.day >= changed.last OR begun.day < changed.next)
    GROUP BY ticker"""
"""What of the change that the splits make is missing in the closes from before them all, by ticker (a logarithm).

Closes that were stored after a split, in a window that ended before it, are adjusted for it though it is not stored.
"""

_REFUSE_SPLIT = """
    INSERT INTO bad_split SELECT position, ticker, $reason FROM arrived_split
    ANTI JOIN (SELECT position FROM bad_split) USING (position) ANTI JOIN accepted_split USING (position)
    WHERE ticker = $ticker AND date = $day"""
