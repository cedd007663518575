"""What an answer is laid over: the stored closes, and the splits that are known of before and of now."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from etl.quality import Screen
from etl.quality.basis import JUMP, UNSEEN
from etl.quality.levels import SPLIT_UNSEEN, SPLITS_UNAPPLIED
from etl.quality.stored import OTHER_SHARES, OUTSIDE, UNMOVED
from etl.warehouse.merge import Merge
from tests.loopback.yahoo import sessions

NOW = pd.Timestamp("2025-03-20 23:00", tz="UTC")
DAYS = sessions(date(2025, 1, 2), date(2025, 2, 14))
DAY = DAYS[20]


def bars(level: float = 100.0, *, seed: int = 1, days: list[date] = DAYS) -> pd.DataFrame:
    close = level * np.exp(np.random.default_rng(seed).normal(0, 0.012, len(days)).cumsum())
    prices = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close, "adj_close": close}
    return pd.DataFrame({"date": days, **prices, "volume": 1000}).assign(
        ticker="AMD", currency="USD", source="yahoo"
    )


def rescaled(frame: pd.DataFrame, factor: float, before: date = date.max) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[frame["date"] < before, ["open", "high", "low", "close", "adj_close"]] *= factor
    return changed


def stored_before(con: duckdb.DuckDBPyConnection) -> None:
    """Six weeks of AMD, stored after the last of them."""
    store(con, bars(), begun="2025-02-15")


def store(con, frame: pd.DataFrame, begun: str) -> None:
    con.execute("DELETE FROM price_daily; DELETE FROM etl_run")
    Merge(con, "first").rows("price_daily", frame)
    con.execute(f"INSERT INTO etl_run (run_id, source, started_at) VALUES ('first', 'yahoo', '{begun}')")


def refused(
    con, frame: pd.DataFrame, *splits: tuple[date, float], asked: tuple[date, date] = (DAYS[0], DAYS[-1])
) -> tuple[set[str], int, dict[date, str]]:
    """Why bars were refused, and how many; and the refused splits."""
    screen = Screen(con, "run", "yahoo", NOW)
    screen.expect([("AMD", *asked)])
    sent = pd.DataFrame([*splits], columns=["date", "ratio"]).assign(ticker="AMD", source="yahoo")
    screen.judge("split", sent)
    screen.judge("price_daily", frame)
    reasons = [reason for (reason,) in con.execute("SELECT reason FROM bad_price_daily").fetchall()]
    bad = con.execute("SELECT date, reason FROM bad_split JOIN arrived_split USING (position)").fetchall()
    return set(reasons), len(reasons), dict(bad)


NOTHING = (set(), 0, {})


@pytest.mark.parametrize("level", [100, 120, 85, 62])
def test_closes_that_differ_each_by_its_own_share_are_of_other_shares(con, level):
    assert refused(con, bars(level, seed=7)) == ({OTHER_SHARES}, len(DAYS), {})


def test_ten_sessions_tell_other_shares_and_the_operators_word_counts(con):
    assert refused(con, bars(seed=7).tail(10))[:2] == ({OTHER_SHARES}, 10)
    assert refused(con, bars(seed=7).tail(4)) == NOTHING
    assert refused(con, bars(104, seed=7)[16:20]) == NOTHING
    assert refused(con, bars(104, seed=7)[16:21])[:2] == ({OTHER_SHARES}, 5)
    assert refused(con, bars(seed=7).tail(10))[1] == 10
    con.execute(
        "INSERT INTO quarantine_decision (table_name, key, figure, verdict, decided_at) SELECT 'price_daily', "
        "'AMD ' || date, close, 'accepted', now() FROM arrived_price_daily"
    )
    assert refused(con, bars(seed=7).tail(10)) == NOTHING


def test_other_shares_are_told_by_closes_that_are_a_few_percent_off(con):
    near = bars()
    near["close"] *= np.random.default_rng(3).uniform(1.012, 1.03, len(near))
    assert refused(con, near.assign(high=near["high"] * 1.03)) == ({OTHER_SHARES}, len(DAYS), {})


@pytest.mark.parametrize("share", [1.05, 0.9])
def test_one_factor_up_to_some_day_is_another_adjustment_of_the_same_shares(con, share):
    assert refused(con, rescaled(bars(), share)) == NOTHING
    assert refused(con, rescaled(bars(), share, before=DAY)) == NOTHING
    assert refused(con, rescaled(bars(), share).round(1)) == NOTHING


def test_revisions_of_less_than_half_of_the_closes_or_of_a_trifle_are_believed(con):
    frame = bars()
    frame.loc[frame.index[1:29:2], "close"] *= np.random.default_rng(3).uniform(1.011, 1.02, 14)
    assert refused(con, frame.assign(high=frame["high"] * 1.03)) == NOTHING
    frame = bars()
    frame["close"] *= np.random.default_rng(3).uniform(0.995, 1.005, len(frame))
    assert refused(con, frame) == NOTHING


def test_shares_of_cents_and_those_of_another_provider_are_judged_otherwise(con):
    store(con, rescaled(bars(), 0.0005), begun="2025-02-15")
    assert refused(con, rescaled(bars(seed=7), 0.0005)) == NOTHING
    store(con, rescaled(bars(), 0.0009), begun="2025-02-15")
    assert refused(con, rescaled(bars(seed=7), 0.00105)) == NOTHING
    store(con, rescaled(bars(), 0.005), begun="2025-02-15")
    assert refused(con, rescaled(bars(seed=7), 0.005))[0] == {OTHER_SHARES}
    store(con, bars().assign(source="bundled"), begun="2025-02-15")
    assert refused(con, bars(104, seed=7)) == NOTHING


@pytest.mark.parametrize("ratio", [10.0, 2.0, 1.25, 0.1, 1 / 190])
def test_a_split_that_moved_none_of_the_stored_closes_is_not_believed(con, ratio):
    assert refused(con, bars(), (DAY, ratio)) == (set(), 0, {DAY: UNMOVED})
    store(con, rescaled(bars(), ratio, before=DAY), begun="2025-02-15")
    assert refused(con, bars(), (DAY, ratio)) == NOTHING


@pytest.mark.parametrize("ratio", [10.0, 1.25, 1 / 190])
@pytest.mark.parametrize("held", [slice(0, 0), slice(0, 30), slice(0, 20), slice(24, 30)])
def test_a_split_that_only_the_adjustment_shows_is_held_with_what_was_adjusted(con, ratio, held):
    """The closes before it were divided by a fall that there was not, and are not the level to believe."""
    store(con, bars().iloc[held], begun="2025-02-15")
    phantom = rescaled(bars(), 1 / ratio, before=DAY)
    assert refused(con, phantom, (DAY, ratio)) == ({f"{UNSEEN} ({DAY})"}, 20, {DAY: SPLIT_UNSEEN})


def test_of_two_splits_that_only_the_adjustment_shows_both_are_held(con):
    con.execute("DELETE FROM price_daily")
    phantom = rescaled(rescaled(bars(), 1 / 4, before=DAYS[10]), 1 / 3, before=DAY)
    splits = {DAYS[10]: SPLIT_UNSEEN, DAY: SPLIT_UNSEEN}
    assert refused(con, phantom, (DAYS[10], 4.0), (DAY, 3.0))[1:] == (20, splits)
    other = date(2024, 6, 10)
    assert refused(con, phantom.tail(-10), (other, 3.0), (DAY, 3.0))[1:] == (10, {DAY: SPLIT_UNSEEN})


def test_a_ratio_that_only_the_adjustment_shows_is_held_and_a_stored_split_stays(con):
    con.execute(f"INSERT INTO split (ticker, date, ratio, source) VALUES ('AMD', '{DAY}', 4, 'yahoo')")
    assert refused(con, rescaled(bars(), 1 / 5, before=DAY), (DAY, 20.0))[1:] == (20, {DAY: SPLIT_UNSEEN})
    assert refused(con, rescaled(bars(), 1 / 4, before=DAY), (DAY, 4.0))[1:] == (20, {})


def test_a_rise_on_the_day_of_a_split_of_another_ratio_holds_no_split(con):
    con.execute("DELETE FROM price_daily")
    assert refused(con, rescaled(bars(), 0.6, before=DAY), (DAY, 10.0)) == NOTHING


def test_an_operator_may_accept_a_split_that_only_the_adjustment_shows(con):
    phantom = rescaled(bars(), 1 / 10, before=DAY)
    con.execute(
        "INSERT INTO quarantine_decision (table_name, key, figure, verdict, decided_at) "
        f"VALUES ('split', 'AMD {DAY}', 10.0, 'accepted', now())"
    )
    assert refused(con, phantom, (DAY, 10.0))[1:] == (20, {})


def test_a_split_is_measured_by_the_closes_from_before_every_split(con):
    assert refused(con, rescaled(bars(), 1.02), (DAY, 10.0))[2] == {DAY: UNMOVED}
    assert refused(con, bars().tail(-20), (DAY, 10.0), asked=(DAY, DAYS[-1])) == NOTHING
    store(con, at_other_level(bars(), slice(20, 25), 0.5), begun="2025-02-15")
    assert refused(con, bars(), (DAY, 2.0), (DAYS[25], 0.5)) == NOTHING
    store(con, rescaled(bars(), 4, before=DAYS[5]), begun="2025-02-15")
    assert refused(con, bars(), (DAYS[5], 4.0)) == NOTHING


def test_of_two_splits_the_one_that_moved_nothing_is_told(con):
    assert refused(con, bars(), (DAY, 4.0), (DAYS[25], 10.0))[2] == {DAY: UNMOVED, DAYS[25]: UNMOVED}
    con.execute(f"INSERT INTO split (ticker, date, ratio, source) VALUES ('AMD', '{DAY}', 4, 'yahoo')")
    assert refused(con, bars(), (DAYS[22], 4.0), (DAYS[25], 10.0))[2] == {DAYS[25]: UNMOVED}


def test_a_split_given_another_day_or_ratio_is_measured_by_what_was_stored(con):
    con.execute(f"INSERT INTO split (ticker, date, ratio, source) VALUES ('AMD', '{DAY}', 4, 'yahoo')")
    assert refused(con, bars(), (DAYS[25], 4.0)) == NOTHING
    assert refused(con, bars(), (DAY, 4.0)) == NOTHING
    assert refused(con, bars(), (DAY, 20.0)) == (set(), 0, {DAY: UNMOVED})
    store(con, rescaled(bars(), 5, before=DAY), begun="2025-02-15")
    assert refused(con, bars(), (DAY, 20.0)) == NOTHING


def test_a_split_of_its_own_day_is_judged_by_closes_stored_before_it(con):
    """Closes stored later, in a window that ended before the split, are adjusted for it already."""
    today = sessions(DAYS[-1], date(2025, 2, 18))[-1]
    assert refused(con, bars(), (today, 10.0))[2] == {today: UNMOVED}
    assert refused(con, bars(), (DAYS[-1], 10.0))[2] == {DAYS[-1]: UNMOVED}
    for begun in (f"{today}", "2025-03-01"):
        store(con, bars(), begun)
        assert refused(con, bars(), (today, 10.0), (date(2025, 2, 20), 2.0)) == NOTHING
    store(con, bars().assign(source="bundled"), begun="2025-02-15")
    assert refused(con, bars(), (today, 10.0)) == NOTHING


def test_an_operator_may_accept_a_split_that_moved_nothing(con):
    con.execute(
        "INSERT INTO quarantine_decision (table_name, key, figure, verdict, decided_at) "
        f"VALUES ('split', 'AMD {DAY}', 10.0, 'accepted', now())"
    )
    assert refused(con, bars(), (DAY, 10.0)) == NOTHING


@pytest.mark.parametrize(
    ("share", "source", "why"),
    [
        (1.0095, "yahoo", set()),
        (1.011, "yahoo", {OUTSIDE}),
        (0.9905, "yahoo", set()),
        (0.989, "yahoo", {OUTSIDE}),
        (1.029, "import", set()),
        (1.031, "import", {OUTSIDE}),
        (0.971, "import", set()),
        (0.969, "import", {OUTSIDE}),
    ],
)
def test_a_close_that_comes_alone_lies_within_the_stored_range(con, share, source, why):
    """That of another provider may lie outside by what the closes of two providers differ by."""
    frame = bars().iloc[5:15].assign(source=source)
    frame.iloc[3, frame.columns.get_loc("close")] *= share
    reasons, count, _ = refused(con, frame.drop(columns=["open", "high", "low"]))
    assert (reasons, count) == (why, len(why))
    wider = frame.assign(low=frame["low"] * 0.9, high=frame["high"] * 1.1)
    assert refused(con, wider) == NOTHING
    assert refused(con, wider.drop(columns="low"))[0] == (why if share < 1 else set())


def test_a_close_rounded_to_cents_lies_within_the_stored_range(con):
    frame = rescaled(bars(), 0.05)
    store(con, frame.assign(low=frame["close"], high=frame["close"]), begun="2025-02-15")
    alone = frame.drop(columns=["open", "high", "low"])
    assert refused(con, alone.assign(close=frame["close"].round(2))) == NOTHING


def at_other_level(frame: pd.DataFrame, rows: slice, factor: float) -> pd.DataFrame:
    changed = frame.copy()
    changed.iloc[rows, [frame.columns.get_loc(name) for name in ("open", "high", "low", "close")]] *= factor
    return changed


def test_bars_of_which_nothing_is_stored_are_judged_by_each_other(con):
    con.execute("DELETE FROM price_daily")
    assert refused(con, at_other_level(bars(), slice(9, 10), 10))[1] == 1
    reasons, count, splits = refused(con, at_other_level(bars(), slice(20, None), 0.8), (DAY, 1.25))
    assert (count, splits) == (len(DAYS) - 20, {DAY: SPLITS_UNAPPLIED})
    assert JUMP in "".join(reasons)
    assert refused(con, at_other_level(bars(), slice(9, 10), 0.8)) == NOTHING
    halved = at_other_level(bars(), slice(20, None), 0.5)
    assert refused(con, halved, (DAY, 0.0))[1:] == (0, {DAY: "the ratio of the split is not positive"})
    assert refused(con, bars(), (DAY, 0.0))[2] == {DAY: "the ratio of the split is not positive"}


def test_bars_that_follow_the_stored_ones_are_judged_by_them(con):
    store(con, bars().head(20), begun="2025-02-15")
    later = at_other_level(bars(), slice(20, None), 0.1).tail(-20)
    assert refused(con, later)[1] == len(later)
    con.execute("INSERT INTO split (ticker, date, ratio, source) VALUES ('AMD', '2014-06-10', 1.25, 'yahoo')")
    later = at_other_level(bars(), slice(20, None), 0.8).tail(-20)
    assert refused(con, later)[1] == len(later)
    con.execute("DELETE FROM split")
    assert refused(con, later) == NOTHING


def test_an_accepted_bar_is_not_judged_by_the_others(con):
    spike = at_other_level(bars(), slice(9, 10), 10)
    assert refused(con, spike)[1] == 1
    con.execute(
        "INSERT INTO quarantine_decision (table_name, key, figure, verdict, decided_at) SELECT 'price_daily', "
        f"'AMD ' || date, close, 'accepted', now() FROM arrived_price_daily WHERE date = '{DAYS[9]}'"
    )
    assert refused(con, spike) == NOTHING


@pytest.mark.parametrize(
    ("asked", "count"), [((0, -1), 0), ((1, -1), len(DAYS) - 2), ((0, -2), len(DAYS) - 2)]
)
def test_another_provider_may_replace_a_history_as_a_whole(con, asked, count):
    store(con, bars().assign(source="bundled"), begun="2025-02-15")
    window = DAYS[asked[0]], DAYS[asked[1]]
    assert refused(con, rescaled(bars(), 0.985).iloc[1:-1], asked=window)[1] == count


def test_another_providers_closes_are_measured_by_the_stored_adjustment(con):
    frame = bars().assign(source="bundled")
    shares = np.select([frame["date"] < DAYS[10], frame["date"] < DAY], [0.99, 0.995], 1.0)
    store(con, frame.assign(adj_close=frame["close"] * shares), begun="2025-02-15")
    sent = bars().head(-1)
    sent["close"] *= shares[:-1]
    reasons, count, _ = refused(con, sent, asked=(DAYS[0], DAYS[-2]))
    assert (count, "adjusted for dividends" in "".join(reasons)) == (len(sent), True)


def test_splits_that_are_withdrawn_or_sent_anew_explain_what_they_moved(con):
    store(con, rescaled(bars(), 0.1, before=DAY), begun="2025-02-15")
    con.execute(f"INSERT INTO split (ticker, date, ratio, source) VALUES ('AMD', '{DAY}', 10, 'yahoo')")
    assert refused(con, bars()) == NOTHING
    store(con, rescaled(bars(), 2, before=DAY), begun="2025-02-15")
    assert refused(con, bars(), (DAY, 20.0), asked=(DAYS[25], DAYS[-1])) == NOTHING


def test_a_split_that_is_lost_with_its_adjustment_stays(con):
    con.execute(f"INSERT INTO split (ticker, date, ratio, source) VALUES ('AMD', '{DAYS[5]}', 4, 'yahoo')")
    query = "SELECT count(*) FROM split AS target WHERE "
    lost, spike = rescaled(bars(), 4, before=DAYS[5]), at_other_level(bars(), slice(25, 26), 10)
    for frame, count, gone in ((lost, 5, 0), (bars(), 0, 1), (spike, 1, 1)):
        screen = Screen(con, "run", "yahoo", NOW)
        screen.expect([("AMD", DAYS[0], DAYS[-1])])
        screen.judge("split", pd.DataFrame(columns=["ticker", "date", "ratio", "source"]))
        screen.judge("price_daily", frame)
        assert con.execute("SELECT count(*) FROM bad_price_daily").fetchall() == [(count,)]
        assert con.execute(query + screen.withdrawn("split")).fetchall() == [(gone,)]


def test_what_is_taken_for_real_is_told(con):
    con.execute("DELETE FROM price_daily")
    screen = Screen(con, "run", "yahoo", NOW)
    screen.judge("price_daily", at_other_level(bars(), slice(20, None), 0.5))
    (remark,) = screen.remarks["AMD"]
    assert remark.endswith("is taken for real, since no split is known")
