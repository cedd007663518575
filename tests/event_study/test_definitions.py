"""Every statistic equals its definition, written out a second time with loops, statsmodels and scipy."""

import numpy as np
import pandas as pd
import pytest
from oracle import Oracle, fit_firm
from scipy import stats
from simulated import EVENT, factors, panel

from dashboard.event_study import TESTS, run_study

WINDOWS = ((0, 0), (-1, 1), (0, 1), (-4, 0), (0, 10), (-10, 10))
STATISTICS = [name for name in TESTS if name != "placebo"]
NORMAL = {"patell", "patell_adjusted", "corrado_rank", "corrado_zivney", "generalized_sign", "sign"}


@pytest.fixture(scope="module", params=["complete", "gappy"])
def pair(request, complete, gappy):
    returns, market = complete if request.param == "complete" else gappy
    study = run_study(returns, market, returns.index[EVENT], windows=WINDOWS)
    return study, Oracle(returns, market.to_frame("market"), EVENT, (-260, -11), (-10, 10))


def of(study, test, scope):
    rows = study.tests[(study.tests["test"] == test) & (study.tests["scope"] == scope)]
    return rows.set_index(["start", "end"])


@pytest.mark.parametrize("test", STATISTICS)
def test_every_day_and_window_equals_the_definition(pair, test):
    study, oracle = pair
    for scope in ("day", "window"):
        got = of(study, test, scope)["statistic"]
        want = [getattr(oracle, test)(start, end) for start, end in got.index]
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-10)


def test_abnormal_returns_and_cars_equal_statsmodels(pair):
    study, oracle = pair
    pd.testing.assert_frame_equal(
        study.abnormal_returns,
        oracle.abnormal,
        check_names=False,
        rtol=1e-10,
        atol=1e-13,
        check_index_type=False,
    )
    for row in study.car.itertuples():
        firm = oracle.firms[row.firm]
        error = firm.sigma * np.sqrt(firm.variance_factor(row.start, row.end))
        np.testing.assert_allclose([row.car, row.se], [firm.car(row.start, row.end), error], rtol=1e-9)


def test_mean_correlation_is_pairwise_complete_and_leaves_the_diagonal_out(pair):
    study, oracle = pair
    assert study.mean_correlation == pytest.approx(oracle.r_mean, abs=1e-12)


def test_p_values_come_from_the_named_reference_distribution(pair):
    study, _ = pair
    tests = study.tests.dropna(subset="statistic")
    student = tests[tests["df"].notna()]
    expected = 2 * stats.t.sf(student["statistic"].abs(), student["df"])
    np.testing.assert_allclose(student["p_value"], expected, rtol=1e-9)
    normal = tests[tests["test"].isin(NORMAL)]
    assert normal["df"].isna().all()
    np.testing.assert_allclose(normal["p_value"], 2 * stats.norm.sf(normal["statistic"].abs()), rtol=1e-9)


def test_degrees_of_freedom(complete):
    returns, market = complete
    study = run_study(returns, market, returns.index[EVENT])
    day = of(study, "bmp", "day")["df"]
    assert set(day) == {returns.shape[1] - 1}
    assert set(of(study, "kolari_pynnonen", "window")["df"]) == {returns.shape[1] - 1}
    assert set(of(study, "crude_dependence", "day")["df"]) == {249}
    assert set(of(study, "portfolio_regression", "day")["df"]) == {248}
    assert set(of(study, "grank_t", "day")["df"]) == {249}
    assert set(study.car["df"]) == {248}


def test_placebo_p_is_the_share_of_the_history_at_least_as_large(pair):
    study, oracle = pair
    for scope in ("day", "window"):
        rows = of(study, "placebo", scope)
        for (start, end), row in rows.iterrows():
            assert row["p_value"] == pytest.approx(oracle.placebo_p(start, end), abs=1e-12)
            assert row["statistic"] == pytest.approx(oracle.caar(start, end), abs=1e-13)


def test_wilcoxon_p_is_exact_for_few_firms_and_normal_for_many(complete):
    returns, market = complete
    study = run_study(returns, market, returns.index[EVENT])
    for day, row in of(study, "wilcoxon", "day").iterrows():
        exact = stats.wilcoxon(study.abnormal_returns.loc[day[0]], method="exact")
        assert row["p_value"] == pytest.approx(exact.pvalue, abs=1e-12)
    many, market = panel(firms=60)
    study = run_study(many, market, many.index[EVENT])
    row = of(study, "wilcoxon", "day").loc[(0, 0)]
    normal = stats.wilcoxon(study.abnormal_returns.loc[0], method="approx", correction=False)
    assert row["p_value"] == pytest.approx(normal.pvalue, rel=1e-9)


def test_a_firm_is_ranked_in_its_own_history(pair):
    study, oracle = pair
    for row in study.car.itertuples():
        firm = oracle.firms[row.firm]
        if not np.isfinite(row.car):
            assert np.isnan(row.placebo_p)
            continue
        residuals, length = firm.residuals.to_numpy(), row.end - row.start + 1
        off = np.eye(len(residuals)) - oracle.design_before @ firm.inverse @ oracle.design_before.T
        sums = np.array(
            [
                residuals[i : i + length].sum() / np.sqrt(off[i : i + length, i : i + length].sum())
                for i in range(len(residuals) - length + 1)
            ]
        )
        sums = sums[np.isfinite(sums)]
        size = abs(row.car) / np.sqrt(firm.variance_factor(row.start, row.end))
        expected = (1 + (np.abs(sums) >= size).sum()) / (len(sums) + 1)
        assert row.placebo_p == pytest.approx(expected, abs=1e-12)


def test_adjusted_p_values_equal_scipy_and_statsmodels(complete):
    from statsmodels.stats.multitest import multipletests

    returns, market = complete
    study = run_study(returns, market, returns.index[EVENT])
    for _, rows in study.car.groupby(["start", "end"]):
        for raw in ("p_value", "placebo_p"):
            prefix = "p" if raw == "p_value" else raw
            np.testing.assert_allclose(rows[f"{prefix}_holm"], multipletests(rows[raw], method="holm")[1])
            np.testing.assert_allclose(rows[f"{prefix}_bh"], stats.false_discovery_control(rows[raw]))


def test_bhar_compounds_the_return_and_the_expected_return(complete):
    returns, market = complete
    study = run_study(returns, market, returns.index[EVENT])
    for row in study.car.itertuples():
        raw = study.raw_returns.loc[row.start : row.end, row.firm]
        expected = raw - study.abnormal_returns.loc[row.start : row.end, row.firm]
        assert row.bhar == pytest.approx((1 + raw).prod() - (1 + expected).prod(), abs=1e-12)


@pytest.mark.parametrize(
    ("model", "columns"),
    [
        ("capm", ["Mkt-RF"]),
        ("ff3", ["Mkt-RF", "SMB", "HML"]),
        ("carhart", ["Mkt-RF", "SMB", "HML", "Mom"]),
        ("ff5", ["Mkt-RF", "SMB", "HML", "RMW", "CMA"]),
        ("mean", []),
    ],
)
def test_every_model_equals_its_regression_in_statsmodels(gappy, model, columns):
    returns, market = gappy
    frame = factors(market)
    study = run_study(returns, None if model == "mean" else frame, returns.index[EVENT], model=model)
    excess = returns if model == "mean" else returns.sub(frame["RF"], axis=0)
    oracle = Oracle(excess, frame[columns], EVENT, (-260, -11), (-10, 10))
    np.testing.assert_allclose(study.abnormal_returns, oracle.abnormal, rtol=1e-9, atol=1e-13)
    for name, firm in oracle.firms.items():
        assert study.firms.loc[name, "sigma"] == pytest.approx(firm.sigma, rel=1e-10)
        assert study.firms.loc[name, "n_obs"] == firm.n
    for test in ("patell", "kolari_pynnonen", "portfolio_regression", "grank_t"):
        got = of(study, test, "window").loc[(-1, 1), "statistic"]
        assert got == pytest.approx(getattr(oracle, test)(-1, 1), rel=1e-9)


def test_market_adjusted_returns_take_the_centred_deviation_with_one_degree_of_freedom_lost(gappy):
    returns, market = gappy
    study = run_study(returns, market, returns.index[EVENT], model="market-adjusted")
    away = returns.sub(market, axis=0)
    np.testing.assert_allclose(study.abnormal_returns, away.iloc[280:301], rtol=0, atol=1e-15)
    before = away.iloc[EVENT - 260 : EVENT - 10]
    np.testing.assert_allclose(study.firms["sigma"], before.std(), rtol=1e-12)
    one = study.car[(study.car["start"] == 0) & (study.car["end"] == 1)].set_index("firm")
    np.testing.assert_allclose(one["df"], before.count() - 1)
    np.testing.assert_allclose(one["se"], before.std() * np.sqrt(2), rtol=1e-12)


def test_a_frame_with_the_market_in_excess_gives_the_market_model_its_market(complete):
    returns, market = complete
    by_series = run_study(returns, market, returns.index[EVENT])
    by_frame = run_study(returns, factors(market), returns.index[EVENT])
    np.testing.assert_allclose(by_frame.abnormal_returns, by_series.abnormal_returns, atol=1e-14)


def test_constants_in_which_the_r_package_estudy2_differs(complete):
    """estudy2 0.10.0 standardises Patell's and Lamb's statistics by a deviation with T - 1 instead of T - k."""
    returns, market = complete
    study = run_study(returns, market, returns.index[EVENT])
    oracle = Oracle(returns, market.to_frame("market"), EVENT, (-260, -11), (-10, 10))
    constant = np.sqrt((250 - 1) / (250 - 2))
    theirs = 0.0
    for firm in oracle.firms.values():
        theirs += firm.car(0, 0) / (firm.residuals.std(ddof=1) * np.sqrt(firm.variance_factor(0, 0)))
    theirs /= np.sqrt(len(oracle.firms) * 248 / 246)
    ours = of(study, "patell", "day").loc[(0, 0), "statistic"]
    assert theirs == pytest.approx(constant * ours, rel=1e-9)
    average = fit_firm(returns.mean(axis=1), market.to_frame("market"), EVENT, (-260, -11), (-10, 10))
    lamb = oracle.caar(0, 0) / (average.residuals.std(ddof=1) * np.sqrt(average.variance_factor(0, 0)))
    ours = of(study, "portfolio_regression", "day").loc[(0, 0), "statistic"]
    assert lamb == pytest.approx(constant * ours, rel=1e-9)


def test_the_ranked_sample_of_a_day_is_the_estimation_and_the_whole_event_window(complete):
    """With the estimation window and that day alone the statistic is slightly different."""
    returns, market = complete
    wide = run_study(returns, market, returns.index[EVENT])
    alone = run_study(returns, market, returns.index[EVENT], event_window=(0, 0), windows=((0, 0),))
    one = of(wide, "corrado_rank", "day").loc[(0, 0), "statistic"]
    other = of(alone, "corrado_rank", "day").loc[(0, 0), "statistic"]
    assert one != pytest.approx(other, rel=1e-9)
    assert one == pytest.approx(other, abs=0.05)
