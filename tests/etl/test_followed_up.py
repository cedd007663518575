"""What is asked for, what shows that a whole history is needed again, and what of Yahoo's answer is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import duckdb
import pandas as pd
import pytest

from etl.catalogue import Company
from etl.collect import Collector
from etl.network import Fault, FetchError
from etl.runlog import ItemLog, RunLog
from etl.sources.base import Batch, Request, Task
from etl.sources.yahoo import Answer, YahooPrices, _batch
from tests.etl.conftest import closes_of_100
from tests.loopback.yahoo import chart, listing, sessions

NOW = pd.Timestamp("2025-03-20 23:00", tz="UTC")
DAYS = sessions(date(2025, 1, 2), date(2025, 2, 14))
AMD = Company("AMD", "AMD", "s", "XNAS", "USD", "AI")


class Prices(YahooPrices):
    """The source without a connection."""

    def __init__(self) -> None: ...


def stored_before(con: duckdb.DuckDBPyConnection) -> None:
    """Six weeks of AMD, a dividend and a split."""
    closes_of_100(con, DAYS)
    con.execute(f"INSERT INTO dividend (ticker, ex_date, amount) VALUES ('AMD', '{DAYS[22]}', 1)")
    con.execute(f"INSERT INTO split (ticker, date, ratio) VALUES ('AMD', '{DAYS[23]}', 2)")


def answer(
    closes: dict[date, float],
    dividends: dict[date, float] | None = None,
    splits: dict[date, float] | None = None,
) -> Batch:
    """An answer with those closes; the stored dividend and split where nothing else is said."""
    paid = {DAYS[22]: 1.0} if dividends is None else dividends
    split = {DAYS[23]: 2.0} if splits is None else splits
    rows = {
        "price_daily": pd.DataFrame({"date": list(closes), "close": list(closes.values())}),
        "dividend": pd.DataFrame({"ex_date": list(paid), "amount": list(paid.values())}),
        "split": pd.DataFrame({"date": list(split), "ratio": list(split.values())}),
    }
    return Batch({name: frame.assign(ticker="AMD") for name, frame in rows.items()}, len(closes))


LAST_TEN = dict.fromkeys(DAYS[-10:], 100.0)


def asked_again(con, batch: Batch, first: date = DAYS[-10], last: date = DAYS[-1]) -> list[tuple]:
    task = Task("AMD", first, last, AMD)
    return [(one.asked_from, one.asked_to) for one in Prices().follow_up(con, {task: batch})]


WHOLE = [(DAYS[0], DAYS[-1])]


@pytest.mark.parametrize(
    ("batch", "again"),
    [
        (answer(LAST_TEN), []),
        (answer(LAST_TEN | {DAYS[-1]: 110.0}), []),
        (answer(LAST_TEN | {DAYS[-1]: 111.0}), WHOLE),
        (answer(LAST_TEN | {DAYS[-1]: 90.0}), WHOLE),
        (answer(LAST_TEN | {DAYS[-1]: -1.0}), []),
        (answer(dict.fromkeys(LAST_TEN, 100.05)), []),
        (answer(dict.fromkeys(LAST_TEN, 100.2)), WHOLE),
        (answer(dict.fromkeys(LAST_TEN, 99.8)), WHOLE),
        (answer({DAYS[-1]: 100.2}, {}, {}), WHOLE),
        (answer(LAST_TEN, {DAYS[22]: 1.0, DAYS[25]: 1.0}), WHOLE),
        (answer(LAST_TEN, {DAYS[22]: 1.1}), WHOLE),
        (answer(LAST_TEN, {}), WHOLE),
        (answer(LAST_TEN, None, {DAYS[23]: 3.0}), WHOLE),
        (answer(LAST_TEN, None, {}), WHOLE),
        (answer(LAST_TEN, None, {DAYS[24]: 2.0}), WHOLE),
        (answer(LAST_TEN, None, {DAYS[23]: 2.0, DAYS[22]: 1.0}), WHOLE),
    ],
)
def test_a_history_is_asked_for_again_when_its_basis_has_changed(con, batch, again):
    assert asked_again(con, batch) == again


def test_one_session_alone_tells_no_other_basis_and_what_was_asked_whole_is_not_asked_again(con):
    con.execute("DELETE FROM dividend; DELETE FROM split")
    assert asked_again(con, answer({DAYS[-1]: 100.2}, {}, {}), DAYS[-1]) == []
    moved = answer(dict.fromkeys(DAYS, 90.0), {}, {})
    assert asked_again(con, moved, DAYS[0], DAYS[-1]) == []
    assert asked_again(con, moved, DAYS[0], DAYS[-2]) == WHOLE
    assert asked_again(con, moved, date(2024, 12, 2), DAYS[-2]) == [(date(2024, 12, 2), DAYS[-1])]


def test_a_dividend_of_the_day_does_not_stand_for_a_split_that_is_withdrawn(con):
    con.execute(f"INSERT INTO dividend (ticker, ex_date, amount) VALUES ('AMD', '{DAYS[23]}', 2)")
    paid = {DAYS[22]: 1.0, DAYS[23]: 2.0}
    assert asked_again(con, answer(LAST_TEN, paid)) == []
    assert asked_again(con, answer(LAST_TEN, paid, {})) == WHOLE


def test_actions_outside_the_days_asked_for_are_not_withdrawn(con):
    late = dict.fromkeys(DAYS[-5:], 100.0)
    assert asked_again(con, answer(late, {}, {}), DAYS[-5]) == []


def test_a_dividend_that_was_refused_before_changes_nothing(con):
    batch = answer(LAST_TEN, {DAYS[22]: 1.0, DAYS[25]: -1.0})
    assert asked_again(con, batch) == WHOLE
    con.execute(
        "INSERT INTO quarantine (item, row_json) "
        f"""VALUES ('AMD', '{{"ticker":"AMD","ex_date":"{DAYS[25]}","amount":-1.0}}')"""
    )
    assert asked_again(con, batch) == []
    con.execute("UPDATE quarantine SET item = 'NVDA'")
    assert asked_again(con, batch) == WHOLE


def test_a_split_that_was_refused_before_is_looked_at_again_with_the_whole_history(con):
    con.execute(
        "INSERT INTO quarantine (item, row_json) "
        f"""VALUES ('AMD', '{{"ticker":"AMD","date":"{DAYS[25]}","ratio":3.0}}')"""
    )
    assert asked_again(con, answer(LAST_TEN, None, {DAYS[23]: 2.0, DAYS[25]: 3.0})) == WHOLE


def planned(con, **how: Any) -> tuple[date, date]:
    (task,) = Prices().plan(con, Request([AMD], NOW, **how))
    return task.asked_from, task.asked_to


def test_a_window_touches_what_is_held_and_reaches_over_its_holes(con):
    newest = date(2025, 3, 20)
    assert planned(con) == (DAYS[-10], newest)
    assert planned(con, since=date(2025, 3, 3)) == (DAYS[-1], newest)
    assert planned(con, since=date(2024, 12, 2), until=date(2024, 12, 20)) == (date(2024, 12, 2), DAYS[0])
    assert planned(con, until=date(2025, 2, 20)) == (DAYS[-10], date(2025, 2, 20))
    con.execute(f"DELETE FROM price_daily WHERE date = '{DAYS[7]}'")
    assert planned(con) == (DAYS[6], newest)
    assert planned(con, since=DAYS[20]) == (DAYS[20], newest)
    con.execute(f"UPDATE price_daily SET source = 'import' WHERE date = '{DAYS[9]}'")
    assert planned(con)[0] < DAYS[0]


def test_a_history_of_another_source_is_asked_for_from_its_own_first_session(con, monkeypatch):
    con.execute("UPDATE price_daily SET source = 'import'")
    short = SimpleNamespace(history_start=DAYS[5], overlap_sessions=10)
    monkeypatch.setattr("etl.sources.yahoo.settings", lambda: short)
    assert planned(con)[0] == DAYS[0]


def test_nothing_is_asked_for_from_before_a_companys_own_history():
    late = replace(AMD, history_from=DAYS[25])
    (task,) = Prices().plan(None, Request([late], NOW, since=DAYS[0]))
    assert task.asked_from == DAYS[25]


def read(listed, change=lambda result: None, currency: str | None = None) -> Batch:
    """What is made of an answer about the last sessions of a listing."""
    days = sorted(listed.bars)
    result = chart(listed, days)
    change(result)
    told = Answer(SimpleNamespace(json=lambda: {"chart": {"result": [result]}}), "America/New_York")
    names = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Adj Close": "adjusted"}
    history = pd.DataFrame(
        {name: [getattr(listed.bars[day], column) for day in days] for name, column in names.items()},
        index=pd.DatetimeIndex(days),
    ).assign(Volume=1)
    beyond = pd.DataFrame(index=pd.DatetimeIndex([date(2025, 1, 4)]), columns=history.columns, dtype=float)
    return _batch(
        Task("AMD", days[0], days[-1], AMD),
        pd.concat([history, beyond]).sort_index(),
        {"currency": currency},
        told,
    )


def test_of_an_answer_the_bars_that_were_sent_are_read_and_no_others():
    assert read(listing("AMD", DAYS[0], DAYS[-1])).rows["price_daily"]["date"].dt.date.tolist() == DAYS


def test_a_newest_bar_without_a_close_is_left_out_and_an_earlier_one_is_not():
    one = listing("AMD", DAYS[0], DAYS[-1])
    one.bars[DAYS[-1]].close = one.bars[DAYS[3]].close = None
    assert read(one).rows["price_daily"]["date"].dt.date.tolist() == DAYS[:-1]


def test_the_currency_is_the_one_that_the_answer_names():
    one = listing("AMD", DAYS[0], DAYS[-1])
    assert set(read(one, currency="GBp").rows["price_daily"]["currency"]) == {"GBp"}
    assert set(read(one).rows["price_daily"]["currency"]) == {"USD"}


def test_sessions_sent_twice_or_out_of_order_are_told():
    one = listing("AMD", DAYS[0], DAYS[-1])
    assert read(one).notes == []
    twice = read(one, lambda result: result["timestamp"].append(result["timestamp"][-1]))
    assert twice.notes == [f"sent twice, one is kept: {DAYS[-1]}"]
    assert read(one, lambda result: result["timestamp"].reverse()).notes == ["the sessions came unsorted"]


def test_dividends_and_distributions_of_a_day_add_up_and_carry_their_currency():
    one = listing("AMD", DAYS[0], DAYS[-1])
    one.dividends = {DAYS[3]: 1.0}
    stamp = one.stamp(DAYS[3])

    def add(result: dict) -> None:
        paid = result["events"]["dividends"]
        paid |= {"2": {"amount": 0.5, "date": stamp}, "3": {"amount": 9.0, "date": "soon"}}
        paid |= {"4": {"amount": 7.0, "date": stamp, "currency": "JPY"}, "5": "nothing"}
        result["events"]["capitalGains"] = [
            {"amount": 2.0, "date": stamp},
            {"amount": 8.0, "date": float("nan")},
        ]

    rows = read(one, add).rows["dividend"]
    assert sorted(rows[["ex_date", "amount", "currency"]].itertuples(index=False, name=None)) == [
        (DAYS[3], 3.5, "USD"),
        (DAYS[3], 7.0, "JPY"),
    ]


def test_the_same_dividend_twice_is_left_to_the_gates():
    one = listing("AMD", DAYS[0], DAYS[-1])
    one.dividends = {DAYS[3]: 1.0}
    again = {"2": {"amount": 1.0, "date": one.stamp(DAYS[3])}}
    rows = read(one, lambda result: result["events"]["dividends"].update(again)).rows["dividend"]
    assert rows["amount"].tolist() == [1.0, 1.0]


class Scripted:
    """A source whose tasks end as they are told to."""

    name, patience = "s", 2

    def fetch(self, task: Task) -> Batch:
        if isinstance(task.detail, Fault):
            raise FetchError(task.detail, "no")
        return Batch({"price_daily": pd.DataFrame({"date": [], "close": []})}, 0, lacking=task.detail or "")


def collected(monkeypatch, *ends: Fault | str | None) -> list[tuple[str, bool]]:
    """The status of each task, and whether it was asked for, one after the other."""
    monkeypatch.setattr("etl.collect.settings", lambda: SimpleNamespace(threads=1, timeout=1))
    log = RunLog("1", "s")
    tasks = [Task(f"T{number}", detail=end) for number, end in enumerate(ends)]
    Collector(Scripted(), log, lambda *_: None).collect(tasks)
    return [
        (item.status, "not asked for any more" not in item.message)
        for item in sorted(log.items, key=lambda item: item.item)
    ]


AWAY, LIMITED, UNKNOWN = Fault.UNREACHABLE, Fault.LIMITED, Fault.MISSING


@pytest.mark.parametrize(
    ("ends", "asked"),
    [
        ((AWAY, LIMITED, None), [True, True, False]),
        ((AWAY, None, AWAY, None), [True] * 4),
        ((AWAY, UNKNOWN, AWAY, None), [True] * 4),
        ((UNKNOWN, UNKNOWN, UNKNOWN, None), [True] * 4),
    ],
)
def test_a_source_that_cannot_be_reached_twice_in_a_row_is_not_asked_on(monkeypatch, ends, asked):
    assert [was for _, was in collected(monkeypatch, *ends)] == asked


def test_an_answer_that_lacks_everything_it_was_asked_for_has_failed(monkeypatch):
    assert collected(monkeypatch, None, "no such days") == [("ok", True), ("failed", True)]


@pytest.mark.parametrize(("end", "left"), [(None, {("A", DAYS[0]), ("B", None)}), (UNKNOWN, {("B", None)})])
def test_an_answer_gives_way_to_its_follow_up_or_to_nothing(con, monkeypatch, end, left):
    class Asks(Scripted):
        def follow_up(self, con, tasks) -> list[Task]:
            return [Task("A", DAYS[0], DAYS[1], end)]

    monkeypatch.setattr("etl.collect.settings", lambda: SimpleNamespace(threads=1, timeout=1))
    came = {Task("A", DAYS[1], DAYS[1]): Batch({}, 1), Task("B"): Batch({}, 1)}
    found = Collector(Asks(), RunLog("1", "s"), lambda *_: None).collect_again(con, came)
    assert {(task.item, task.asked_from) for task in found} == left


def test_a_history_is_whole_when_every_stored_session_came_with_a_close(con):
    log = RunLog("1", "yahoo")
    collector = Collector(Prices(), log, lambda *_: None)
    task = Task("AMD", DAYS[0], DAYS[-1], AMD)

    def whole(closes: dict[date, float | None]) -> bool:
        log.items = [ItemLog("AMD")]
        rows = pd.DataFrame({"date": list(closes), "close": list(closes.values())}).astype({"close": float})
        return collector._is_whole(con, task, Batch({"price_daily": rows}, len(rows)))

    assert whole(dict.fromkeys(DAYS, 1.0))
    assert whole(dict.fromkeys([date(2024, 12, 31), *DAYS], 1.0))
    assert not whole(dict.fromkeys(DAYS[1:], 1.0))
    assert not whole(dict.fromkeys(DAYS, 1.0) | {DAYS[4]: None})
    held = len(DAYS)
    assert log.items[0].message == (
        f"its history changed, but only {held - 1} of its {held} sessions came again: left as it was"
    )
