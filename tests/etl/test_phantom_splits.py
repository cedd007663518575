"""Splits that never happened or were given another day: held where the bars tell, else withdrawn with their source."""

from __future__ import annotations

from datetime import date

import pytest

from tests.etl.conftest import again, messages
from tests.etl.test_actions import DAY, LATER, bars, revisions, truth

WITHOUT_FILES = True


@pytest.fixture
def amd(loaded):
    """AMD as the site knows it; everything has been loaded once."""
    return loaded.yahoo.listings["AMD"]


def listed_from_the_first(operator, *splits: date, ratio: int = 10):
    """AMD, of which the first bars come with splits that move no close."""
    amd = operator.yahoo.listings["AMD"]
    amd.splits = dict.fromkeys(splits, (ratio, 1))
    assert operator.refresh("prices", tickers=["AMD"]).exit_code == 0
    assert operator.rows("SELECT date, ratio FROM split") == [(day, ratio) for day in splits]
    return amd


def test_a_phantom_split_that_came_with_the_first_bars_is_withdrawn_too(operator):
    amd = listed_from_the_first(operator, DAY)
    del amd.splits[DAY]
    assert operator.refresh("prices", tickers=["AMD"], since=date(2025, 1, 2)).exit_code == 0
    assert operator.rows("FROM split") == []
    assert bars(operator) == truth(amd)
    assert revisions(operator, "split") == [("AMD 2025-02-10", "ratio", "10.0", None)]
    assert "1 withdrawn by the source" in messages(operator)["AMD"]


def test_a_phantom_split_that_the_closes_were_adjusted_for_replaces_nothing(loaded, amd):
    before = bars(loaded)
    amd.phantom_split(DAY, 10)
    assert again(loaded).exit_code == 1
    assert "adjusted for a split that the closes do not show (2025-02-10)" in messages(loaded)["AMD"]
    assert (loaded.rows("FROM split"), bars(loaded)) == ([], before)
    del amd.splits[DAY]
    amd.rescale(10, before=DAY)
    assert again(loaded).exit_code == 0
    assert bars(loaded) == truth(amd)


def test_first_bars_adjusted_for_a_phantom_split_are_not_believed(operator):
    operator.yahoo.listings["AMD"].phantom_split(date(2025, 3, 12), 10)
    assert operator.refresh("prices", tickers=["AMD"]).exit_code != 0
    assert "adjusted for a split that the closes do not show" in messages(operator)["AMD"]
    assert operator.rows("SELECT count(*) FROM price_daily UNION ALL SELECT count(*) FROM split") == [
        (0,),
        (0,),
    ]


def test_a_phantom_split_that_moves_no_close_costs_itself_and_nothing_else(loaded, amd):
    amd.splits[DAY] = (10, 1)
    assert again(loaded).exit_code == 1
    assert (
        "in quarantine: 1 × the closes stored from before it came again unchanged" in messages(loaded)["AMD"]
    )
    assert loaded.rows("FROM split") == []
    assert bars(loaded) == truth(amd)


def test_a_split_given_another_day_leaves_one_row(operator):
    amd = listed_from_the_first(operator, DAY, ratio=4)
    amd.splits = {LATER: (4, 1)}
    assert operator.refresh("prices", tickers=["AMD"], since=date(2025, 1, 2)).exit_code == 0
    assert operator.rows("SELECT date, ratio FROM split") == [(LATER, 4.0)]
    assert bars(operator) == truth(amd)


def test_a_split_in_the_last_sessions_is_withdrawn_by_an_ordinary_refresh(operator):
    amd = listed_from_the_first(operator, date(2025, 3, 12), ratio=2)
    amd.splits.clear()
    assert operator.refresh("prices", tickers=["AMD"]).exit_code == 0
    assert operator.rows("FROM split") == []
    assert bars(operator) == truth(amd)
