"""What is another unit or a split not applied, and what is a real move of the price."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from etl.quality.basis import ENOUGH, JUMP, Series

SESSIONS = 60


def history(
    *, level: float = 100.0, daily: float = 0.015, seed: int = 1, sessions: int = SESSIONS
) -> pd.DataFrame:
    """A history as providers send it: ordinary moves, opens and ranges, and nothing stored yet."""
    chance = np.random.default_rng(seed)
    close = level * np.exp(chance.normal(0, daily, sessions).cumsum())
    open_ = close * np.exp(chance.normal(0, daily / 3, sessions))
    spread = np.abs(chance.normal(daily, daily / 4, sessions))
    return pd.DataFrame(
        {
            "date": pd.bdate_range("2025-01-02", periods=sessions),
            "open": open_,
            "high": np.maximum(open_, close) * (1 + spread / 2),
            "low": np.minimum(open_, close) * (1 - spread / 2),
            "close": close,
            "volume": chance.integers(900_000, 1_100_000, sessions).astype(float),
            "position": np.arange(sessions, dtype=float),
            "held": np.nan,
            "paid": 0.0,
        }
    )


def scaled(bars: pd.DataFrame, rows: slice, factor: float) -> pd.DataFrame:
    """The history with some rows on another basis."""
    changed = bars.copy()
    for name in ("open", "high", "low", "close"):
        changed.iloc[rows, changed.columns.get_loc(name)] *= factor
    return changed


def stored(bars: pd.DataFrame, rows: slice, factor: float = 1.0) -> pd.DataFrame:
    """The history of which some rows are in the warehouse already, on this basis."""
    changed = bars.copy()
    place = changed.columns.get_loc("held")
    changed.iloc[rows, place] = changed["close"].iloc[rows] * factor
    return changed


def not_sent(bars: pd.DataFrame, rows: slice) -> pd.DataFrame:
    changed = bars.copy()
    changed.iloc[rows, changed.columns.get_loc("position")] = np.nan
    changed["held"] = changed["held"].where(changed["position"].notna(), changed["close"])
    return changed


def splits(*found: tuple[str, float]) -> pd.DataFrame:
    return pd.DataFrame(found, columns=["date", "ratio"]).astype({"date": "datetime64[ns]", "ratio": float})


def refused(
    bars: pd.DataFrame, now: pd.DataFrame | None = None, before: pd.DataFrame | None = None, **how
) -> list[int]:
    now = splits() if now is None else now
    return sorted(Series(bars, now, before, **how).judge().refused)


def test_an_ordinary_history_is_believed_whole():
    assert refused(history()) == []


def pence_become_pounds(bars: pd.DataFrame) -> tuple[pd.DataFrame, list[int]]:
    return scaled(bars, slice(50, None), 0.0096), list(range(50, 60))


WRONG: dict[str, Callable[[pd.DataFrame], tuple[pd.DataFrame, list[int]]]] = {
    "pence become pounds on a day of -4 %": pence_become_pounds,
    "pence become pounds in the last bar": lambda bars: (scaled(bars, slice(59, None), 0.0096), [59]),
    "a bar 90 times too high": lambda bars: (scaled(bars, slice(30, 31), 90), [30]),
    "a bar 100 times too high": lambda bars: (scaled(bars, slice(30, 31), 100), [30]),
    "the newest bar 90 times too high": lambda bars: (scaled(bars, slice(59, 60), 90), [59]),
    "a bar at half its price": lambda bars: (scaled(bars, slice(30, 31), 0.5), [30]),
    "a bar at 1.9 times its price": lambda bars: (scaled(bars, slice(30, 31), 1.9), [30]),
    "twenty bars on the basis of 4:1": lambda bars: (scaled(bars, slice(20, 40), 0.25), list(range(20, 40))),
    "twelve bars on the basis of 2:1": lambda bars: (scaled(bars, slice(40, 52), 0.5), list(range(40, 52))),
    "twelve bars on the basis of 3:2": lambda bars: (scaled(bars, slice(40, 52), 1.5), list(range(40, 52))),
    "first bars in another unit": lambda bars: (scaled(bars, slice(0, 8), 1000), list(range(8))),
    "a 4:1 nobody told of": lambda bars: (scaled(bars, slice(45, None), 0.25), list(range(45, 60))),
    "a 10:1 nobody told of": lambda bars: (scaled(bars, slice(45, None), 0.1), list(range(45, 60))),
    "a 2:1 nobody told of, days old": lambda bars: (scaled(bars, slice(57, None), 0.5), [57, 58, 59]),
    "a 3:2 nobody told of, days old": lambda bars: (scaled(bars, slice(57, None), 1 / 1.5), [57, 58, 59]),
    "a reverse 1:2 nobody told of, days old": lambda bars: (scaled(bars, slice(57, None), 2.0), [57, 58, 59]),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bars_on_another_basis_are_refused_and_the_others_are_not(name, seed):
    bars, wrong = WRONG[name](history(seed=seed))
    assert refused(bars) == wrong


@pytest.mark.parametrize("factor", [100, 4])
def test_the_level_of_most_bars_is_believed_though_a_run_on_another_is_longer(factor):
    assert refused(scaled(history(), slice(20, 44), factor)) == list(range(20, 44))


def test_a_move_of_the_size_of_a_known_split_is_real_far_from_its_day():
    moved = scaled(history(), slice(40, None), 0.75)
    assert refused(moved, splits(("2024-03-01", 4 / 3))) == []
    fresh = not_sent(moved, slice(0, 40))
    assert refused(fresh, splits(("2024-03-01", 4 / 3))) == list(range(40, 60))


@pytest.mark.parametrize(("days", "doubted"), [(4, True), (5, False)])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_split_may_be_dated_up_to_four_days_from_the_step(side, days, doubted):
    bars = scaled(history(), slice(0, 40), 1.25)
    near = bars["date"].iloc[40 if side == 1 else 39] + side * pd.Timedelta(days=days)
    assert bool(refused(bars, splits((str(near.date()), 1.25)))) == doubted


def test_the_product_of_two_known_splits_is_doubted_where_new_bars_join_the_stored():
    fresh = not_sent(scaled(history(), slice(40, None), 1 / 1.8), slice(0, 40))
    both = splits(("2024-03-01", 1.5), ("2024-06-03", 1.2))
    assert refused(fresh, both) == list(range(40, 60))
    assert refused(fresh, both.head(1)) == []


@pytest.mark.parametrize(("opened", "doubted"), [(1.3, False), (1.18, True)])
def test_a_halving_is_news_when_nearly_a_third_of_it_fell_within_the_session(opened, doubted):
    assert bool(refused(crash(59, 0.5, open=opened))) == doubted


@pytest.mark.parametrize("seed", [5, 11, 20, 31])
def test_a_wild_stock_is_back_at_its_level_though_it_has_moved_meanwhile(seed):
    bars = scaled(history(daily=0.03, seed=seed), slice(20, 40), 0.5)
    assert refused(bars) == list(range(20, 40))


def crash(at: int, factor: float, **bar: float) -> pd.DataFrame:
    """A lasting change of the price, with what else is known of its first session."""
    bars = scaled(history(), slice(at, None), factor)
    for name, value in bar.items():
        bars.iloc[at, bars.columns.get_loc(name)] *= value
    return bars


REAL = {
    "a halving that lasts": crash(50, 0.5),
    "a doubling that lasts": crash(50, 2.0),
    "a halving with five times the usual volume": crash(59, 0.5, volume=7),
    "a halving within the session": crash(59, 0.5, open=1.9, high=1.95),
    "a halving in a wild session": crash(59, 0.5, high=1.1, low=0.93),
    "a fall by 45 % overnight": crash(59, 0.55),
    "a fall by 33 % overnight": crash(59, 0.71),
    "a rise by 30 %": crash(30, 1.3),
    "a rise by 30 % for a day": scaled(history(), slice(30, 31), 1.3),
    "a fall by 30 %": crash(30, 0.7),
    "a penny stock": history(level=0.04, daily=0.2),
    "a stock of a cent that doubles and halves": history(level=0.01, daily=0.001).assign(
        **{name: [0.01] * 30 + [0.02] + [0.01] * 29 for name in ("open", "high", "low", "close")}
    ),
    "a wild stock": history(daily=0.3),
    "first days of trading": crash(2, 2.0),
    "a doubling on the third of four days": scaled(history(sessions=4), slice(2, None), 2.0),
    "two sessions in all": history(sessions=2),
    "one session in all": history(sessions=1),
}


@pytest.mark.parametrize("name", REAL)
def test_real_moves_are_believed(name):
    assert refused(REAL[name]) == []


@pytest.mark.parametrize("factor", [0.12, 8.0, 0.01, 100.0, 90.0])
def test_no_sign_of_news_makes_a_change_to_less_than_a_sixth_believed(factor):
    """Pence become pounds within a session look like news too: the open is in one, the close in the other."""
    wild = crash(59, factor, volume=50, high=1.4, low=0.7)
    assert refused(wild) == [59]
    assert refused(crash(59, factor, open=1 / factor, high=max(1, 1 / factor), low=min(1, 1 / factor))) == [
        59
    ]


def test_a_halving_is_believed_once_it_has_lasted_and_is_remarked_on():
    young, old = crash(SESSIONS - ENOUGH + 1, 0.5), crash(SESSIONS - ENOUGH, 0.5)
    assert len(refused(young)) == ENOUGH - 1
    assert refused(old) == []
    (remark,) = Series(old, splits()).judge().remarks
    assert "is taken for real, since no split is known" in remark


def test_a_jump_that_is_stored_already_is_not_judged_again():
    assert refused(stored(crash(58, 0.5), slice(40, 60))) == []
    assert refused(stored(scaled(history(), slice(30, None), 0.01), slice(0, 60))) == []


@pytest.mark.parametrize(("new", "old"), [(190, 1), (1, 190), (5, 4), (7, 3), (3, 2), (4, 1), (1, 10)])
@pytest.mark.parametrize("move", [1.0, 0.97])
def test_a_split_that_came_but_is_not_applied_to_earlier_days_is_found(new, old, move):
    """On its day the price moves by its ratio, beside what it moves by anyway."""
    bars = scaled(history(daily=0.008), slice(50, None), move * old / new)
    found = Series(bars, splits((str(bars["date"][50].date()), new / old))).judge()
    assert sorted(found.refused) == list(range(50, 60))
    assert found.unapplied == [bars["date"][50]]


def test_a_reverse_split_is_found_on_a_day_of_minus_30_percent():
    bars = scaled(history(), slice(50, None), 190 * 0.695)
    assert refused(bars, splits((str(bars["date"][50].date()), 1 / 190))) == list(range(50, 60))


@pytest.mark.parametrize("ratio", [2.0, 10.0, 1.25, 1 / 190])
def test_a_split_that_is_applied_everywhere_moves_nothing(ratio):
    day = str(history()["date"][30].date())
    whole = stored(history(), slice(0, 60), ratio)
    whole.loc[30:, "held"] /= ratio
    assert refused(whole, splits((day, ratio)), splits()) == []
    assert refused(history(), splits((day, ratio))) == []


def test_a_split_that_was_withdrawn_explains_the_way_back():
    day = str(history()["date"][30].date())
    whole = stored(history(), slice(0, 30), 0.1)
    assert refused(whole, splits(), splits((day, 10.0))) == []
    assert refused(whole, splits(), splits()) == list(range(60))
    risen = stored(scaled(history(), slice(30, 60), 1.25), slice(0, 30), 1 / 1.25)
    assert refused(risen, splits(), splits((day, 1.25))) == []


@pytest.mark.parametrize("ratio", [4.0, 2.0, 1.5, 0.1])
@pytest.mark.parametrize("rows", [slice(0, 20), slice(0, 45)])
def test_a_split_that_the_source_has_lost_with_its_adjustment_is_not_withdrawn(ratio, rows):
    """For days of December 2021 the splits of Apple, Nvidia and Tesla were missing, and their closes as traded."""
    whole = stored(history(), slice(0, 60))
    lost = scaled(whole, rows, ratio)
    lost["volume"] *= np.where(lost.index == rows.stop, 10, 1)
    for days in (-4, 0, 4):
        day = str((whole["date"][rows.stop] + pd.Timedelta(days=days)).date())
        assert refused(lost, splits(), splits((day, ratio))) == list(range(rows.stop))


@pytest.mark.parametrize("factor", [100, 0.01, 1000, 4, 0.1, 2, 1.25, 0.5])
def test_a_whole_history_on_another_basis_than_what_is_stored_is_refused(factor):
    assert refused(scaled(stored(history(), slice(0, 60)), slice(0, 60), factor)) == list(range(60))


@pytest.mark.parametrize("factor", [100, 0.01, 40, 10])
@pytest.mark.parametrize("rows", [slice(0, 20), slice(20, 40), slice(40, 60)])
def test_a_part_of_a_history_on_another_basis_is_refused_beside_the_stored_rest(factor, rows):
    """40 is the product of two splits that are known."""
    every = set(range(60))
    part = set(range(rows.start, rows.stop))
    bars = scaled(history(), rows, factor)
    rest = sorted(every - part)
    for one in rest:
        bars = not_sent(bars, slice(one, one + 1))
    assert refused(bars, splits(("2021-07-20", 4), ("2024-06-10", 10))) == sorted(part)


@pytest.mark.parametrize("ratio", [2.0, 1.25])
def test_a_part_on_the_basis_of_a_split_of_long_ago_is_refused_beside_the_stored_rest(ratio):
    bars = not_sent(scaled(history(daily=0.008), slice(40, 60), 1 / ratio), slice(0, 40))
    assert refused(bars, splits(("2014-06-10", ratio))) == list(range(40, 60))
    assert refused(bars) == []


def test_one_stored_close_is_enough_to_tell_another_unit():
    assert refused(stored(history(), slice(59, 60), 0.01)) == list(range(60))
    assert refused(stored(history(), slice(59, 60), 0.7)) == []


def test_bars_that_were_stored_wrong_are_mended_by_the_source():
    spoiled = stored(history(), slice(0, 60))
    spoiled.loc[40:44, "held"] *= 100
    assert refused(not_sent(spoiled, slice(0, 30))) == []


def test_closes_that_differ_each_by_its_own_share_are_on_no_other_basis():
    """They are revisions, or those of other shares (``etl.quality.stored``)."""
    revised = stored(history(), slice(0, 60))
    revised["held"] = history(seed=9)["close"] * 1.4
    assert refused(revised) == []


@pytest.mark.parametrize(("share", "bad"), [(0.97, [20, 21, 22]), (0.9999, [])])
def test_bars_of_another_provider_stand_among_the_stored_only_on_their_basis(share, bad):
    bars = stored(history(), slice(0, 60))
    bars = not_sent(not_sent(bars, slice(0, 20)), slice(23, 60))
    bars.loc[20:22, "close"] *= share
    assert refused(bars, other_source=True) == bad
    assert refused(bars) == []


def test_closes_of_another_provider_that_replace_others_are_told_of():
    bars = not_sent(not_sent(stored(history(), slice(0, 60)), slice(0, 20)), slice(22, 60))
    bars.loc[20:21, "close"] *= [1.01, 0.993]
    assert Series(bars, splits(), other_source=True).judge().remarks == [
        "2 closes replace ones of another provider, at most 1.00% apart"
    ]
    assert Series(bars, splits()).judge().remarks == []


def test_bars_of_another_provider_beside_the_stored_are_not_believed_after_a_halving():
    bars = not_sent(scaled(history(), slice(40, 60), 0.5), slice(0, 40))
    assert refused(bars, other_source=True) == list(range(40, 60))
    assert refused(bars) == []


def test_the_reason_says_by_what_and_when():
    found = Series(scaled(history(), slice(30, 31), 90), splits()).judge()
    assert found.refused[30].startswith(f"{JUMP} (×9")
    assert found.refused[30].endswith("on 2025-02-13)")
