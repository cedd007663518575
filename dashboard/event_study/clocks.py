"""Firms that trade on other clocks: Seoul, Tokyo and Hong Kong on their own sessions.

New York closes after them, so that what moves it on one day moves them on the next: the market's return of the
day before and of the day after stand beside that of the day (Dimson 1979, Journal of Financial Economics 7,
197-226).
"""

from typing import Any

import pandas as pd

from dashboard.event_study.study import Study, run_study

MODEL = "dimson"


def on_sessions(level: pd.Series, sessions: pd.DatetimeIndex) -> pd.Series:
    """Return of a market from one session of another exchange to the next.

    Args:
        level: the market's adjusted prices on its own sessions.
        sessions: of the other exchange. On a day without a price of the market its last one stands.

    Returns:
        On each of `sessions` the compounded return since the one before (fractions), NaN on the first.
    """
    every = level.index.union(sessions)
    held = level.reindex(every).ffill().reindex(sessions)
    return (held / held.shift(1) - 1).rename("market")


def run_elsewhere(prices: pd.DataFrame, market: pd.Series, session: object, **settings: Any) -> Study:
    """Study firms of one exchange on its own sessions, with a lag and a lead of a market elsewhere.

    Args:
        prices: adjusted prices, the exchange's sessions × firms.
        market: adjusted prices of the benchmark on its own sessions.
        session: the exchange's first session that could react.
        settings: further arguments of `run_study`.

    Raises:
        EventStudyError: as in `run_study`.
    """
    returns = (prices / prices.shift(1) - 1).iloc[1:]
    daily = on_sessions(market, pd.DatetimeIndex(prices.index)).iloc[1:]
    return run_study(returns, daily, session, MODEL, **settings)
