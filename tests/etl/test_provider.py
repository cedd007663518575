"""When closes of another provider may stand among those that are stored."""

from __future__ import annotations

import numpy as np
import pytest

from etl.quality.provider import FARTHEST, other_basis

STORED = np.random.default_rng(3).uniform(90, 110, 300).round(2)
PAID = np.repeat([np.log(0.9979), np.log(0.9986), np.log(0.9993), 0.0], 75)
"""Stored closes of 300 sessions, and three dividends among them."""


def verdict(closes: np.ndarray, paid: np.ndarray = PAID) -> str | None:
    return other_basis(np.log(closes / STORED), closes, paid)


def sent(closes: np.ndarray, sessions: slice) -> np.ndarray:
    """Only the closes of some sessions."""
    return np.where(np.isin(np.arange(300), np.arange(300)[sessions]), closes, np.nan)


def test_the_same_closes_rounded_to_cents_are_the_same():
    assert verdict(STORED) is None
    assert verdict(STORED + 0.004) is None


@pytest.mark.parametrize("factor", [0.9986, 1.004, 0.985])
def test_three_closes_that_differ_by_one_factor_are_on_another_basis(factor):
    assert verdict(sent(STORED * factor, slice(40, 43)), np.zeros(300)) == f" (×{factor:.4g})"


def test_closes_adjusted_for_every_known_dividend_are_told_as_such():
    assert "adjusted for dividends" in verdict(STORED * np.exp(PAID))


def test_closes_adjusted_for_the_dividends_up_to_some_day_are_told_as_such():
    downloaded_earlier = STORED * np.exp(np.minimum(PAID - np.log(0.9993), 0))
    assert "adjusted for dividends" in verdict(sent(downloaded_earlier, slice(0, 225)))


def test_one_adjusted_close_is_told_by_the_dividends_that_followed_it():
    one = sent(STORED * np.exp(PAID), slice(10, 11))
    assert "adjusted for dividends" in verdict(one)
    assert verdict(one, np.zeros(300)) is None


def test_closes_that_differ_each_by_its_own_are_figures_of_the_same_shares():
    own = STORED * np.exp(np.random.default_rng(4).normal(0, 0.01, 300))
    assert verdict(own) is None
    assert verdict(sent(own, slice(100, 105))) is None


def test_one_close_that_differs_does_not_make_a_whole_file_adjusted():
    closes = STORED.copy()
    closes[10] *= np.exp(PAID[10])
    assert verdict(closes) is None


def test_a_file_of_other_shares_is_told_by_how_far_off_it_is():
    assert verdict(STORED * np.random.default_rng(5).uniform(0.5, 0.9, 300)).startswith(" (×0.")
    just_off = 1 - 1.05 * FARTHEST
    assert verdict(STORED * np.random.default_rng(5).uniform(just_off - 0.005, just_off + 0.005, 300))


def test_closes_downloaded_before_the_last_dividend_are_told_though_most_lie_behind_it():
    downloaded_earlier = STORED * np.exp(np.minimum(PAID - np.log(0.9993), 0))
    assert "adjusted for dividends" in verdict(sent(downloaded_earlier, slice(100, 300)))


@pytest.mark.parametrize(("factor", "told"), [(1.019, False), (1.021, True), (0.981, False), (0.979, True)])
def test_a_close_more_than_2_percent_off_is_of_another_listing(factor, told):
    assert bool(verdict(sent(STORED * factor, slice(40, 41)), np.zeros(300))) == told
