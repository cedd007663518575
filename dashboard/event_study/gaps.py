"""Returns from prices, and the trade-to-trade treatment of gaps (rule M4)."""

import numpy as np
import pandas as pd

from dashboard.event_study.panel import FloatArray


def simple_returns(prices: pd.DataFrame, *, across_gaps: bool = False) -> pd.DataFrame:
    """Simple returns P_t/P_{t-1} - 1 of adjusted prices (sessions × firms).

    A session after a missing price has no return, unless `across_gaps`: then it has the return since the last
    price, which covers the gap (what `gaps="trade-to-trade"` expects).
    """
    before = (prices.ffill() if across_gaps else prices).shift(1)
    return (prices / before - 1).iloc[1:]


def trade_to_trade(
    returns: FloatArray, factors: FloatArray, subtract: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Match each return after a gap with the market's return over the same days.

    Maynes and Rumsey (1993, Journal of Banking and Finance 17, 145-157): after n days the return is the n-day
    return, the market's is compounded over those days, and the equation is divided by √n (the regression does
    that with the spans).

    Args:
        returns: N firms × S sessions, the first return after missing ones covering them all.
        factors: S × p one-day factor returns.
        subtract: S one-day returns to take off the firm's.

    Returns:
        Returns net of the compounded `subtract` (N × S), factors of each firm (N × S × p), spans in days (N
        × S, NaN where the return is missing).
    """
    span = _spans(returns)
    compounded = (
        np.stack([_compound(column, span) for column in factors.T], axis=-1)
        if factors.size
        else (np.empty((*returns.shape, 0)))
    )
    return returns - _compound(subtract, span), compounded, span


def _spans(returns: FloatArray) -> FloatArray:
    traded = np.isfinite(returns)
    position = np.arange(returns.shape[1])
    last = np.maximum.accumulate(np.where(traded, position, -1), axis=1)
    before = np.concatenate([np.full((len(returns), 1), -1), last[:, :-1]], axis=1)
    listed = before >= 0
    return np.where(traded, np.where(listed, position - before, 1.0), np.nan)


def _compound(daily: FloatArray, span: FloatArray) -> FloatArray:
    level = np.concatenate([[0.0], np.cumsum(np.log1p(daily))])
    position = np.arange(len(daily)) + 1
    start = (position - np.nan_to_num(span, nan=1.0)).astype(np.int64)
    over_gap = np.expm1(level[position] - level[start])
    return np.where(span == 1, daily, np.where(np.isnan(span), np.nan, over_gap))
