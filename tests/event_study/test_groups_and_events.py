"""Two groups, several benchmarks, many events."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from simulated import EVENT

from dashboard.event_study import (
    equal_weight_benchmark,
    market_without,
    run_benchmark_check,
    run_contrast,
    run_study,
)

EXPOSED = ["F000", "F001", "F002"]
OTHERS = ["F003", "F004", "F005", "F006", "F007"]


def test_the_contrast_is_the_dummy_of_the_long_short_portfolio(complete):
    returns, market = complete
    contrast = run_contrast(returns, market, returns.index[EVENT], EXPOSED, OTHERS)
    rows = [*range(EVENT - 260, EVENT - 10), EVENT]
    x = pd.DataFrame({"const": 1.0, "market": market.iloc[rows], "event": 0.0})
    x.iloc[-1, 2] = 1.0
    gap = returns[EXPOSED].mean(axis=1) - returns[OTHERS].mean(axis=1)
    result = sm.OLS(gap.iloc[rows], x).fit()
    tests = contrast.tests.query("scope == 'day' and start == 0").set_index("test")
    assert tests.loc["portfolio_regression", "statistic"] == pytest.approx(result.tvalues["event"], abs=1e-9)
    assert contrast.aar.loc[0, "difference"] == pytest.approx(result.params["event"], abs=1e-13)
    history = result.resid.iloc[:-1]
    hat = sm.OLS(gap.iloc[rows[:-1]], x.iloc[:-1, :2]).fit().get_influence().hat_matrix_diag
    scaled = history / np.sqrt(result.scale * (1 - hat))
    crude = result.params["event"] / history.std()
    assert tests.loc["crude_dependence", "statistic"] == pytest.approx(crude, rel=1e-9)
    reached = (scaled.abs() >= abs(result.tvalues["event"])).sum()
    assert tests.loc["placebo", "p_value"] == pytest.approx((1 + reached) / 251)
    assert list(contrast.tests.columns) == list(contrast.exposed.tests.columns)


def test_a_shock_to_all_firms_cancels_in_the_contrast(complete):
    returns, market = complete
    shaken = returns.copy()
    shaken.iloc[EVENT] -= 0.1
    calm = run_contrast(returns, market, returns.index[EVENT], EXPOSED, OTHERS)
    shaken = run_contrast(shaken, market, returns.index[EVENT], EXPOSED, OTHERS)
    np.testing.assert_allclose(shaken.aar["difference"], calm.aar["difference"], atol=1e-14)
    assert shaken.exposed.aar.loc[0, "aar"] < -0.05


def test_the_contrast_holds_the_two_studies(gappy):
    returns, market = gappy
    contrast = run_contrast(returns, market, returns.index[EVENT], EXPOSED, OTHERS)
    alone = run_study(returns[OTHERS], market, returns.index[EVENT])
    pd.testing.assert_frame_equal(contrast.unexposed.tests, alone.tests)
    difference = contrast.exposed.aar["aar"] - contrast.unexposed.aar["aar"]
    np.testing.assert_allclose(contrast.aar["difference"], difference)
    assert contrast.tests["p_value"].between(0, 1).all()


def test_benchmarks_of_the_user_s_own_universe(complete):
    returns, _ = complete
    np.testing.assert_allclose(equal_weight_benchmark(returns), returns.mean(axis=1))
    np.testing.assert_allclose(market_without(returns, EXPOSED), returns[OTHERS].mean(axis=1))
    weights = pd.Series(np.arange(1.0, 9.0), returns.columns)
    holes = returns.copy()
    holes.iloc[5, 3] = np.nan
    weighted = market_without(holes, EXPOSED, weights)
    assert weighted.iloc[7] == pytest.approx(np.average(returns[OTHERS].iloc[7], weights=[4, 5, 6, 7, 8]))
    assert weighted.iloc[5] == pytest.approx(np.average(returns[OTHERS[1:]].iloc[5], weights=[5, 6, 7, 8]))


def test_a_market_that_fell_because_of_the_event_hides_part_of_it(complete):
    """The treated firms are in the benchmark: against the others alone the effect is larger."""
    returns, _ = complete
    hit = returns.copy()
    hit.loc[returns.index[EVENT], EXPOSED] -= 0.1
    check = run_benchmark_check(
        hit[EXPOSED],
        {"all": equal_weight_benchmark(hit), "ex-treated": market_without(hit, EXPOSED)},
        returns.index[EVENT],
        windows=((0, 0), (0, 1)),
    ).set_index(["benchmark", "start", "end"])
    assert len(check) == 4
    effect = check["caar"].xs((0, 0), level=("start", "end"))
    assert effect["ex-treated"] < effect["all"] - 0.02
    one = check.loc[("ex-treated", 0, 1)]
    benchmark = market_without(hit, EXPOSED).iloc[EVENT : EVENT + 2]
    assert one["benchmark_return"] == pytest.approx((1 + benchmark).prod() - 1)
    assert one["mean_return"] == pytest.approx(hit[EXPOSED].iloc[EVENT : EVENT + 2].mean(axis=1).sum())
    study = run_study(hit[EXPOSED], market_without(hit, EXPOSED), returns.index[EVENT])
    row = study.tests.query("scope == 'window' and start == 0 and end == 1 and test == 'kolari_pynnonen'")
    assert one["kolari_pynnonen_p"] == pytest.approx(row["p_value"].item())
