"""The sentences of an event study, each at the edge of what it says."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dashboard.charts.words import day
from dashboard.views.study_words import (
    _cautious,
    _counted,
    _moved,
    _otherwise,
    _smallest,
    _storm,
    confounding,
    estimate,
    silent,
    spell_p,
)

SESSION = pd.Timestamp("2025-01-27")


def told(firms: int = 3, own: float = -0.02, **known: Any) -> Any:
    """An answer on so many firms whose abnormal return was `own`."""
    study = SimpleNamespace(
        abnormal_returns=pd.DataFrame(np.zeros((1, firms)), columns=[f"F{one}" for one in range(firms)]),
        estimate=lambda window: (own, own - 0.01, own + 0.01),
        standard_error=lambda window: 0.01,
        degrees_of_freedom=1e9,
        event_session=SESSION,
        span=(-10, 5),
        aar=pd.DataFrame({"mean_return": [own], "n": [known.pop("n", firms)]}),
        dropped=pd.DataFrame({"firm": []}),
    )
    question = SimpleNamespace(
        window=(0, 0), model="market", benchmark="SPY", tickers=known.pop("tickers", ())
    )
    return SimpleNamespace(study=study, question=question, benchmark="the S&P 500", group="Chips", **known)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0009, "< 0.001"),
        (0.001, "0.001"),
        (0.0494, "0.049"),
        (0.0498, "0.0498"),
        (0.0502, "0.0502"),
        (0.0506, "0.051"),
        (np.nan, "–"),
    ],
)
def test_a_p_value_near_5_percent_has_the_decimal_that_tells_its_side(value: float, words: str) -> None:
    assert spell_p(value) == words


@pytest.mark.parametrize(
    ("change", "words"), [(-0.0004, "hardly moved"), (-0.0006, "fell 0.1%"), (0.0006, "rose 0.1%")]
)
def test_a_move_that_would_read_as_nought_is_hardly_one(change: float, words: str) -> None:
    assert _moved(change) == words


@pytest.mark.parametrize(
    ("firms", "size", "p", "words"),
    [
        (20, 0.07, 0.01, "than others: read under "),
        (21, 0.075, 0.049, "too rarely and rejects (p = 0.049), and under "),
        (21, 0.02, 0.051, "too rarely and does not reject (p = 0.051), and under "),
        (21, 0.076, 0.01, "than others: read under "),
    ],
)
def test_of_a_volatile_day_a_test_is_told_that_may_only_reject_too_rarely(
    firms: int, size: float, p: float, words: str
) -> None:
    columns = {"test": ["kolari_pynnonen"], "p_value": [p], "size_volatile_day": [size]}
    tests = pd.DataFrame(columns)
    said = _storm(tests, tests.head(0), _cautious(told(firms, tests=tests)))
    assert said.startswith("No test here allows for a day that is itself more volatile than others: read ")
    assert said.endswith(f"{words}“Was the day itself unusual?” whether this one was.")


@pytest.mark.parametrize(
    ("p_values", "words"),
    [
        ([0.01], "The one test that holds for one firm rejects chance at 5%."),
        ([0.05], "The one test that holds for one firm does not reject chance at 5%, which does not show "),
        ([0.01, 0.02], "Both tests that hold for one firm reject chance at 5%."),
        ([0.06, 0.07], "Neither of the 2 tests that hold for one firm rejects chance at 5%, which does not "),
        ([0.01, 0.02, 0.01], "All 3 tests that hold for one firm reject chance at 5%."),
        (
            [0.01, 0.06],
            "1 of the 2 tests that hold for one firm rejects chance at 5%; Patell Z (p = 0.060) does not.",
        ),
        (
            [0.01, 0.06, 0.07],
            "1 of the 3 tests that hold for one firm rejects chance at 5%; Patell Z (p = 0.060) and ",
        ),
    ],
)
def test_the_tests_that_hold_are_counted_with_those_that_do_not_reject(p_values: list, words: str) -> None:
    names = ["portfolio_regression", "patell", "placebo"][: len(p_values)]
    assert _counted(pd.DataFrame({"test": names, "p_value": p_values}), "one firm").startswith(words)


@pytest.mark.parametrize(
    ("p_values", "words"),
    [
        ([0.05, 0.2], "No firm stands out by itself"),
        ([0.04, 0.2], "One firm stands out by itself"),
        ([0.04, 0.01], "Both firms stand out by themselves"),
        ([0.04, 0.01, 0.2], "2 of the 3 firms stand out by themselves"),
        ([0.04, 0.01, 0.01], "All 3 firms stand out by themselves"),
    ],
)
def test_the_firms_that_stand_out_are_counted_among_those_with_a_return(p_values: list, words: str) -> None:
    cars = pd.DataFrame({"car": [*([0.1] * len(p_values)), np.nan], "placebo_p_bh": [*p_values, np.nan]})
    # 1.96 standard errors of 1% to reject, and 0.84 to do so four times in five.
    assert _smallest(told(cars=cars)).endswith(f"in five is 2.8%. {words} (false discovery rate 5%).")


@pytest.mark.parametrize(
    ("own", "others", "words"),
    [
        (
            -0.02,
            (-0.05, -0.01),
            "Against the other benchmarks the abnormal return lies between −5.0% and −1.0%.",
        ),
        (0.01, (-0.05, -0.01), "Its sign depends on the benchmark: "),
        (-0.02, (-0.05, 0.01), "Its sign depends on the benchmark: "),
        (-0.02, (-0.05, 0.0004), "Against the other benchmarks "),
        (-0.02, (-0.05, np.nan), ""),
    ],
)
def test_the_other_benchmarks_are_told_with_whether_the_sign_depends_on_them(
    own: float, others: tuple[float, float], words: str
) -> None:
    check = pd.DataFrame({"benchmark": ["SPY", "RSP", "ex"], "caar": [own, *others]})
    said = _otherwise(told(own=own, check=check))
    assert said.startswith(words)
    assert bool(said) == bool(words)


@pytest.mark.parametrize(
    ("n", "words"),
    [(3, "the 3 firms of"), (2, "2 of the 3 firms of"), (1, "1 of the 3 firms of “Chips” fell")],
)
def test_the_firms_with_a_return_are_counted_among_those_of_the_study(n: int, words: str) -> None:
    prices = pd.DataFrame({"F0": [1.0, 1.0]}, [SESSION - pd.Timedelta(days=3), SESSION])
    check = pd.DataFrame({"benchmark": [], "caar": []})
    answer = told(n=n, check=check, inputs=SimpleNamespace(prices=prices))
    assert estimate(answer).startswith(f"On {day(SESSION.date())} {words}")


@pytest.mark.parametrize(
    ("firms", "n", "group", "words"),
    [
        (1, 1, "NVIDIA", "NVIDIA fell"),
        (2, 2, "AMD and NVIDIA", "AMD and NVIDIA fell"),
        (2, 1, "AMD and NVIDIA", "1 of the 2 chosen companies fell"),
        (4, 4, "4 chosen companies", "the 4 chosen companies fell"),
    ],
)
def test_chosen_firms_are_named_where_they_are_few(firms: int, n: int, group: str, words: str) -> None:
    check = pd.DataFrame({"benchmark": [], "caar": []})
    answer = told(firms, n=n, check=check, tickers=("NVDA", "AMD", "CRWV"))
    answer.group = group
    assert estimate(answer).startswith(f"On {day(SESSION.date())} {words}")


def test_what_else_happened_and_who_has_no_price_is_told() -> None:
    rows = [("Rates", -10, "event window"), ("Jobs", 0, "same session")]
    found = pd.DataFrame(rows, columns=["title", "day", "where"])
    same, within = confounding(told(confounded=found, caar_otherwise=None))
    assert same.endswith("cannot be told apart: “Jobs”.")
    assert within == "Within 10 sessions: “Rates” (session −10)."
    cars = pd.DataFrame({"firm": ["F0", "F1", "F2"], "car": [0.1, np.nan, 0.2]})
    (sentence,) = silent(told(cars=cars, names={f"F{one}": f"Firm {one}" for one in range(3)}))
    assert sentence.endswith("not in it: Firm 1.")
