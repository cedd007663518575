"""Simulated returns with a known structure: a market, a common shock, firms of unequal volatility."""

import numpy as np
import pandas as pd


def panel(
    firms: int = 8, sessions: int = 320, seed: int = 1, common: float = 0.006
) -> tuple[pd.DataFrame, pd.Series]:
    """Complete returns of `firms` firms (market model with a common residual) and the market's."""
    draw = np.random.default_rng(seed)
    market = draw.normal(0.0004, 0.01, sessions)
    beta = draw.normal(1.1, 0.3, firms)
    sigma = draw.uniform(0.01, 0.035, firms)
    noise = draw.standard_t(5, (sessions, firms)) * sigma * 0.8
    shock = draw.normal(0, common, (sessions, 1))
    returns = 0.0003 + market[:, None] * beta + shock + noise
    index = pd.bdate_range("2023-01-03", periods=sessions)
    names = [f"F{number:03d}" for number in range(firms)]
    return pd.DataFrame(returns, index, names), pd.Series(market, index, name="market")


def with_gaps(returns: pd.DataFrame, seed: int = 2) -> pd.DataFrame:
    """The same firms with late listings, scattered missing days, and one missing event day (session 290)."""
    gappy = returns.copy()
    draw = np.random.default_rng(seed)
    gappy.iloc[:90, 0] = np.nan
    gappy.iloc[:140, 1] = np.nan
    gappy.iloc[draw.choice(280, 12, replace=False), 2] = np.nan
    gappy.iloc[200:215, 3] = np.nan
    gappy.iloc[292, 4] = np.nan
    gappy.iloc[290, 5] = np.nan
    return gappy


def factors(market: pd.Series, seed: int = 3) -> pd.DataFrame:
    """Fama-French style factors in fractions, with a risk-free rate."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        draw.normal(0, 0.005, (len(market), 5)), market.index, ["SMB", "HML", "RMW", "CMA", "Mom"]
    )
    frame["RF"] = 0.0002 + 0.00001 * np.sin(np.arange(len(market)))
    frame.insert(0, "Mkt-RF", market - frame["RF"])
    return frame


EVENT = 290
"""Position of the event session in the simulated panels."""
