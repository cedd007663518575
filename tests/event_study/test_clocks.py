"""Firms that trade while New York is closed."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from dashboard.event_study import run_study
from dashboard.event_study.clocks import on_sessions, run_elsewhere

DRAW = np.random.default_rng(12)
DAYS = pd.bdate_range("2023-01-02", periods=330)
MARKET = pd.Series(DRAW.normal(0, 0.01, 330), DAYS, name="market")


def follower():
    """A firm that moves with the market of the day before."""
    return 0.8 * MARKET.shift(1).fillna(0) + 0.2 * MARKET + DRAW.normal(0, 0.004, 330)


def test_the_loadings_are_those_of_a_regression_on_the_day_before_the_day_and_the_day_after():
    returns = follower().to_frame("A")
    study = run_study(returns, MARKET, DAYS[300], "dimson")
    x = sm.add_constant(pd.DataFrame({"m": MARKET, "lag": MARKET.shift(1), "lead": MARKET.shift(-1)}))
    window = slice(40, 290)
    fit = sm.OLS(returns["A"].iloc[window], x.iloc[window]).fit()
    row = study.firms.loc["A", ["alpha", "beta", "beta_market-1", "beta_market+1"]]
    np.testing.assert_allclose(row.to_numpy(dtype=float), fit.params, rtol=1e-8)
    assert study.firms.loc["A", "sigma"] < run_study(returns, MARKET, DAYS[300]).firms.loc["A", "sigma"] / 1.5


def test_a_market_s_return_covers_the_holidays_of_the_other_exchange():
    level = 100 * (1 + MARKET).cumprod()
    own = DAYS.delete([100, 101, 102])
    found = on_sessions(level, own)
    assert found.loc[DAYS[103]] == pytest.approx(level.iloc[103] / level.iloc[99] - 1)
    late = level.drop(DAYS[50])
    assert on_sessions(late, own).loc[DAYS[50]] == 0
    assert on_sessions(late, own).loc[DAYS[51]] == pytest.approx(level.iloc[51] / level.iloc[49] - 1)


def test_an_exchange_is_studied_on_its_own_sessions():
    level = 100 * (1 + MARKET).cumprod()
    prices = (1 + follower().to_frame("A")).cumprod().drop(DAYS[[200, 201]])
    study = run_elsewhere(prices, level, DAYS[300])
    assert DAYS[200] not in study.estimation_sessions
    assert len(study.estimation_sessions) == 250
    assert study.model == "dimson"
