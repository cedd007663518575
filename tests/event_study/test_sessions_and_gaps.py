"""Windows count sessions; missing days follow the stated rules; nothing is dropped without a word."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from simulated import EVENT, panel

from dashboard.event_study import run_study, simple_returns


def test_a_date_without_a_session_rolls_forward_and_the_result_says_so(complete):
    returns, market = complete
    friday = next(i for i in range(280, 300) if returns.index[i].dayofweek == 4)
    saturday = returns.index[friday] + pd.Timedelta(days=1)
    study = run_study(returns, market, saturday)
    assert study.event_session == returns.index[friday + 1]
    assert study.rolled
    assert study.requested_date == saturday
    assert "is not a session" in study.notes[0]
    on_the_day = run_study(returns, market, study.event_session)
    assert not on_the_day.rolled
    assert on_the_day.notes == ()
    pd.testing.assert_frame_equal(study.tests, on_the_day.tests)


def test_windows_count_sessions_and_not_calendar_days(complete):
    returns, market = complete
    study = run_study(returns, market, returns.index[EVENT])
    assert list(study.aar["session"]) == list(returns.index[EVENT - 10 : EVENT + 11])
    assert list(study.estimation_sessions) == list(returns.index[EVENT - 260 : EVENT - 10])
    assert (study.firms["n_obs"] == 250).all()


def test_a_history_shorter_than_the_estimation_window_is_used_and_mentioned(complete):
    returns, market = complete
    study = run_study(returns.iloc[60:], market.iloc[60:], returns.index[EVENT])
    assert len(study.estimation_sessions) == 220
    assert study.notes == (
        "The data begin 230 sessions before the event: the estimation window holds 220 sessions instead of 250.",
    )


def test_firms_with_too_little_data_are_dropped_and_listed(complete):
    returns, market = complete
    thin = returns.copy()
    thin.iloc[: EVENT - 10 - 124, 0] = np.nan
    thin.iloc[: EVENT - 10 - 125, 1] = np.nan
    thin.iloc[EVENT - 10 :, 2] = np.nan
    thin["never"] = np.nan
    study = run_study(thin, market, returns.index[EVENT])
    assert study.dropped.to_dict("records") == [
        {"firm": "F000", "reason": "124 of the 125 returns needed in the estimation window"},
        {"firm": "F002", "reason": "no return in the event window"},
        {"firm": "never", "reason": "0 of the 125 returns needed in the estimation window"},
    ]
    assert list(study.firms.index) == ["F001", "F003", "F004", "F005", "F006", "F007"]
    assert study.firms.loc["F001", "n_obs"] == 125
    assert run_study(thin, market, returns.index[EVENT], min_observations=124).dropped["firm"].tolist() == [
        "F002",
        "never",
    ]


def test_half_the_estimation_window_but_never_fewer_than_sixty_returns_are_needed(complete):
    returns, market = complete
    thin = returns.copy()
    thin.iloc[: EVENT - 10 - 59, 0] = np.nan
    study = run_study(thin, market, returns.index[EVENT], estimation=(-90, -11))
    assert study.dropped["reason"].tolist() == ["59 of the 60 returns needed in the estimation window"]


def test_a_firm_that_misses_a_day_has_no_car_over_it_but_counts_on_the_others(gappy):
    returns, market = gappy
    study = run_study(returns, market, returns.index[EVENT])
    car = study.car.set_index(["firm", "start", "end"])["car"]
    assert np.isnan(study.abnormal_returns.loc[0, "F005"])
    assert np.isnan(car["F005", -1, 1])
    assert np.isnan(car["F005", 0, 0])
    assert np.isnan(car["F004", 0, 10])
    assert np.isfinite(car["F004", 0, 1])
    assert study.aar.loc[0, "n"] == 7
    assert study.aar.loc[1, "n"] == 8
    assert study.aar.loc[0, "aar"] == pytest.approx(study.abnormal_returns.loc[0].mean())


def test_days_without_the_market_do_not_count_as_observations(complete):
    returns, market = complete
    holes = market.copy()
    holes.iloc[[50, 60, 70]] = np.nan
    study = run_study(returns, holes, returns.index[EVENT])
    assert (study.firms["n_obs"] == 247).all()
    cut = holes.drop(holes.index[[50, 60, 70]])
    shorter = run_study(returns, cut, returns.index[EVENT])
    assert shorter.notes == ("The market has no return on 3 of the firms' 320 sessions.",)
    pd.testing.assert_frame_equal(shorter.tests, study.tests)


def test_a_day_of_the_event_window_without_the_market_has_no_abnormal_return(complete):
    returns, market = complete
    hole = market.copy()
    hole.iloc[EVENT + 2] = np.nan
    study = run_study(returns, hole, returns.index[EVENT])
    assert study.notes == (
        f"The market has no return on {market.index[EVENT + 2]:%Y-%m-%d}: there is no abnormal return on such a day "
        "of the event window.",
    )
    assert study.abnormal_returns.loc[2].isna().all()
    assert study.abnormal_returns.drop(2).notna().all(axis=None)
    plain = run_study(returns, market, returns.index[EVENT])
    kept = ["crude_dependence", "portfolio_regression", "kolari_pynnonen", "grank_t", "placebo"]
    rows = study.tests[study.tests["test"].isin(kept)].set_index(["scope", "start", "end", "test"])
    same = plain.tests.set_index(["scope", "start", "end", "test"]).loc[rows.index]
    there = (rows.index.get_level_values("start") > 2) | (rows.index.get_level_values("end") < 2)
    np.testing.assert_allclose(rows["statistic"][there], same["statistic"][there], rtol=1e-9)
    assert rows["statistic"][~there].isna().all()
    assert rows["note"][~there].str.startswith("Not computed: ").all()


def test_sessions_of_the_market_that_the_firms_lack_are_mentioned(complete):
    returns, market = complete
    study = run_study(returns.drop(returns.index[100]), market, returns.index[EVENT])
    assert study.notes == ("1 sessions of the market are not among those of the firms and are not counted.",)


def test_simple_returns_divide_by_the_earlier_price():
    prices = pd.DataFrame({"A": [100.0, 110.0, np.nan, 99.0, 99.0]}, pd.bdate_range("2025-01-06", periods=5))
    np.testing.assert_allclose(simple_returns(prices)["A"], [0.1, np.nan, np.nan, 0.0])
    np.testing.assert_allclose(simple_returns(prices, across_gaps=True)["A"], [0.1, np.nan, -0.1, 0.0])


def traded(returns, missing):
    """Returns of a firm whose price is missing on some days, the first one after covering the gap."""
    prices = (1 + returns).cumprod()
    prices.iloc[missing] = np.nan
    prices.loc[returns.index[0] - pd.Timedelta(days=1)] = 1.0
    return simple_returns(prices.sort_index().to_frame(), across_gaps=True).iloc[:, 0]


def test_trade_to_trade_divides_the_equation_by_the_root_of_the_days_covered(complete):
    returns, market = complete
    gaps = [50, 51, 120, 200, 201, 202, EVENT, EVENT + 5]
    thin = returns.copy()
    thin["F000"] = traded(returns["F000"], gaps)
    study = run_study(thin, market, returns.index[EVENT], gaps="trade-to-trade")
    days = pd.Series(1.0, returns.index)
    level = (1 + market).cumprod()
    market_covered = market.copy()
    for last, n in ((52, 3), (121, 2), (203, 4), (EVENT + 1, 2), (EVENT + 6, 2)):
        days.iloc[last] = n
        market_covered.iloc[last] = level.iloc[last] / level.iloc[last - n] - 1
    x = pd.DataFrame({"days": days, "market": market_covered}).div(np.sqrt(days), axis=0)
    window = slice(EVENT - 260, EVENT - 10)
    y = (thin["F000"] / np.sqrt(days)).iloc[window]
    result = sm.OLS(y[y.notna()], x.iloc[window][y.notna()]).fit()
    firm = study.firms.loc["F000"]
    np.testing.assert_allclose([firm["alpha"], firm["beta"]], result.params, rtol=1e-9)
    assert firm["sigma"] == pytest.approx(np.sqrt(result.scale), rel=1e-9)
    assert firm["r2"] == pytest.approx(result.rsquared_adj, abs=0.1)
    row = EVENT + 1
    expected = result.params["days"] * 2 + result.params["market"] * market_covered.iloc[row]
    assert study.abnormal_returns.loc[1, "F000"] == pytest.approx(
        thin["F000"].iloc[row] - expected, abs=1e-13
    )
    car = study.car.set_index(["firm", "start", "end"])
    assert np.isfinite(car.loc[("F000", 0, 1), "car"])
    assert np.isnan(car.loc[("F000", 0, 0), "car"])
    raw = np.array([[1, 1.0], [2, market_covered.iloc[row]]]) * [[0, 0], [1, 1]]
    total = raw.sum(axis=0)
    variance = result.scale * (2 + total @ result.normalized_cov_params.to_numpy() @ total)
    assert car.loc[("F000", 0, 1), "se"] == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_a_return_that_covers_days_before_a_window_gives_it_no_car(complete):
    returns, market = complete
    thin = returns.copy()
    thin["F000"] = traded(returns["F000"], [EVENT - 1])
    study = run_study(thin, market, returns.index[EVENT], gaps="trade-to-trade")
    car = study.car.set_index(["firm", "start", "end"])["car"]
    assert np.isnan(car["F000", 0, 0])
    assert np.isnan(car["F000", 0, 1])
    assert np.isfinite(car["F000", -1, 1])
    assert np.isfinite(car["F000", -4, 0])


def test_without_gaps_trade_to_trade_changes_nothing(complete):
    returns, market = complete
    plain = run_study(returns, market, returns.index[EVENT])
    other = run_study(returns, market, returns.index[EVENT], gaps="trade-to-trade")
    np.testing.assert_allclose(other.tests["statistic"], plain.tests["statistic"], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(other.car["se"], plain.car["se"], rtol=1e-9)


def test_mean_correlation_with_many_incomplete_firms_equals_pandas():
    returns, market = panel(firms=40, seed=9)
    draw = np.random.default_rng(0)
    holes = draw.random((320, 25)) < 0.05
    returns.iloc[:, :25] = returns.iloc[:, :25].mask(holes)
    study = run_study(returns, market, returns.index[EVENT])
    x = sm.add_constant(market.iloc[30:280])
    residuals = {}
    for firm in returns:
        y = returns[firm].iloc[30:280].dropna()
        residuals[firm] = sm.OLS(y, x.loc[y.index]).fit().resid
    correlations = pd.DataFrame(residuals).corr().to_numpy()
    assert study.mean_correlation == pytest.approx(correlations[np.triu_indices(40, 1)].mean(), abs=1e-12)
