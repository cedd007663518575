"""A state is published when data changed, is ordered by a counter, and thins out by age."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from etl.runlog import RunLog, new_run_id
from etl.warehouse import WarehouseError
from etl.warehouse.files import FileWarehouse
from etl.warehouse.states import Keep, State
from tests.etl.test_warehouse_files import publish, read

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)


def failed_run(warehouse: FileWarehouse) -> None:
    """A run that brings nothing but its log."""
    with warehouse.writing() as con:
        RunLog(new_run_id(warehouse), "yahoo", message="no answer").write(con)


def quarantine(warehouse: FileWarehouse, reason: str) -> None:
    with warehouse.writing() as con:
        con.execute(
            "INSERT INTO quarantine BY NAME SELECT ? AS run_id, 'A' AS item, ? AS reason, now() AS last_seen",
            [new_run_id(warehouse), reason],
        )


def state(number: int, moment: datetime | None) -> State:
    return State(number, f"market-{number:08d}.duckdb", None, moment)


def test_runs_that_change_nothing_publish_no_state_and_are_remembered(warehouse):
    publish(warehouse, 1)
    publish(warehouse, 2)
    kept, published = warehouse.versions(), warehouse.version()
    for _ in range(10):
        failed_run(warehouse)
    assert (warehouse.versions(), warehouse.version()) == (kept, published)
    assert [run["message"] for run in warehouse.history()] == ["no answer"] * 10
    warehouse.rollback()
    assert read(warehouse) == 1
    assert len(warehouse.history()) == 10


def test_the_same_rows_written_again_are_no_new_state(warehouse):
    publish(warehouse, 1)
    published = warehouse.version()
    publish(warehouse, 1)
    assert warehouse.version() == published
    with warehouse.writing() as con:
        con.execute("INSERT INTO sample VALUES (2); DELETE FROM sample WHERE value = 1")
    assert warehouse.version() != published


def test_a_rollback_passes_over_states_that_differ_by_the_quarantine_alone(tmp_path):
    warehouse = FileWarehouse(tmp_path / "market.duckdb")
    publish(warehouse, 1)
    publish(warehouse, 2)
    bad = warehouse.version()
    quarantine(warehouse, "a")
    seen = warehouse.version()
    assert seen != bad
    quarantine(warehouse, "a")
    assert warehouse.version() == seen  # refused again for the same reason
    quarantine(warehouse, "b")
    warehouse.rollback()
    assert read(warehouse) == 1


def test_a_rollback_returns_to_the_state_that_the_present_one_came_from(warehouse):
    for value in (1, 2):
        publish(warehouse, value)
    warehouse.rollback()
    publish(warehouse, 3)
    warehouse.rollback()
    assert read(warehouse) == 1  # not 2, which was rejected


def test_states_and_runs_keep_their_order_when_the_clock_was_wrong(warehouse, monkeypatch):
    class Clock(datetime):
        year_of_clock = 2031

        @classmethod
        def now(cls, tz=None):
            return datetime(cls.year_of_clock, 1, 1, tzinfo=tz)

    monkeypatch.setattr("etl.warehouse.states.datetime", Clock)
    monkeypatch.setattr("etl.runlog.datetime", Clock)
    for year, value in ((2031, 1), (2026, 2), (1970, 3)):
        Clock.year_of_clock = year
        publish(warehouse, value)
        failed_run(warehouse)
    newest = warehouse.versions()[-1]
    assert warehouse.version() == newest
    runs = [run["run_id"] for run in warehouse.history()]
    assert [run.split("-")[1][:4] for run in runs] == ["2031", "2026", "1970"]
    warehouse.rollback()
    assert read(warehouse) == 2
    warehouse.rollback(newest)
    assert read(warehouse) == 3


def test_kept_states_thin_out_by_age():
    hours = [state(number, NOON - timedelta(hours=6 * (2000 - number))) for number in range(2001)]
    kept = sorted(Keep(newest=2, days=1, daily=31, monthly=12).kept(hours, NOON))
    days = [one.moment.date() for one in kept]
    assert [one for one in kept if one.moment.date() == NOON.date()] == hours[-3:]  # all of today
    daily = [day for day in days if timedelta(0) < NOON.date() - day < timedelta(31)]
    assert daily == [NOON.date() - timedelta(back) for back in range(30, 0, -1)]  # one a day for a month
    older = [day for day in days if NOON.date() - day >= timedelta(31)]
    assert len(older) == len({(day.year, day.month) for day in older}) == 12  # one a month for a year
    assert min(days) > date(2025, 3, 1)
    assert all(
        one == max(other for other in hours if other.moment.date() == one.moment.date()) for one in kept[:-3]
    )


def test_no_clock_takes_the_last_good_states():
    good = [state(number, NOON - timedelta(days=20 - number)) for number in range(20)]
    keep = Keep(newest=3, days=0, daily=31, monthly=0)
    assert keep.kept([*good, state(20, datetime(1970, 1, 1, tzinfo=UTC))], NOON) >= set(good)
    assert keep.kept([*good, state(20, datetime(2099, 1, 1, tzinfo=UTC)), state(21, NOON)], NOON) >= set(good)
    assert keep.kept(good, datetime(2099, 1, 1, tzinfo=UTC)) == set(good[-3:])
    assert keep.kept(good, datetime(1970, 1, 1, tzinfo=UTC)) >= set(good[-3:])


def test_a_published_state_that_is_lost_is_no_empty_warehouse(operator):
    operator.refresh("prices")
    first = operator.warehouse.version()
    held = operator.rows("SELECT count(*) FROM price_daily")
    operator.yahoo.listings["NVDA"].bars[date(2025, 3, 14)].volume += 1
    operator.refresh("prices")
    (operator.warehouse.folder / operator.warehouse.version()).unlink()
    for words in (("refresh",), ("load-bundled", "--if-missing"), ("status",), ("rollback",)):
        done = operator.run(*words)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1), words
        assert f"`python -m etl rollback --to {first}` brings the newest back" in done.stderr
    operator.warehouse.path.unlink()
    assert operator.run("refresh").returncode == 2
    assert operator.run("rollback", "--to", first).returncode == 0
    assert operator.rows("SELECT count(*) FROM price_daily") == held


def test_states_named_by_the_clock_alone_are_older_than_all_that_are_counted(warehouse):
    publish(warehouse, 1)
    old = warehouse.folder / "market-20991231T235959.000000Z-abcd.duckdb"
    (warehouse.folder / warehouse.version()).rename(old)
    with pytest.raises(WarehouseError, match=old.name):
        warehouse.version()
    warehouse.rollback(old.name)
    publish(warehouse, 2)
    assert warehouse.versions()[0] == old.name
    assert warehouse.rollback() == old.name


def test_what_was_revised_and_settled_long_ago_is_forgotten_and_the_rest_stays(warehouse):
    with warehouse.writing() as con:
        for run, age in (("old", 900), ("new", 10)):
            con.execute(
                "INSERT INTO etl_run BY NAME SELECT ? AS run_id, 'yahoo' AS source, now() - to_days(?) AS started_at, "
                "now() - to_days(?) AS finished_at",
                [run, age, age],
            )
            con.execute("INSERT INTO revision BY NAME SELECT ? AS run_id", [run])
            con.execute("INSERT INTO etl_run_item BY NAME SELECT ? AS run_id, 'A' AS item", [run])
            for settled in ("dropped", None):
                con.execute(
                    "INSERT INTO quarantine BY NAME SELECT ? AS run_id, ? AS settled, now() - to_days(?) AS last_seen",
                    [run, settled, age],
                )
    with warehouse.reading() as con:
        for table in ("revision", "etl_run_item"):
            assert con.execute(f"SELECT run_id FROM {table}").fetchall() == [("new",)]
        held = con.execute("SELECT run_id, settled FROM quarantine ORDER BY ALL").fetchall()
        assert held == [("new", "dropped"), ("new", None), ("old", None)]
        assert len(con.execute("FROM etl_run").fetchall()) == 2
