"""Rejection rates when nothing happened and the firms move together."""

import numpy as np
import pytest
from simulated import EVENT, panel

from dashboard.event_study import TESTS, run_size_check
from dashboard.event_study.battery import run_battery
from dashboard.event_study.regression import Sample, fit
from dashboard.event_study.windows import make_scopes

FIRMS, DRAWS, CHUNK, DAYS, CORRELATION = 30, 4000, 250, 250, 0.15
VALID = [test.name for test in TESTS.values() if test.valid_with_common_date]
INVALID = [test.name for test in TESTS.values() if not test.valid_with_common_date]


@pytest.fixture(scope="module")
def rejected() -> dict[str, float]:
    """Share of 4,000 independent null draws each test rejects at 5%: equicorrelated normal residuals."""
    draw = np.random.default_rng(20250127)
    scopes = make_scopes((0, 0), ((0, 0),))
    counts = dict.fromkeys(TESTS, 0)
    for _ in range(DRAWS // CHUNK):
        market = draw.normal(0, 0.01, (CHUNK, 1, DAYS + 1, 1))
        shared = draw.normal(size=(CHUNK, 1, DAYS + 1)) * np.sqrt(CORRELATION)
        own = draw.normal(size=(CHUNK, FIRMS, DAYS + 1)) * np.sqrt(1 - CORRELATION)
        sigma = draw.uniform(0.01, 0.04, (CHUNK, FIRMS, 1))
        beta = draw.normal(1, 0.3, (CHUNK, FIRMS, 1))
        sample = Sample(beta * market[..., 0] + sigma * (shared + own), market, DAYS)
        battery = run_battery(fit(sample, constant=True), scopes)
        for name, outcome in battery.outcomes.items():
            counts[name] += int((outcome.p_value[:, 0] < 0.05).sum())
    return {name: count / DRAWS for name, count in counts.items()}


@pytest.mark.parametrize("test", VALID)
def test_a_test_marked_valid_rejects_a_true_null_as_often_as_it_says(rejected, test):
    assert 0.035 <= rejected[test] <= 0.07


@pytest.mark.parametrize("test", INVALID)
def test_a_test_marked_invalid_rejects_a_true_null_far_too_often(rejected, test):
    assert rejected[test] > 0.25


def test_the_size_check_tells_a_user_which_tests_to_believe():
    returns, market = panel(firms=25, sessions=900, seed=11, common=0.015)
    sizes = run_size_check(returns, market, dates=400).set_index("test")
    assert list(sizes.index) == list(TESTS)
    assert (sizes["dates"] == 400).all()
    assert (sizes.loc[VALID, "rejected_5pct"] < 0.12).all()
    assert (sizes.loc[["cross_sectional", "patell", "bmp", "wilcoxon"], "rejected_5pct"] > 0.2).all()
    ordered = sizes[["rejected_1pct", "rejected_5pct", "rejected_10pct"]].to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all()


def test_the_size_check_runs_the_very_tests_of_a_study(gappy):
    """One placebo date is left: its p-values are those of a study of that date."""
    from dashboard.event_study import run_study

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
