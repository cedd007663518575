"""Rejection rates when nothing happened and the firms move together."""

from functools import cache

import numpy as np
import pytest
from simulated import EVENT, panel

from dashboard.event_study import TESTS, run_size_check, run_study
from dashboard.event_study.battery import run_battery
from dashboard.event_study.regression import Sample, fit
from dashboard.event_study.size_table import WINDOWS
from dashboard.event_study.validity import COMMON, VOLATILE, _within, judge, look_up
from dashboard.event_study.windows import make_scopes
from tests.conftest import SOAK

DAYS, AROUND = 250, 21
DRAWS = 4000 if SOAK else 300
SCOPES = make_scopes((-10, 10), WINDOWS, days=False)
INDEPENDENT = [test.name for test in TESTS.values() if not test.allows_correlation]
QUICK = [
    ("equal", "complete", 2),
    ("equal", "gaps", 12),
    ("hidden factor", "complete", 28),
    ("t4", "histories", 25),
]
SLOW = [
    (kind, missing, firms)
    for kind in ("equal", "hidden factor", "t4", "garch")
    for missing in ("complete", "gaps", "histories")
    for firms in (2, 6, 25, 120)
]


def noise(draw, kind, shape):
    """Unit-variance shocks of a kind; GARCH(1,1) by its recursion day by day."""
    if kind == "t4":
        return draw.standard_t(4, shape) / np.sqrt(2)
    shocks = draw.standard_normal(shape)
    if kind == "garch":
        variance = np.ones(shape[:-1])
        for day in range(shape[-1]):
            shocks[..., day] *= np.sqrt(variance)
            variance = 0.05 + 0.07 * shocks[..., day] ** 2 + 0.88 * variance
    return shocks


def null_sample(draw, kind, missing, firms, draws):
    """Returns that obey the market model on every day, event included."""
    days = DAYS + AROUND
    market = draw.normal(0, 0.012, (draws, 1, days, 1))
    loading = draw.uniform(0.25, 0.65, (draws, firms, 1)) if kind == "hidden factor" else np.sqrt(0.2)
    residual = loading * noise(draw, kind, (draws, 1, days))
    residual = residual + np.sqrt(1 - loading**2) * noise(draw, kind, (draws, firms, days))
    returns = draw.normal(1.2, 0.4, (draws, firms, 1)) * market[..., 0]
    returns = returns + draw.uniform(0.008, 0.05, (draws, firms, 1)) * residual
    if missing == "gaps":
        returns[..., :DAYS][draw.random((draws, firms, DAYS)) < 0.2] = np.nan
    if missing == "histories":
        listed = draw.integers(0, 126, (draws, firms, 1))
        returns[np.arange(days) < listed] = np.nan
    return Sample(returns, market, DAYS)


@cache
def rejections(kind, missing, firms, volatile):
    """Test → share of the draws that reject at 5% over each window."""
    draw = np.random.default_rng([firms, len(kind), len(missing)])
    counts = {name: np.zeros(len(WINDOWS)) for name in TESTS}
    chunk = max(1, 400_000 // (firms * (DAYS + AROUND)))
    for start in range(0, DRAWS, chunk):
        sample = null_sample(draw, kind, missing, firms, min(chunk, DRAWS - start))
        if volatile:
            event = sample.returns[..., DAYS:]
            market = sample.factors[:, :, DAYS:, 0]
            sample.returns[..., DAYS:] = market + 2 * (event - market)
        for name, outcome in run_battery(fit(sample, constant=True), SCOPES).outcomes.items():
            counts[name] += (outcome.p_value[:, SCOPES.rows] < 0.05).sum(axis=0)
    return {name: count / DRAWS for name, count in counts.items()}


@pytest.mark.parametrize(("kind", "missing", "firms"), SLOW if SOAK else QUICK)
@pytest.mark.parametrize("volatile", [False, True])
def test_a_test_marked_as_holding_rejects_a_true_null_as_often_as_it_says(kind, missing, firms, volatile):
    low, high = (0.03, 0.075) if volatile else (0.035, 0.07)
    room = 0 if SOAK else 2.5 * np.sqrt(0.05 * 0.95 / DRAWS)
    rates = rejections(kind, missing, firms, volatile)
    marked = 0
    for test in TESTS.values():
        for place, (start, end) in enumerate(WINDOWS):
            holds, _ = look_up(test, (missing,), DAYS, firms, end - start + 1)
            if holds[int(volatile)]:
                marked += 1
                assert low - room <= rates[test.name][place] <= high + room, (test.name, end - start + 1)
    assert marked >= (4 if not volatile else 2 if firms <= 20 else 0)


def test_the_tests_that_assume_independence_reject_far_too_often():
    rates = rejections("hidden factor", "complete", 28, False)
    assert all(rates[name][0] > 0.25 for name in INDEPENDENT)


def marks(firms, window=(0, 0), holes=False):
    returns, market = panel(firms=firms, seed=3)
    if holes:
        returns = returns.mask(np.random.default_rng(5).random(returns.shape) < 0.15)
        returns.iloc[EVENT - 10 :] = panel(firms=firms, seed=3)[0].iloc[EVENT - 10 :]
    study = run_study(returns, market, returns.index[EVENT], windows=(window,))
    return study.tests.query("scope == 'window'").set_index("test")


def test_the_rank_test_of_standardised_returns_is_not_offered_where_its_size_was_far_from_5_percent():
    for study in (marks(5), marks(12, (-1, 1)), marks(60, (-1, 1), holes=True), marks(60)):
        assert not study.loc["grank_t", ["valid_with_common_date", "valid_with_volatile_day"]].any()
    assert marks(5).loc["grank_t", "size_common_date"] > 0.1
    assert marks(60).loc["grank_t", "size_common_date"] > 0.07


def test_kolari_and_pynnonens_test_is_not_offered_for_large_groups_where_it_may_reject_too_rarely():
    for firms, offered in ((5, True), (12, True), (20, True), (21, False), (60, False), (200, False)):
        holds, _ = look_up(TESTS["kolari_pynnonen"], ("complete",), DAYS, firms, 1)
        assert list(holds) == [offered, offered]


def test_a_rate_measured_outside_what_is_promised_is_not_offered_however_few_the_draws():
    firms, few_draws = np.array([5]), np.array([[0.02]])
    for limits, least, most in ((COMMON, 0.035, 0.07), (VOLATILE, 0.03, 0.075)):
        for low, high, holds in (
            (least, most, True),
            (least - 0.0005, most, False),
            (least, most + 0.0005, False),
        ):
            rates = np.array([[low]]), np.array([[high]])
            assert _within(*rates, few_draws, firms, limits) == holds
    holds, _ = look_up(TESTS["corrado_rank"], ("complete",), DAYS, 30, 1)
    assert not holds.any()


def test_a_test_that_a_volatile_day_leaves_holds_on_a_common_date_too():
    for firms in (5, 12, 40, 60):
        for window in ((0, 0), (-1, 1), (-5, 5)):
            rows = marks(firms, window)
            assert rows.loc[rows["valid_with_volatile_day"], "valid_with_common_date"].all()


def test_a_more_volatile_day_leaves_the_tests_that_look_at_that_day():
    rows = marks(18)
    volatile = set(rows.index[rows["valid_with_volatile_day"]])
    # Of one day GRANK-T rejects 7% when all firms' days are stormy together.
    assert volatile == {"kolari_pynnonen"}
    assert rows.loc["grank_t", "size_volatile_day"] > 0.065
    assert rows.loc[["portfolio_regression", "placebo"], "size_volatile_day"].min() > 0.25


def test_of_one_firm_patell_holds_and_ranks_cannot_reject():
    rows = marks(1)
    assert rows.loc[["patell", "portfolio_regression"], "valid_with_common_date"].all()
    assert not rows.loc["corrado_rank", "valid_with_common_date"]
    assert rows.loc["corrado_rank", "size_common_date"] == 0


def test_a_long_window_leaves_the_tests_that_know_the_forecast_error():
    rows = marks(18, (-10, 10))
    assert rows.loc[["portfolio_regression", "kolari_pynnonen"], "valid_with_common_date"].all()
    assert not rows.loc[["placebo", "crude_dependence", "patell_adjusted"], "valid_with_common_date"].any()


def test_what_was_not_measured_is_not_marked():
    returns, market = panel(firms=20, sessions=420, seed=8)
    short = run_study(returns, market, returns.index[380], estimation=(-55, -11), min_observations=20)
    assert not short.tests["valid_with_common_date"].any()
    assert short.tests["size_common_date"].isna().all()
    gappy = returns.mask(np.random.default_rng(5).random(returns.shape) < 0.4)
    assert not run_study(gappy, market, returns.index[380]).tests["valid_with_common_date"].any()


def test_a_group_between_two_measured_sizes_needs_both():
    verdicts = judge(
        fit(null_sample(np.random.default_rng(1), "equal", "complete", 8, 1), constant=True),
        SCOPES,
        TESTS.values(),
    )
    for test in TESTS.values():
        at = [look_up(test, ("complete",), DAYS, firms, 1)[0][0] for firms in (7, 10)]
        assert verdicts[test.name].common[0] == all(at)


def test_the_size_check_tells_a_user_which_tests_to_believe():
    returns, market = panel(firms=20, sessions=900, seed=11, common=0.015)
    sizes = run_size_check(returns, market, dates=400).set_index("test")
    assert list(sizes.index) == list(TESTS)
    assert (sizes["dates"] == 400).all()
    valid = sizes["valid_with_common_date"]
    assert (sizes.loc[valid, "rejected_5pct"] < 0.1).all()
    assert valid[["portfolio_regression", "kolari_pynnonen"]].all()
    assert not valid[INDEPENDENT].any()
    assert (sizes.loc[["cross_sectional", "patell", "bmp", "wilcoxon"], "rejected_5pct"] > 0.2).all()
    ordered = sizes[["rejected_1pct", "rejected_5pct", "rejected_10pct"]].to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all()


def test_the_size_check_runs_the_very_tests_of_a_study(gappy):
    """One placebo date is left: its p-values are those of a study of that date."""
    returns, market = gappy
    returns, market = returns.iloc[EVENT - 260 : EVENT + 11], market.iloc[EVENT - 260 : EVENT + 11]
    study = run_study(returns, market, returns.index[260], windows=((0, 0), (-1, 1)))
    sizes = run_size_check(returns, market, windows=((0, 0), (-1, 1)), dates=5)
    assert (sizes["dates"] == 1).all()
    rows = study.tests[study.tests["scope"] == "window"].set_index(["start", "end", "test"])
    for row in sizes.itertuples():
        p_value = rows.loc[(row.start, row.end, row.test), "p_value"]
        assert (row.rejected_1pct, row.rejected_5pct, row.rejected_10pct) == (
            p_value < 0.01,
            p_value < 0.05,
            p_value < 0.10,
        )


def test_the_draw_depends_on_the_seed_alone_and_avoids_the_real_events():
    returns, market = panel(firms=5, sessions=420)
    one = run_size_check(returns, market, dates=50, seed=4)
    assert one.equals(run_size_check(returns, market, dates=50, seed=4))
    everything = run_size_check(returns, market)["dates"].iloc[0]
    without = run_size_check(returns, market, exclude=[returns.index[330]])["dates"].iloc[0]
    assert everything == 420 - 260 - 10
    assert without == everything - 21


def test_a_firm_that_does_not_trade_for_a_while_does_not_spoil_the_size_check():
    returns, market = panel(firms=6, sessions=420)
    returns.iloc[:400, 0] = 0.0
    sizes = run_size_check(returns, market)
    assert (sizes["dates"] > 100).all()


def test_the_error_of_the_size_check_counts_windows_that_do_not_overlap():
    returns, market = panel(firms=5, sessions=420)
    windows = ((0, 0), (0, 10))
    sizes = run_size_check(returns, market, windows=windows).set_index(["start", "end", "test"])
    one, eleven = sizes.loc[(0, 0, "placebo")], sizes.loc[(0, 10, "placebo")]
    assert one["independent_dates"] == one["dates"] == 150
    assert eleven["independent_dates"] == 14
    assert eleven["standard_error_5pct"] == pytest.approx(np.sqrt(0.05 * 0.95 / 14))
