from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from unittest.mock import Mock

import duckdb
import pytest

from etl.product import variable
from etl.settings import PROJECT_ROOT
from etl.temporary import own_folder
from etl.warehouse import (
    StateGoneError,
    WarehouseBusyError,
    WarehouseError,
    WarehouseMissingError,
    connect_read_only,
    published_version,
)
from etl.warehouse.files import FileWarehouse

MIGRATIONS = PROJECT_ROOT / "etl" / "warehouse" / "migrations"


def publish(warehouse: FileWarehouse, value: int) -> None:
    with warehouse.writing() as con:
        con.execute("CREATE TABLE IF NOT EXISTS sample (value INTEGER)")
        con.execute("DELETE FROM sample")
        con.execute("INSERT INTO sample VALUES (?)", [value])


def read(warehouse: FileWarehouse) -> int:
    with warehouse.reading() as con:
        return con.execute("SELECT value FROM sample").fetchall()[0][0]


def make_plain(warehouse: FileWarehouse, value: int) -> None:
    """Lay a copy of a state at the warehouse's place, as somebody does who was given the file alone."""
    other = FileWarehouse(warehouse.path.with_name("other.duckdb"))
    publish(other, value)
    warehouse.path.write_bytes(other.path.read_bytes())


def test_a_missing_warehouse_is_one_sentence_with_the_next_step(tmp_path):
    with (
        pytest.raises(WarehouseMissingError, match=r"make run.*load-bundled"),
        connect_read_only(tmp_path / "none"),
    ):
        pass
    with pytest.raises(WarehouseMissingError, match="There is no warehouse at"):
        published_version(tmp_path / "none")


def test_a_new_state_gets_a_new_version_and_any_tool_can_open_it(warehouse):
    publish(warehouse, 1)
    first = warehouse.version()
    publish(warehouse, 2)
    assert warehouse.version() != first
    with duckdb.connect(str(warehouse.path), read_only=True) as con:
        assert con.execute("SELECT value FROM sample").fetchall() == [(2,)]


def test_a_reader_keeps_its_state_while_the_next_one_is_published(warehouse):
    publish(warehouse, 1)
    with warehouse.reading() as con:
        publish(warehouse, 2)
        assert con.execute("SELECT value FROM sample").fetchall() == [(1,)]
        assert read(warehouse) == 2


def test_readers_write_over_nothing_of_each_other_s_that_memory_did_not_hold(warehouse):
    spill = "SELECT current_setting('temp_directory')"
    folders = set()
    for value in (1, 2):
        publish(warehouse, value)
        with warehouse.reading() as con:
            folders |= set(con.execute(spill).fetchall())
    assert len(folders) == 2
    assert {Path(folder).parent for (folder,) in folders} == {own_folder("spill")}


def test_readers_cannot_write(warehouse):
    publish(warehouse, 1)
    with warehouse.reading() as con, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        con.execute("DELETE FROM sample")


@pytest.mark.parametrize(
    "statement",
    [
        "FROM read_csv('/etc/passwd')",
        "FROM read_text('/etc/passwd')",
        "FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '{folder}/copied.csv'",
        "EXPORT DATABASE '{folder}/exported'",
        "ATTACH '{folder}/other.duckdb' AS other",
        "SET enable_external_access = true",
        "SET memory_limit = '900GB'",
        "SET GLOBAL threads = 900",
        "RESET lock_configuration",
        "INSTALL httpfs",
    ],
)
@pytest.mark.parametrize("which", ["whole", "packed"])
def test_readers_reach_nothing_but_their_state(warehouse, tmp_path, which, statement):
    for value in (1, 2):
        publish(warehouse, value)
    version = warehouse.versions()[-1 if which == "whole" else 0]
    with warehouse.reading(version) as con:
        with pytest.raises(duckdb.Error, match=r"disabled|locked|Cannot access"):
            con.execute(statement.format(folder=tmp_path))
        bounds = (
            "SELECT current_setting('memory_limit'), current_setting('threads'), current_setting('TimeZone')"
        )
        memory, threads, zone = con.execute(bounds).fetchall()[0]
        assert (memory, threads <= 4, zone) == ("1.8 GiB", True, "UTC")
    assert {path.name for path in tmp_path.iterdir()} == {"market.duckdb", "market.duckdb.versions"}


def test_a_failed_write_publishes_nothing_and_leaves_no_working_copy(warehouse):
    publish(warehouse, 1)
    version = warehouse.version()
    with (
        pytest.raises(WarehouseError, match=r"could not be written, and is as it was.*no_such_function"),
        warehouse.writing() as con,
    ):
        con.execute("DELETE FROM sample; SELECT no_such_function()")
    assert (read(warehouse), warehouse.version()) == (1, version)
    assert not list(warehouse.folder.glob(".work-*"))


def test_only_the_newest_states_are_kept_and_one_can_return_to_each(warehouse):
    for value in range(5):
        publish(warehouse, value)
    assert len(warehouse.versions()) == 3
    assert warehouse.disk_used() == sum(path.stat().st_size for path in warehouse.folder.glob("*.duckdb*"))
    assert warehouse.rollback() == warehouse.versions()[1]
    assert read(warehouse) == 3
    warehouse.rollback()
    assert read(warehouse) == 2
    with pytest.raises(WarehouseError, match="no earlier state"):
        warehouse.rollback()
    warehouse.rollback(warehouse.versions()[-1])
    assert read(warehouse) == 4
    with pytest.raises(WarehouseError, match=r"no state '\.\./market\.duckdb'"):
        warehouse.rollback("../market.duckdb")


def test_the_next_state_builds_on_the_one_that_was_returned_to(warehouse):
    publish(warehouse, 1)
    publish(warehouse, 2)
    warehouse.rollback()
    with warehouse.writing() as con:
        con.execute("UPDATE sample SET value = value + 10")
    assert read(warehouse) == 11


def test_a_second_writer_waits_and_then_says_what_is_in_the_way(warehouse):
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with FileWarehouse(warehouse.path).locked():
            inside.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    with pytest.raises(WarehouseBusyError, match="Another refresh"), warehouse.writing():
        pass
    leave.set()
    holder.join()
    publish(warehouse, 1)


def test_the_lock_of_a_dead_writer_and_its_working_copy_are_no_hindrance(warehouse):
    program = (
        "import os, sys; from etl.warehouse.files import FileWarehouse; from pathlib import Path\n"
        "with FileWarehouse(Path(sys.argv[1])).writing() as con:\n"
        "    con.execute('CREATE TABLE half (x INTEGER)'); os._exit(9)"
    )
    dead = subprocess.run([sys.executable, "-c", program, str(warehouse.path)], check=False)
    assert dead.returncode == 9
    assert list(warehouse.folder.glob(".work-*"))
    (warehouse.folder / ".work-0000.duckdb.tmp").mkdir()  # what its memory did not hold
    publish(warehouse, 1)
    assert not list(warehouse.folder.glob(".work-*"))
    with pytest.raises(WarehouseError, match="half"), warehouse.reading() as con:
        con.execute("FROM half")


def test_a_plain_database_file_is_adopted_and_kept_as_the_first_state(warehouse):
    make_plain(warehouse, 7)
    assert read(warehouse) == 7
    assert "@" in warehouse.version()
    plain = warehouse.version()
    with warehouse.writing() as con:
        con.execute("UPDATE sample SET value = 8")
    assert read(warehouse) == 8
    with warehouse.reading(plain) as con:
        assert con.execute("FROM sample").fetchall() == [(7,)]
    warehouse.rollback()
    assert read(warehouse) == 7


def test_a_file_that_is_no_database_is_named(warehouse):
    warehouse.path.write_bytes(b"not a database" * 1000)
    with pytest.raises(WarehouseError, match="cannot be read as a DuckDB database"), warehouse.reading():
        pass


@pytest.mark.parametrize("barred", ["resolve", "open"])
def test_files_of_another_user_are_no_reason_to_move_them_away(warehouse, monkeypatch, barred):
    publish(warehouse, 1)
    monkeypatch.setattr(Path, barred, Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(WarehouseError, match="may not be read by this user") as refused, warehouse.reading():
        pass
    assert "move it away" not in str(refused.value)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WarehouseError, match=rf"cannot be written.*{variable('database')}"):
        publish(FileWarehouse(tmp_path / "file" / "market.duckdb"), 1)


def test_migrations_run_once(warehouse):
    publish(warehouse, 1)
    publish(warehouse, 2)
    with warehouse.reading() as con:
        applied = con.execute("SELECT number FROM schema_migration ORDER BY number").fetchall()
    assert applied == [(int(path.name[:4]),) for path in sorted(MIGRATIONS.glob("*.sql"))]


def test_keys_are_enforced(warehouse):
    with warehouse.writing() as con:
        insert = "INSERT INTO price_daily (ticker, date, close) VALUES ('A', '2025-01-02', 1)"
        con.execute(insert)
        with pytest.raises(duckdb.ConstraintException):
            con.execute(insert)


def test_a_reader_that_names_a_state_gets_that_state(warehouse):
    publish(warehouse, 1)
    first = warehouse.version()
    publish(warehouse, 2)
    with warehouse.reading(first) as con:
        assert con.execute("FROM sample").fetchall() == [(1,)]
    for value in (3, 4, 5):
        publish(warehouse, value)
    for name in (first, "../market.duckdb", "", "market.duckdb@1-2"):
        with pytest.raises(StateGoneError, match="not kept any more"), warehouse.reading(name):
            pass


def test_a_plain_file_that_changed_is_not_taken_for_what_it_was(warehouse):
    make_plain(warehouse, 7)
    name = warehouse.version()
    with warehouse.reading(name) as con:
        assert con.execute("FROM sample").fetchall() == [(7,)]
    with duckdb.connect(str(warehouse.path)) as con:
        con.execute("UPDATE sample SET value = 8")
    with pytest.raises(StateGoneError), warehouse.reading(name):
        pass
