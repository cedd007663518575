"""The tables a reader is shown: columns, bands, diagnostics."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from simulated import EVENT, factors
from statsmodels.stats.diagnostic import het_arch
from statsmodels.stats.stattools import jarque_bera
from statsmodels.tsa.stattools import acf

from dashboard.event_study import TESTS, run_study
from dashboard.event_study.diagnostics import arch_lm, autocorrelation
from dashboard.event_study.ranking import average_ranks

NAMES = [
    "cross_sectional",
    "crude_dependence",
    "portfolio_regression",
    "patell",
    "patell_adjusted",
    "bmp",
    "kolari_pynnonen",
    "corrado_rank",
    "corrado_zivney",
    "grank_t",
    "generalized_sign",
    "sign",
    "wilcoxon",
    "placebo",
]


@pytest.fixture(scope="module")
def study(complete):
    returns, market = complete
    return run_study(returns, market, returns.index[EVENT])


def test_the_tests_are_those_promised_for_every_day_and_window(study):
    assert list(TESTS) == NAMES
    assert list(study.tests.columns) == [
        "scope",
        "start",
        "end",
        "test",
        "statistic",
        "df",
        "p_value",
        "valid_with_common_date",
        "valid_with_volatile_day",
        "size_common_date",
        "size_volatile_day",
        "note",
    ]
    assert len(study.tests) == 14 * (21 + 5)
    assert study.tests.groupby(["scope", "start", "end"])["test"].apply(list).map(lambda n: n == NAMES).all()
    assert study.tests["valid_with_common_date"].dtype == bool
    assert study.tests[["start", "end"]].dtypes.eq(np.int64).all()
    assert study.tests[["statistic", "df", "p_value"]].dtypes.eq(np.float64).all()


def test_no_test_that_assumes_independent_firms_is_marked(study):
    marked = set(study.tests[study.tests["valid_with_common_date"]]["test"])
    assert {"portfolio_regression", "kolari_pynnonen"} <= marked
    assert not marked & {"cross_sectional", "patell", "bmp", "generalized_sign", "sign", "wilcoxon"}
    assert study.tests["valid_with_volatile_day"].dtype == bool
    assert study.tests["size_common_date"].between(0, 1).all()


def test_the_tables_have_stable_columns(study):
    columns = "firm start end car se t df p_value p_holm p_bh placebo_p placebo_p_holm placebo_p_bh bhar"
    assert " ".join(study.car.columns) == columns
    assert len(study.car) == 8 * 5
    assert list(study.firms.columns) == [
        "alpha",
        "beta",
        "sigma",
        "r2",
        "n_obs",
        "autocorrelation",
        "arch_lm",
        "arch_lm_p",
        "jarque_bera",
        "jarque_bera_p",
    ]
    assert list(study.aar.columns) == [
        "session",
        "aar",
        "aar_low",
        "aar_high",
        "caar",
        "caar_low",
        "caar_high",
        "n",
        "mean_return",
    ]
    assert list(study.placebo.columns) == ["start", "end", "session", "caar", "comparable"]
    assert list(study.dropped.columns) == ["firm", "reason"]


def test_the_band_holds_what_the_portfolio_regression_does_not_reject(study):
    """On each day the AAR is outside its band around zero exactly when the portfolio test rejects at 5%."""
    p = study.tests.query("scope == 'day' and test == 'portfolio_regression'").set_index("start")["p_value"]
    outside = (study.aar["aar_low"] > 0) | (study.aar["aar_high"] < 0)
    assert (outside == (p < 0.05)).all()
    np.testing.assert_allclose(study.aar["caar"], study.aar["aar"].cumsum())
    np.testing.assert_allclose(study.aar["mean_return"], study.raw_returns.mean(axis=1))


def test_the_placebo_table_is_the_history_of_the_group(complete, study):
    one = study.placebo.query("start == 0 and end == 0")
    assert len(one) == 250
    assert len(study.placebo.query("start == 0 and end == 10")) == 240
    assert one["comparable"].abs().gt(one["caar"].abs()).mean() > 0.9
    reached = (one["comparable"].abs() >= abs(study.aar.loc[0, "aar"])).sum()
    p = study.tests.query("scope == 'day' and start == 0 and test == 'placebo'")["p_value"].item()
    assert p == pytest.approx((1 + reached) / 251)
    three = study.placebo.query("start == -1 and end == 1")
    np.testing.assert_allclose(three["caar"], one["caar"].rolling(3).sum().dropna(), atol=1e-15)
    assert list(three["session"]) == list(one["session"][:248])


@pytest.mark.parametrize("which", ["complete", "gappy"])
def test_coefficients_and_diagnostics_equal_statsmodels(which, request):
    returns, market = request.getfixturevalue(which)
    study = run_study(returns, market, returns.index[EVENT])
    for name, row in study.firms.iterrows():
        y = returns[name].iloc[EVENT - 260 : EVENT - 10].dropna()
        result = sm.OLS(y, sm.add_constant(market[y.index])).fit()
        np.testing.assert_allclose([row["alpha"], row["beta"]], result.params, rtol=1e-9)
        assert row["r2"] == pytest.approx(result.rsquared, abs=1e-12)
        normality, p_value = jarque_bera(result.resid)[:2]
        assert row["jarque_bera"] == pytest.approx(normality, rel=1e-9)
        assert row["jarque_bera_p"] == pytest.approx(p_value, rel=1e-8)
        if len(y) == 250:
            assert row["autocorrelation"] == pytest.approx(acf(result.resid, nlags=1)[1], abs=1e-12)
            statistic, p_value = het_arch(result.resid, nlags=5, result_object=False)[:2]
            assert row["arch_lm"] == pytest.approx(statistic, rel=1e-8)
            assert row["arch_lm_p"] == pytest.approx(p_value, rel=1e-8)


def test_diagnostics_leave_out_pairs_across_a_gap():
    draw = np.random.default_rng(8)
    e = draw.normal(size=60)
    valid = np.ones(60, dtype=bool)
    valid[[20, 21, 40]] = False
    e[~valid] = 0.0
    centred = np.where(valid, e - e[valid].mean(), np.nan)
    pairs = np.nansum(centred[1:] * centred[:-1]) / np.nansum(centred**2)
    assert autocorrelation(e[None], valid[None])[0] == pytest.approx(pairs, abs=1e-12)
    square = pd.Series(centred**2)
    rows = pd.concat([square.shift(lag) for lag in range(3)], axis=1).dropna().to_numpy()
    r2 = sm.OLS(rows[:, 0], sm.add_constant(rows[:, 1:])).fit().rsquared
    assert arch_lm(e[None], valid[None], lags=2)[0][0] == pytest.approx(len(rows) * r2, rel=1e-9)


def test_factor_loadings_have_a_column_each(complete):
    returns, market = complete
    frame = factors(market)
    study = run_study(returns, frame, returns.index[EVENT], model="carhart")
    y = (returns["F004"] - frame["RF"]).iloc[EVENT - 260 : EVENT - 10]
    x = frame[["Mkt-RF", "SMB", "HML", "Mom"]].loc[y.index]
    params = sm.OLS(y, sm.add_constant(x)).fit().params
    row = study.firms.loc["F004", ["alpha", "beta", "beta_smb", "beta_hml", "beta_mom"]]
    np.testing.assert_allclose(row.to_numpy(dtype=float), params, rtol=1e-8)


def test_ties_share_their_mean_rank():
    values = np.array([[3.0, 1.0, np.nan, 3.0, -0.0, 0.0], [5, 4, 3, 2, 1, np.nan]])
    expected = [[4.5, 3, np.nan, 4.5, 1.5, 1.5], [5, 4, 3, 2, 1, np.nan]]
    np.testing.assert_array_equal(average_ranks(values), expected)


def test_tied_abnormal_returns_are_ranked_like_any_others(complete):
    """Days on which neither a share nor the market moved give equal market-adjusted returns of zero."""
    returns, market = complete
    still, calm = returns.copy(), market.copy()
    still.iloc[[100, 150, EVENT]] = 0.0
    calm.iloc[[100, 150, EVENT]] = 0.0
    study = run_study(still, calm, returns.index[EVENT], model="market-adjusted")
    away = still.sub(calm, axis=0)
    ranks = away.iloc[[*range(EVENT - 260, EVENT - 10), *range(EVENT - 10, EVENT + 11)]].rank()
    deviation = (ranks - 136).mean(axis=1)
    expected = deviation.loc[returns.index[EVENT]] / np.sqrt((deviation**2).mean())
    row = study.tests.query("scope == 'day' and start == 0 and test == 'corrado_rank'")
    assert row["statistic"].item() == pytest.approx(expected, rel=1e-9)
