"""Bad input is refused in one sentence that names what is wrong."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from simulated import EVENT, factors, panel

from dashboard.event_study import (
    EventStudyError,
    market_without,
    run_contrast,
    run_size_check,
    run_study,
)

RETURNS, MARKET = panel()
DATE = RETURNS.index[EVENT]


def changed(frame, change):
    copy = frame.copy()
    change(copy)
    return copy


def spoil(value, row=EVENT - 30, column=2):
    return changed(RETURNS, lambda frame: frame.iloc.__setitem__((row, column), value))


CASES = {
    "returns are no frame": ({"returns": RETURNS["F000"]}, "must be a DataFrame"),
    "no firm": ({"returns": RETURNS[[]]}, "empty"),
    "no session": ({"returns": RETURNS.iloc[:0]}, "empty"),
    "two columns of one name": ({"returns": RETURNS.set_axis(["A"] * 8, axis=1)}, "both called 'A'"),
    "not sorted": ({"returns": RETURNS.iloc[::-1]}, "not sorted"),
    "duplicate date": (
        {"returns": pd.concat([RETURNS, RETURNS.iloc[[9]]]).sort_index()},
        f"{RETURNS.index[9]:%Y-%m-%d} twice",
    ),
    "numbers for dates": ({"returns": RETURNS.reset_index(drop=True)}, "must hold dates"),
    "words for dates": ({"returns": RETURNS.set_axis([f"x{i}" for i in range(320)])}, "must hold dates"),
    "time zone": ({"returns": RETURNS.tz_localize("America/New_York")}, "time zone America/New_York"),
    "times of day": ({"returns": RETURNS.set_axis(RETURNS.index + pd.Timedelta("16h"))}, "times of day"),
    "an empty date": (
        {"returns": RETURNS.set_axis(RETURNS.index.where(np.arange(320) != 5, pd.NaT))},
        "empty date",
    ),
    "text": ({"returns": RETURNS.astype({"F003": str})}, "'F003' of the returns holds"),
    "infinite": ({"returns": spoil(np.inf)}, "infinite value: 'F002' on"),
    "market not given": ({"market": None}, "needs the market's returns"),
    "market infinite": (
        {"market": changed(MARKET, lambda s: s.iloc.__setitem__(40, -np.inf))},
        "infinite value: 'market' on",
    ),
    "market unsorted": ({"market": MARKET.iloc[::-1]}, "dates of the market returns are not sorted"),
    "market elsewhere": (
        {"market": MARKET.set_axis(MARKET.index + pd.Timedelta(days=3000))},
        "no session in common",
    ),
    "market constant": ({"market": MARKET * 0 + 0.001}, "constant in the estimation window: beta"),
    "market missing on the event day": (
        {"market": changed(MARKET, lambda s: s.iloc.__setitem__(EVENT, np.nan))},
        "no return on the event session",
    ),
    "market of another kind": ({"market": [0.1]}, "must be a Series"),
    "the benchmark among the firms": (
        {"returns": RETURNS.assign(SPY=MARKET)},
        "'SPY' are an exact function of the market's",
    ),
    "event before the data": ({"event_date": "2001-01-01"}, "outside the data"),
    "event after the data": ({"event_date": "2031-01-01"}, "outside the data"),
    "event too close to the end": ({"event_date": RETURNS.index[-3]}, "reaches outside the data"),
    "event too close to the start": ({"event_date": RETURNS.index[4]}, "reaches outside the data"),
    "no estimation window": ({"event_date": RETURNS.index[10]}, "No session of the estimation window"),
    "too short a history": (
        {"event_date": RETURNS.index[70]},
        "market has 60 of the 125 returns needed in the estimation window. A shorter estimation window takes fewer.",
    ),
    "as long a market as is needed, and shorter firms": (
        {"event_date": RETURNS.index[135], "returns": RETURNS.iloc[5:].reindex(RETURNS.index)},
        "firms can be studied: F000, for instance, has 120 of the 125 returns needed",
    ),
    "no date": ({"event_date": "yesterday"}, "is not a date"),
    "a number for a date": ({"event_date": 20250127}, "must be a date"),
    "a missing date": ({"event_date": pd.NaT}, "empty"),
    "a date with a zone": ({"event_date": pd.Timestamp(DATE, tz="UTC")}, "time zone"),
    "unknown model": ({"model": "garch"}, "no model 'garch'; choose one of mean"),
    "factors without columns": (
        {"model": "ff3", "market": factors(MARKET).drop(columns="HML")},
        "HML is missing",
    ),
    "a series for factors": ({"model": "capm"}, "needs a DataFrame with the columns Mkt-RF, RF"),
    "collinear factors": (
        {"model": "ff3", "market": factors(MARKET).assign(HML=lambda f: 2 * f["SMB"])},
        "collinear",
    ),
    "overlapping windows": ({"estimation": (-250, -10)}, "overlaps or follows the event window [-10, 10]"),
    "estimation after the event": ({"estimation": (20, 200)}, "overlaps or follows"),
    "window outside the event window": ({"windows": ((0, 11),)}, "[0, 11] lies outside"),
    "window the wrong way round": ({"windows": ((1, 0),)}, "ends before it starts"),
    "window twice": ({"windows": ((0, 1), (0, 1))}, "given twice"),
    "window of halves": ({"windows": ((0, 1.5),)}, "whole numbers"),
    "window of three": ({"windows": ((0, 1, 2),)}, "two numbers"),
    "event window without day 0": ({"event_window": (1, 5), "windows": ((1, 2),)}, "must hold day 0"),
    "too small a minimum": ({"min_observations": 2}, "at least 5"),
    "no minimum": ({"min_observations": "many"}, "whole number"),
    "unknown treatment of gaps": ({"gaps": "fill"}, "'skip' or 'trade-to-trade'"),
}


@pytest.mark.parametrize("case", CASES)
def test_run_study_names_what_is_wrong(case):
    arguments, message = CASES[case]
    with pytest.raises(EventStudyError) as error:
        run_study(**({"returns": RETURNS, "market": MARKET, "event_date": DATE} | arguments))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [0.0, 0.0123])
def test_a_halted_firm_is_dropped_and_the_others_are_studied(value):
    halted = RETURNS.assign(F001=value + np.random.default_rng(1).choice([0.0, 1e-17], len(RETURNS)))
    study = run_study(halted, MARKET, DATE)
    assert study.dropped.to_dict("records") == [
        {"firm": "F001", "reason": "constant returns in the estimation window (a halted share?)"}
    ]
    without = run_study(RETURNS.drop(columns="F001"), MARKET, DATE)
    pd.testing.assert_frame_equal(study.tests, without.tests)
    with pytest.raises(EventStudyError, match=r"^F001 cannot be studied: it has constant returns"):
        run_study(halted[["F001"]], MARKET, DATE)


def test_of_firms_that_were_all_listed_too_late_the_first_is_named_as_an_instance():
    late = RETURNS[["F002", "F001"]].copy()
    late.iloc[:-40] = np.nan
    with pytest.raises(
        EventStudyError, match=r"^None of the 2 firms can be studied: F002, for instance, has "
    ):
        run_study(late, MARKET, DATE)


@pytest.mark.parametrize("noise", [0.0, 1e-16, 1e-10, 1e-8])
def test_firms_that_are_copies_of_each_other_are_refused_by_the_tests_that_compare_them(noise):
    draw = np.random.default_rng(4)
    copies = pd.DataFrame({f"C{i}": RETURNS["F002"] + noise * draw.standard_normal(320) for i in range(3)})
    day = run_study(copies, MARKET, DATE).tests.query("scope == 'day' and start == 0").set_index("test")
    compare = ["cross_sectional", "bmp", "kolari_pynnonen", "grank_t"]
    assert day.loc[compare, "statistic"].isna().all()
    assert day.loc[compare, "note"].str.startswith("Not computed: the firms are copies").all()
    assert day.drop([*compare, "wilcoxon"])["statistic"].abs().max() < 20


def test_firms_that_cancel_each_other_have_no_portfolio_test():
    mirror = pd.DataFrame({"A": RETURNS["F002"] + MARKET, "B": MARKET - RETURNS["F002"]})
    day = run_study(mirror, MARKET, DATE).tests.query("scope == 'day' and start == 0").set_index("test")
    assert day.loc[["portfolio_regression", "crude_dependence", "kolari_pynnonen"], "statistic"].isna().all()
    assert day["statistic"].abs().max() < 20


def test_the_error_is_a_value_error():
    assert issubclass(EventStudyError, ValueError)


def test_dates_in_other_forms_are_understood():
    plain = run_study(RETURNS, MARKET, DATE).tests
    for date in (f"{DATE:%Y-%m-%d}", DATE.date(), dt.datetime(DATE.year, DATE.month, DATE.day, 9, 30)):
        pd.testing.assert_frame_equal(run_study(RETURNS, MARKET, date).tests, plain)
    dated = RETURNS.set_axis([stamp.date() for stamp in RETURNS.index])
    pd.testing.assert_frame_equal(run_study(dated, MARKET, DATE).tests, plain)
    whole = RETURNS.convert_dtypes()
    pd.testing.assert_frame_equal(run_study(whole, MARKET, DATE).tests, plain)


def test_tests_that_need_more_firms_say_so_instead_of_giving_a_number():
    study = run_study(RETURNS[["F001"]], MARKET, DATE)
    day = study.tests.query("scope == 'day' and start == 0").set_index("test")
    needy = ["cross_sectional", "patell_adjusted", "bmp", "kolari_pynnonen", "grank_t"]
    assert day.loc[needy, "statistic"].isna().all()
    assert day.loc[needy, "note"].str.startswith("Not computed: it needs 2 or more firms").all()
    assert day.drop(needy)["statistic"].notna().all()
    assert day.drop(needy)["p_value"].between(0, 1).all()


def test_no_missing_statistic_is_without_a_reason(gappy):
    returns, market = gappy
    one_day = returns.copy()
    one_day.iloc[EVENT + 3] = np.nan
    study = run_study(one_day, market, DATE)
    missing = study.tests[study.tests["statistic"].isna()]
    assert len(missing)
    assert missing["note"].str.startswith("Not computed: ").all()
    assert study.tests[study.tests["statistic"].notna()]["p_value"].notna().all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: run_contrast(RETURNS, MARKET, DATE, [], ["F001"]), "exposed group is empty"),
        (lambda: run_contrast(RETURNS, MARKET, DATE, ["F001"], ["F001", "F002"]), "in both groups"),
        (lambda: run_contrast(RETURNS, MARKET, DATE, ["F001"], ["XYZ"]), "'XYZ' of the unexposed group"),
        (lambda: run_size_check(RETURNS.iloc[:200], MARKET), "no placebo date to draw"),
        (lambda: run_size_check(RETURNS, MARKET, dates=0), "at least 1"),
        (lambda: market_without(RETURNS, list(RETURNS)), "is empty"),
        (lambda: market_without(RETURNS, [], pd.Series({"F000": 1.0})), "no positive weight"),
    ],
)
def test_the_other_functions_name_what_is_wrong(call, message):
    with pytest.raises(EventStudyError, match=message):
        call()
