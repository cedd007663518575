"""Splits and dividends: what comes, changes and is withdrawn, and what bad ones cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest

from etl.refresh import refresh as run
from etl.sources import SOURCES
from etl.sources.base import Batch, Task
from tests.etl.conftest import again, messages
from tests.loopback.world import Asked, Reply
from tests.loopback.yahoo import sessions

WITHOUT_FILES = True
DAY, LATER = date(2025, 2, 10), date(2025, 2, 24)


@pytest.fixture
def amd(loaded):
    """AMD as the site knows it; everything has been loaded once."""
    return loaded.yahoo.listings["AMD"]


def bars(operator, column: str = "close") -> dict[date, float]:
    query = f"SELECT date, {column} FROM price_daily WHERE ticker = 'AMD' ORDER BY date"
    return dict(operator.rows(query))


def truth(listing, name: str = "close") -> dict:
    return {day: pytest.approx(getattr(bar, name)) for day, bar in listing.bars.items()}


def revisions(operator, table: str) -> list[tuple]:
    query = f"SELECT key, column_name, old_value, new_value FROM revision WHERE table_name = '{table}' ORDER BY ALL"
    return operator.rows(query)


def test_a_ticker_given_to_another_company_replaces_nothing(loaded, amd):
    before = bars(loaded)
    for number, bar in enumerate(amd.bars.values()):
        share = 0.8 + 0.04 * (number * 5 % 7)
        bar.open, bar.high, bar.low, bar.close = (
            price * share for price in (bar.open, bar.high, bar.low, bar.close)
        )
    assert loaded.refresh("prices").exit_code == 1
    assert "has the ticker been given to another company?" in messages(loaded)["AMD"]
    assert bars(loaded) == before


def test_a_dividend_that_is_withdrawn_is_taken_out_of_the_adjusted_closes(loaded, amd):
    amd.dividends[DAY] = 2.0
    amd.reinvest()
    assert again(loaded).exit_code == 0
    assert bars(loaded, "adj_close") == truth(amd, "adjusted")
    assert min(bars(loaded, "adj_close").values()) < min(bars(loaded).values()) - 1
    del amd.dividends[DAY]
    amd.reinvest()
    assert again(loaded).exit_code == 0
    assert loaded.rows("FROM dividend") == []
    assert bars(loaded, "adj_close") == bars(loaded)
    assert revisions(loaded, "dividend")[0] == ("AMD 2025-02-10", "amount", "2.0", None)


def test_what_lies_outside_the_days_asked_for_is_not_withdrawn(loaded, amd):
    amd.dividends[DAY] = 2.0
    amd.reinvest()
    again(loaded)
    assert loaded.refresh("prices", since=date(2025, 2, 11), until=date(2025, 2, 20)).exit_code == 0
    assert loaded.rows("SELECT ex_date FROM dividend") == [(DAY,)]
    assert bars(loaded, "adj_close") == truth(amd, "adjusted")


def test_an_action_that_comes_back_broken_is_not_taken_for_withdrawn(loaded, amd):
    loaded.warehouse.con.execute(f"INSERT INTO split (ticker, date, ratio) VALUES ('AMD', '{LATER}', 2)")
    amd.splits[LATER], amd.dividends[DAY] = (2, 1), 2.0
    again(loaded)
    amd.dividends[DAY], amd.splits[LATER] = -2.0, (0, 1)
    assert again(loaded).exit_code == 1
    assert loaded.rows("SELECT amount FROM dividend") == [(2.0,)]
    assert loaded.rows("SELECT ratio FROM split") == [(2.0,)]


BAD_DIVIDENDS: dict[str, tuple[float, str, str]] = {
    "negative": (-0.5, "", "the dividend is not positive"),
    "in yen": (150.0, "JPY", "a dividend in JPY, not USD"),
    "larger than the close": (500.0, "", "the dividend is not less than the close before it"),
    "half the close, which did not fall": (25.0, "", "the close did not fall by so large a dividend"),
}


@pytest.mark.parametrize("name", BAD_DIVIDENDS)
def test_a_bad_dividend_costs_itself_and_nothing_else(loaded, amd, name):
    amount, amd.paid_in, reason = BAD_DIVIDENDS[name]
    amd.dividends[DAY] = amount
    amd.bars[date(2025, 3, 14)].close += 0.25
    assert again(loaded).exit_code == 1
    assert f"in quarantine: 1 × {reason}" in messages(loaded)["AMD"]
    assert loaded.rows("FROM dividend") == []
    assert bars(loaded) == truth(amd)
    assert bars(loaded, "adj_close") == bars(loaded)


@pytest.mark.parametrize("ratio", [(0, 1), (1, 0), (-4, 1)])
def test_a_bad_split_costs_itself_and_nothing_else(loaded, amd, ratio):
    amd.splits[DAY] = ratio
    amd.bars[date(2025, 3, 14)].close += 0.25
    again(loaded)
    assert "1 × the ratio of the split is not positive" in messages(loaded)["AMD"]
    assert loaded.rows("FROM split") == []
    assert bars(loaded) == truth(amd)


def test_a_large_dividend_that_the_close_fell_by_is_believed(loaded, amd):
    for day, bar in amd.bars.items():
        if day >= DAY:
            bar.open, bar.high, bar.low, bar.close = (
                price * 0.7 for price in (bar.open, bar.high, bar.low, bar.close)
            )
    amd.dividends[DAY] = 15.0
    amd.reinvest()
    assert again(loaded).exit_code == 0
    assert bars(loaded, "adj_close") == truth(amd, "adjusted")


def test_the_same_dividend_twice_counts_once_and_two_of_a_day_are_added_up(loaded, amd):
    amd.dividends[DAY] = 2.0
    stamp = amd.stamp(DAY)
    sent = b'"%d": {"amount": 2.0, "date": %d}' % (stamp, stamp)

    def another(amount: float) -> Callable[[Asked], Reply | None]:
        also = b', "%d": {"amount": %f, "date": %d}' % (stamp + 60, amount, stamp + 60)

        def fault(asked: Asked) -> Reply | None:
            if not asked.path.endswith("/chart/AMD"):
                return None
            reply = loaded.yahoo.reply(asked)
            return Reply(reply.body.replace(sent, sent + also), headers=reply.headers)

        return fault

    for amount, total in ((2.0, 2.0), (0.5, 2.5)):
        loaded.world.faults = [another(amount)]
        again(loaded)
        assert loaded.rows("SELECT amount FROM dividend") == [(total,)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_windows_before_and_after_dividends_leave_no_seam(operator, order):
    amd = operator.yahoo.listings["AMD"]
    amd.dividends = {DAY: 2.0, LATER: 1.0}
    amd.reinvest()
    windows = [
        (date(2025, 1, 2), date(2025, 1, 31)),
        (date(2025, 2, 3), date(2025, 2, 14)),
        (date(2025, 2, 18), date(2025, 3, 14)),
    ]
    for one in order:
        since, until = windows[one]
        assert operator.refresh("prices", tickers=["AMD"], since=since, until=until).exit_code == 0
        every, adjusted = pd.Series(truthful(amd)), pd.Series(bars(operator, "adj_close"))
        returns = adjusted.pct_change().dropna()
        assert returns.to_list() == pytest.approx(every.pct_change()[returns.index].to_list())
    assert bars(operator, "adj_close") == truth(amd, "adjusted")


def truthful(listing) -> dict[date, float]:
    return {day: bar.adjusted for day, bar in sorted(listing.bars.items())}


def test_adjusted_closes_are_ours_and_a_source_that_says_otherwise_is_told_of(loaded, amd):
    amd.dividends[DAY] = 2.0
    amd.reinvest()
    right = truth(amd, "adjusted")
    for day in sessions(DAY, date(2025, 2, 14)):
        amd.bars[day].adjusted *= 0.97
    assert again(loaded).exit_code == 0
    assert bars(loaded, "adj_close") == right
    assert "5 adjusted closes differ from those that follow" in messages(loaded)["AMD"]
    assert "by up to 3.00%" in messages(loaded)["AMD"]


def test_a_history_that_comes_back_shorter_replaces_nothing(loaded, amd):
    every, day = dict(amd.bars), date(2025, 3, 12)
    loaded.warehouse.con.execute(f"DELETE FROM price_daily WHERE ticker = 'AMD' AND date >= '{day}'")
    amd.split(day, 2)
    short = {day: bar for day, bar in amd.bars.items() if day >= date(2025, 2, 20)}
    amd.bars = short
    assert loaded.refresh("prices").exit_code == 1
    assert "its history changed, but only 14 of its 46 sessions came again" in messages(loaded)["AMD"]
    assert set(bars(loaded)) == {held for held in every if held < day}
    assert loaded.rows("FROM split") == []
    amd.bars = every
    assert loaded.refresh("prices").exit_code == 0
    assert bars(loaded) == truth(amd)


def test_a_split_not_yet_applied_waits_with_its_bars_until_it_is(loaded, amd):
    """A 1:190 that the earlier closes knew nothing of was stored as a rise by 13,110 %."""
    day = date(2025, 3, 12)
    before = bars(loaded)
    amd.splits[day] = (1, 190)
    amd.rescale(190 * 0.695)
    amd.rescale(1 / (190 * 0.695), before=day)
    assert again(loaded).exit_code == 1
    told = messages(loaded)["AMD"]
    assert "1 × the closes before it are not adjusted for it" in told
    assert "3 × after a jump that looks like an unadjusted split" in told
    assert bars(loaded) == before
    assert loaded.rows("FROM split") == []
    amd.rescale(190, before=day)
    assert loaded.refresh("prices").exit_code == 0
    assert bars(loaded) == truth(amd)
    assert loaded.rows("SELECT ratio FROM split") == [(pytest.approx(1 / 190),)]


def test_pence_become_pounds_are_refused_from_the_day_on(loaded, amd):
    for day in sessions(date(2025, 3, 10), date(2025, 3, 14)):
        bar = amd.bars[day]
        bar.open, bar.high, bar.low, bar.close = (
            price * 0.0096 for price in (bar.open, bar.high, bar.low, bar.close)
        )
    before = bars(loaded)
    assert again(loaded).exit_code == 1
    assert "5 × after a jump" in messages(loaded)["AMD"]
    assert bars(loaded) == before


@pytest.mark.parametrize("factor", [100, 0.25])
def test_a_whole_history_on_another_basis_is_refused(loaded, amd, factor):
    before = bars(loaded)
    amd.rescale(factor)
    assert again(loaded).exit_code == 1
    assert "on another basis than the stored closes" in messages(loaded)["AMD"]
    assert bars(loaded) == before


def fall(listing, first: date, factor: float) -> None:
    listing.rescale(factor)
    listing.rescale(1 / factor, before=first)


@pytest.mark.parametrize("by", [1, -1])
def test_bars_that_lie_a_session_off_are_refused(loaded, amd, by):
    before, days = bars(loaded), sorted(amd.bars)
    moved = [amd.bars[day] for day in days]
    for day, bar in zip(days[max(by, 0) :], moved[max(-by, 0) :], strict=False):
        amd.bars[day] = bar
    assert again(loaded).exit_code == 1
    assert "a session late or early" in messages(loaded)["AMD"]
    assert bars(loaded) == before


def test_a_run_of_equal_closes_and_a_few_revised_ones_are_not_a_session_off(loaded, amd):
    days = sorted(amd.bars)
    for day, other in zip(days[10:13], days[9:12], strict=True):
        amd.bars[day] = amd.bars[other]
    assert again(loaded).exit_code == 0
    assert bars(loaded) == truth(amd)


def test_four_bars_in_ten_that_repeat_the_day_before_are_revisions(loaded, amd):
    days = sorted(amd.bars)
    old = dict(amd.bars)
    for place in range(1, len(days), 5):
        for at in (place, place + 1):
            if at < len(days):
                amd.bars[days[at]] = old[days[at - 1]]
    assert again(loaded).exit_code == 0
    assert bars(loaded) == truth(amd)


def test_a_crash_without_any_sign_of_news_is_stored_once_it_has_lasted(operator):
    amd = operator.yahoo.listings["AMD"]
    fall(amd, date(2025, 3, 6), 0.5)
    every = dict(amd.bars)
    stored = []
    for last in sessions(date(2025, 3, 5), date(2025, 3, 14)):
        amd.bars = {day: bar for day, bar in every.items() if day <= last}
        operator.refresh("prices", tickers=["AMD"])
        stored.append(max(bars(operator)))
    assert stored == [date(2025, 3, 5)] * 5 + sessions(date(2025, 3, 12), date(2025, 3, 14))
    assert bars(operator) == truth(amd)
    assert operator.rows("SELECT DISTINCT settled FROM quarantine") == [("mended",)]
    assert operator.rows("SELECT max(times) FROM quarantine") == [(4,)]


def test_a_crash_on_many_times_the_usual_volume_is_stored_at_once(loaded, amd):
    fall(amd, date(2025, 3, 14), 0.5)
    amd.bars[date(2025, 3, 14)].volume *= 8
    assert (again(loaded).exit_code, bars(loaded)) == (0, truth(amd))


class Elsewhere:
    """A second provider of prices, as the README says how to write one."""

    name, tables, patience = "elsewhere", ("price_daily",), 3

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows = rows

    def close(self) -> None: ...

    def plan(self, con, request) -> list[Task]:
        days = self.rows["date"].tolist()
        return [Task("AMD", min(days), max(days))]

    def fetch(self, task: Task) -> Batch:
        return Batch({"price_daily": self.rows}, len(self.rows))

    def follow_up(self, con, tasks) -> list[Task]:
        return []


@pytest.fixture
def elsewhere(loaded, monkeypatch) -> Callable[[float], int]:
    """Refreshes three sessions of AMD from a second provider, whose closes are this share of the site's."""

    def refresh(share: float) -> int:
        days = sessions(date(2025, 2, 18), date(2025, 2, 20))
        closes = [loaded.yahoo.listings["AMD"].bars[day].close * share for day in days]
        rows = pd.DataFrame({"date": days, "close": closes, "adj_close": closes})
        source = Elsewhere(rows.assign(ticker="AMD", currency="USD", source="elsewhere"))
        monkeypatch.setitem(SOURCES, "elsewhere", lambda: source)
        loaded.last = run(loaded.warehouse, ["elsewhere"])
        return loaded.last.exit_code

    return refresh


def test_a_second_provider_on_another_basis_is_refused_whole(loaded, elsewhere):
    before = loaded.rows("FROM price_daily ORDER BY ALL")
    assert elsewhere(0.985) == 2
    assert "3 × on another basis than the stored closes (×0.985)" in messages(loaded)["AMD"]
    assert loaded.rows("FROM price_daily ORDER BY ALL") == before


def test_a_second_provider_leaves_no_seam_in_the_adjusted_closes(loaded, amd, elsewhere):
    amd.dividends[DAY] = 2.0
    amd.dividends[LATER] = 1.0
    amd.reinvest()
    again(loaded)
    assert elsewhere(1.0) == 0
    assert bars(loaded, "adj_close") == truth(amd, "adjusted")
