"""Who lost and why, what would have been, how unusual the day was, and what else happened."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from simulated import EVENT, panel

from dashboard.event_study import (
    Benchmark,
    EventStudyError,
    benchmark_choices,
    choose_benchmark,
    confounders,
    run_contrast,
    run_study,
)
from dashboard.event_study.benchmarks import IndexParts
from dashboard.event_study.explain import characteristics, run_cross_section, segment_columns
from dashboard.event_study.synthetic import run_synthetic
from dashboard.event_study.volatility import abnormal_variance, abnormal_volume, scaled_placebo

RETURNS, MARKET = panel(firms=30, seed=6)
DATE = RETURNS.index[EVENT]


def hit(by):
    shocked = RETURNS.copy()
    shocked.iloc[EVENT] += by
    return shocked


def test_the_slopes_are_those_of_a_regression_and_their_p_values_shares_of_ordinary_days():
    study = run_study(RETURNS, MARKET, DATE)
    known = characteristics(study)
    found = run_cross_section(study, known, (0, 0)).set_index("name")
    scaled = (known - known.mean()) / known.std()
    fit = sm.OLS(study.abnormal_returns.loc[0], sm.add_constant(scaled)).fit()
    np.testing.assert_allclose(found["slope"], fit.params.drop("const"), rtol=1e-9)
    slopes = [
        sm.OLS(day, sm.add_constant(scaled)).fit().params["beta"] for _, day in study.residuals.iterrows()
    ]
    reached = sum(abs(slope) >= abs(found.loc["beta", "slope"]) for slope in slopes)
    assert found.loc["beta", "p_value"] == pytest.approx((1 + reached) / 251)


def test_a_loss_that_goes_with_beta_is_found_and_a_shared_one_is_not():
    beta = run_study(RETURNS, MARKET, DATE).firms["beta"]
    known = beta.to_frame()
    with_beta = run_study(hit(-0.1 * (beta - beta.mean())), MARKET, DATE)
    assert run_cross_section(with_beta, known, (0, 0))["p_value"].item() < 0.01
    shared = run_study(hit(-0.1), MARKET, DATE)
    one, other = (
        run_cross_section(each, known, (0, 0)) for each in (shared, run_study(RETURNS, MARKET, DATE))
    )
    np.testing.assert_allclose(one["slope"], other["slope"], atol=1e-12)


def test_too_few_firms_and_what_says_nothing_are_refused():
    study = run_study(RETURNS.iloc[:, :8], MARKET, DATE)
    with pytest.raises(EventStudyError, match="too few"):
        run_cross_section(study, characteristics(study), (0, 0))
    study = run_study(RETURNS, MARKET, DATE)
    with pytest.raises(EventStudyError, match="same for all"):
        run_cross_section(study, pd.DataFrame({"one": 1.0}, RETURNS.columns), (0, 0))


def test_a_company_made_of_its_donors_is_rebuilt_and_its_loss_is_the_gap():
    draw = np.random.default_rng(2)
    donors = RETURNS.iloc[:, :8]
    made = donors.iloc[:, :3] @ [0.5, 0.3, 0.2] + draw.normal(0, 0.002, len(donors))
    made.iloc[EVENT] -= 0.08
    found = run_synthetic(made, donors, run_study(RETURNS, MARKET, DATE).place)
    assert found.fit > 0.9
    np.testing.assert_allclose(found.weights.iloc[:3], [0.5, 0.3, 0.2], atol=0.06)
    assert found.days.loc[0, "gap"] == pytest.approx(-0.08, abs=0.01)
    assert found.p_time == pytest.approx(1 / 251)
    assert found.days.loc[-1, "cumulative_gap"] == 0
    # No firm is rebuilt from the others nearly as well, so that its gap says nothing of this one's.
    assert not found.donors["compared"].any()
    assert found.rank == 0
    assert np.isnan(found.p_donors)


def test_a_gap_is_ranked_among_those_of_the_firms_that_nothing_treated():
    draw = np.random.default_rng(4)
    donors = RETURNS.iloc[:, :8]
    made = donors.iloc[:, :3] @ [0.5, 0.3, 0.2] + draw.normal(0, 0.018, len(donors))
    made.iloc[EVENT] -= 0.12
    place = run_study(RETURNS, MARKET, DATE).place
    found = run_synthetic(made, donors, place)
    figures = found.donors[found.donors["compared"]]
    own = abs(found.days.loc[0, "gap"]) / found.placebo.std(ddof=0)
    assert len(figures) >= 4
    assert found.rank == 1 + (figures["ratio"].abs() >= own).sum() == 1
    assert found.p_donors == pytest.approx(1 / (len(figures) + 1))
    # A donor's gap is what the same study of that firm, with the others as donors, would find.
    one = donors.columns[0]
    alone = found.donor_gaps[one]
    assert alone.loc[-1] == 0
    assert alone.loc[0] == pytest.approx(found.donors.loc[one, "gap"])
    band = found.band()
    held = found.placebo.rolling(3).sum().quantile([0.025, 0.975])
    np.testing.assert_allclose(band.loc[2], held)


def test_what_a_long_window_explains_is_held_against_stretches_as_unsure_as_a_forecast():
    study = run_study(RETURNS, MARKET, DATE, windows=((0, 0), (0, 10)))
    beta = study.firms[["beta"]]
    found = run_cross_section(study, beta, (0, 10)).set_index("name")
    scaled = (beta["beta"] - beta["beta"].mean()) / beta["beta"].std()
    weight = scaled / (scaled**2).sum()
    assert found.loc["beta", "slope"] == pytest.approx(weight @ study.abnormal_returns.loc[0:10].sum())
    before = MARKET.iloc[EVENT - 260 : EVENT - 10]
    design = sm.add_constant(before.to_numpy())
    inverse = np.linalg.inv(design.T @ design)
    event = np.array([11, MARKET.iloc[EVENT : EVENT + 11].sum()])
    ahead = 11 + event @ inverse @ event
    slopes = []
    for start in range(240):
        days = design[start : start + 11].sum(axis=0)
        sums = study.residuals.iloc[start : start + 11].sum()
        slopes.append(weight @ sums * np.sqrt(ahead / (11 - days @ inverse @ days)))
    half = np.quantile(np.abs(slopes), 0.95)
    assert found.loc["beta", "high"] - found.loc["beta", "slope"] == pytest.approx(half)


def test_segments_are_compared_with_the_largest_and_small_ones_stand_together():
    study = run_study(RETURNS, MARKET, DATE)
    names = ["chips"] * 12 + ["software"] * 9 + ["power"] * 6 + ["memory"] * 2 + ["cloud"]
    segments = pd.Series(names, RETURNS.columns)
    columns, base = segment_columns(segments)
    assert base == "chips"
    assert columns.sum().to_dict() == {"Smaller segments": 3, "power": 6, "software": 9}
    found = run_cross_section(study, columns, (0, 0)).set_index("name")
    day = study.abnormal_returns.loc[0]
    expected = day[segments == "power"].mean() - day[segments == "chips"].mean()
    assert found.loc["power", "slope"] == pytest.approx(expected)


def test_two_firms_of_small_segments_join_the_next_larger_one():
    segments = pd.Series(["chips"] * 5 + ["power"] * 4 + ["memory", "cloud"], range(11))
    columns, base = segment_columns(segments)
    assert (base, list(columns)) == ("chips", ["Smaller segments"])
    assert columns["Smaller segments"].sum() == 6
    assert segment_columns(pd.Series("chips", range(7)))[1] == ""


def test_a_synthetic_control_that_does_not_fit_before_the_event_is_refused():
    noise = pd.Series(np.random.default_rng(3).normal(0, 0.05, len(RETURNS)), RETURNS.index)
    with pytest.raises(EventStudyError, match="No synthetic control"):
        run_synthetic(noise, RETURNS.iloc[:, :8], run_study(RETURNS, MARKET, DATE).place)


def test_a_move_that_is_large_in_calm_times_is_ordinary_in_a_storm():
    calm, storm = hit(-0.03), hit(-0.03)
    away = storm.iloc[EVENT - 40 : EVENT].sub(MARKET.iloc[EVENT - 40 : EVENT], axis=0)
    storm.iloc[EVENT - 40 : EVENT] += 4 * away
    p = [scaled_placebo(run_study(each, MARKET, DATE), (0, 0)).p_value for each in (calm, storm)]
    assert p[0] < 0.03 < p[1]


def test_spread_and_volume_of_the_day_are_held_against_ordinary_days():
    spread = np.random.default_rng(5).normal(0, 0.1, RETURNS.shape[1])
    wild, usual = (abnormal_variance(run_study(each, MARKET, DATE)) for each in (hit(spread), RETURNS))
    assert wild.value > 5 > usual.value
    assert wild.p_value == pytest.approx(1 / 251)
    volumes = pd.DataFrame(1e6, RETURNS.index, RETURNS.columns)
    volumes *= np.exp(np.random.default_rng(6).normal(0, 0.2, volumes.shape))
    volumes.iloc[EVENT] *= 3
    busy = abnormal_volume(volumes, run_study(RETURNS, MARKET, DATE))
    assert busy.value == pytest.approx(3, rel=0.15)
    assert busy.p_value == pytest.approx(1 / 251)


def test_other_events_are_left_out_of_the_estimation_window_and_named():
    others = {
        "before": RETURNS.index[100],
        "near": RETURNS.index[EVENT + 3],
        "same": DATE,
        "far": RETURNS.index[5],
    }
    found = confounders(RETURNS.index, DATE, others).set_index("event")
    assert found["where"].to_dict() == {
        "same": "same session",
        "near": "event window",
        "before": "estimation window",
    }
    assert found.loc["near", "day"] == 3
    study = run_study(RETURNS, MARKET, DATE, exclude=others.values())
    assert len(study.estimation_sessions) == 249
    assert RETURNS.index[100] not in study.estimation_sessions
    rows = [each for each in range(EVENT - 260, EVENT - 10) if each != 100]
    fit = sm.OLS(RETURNS["F000"].iloc[rows], sm.add_constant(MARKET.iloc[rows])).fit()
    assert study.firms.loc["F000", "beta"] == pytest.approx(fit.params["market"], rel=1e-9)
    assert "1 session with other events left out of the estimation window." in study.notes


def test_a_benchmark_of_treated_firms_says_what_it_is_made_of_and_is_refused():
    prices = (1 + RETURNS).cumprod()
    treated = list(RETURNS.columns[:24])
    values = pd.Series(np.arange(1.0, 31.0), RETURNS.columns)
    choices = benchmark_choices(prices[["F029"]], prices, treated, values)
    assert choices["equal-weight"].describe() == "30 firms, 80% of them treated by the event"
    with pytest.raises(EventStudyError, match="refused"):
        choose_benchmark(choices, "equal-weight")
    assert choose_benchmark(choices, "ex-treated").firms == 6
    alone = benchmark_choices(prices[["F029"]], prices, treated, values.loc[["F029"]])
    with pytest.raises(
        EventStudyError, match="made of 1 firm, 0% of them treated by the event, and 5 are needed"
    ):
        choose_benchmark(alone, "ex-treated-value")
    inside = RETURNS.iloc[7, 24:]
    expected = np.average(inside, weights=values.iloc[24:])
    assert choices["ex-treated-value"].returns.iloc[6] == pytest.approx(expected)
    assert Benchmark("fund", MARKET).fair
    for firms, treated_firms, fair in ((5, 1, True), (5, 2, False), (4, 0, False)):
        few = Benchmark("few", MARKET, firms, treated_firms)
        assert few.fair is fair
        if fair:
            assert choose_benchmark({"few": few}, "few") is few


def test_the_index_without_its_ai_companies_is_what_is_left_of_its_value():
    days = RETURNS.index[:4]
    worth = pd.Series([100.0, 100.0, 110.0, 120.0], days)
    rows = [("A", day, 30.0, -0.1) for day in days] + [("B", day, 10.0, 0.2) for day in days[1:]]
    moves = pd.DataFrame(rows, columns=["ticker", "date", "value_before", "change"])
    fund = pd.Series([0.01, 0.02, -0.01, 0.03], days)
    found = IndexParts(days[1] - pd.Timedelta(hours=1), worth, moves).without(fund)
    # 60 of the 100 dollars are not in A or B, which lost 3 and won 2 of the 2 dollars that the index won.
    assert found.returns.iloc[1] == pytest.approx((2 + 3 - 2) / 60)
    assert "less 2 AI companies in it, 40% of its value" in found.describe()
    assert found.fair
    unknown = moves.assign(value_before=moves["value_before"].where(moves["ticker"] == "A"))
    assert IndexParts(days[1], worth, unknown).without(fund) is None
    assert IndexParts(days[-1] + pd.Timedelta(days=9), worth, moves).without(fund) is None


def test_the_path_of_a_contrast_starts_at_the_session_before_the_event():
    names = list(RETURNS.columns)
    contrast = run_contrast(hit(0.0), MARKET, DATE, names[:10], names[10:])
    path = contrast.path()
    assert list(path.index) == list(range(-1, 11))
    assert (path.loc[-1, ["exposed", "unexposed", "difference"]] == 0).all()
    row = contrast.tests.query("scope == 'day' and start == 0 and test == 'portfolio_regression'")
    outside = abs(path.loc[0, "difference"]) > path.loc[0, "difference_high"]
    assert outside == (row["p_value"].item() < 0.05)


def test_the_path_of_a_study_holds_the_day_s_own_return_and_its_band():
    study = run_study(RETURNS, MARKET, DATE)
    path = study.path()
    assert path.loc[0, "caar"] == path.loc[0, "aar"] == study.aar.loc[0, "aar"]
    np.testing.assert_allclose(
        path.loc[0, ["caar_low", "caar_high"]], study.aar.loc[0, ["aar_low", "aar_high"]]
    )
    assert path.loc[10, "caar"] == pytest.approx(study.aar.loc[0:10, "aar"].sum())
    np.testing.assert_allclose(
        study.estimate((0, 10)), path.loc[10, ["caar", "caar_low", "caar_high"]].tolist()
    )
