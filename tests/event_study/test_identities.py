"""What must be true of any event study, whatever the data."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from simulated import EVENT, panel

from dashboard.event_study import run_study

HOLDS_UNDER_DUPLICATION = [
    "crude_dependence",
    "portfolio_regression",
    "kolari_pynnonen",
    "patell_adjusted",
]


def statistics(study, scope="day"):
    rows = study.tests[study.tests["scope"] == scope]
    return rows.pivot(index=["start", "end"], columns="test", values="statistic")


def p_values(study):
    return study.tests.pivot(index=["scope", "start", "end"], columns="test", values="p_value")


@pytest.mark.parametrize("day", [-10, -3, 0, 1, 10])
def test_the_portfolio_test_is_the_t_ratio_of_a_dummy_for_the_day_in_ols(complete, day):
    returns, market = complete
    study = run_study(returns, market, returns.index[EVENT])
    rows = [*range(EVENT - 260, EVENT - 10), EVENT + day]
    x = pd.DataFrame({"const": 1.0, "market": market.iloc[rows], "event": 0.0})
    x.iloc[-1, 2] = 1.0
    result = sm.OLS(returns.mean(axis=1).iloc[rows], x).fit()
    row = study.tests.query("scope == 'day' and start == @day and test == 'portfolio_regression'").iloc[0]
    assert row["statistic"] == pytest.approx(result.tvalues["event"], abs=1e-9)
    assert row["df"] == result.df_resid == 248
    assert row["p_value"] == pytest.approx(result.pvalues["event"], abs=1e-9)


def unequal(seed, firms=10):
    """Half the firms with a market loading of .2 and a whole history, half with 3 and listed half-way."""
    draw = np.random.default_rng(seed)
    market = draw.normal(0, 0.01, 320)
    beta = np.repeat([0.2, 3.0], firms // 2)
    returns = market[:, None] * beta + draw.normal(0, 0.02, (320, firms))
    returns[: EVENT - 135, firms // 2 :] = np.nan
    index = pd.bdate_range("2023-01-03", periods=320)
    return pd.DataFrame(returns, index).add_prefix("F"), pd.Series(market, index)


def test_a_listing_half_way_does_not_turn_the_portfolio_test_into_a_test_of_the_market():
    """The mean raw return changes its market loading with the members; the mean residual does not."""
    rows = []
    for seed in range(12):
        returns, market = unequal(seed)
        study = run_study(returns, market, returns.index[EVENT])
        t = study.tests.query("scope == 'day' and test == 'portfolio_regression'")["statistic"].to_numpy()
        rows.append(
            pd.DataFrame({"t": t, "aar": study.aar["aar"].to_numpy(), "m": market[EVENT - 10 : EVENT + 11]})
        )
    table = pd.concat(rows)
    assert (np.sign(table["t"]) == np.sign(table["aar"])).all()
    assert abs(table["t"].corr(table["m"])) < 0.2
    assert table["t"].std() == pytest.approx(1.0, abs=0.15)


def test_the_portfolio_test_of_a_window_is_the_t_of_the_sum_of_its_dummies(complete):
    returns, market = complete
    study = run_study(returns, market, returns.index[EVENT])
    rows = [*range(EVENT - 260, EVENT - 10), EVENT - 1, EVENT, EVENT + 1]
    x = pd.DataFrame(np.vstack([np.zeros((250, 3)), np.eye(3)]), index=market.index[rows])
    x["const"], x["market"] = 1.0, market.iloc[rows]
    test = sm.OLS(returns.mean(axis=1).iloc[rows], x).fit().t_test([1, 1, 1, 0, 0])
    ours = study.tests.query("scope == 'window' and start == -1 and test == 'portfolio_regression'").iloc[0]
    assert ours["statistic"] == pytest.approx(float(test.tvalue.squeeze()), abs=1e-9)


def test_counting_every_firm_twice_inflates_only_the_tests_that_assume_independence(complete):
    returns, market = complete
    once = run_study(returns, market, returns.index[EVENT])
    twice = run_study(pd.concat([returns, returns.add_suffix("'")], axis=1), market, returns.index[EVENT])
    before, after = statistics(once), statistics(twice)
    same = [*HOLDS_UNDER_DUPLICATION, "corrado_rank", "corrado_zivney"]
    np.testing.assert_allclose(after[same], before[same], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(p_values(once)["placebo"], p_values(twice)["placebo"], atol=1e-9)
    n = returns.shape[1]
    growth = np.sqrt((2 * n - 1) / (n - 1))
    for test in ("cross_sectional", "bmp"):
        np.testing.assert_allclose(after[test], growth * before[test], rtol=1e-9)
    np.testing.assert_allclose(after["patell"], np.sqrt(2) * before["patell"], rtol=1e-9)


def test_the_unit_of_the_returns_does_not_matter(gappy):
    returns, market = gappy
    one = run_study(returns, market, returns.index[EVENT])
    hundred = run_study(returns * 100, market * 100, returns.index[EVENT])
    unitless = statistics(one).columns.drop("placebo")
    for scope in ("day", "window"):
        np.testing.assert_allclose(
            statistics(hundred, scope)[unitless], statistics(one, scope)[unitless], rtol=1e-8, atol=1e-10
        )
    np.testing.assert_allclose(hundred.car["t"], one.car["t"], rtol=1e-8)
    np.testing.assert_array_equal(hundred.car["placebo_p"], one.car["placebo_p"])


def test_the_order_of_the_firms_does_not_matter(gappy):
    returns, market = gappy
    one = run_study(returns, market, returns.index[EVENT])
    other = run_study(returns[returns.columns[::-1]], market, returns.index[EVENT])
    np.testing.assert_allclose(statistics(other), statistics(one), rtol=1e-9, atol=1e-11)


def test_a_constant_added_to_a_firms_returns_leaves_its_abnormal_returns(gappy):
    returns, market = gappy
    shifted = returns.copy()
    shifted["F002"] += 0.005
    one = run_study(returns, market, returns.index[EVENT])
    other = run_study(shifted, market, returns.index[EVENT])
    np.testing.assert_allclose(other.abnormal_returns, one.abnormal_returns, atol=1e-14)


def test_without_correlation_kolari_pynnonen_is_bmp():
    returns, market = panel(firms=40, common=0.0, seed=5)
    study = run_study(returns, market, returns.index[EVENT])
    r_mean, n = study.mean_correlation, 40
    day = statistics(study)
    factor = np.sqrt((1 - r_mean) / (1 + (n - 1) * r_mean))
    np.testing.assert_allclose(day["kolari_pynnonen"], factor * day["bmp"], rtol=1e-12)
    assert abs(r_mean) < 0.02
    assert factor == pytest.approx(1, abs=0.2)


def test_the_forecast_error_cancels_in_bmp_when_the_firms_share_date_and_history(complete):
    returns, market = complete
    study = run_study(returns, market, returns.index[EVENT])
    without = study.abnormal_returns / study.firms["sigma"]
    t = without.mean(axis=1) * np.sqrt(without.shape[1]) / without.std(axis=1)
    np.testing.assert_allclose(statistics(study)["bmp"], t, rtol=1e-9)


@pytest.mark.parametrize("which", ["complete", "gappy"])
def test_in_an_event_window_of_one_day_the_window_is_the_day(which, request):
    returns, market = request.getfixturevalue(which)
    study = run_study(returns, market, returns.index[EVENT], event_window=(0, 0), windows=((0, 0),))
    day, window = statistics(study, "day"), statistics(study, "window")
    np.testing.assert_array_equal(day, window)
    car = study.car.set_index("firm")["car"]
    np.testing.assert_array_equal(car, study.abnormal_returns.loc[0, car.index])


def test_a_window_of_one_day_repeats_the_days_row(gappy):
    returns, market = gappy
    study = run_study(returns, market, returns.index[EVENT])
    np.testing.assert_array_equal(
        statistics(study, "day").loc[(0, 0)], statistics(study, "window").loc[(0, 0)]
    )


@pytest.mark.parametrize("model", ["mean", "market-adjusted", "market"])
def test_a_crash_on_the_event_day_does_not_change_the_firms_volatility(complete, model):
    returns, market = complete
    crash = returns.copy()
    crash.iloc[EVENT] = -0.5
    calm = run_study(returns, market, returns.index[EVENT], model=model)
    study = run_study(crash, market, returns.index[EVENT], model=model)
    np.testing.assert_array_equal(study.firms["sigma"], calm.firms["sigma"])
    assert (study.abnormal_returns.loc[0] < -0.4).all()


def test_a_return_of_exactly_zero_at_the_end_does_not_change_beta(complete):
    returns, market = complete
    still = returns.copy()
    still.iloc[EVENT + 10] = 0.0
    one = run_study(returns, market, returns.index[EVENT])
    other = run_study(still, market, returns.index[EVENT])
    np.testing.assert_array_equal(other.firms["beta"], one.firms["beta"])


def test_every_row_of_a_test_is_its_own(complete):
    returns, market = complete
    study = run_study(returns, market, returns.index[EVENT])
    day = statistics(study)
    continuous = day.columns.drop(["sign", "generalized_sign", "wilcoxon"])
    assert all(day[test].nunique() == len(day) for test in continuous)
