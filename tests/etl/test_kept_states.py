"""Kept states take little room, can each be read and returned to, and survive the loss of the published one."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import pytest

from etl.warehouse import WarehouseError, reading
from etl.warehouse.files import FileWarehouse
from etl.warehouse.kept import DIFFERENCE, SPARE
from etl.warehouse.states import Keep
from tests.conftest import SOAK

TICKERS, DAYS = (500, 2500) if SOAK else (20, 600)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with eleven daily states of a warehouse, of which ten are kept."""
    folder = tmp_path_factory.mktemp("built")
    for day in range(11):
        add_a_session(warehouse_in(folder), day)
    return folder


@pytest.fixture
def history(built, tmp_path) -> FileWarehouse:
    """A copy of it, in a process that has read nothing of it yet."""
    shutil.copytree(built, tmp_path, symlinks=True, dirs_exist_ok=True)
    return warehouse_in(tmp_path)


def warehouse_in(folder: Path) -> FileWarehouse:
    return FileWarehouse(folder / "market.duckdb", Keep(newest=10, days=0, daily=0, monthly=0))


def add_a_session(warehouse: FileWarehouse, day: int) -> None:
    """One more session for each ticker, and a revision of the ten before it."""
    with warehouse.writing() as con:
        first = 0 if day == 0 else DAYS + day
        con.execute(
            "INSERT INTO price_daily BY NAME SELECT 'T' || t AS ticker, DATE '2015-01-01' + d::INTEGER AS date, "
            "hash(t, d) % 10000 / 100 AS close, close AS adj_close, 'USD' AS currency, 'yahoo' AS source, "
            "$run AS run_id FROM range($tickers) a(t), range($first, $last) b(d)",
            {"run": f"r{day}", "tickers": TICKERS, "first": first, "last": DAYS + day + 1},
        )
        con.execute(
            "UPDATE price_daily SET close = close + 0.01, run_id = $run WHERE date BETWEEN DATE '2015-01-01' + $a "
            "AND DATE '2015-01-01' + $b",
            {"run": f"r{day}", "a": DAYS + day - 10, "b": DAYS + day - 1},
        )


def content(warehouse: FileWarehouse, version: str | None = None) -> list[tuple]:
    with warehouse.reading(version) as con:
        return con.execute("SELECT count(*), max(date), sum(hash(price_daily)) FROM price_daily").fetchall()


def forget_what_was_unpacked() -> None:
    """Read as a process does that has read nothing yet."""
    while reading._unpacked:
        reading._unpacked.popitem()[1].close()


def test_ten_states_take_less_than_twice_one(history):
    assert len(history.versions()) == 10
    assert history.disk_used() < 2 * history.path.resolve().stat().st_size


def test_each_kept_state_is_read_as_it_was_and_can_be_returned_to(history):
    days = [content(history, version)[0][1] for version in history.versions()]
    assert days == sorted(set(days))
    was = {version: content(history, version) for version in history.versions()}
    for version in random.Random(3).sample(history.versions(), 4):
        history.rollback(version)
        assert history.version() == version
        forget_what_was_unpacked()
        assert {each: content(history, each) for each in was} == was
    assert history.disk_used() < 2 * history.path.resolve().stat().st_size
    with duckdb.connect(str(history.path), read_only=True) as con:  # any tool opens the published one
        assert con.execute("SELECT count(*) FROM price_daily").fetchall()[0][0] == was[version][0][0]


def test_states_that_thin_out_leave_the_others_as_they_were(history):
    was = {version: content(history, version) for version in history.versions()}
    gone = history.versions()[1:8:2]
    history._kept.remove(gone)
    forget_what_was_unpacked()
    assert history.versions() == [version for version in was if version not in gone]
    for version in history.versions():
        assert content(history, version) == was[version]


def test_the_loss_of_the_published_file_costs_that_state_alone(history):
    *others, newest = history.versions()
    was = {version: content(history, version) for version in others}
    (history.folder / newest).unlink()
    forget_what_was_unpacked()
    with pytest.raises(WarehouseError, match=f"rollback --to {others[-1]}"):
        history.version()
    history.rollback(others[-1])
    assert {version: content(history, version) for version in history.versions()} == was


def test_a_damaged_pack_is_named_and_never_read(history):
    forget_what_was_unpacked()
    oldest, *_, newest = history.versions()
    pack = history.folder / f"{oldest}{DIFFERENCE}"
    spoiled = bytearray(pack.read_bytes())
    spoiled[len(spoiled) // 2] ^= 0xFF
    pack.write_bytes(spoiled)
    with pytest.raises(WarehouseError, match=r"cannot be put together .*rollback --list"):
        content(history, oldest)
    with pytest.raises(WarehouseError, match="cannot be put together"):
        history.rollback(oldest)
    assert history.version() == newest
    assert not list(history.folder.glob(".work-*"))


class DeathError(BaseException):
    """The end of a process, which no program catches."""


@contextmanager
def dying_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The process ends before the change of that number to the folder; tells which changes were made before."""
    made: list[str] = []

    def watched(name: str):
        change = getattr(Path, name)

        def changed(*given, **options):
            if len(made) == step:
                raise DeathError
            made.append(name)
            return change(*given, **options)

        return changed

    with monkeypatch.context() as patch:
        for name in ("replace", "unlink", "symlink_to"):
            patch.setattr(Path, name, watched(name))
        with suppress(DeathError):
            yield made


def test_a_process_that_dies_while_it_packs_loses_nothing(history, tmp_path, monkeypatch, tell):
    was = {version: content(history, version) for version in history.versions()}
    step, tried, whole = 0, 0, False
    while not whole:
        folder = tmp_path / f"step-{step}"
        shutil.copytree(history.folder, folder / history.folder.name)
        warehouse = warehouse_in(folder)
        warehouse.path.symlink_to(f"{history.folder.name}/{history.version()}")
        with dying_at(step, monkeypatch) as made:
            add_a_session(warehouse, 11)
            whole = True
        assert content(warehouse)[0][0] in (
            was[history.version()][0][0],
            was[history.version()][0][0] + TICKERS,
        )
        assert set(list(was)[1:]) <= set(warehouse.versions()), made
        for version in list(was)[1:] if SOAK else list(was)[-3:]:
            assert content(warehouse, version) == was[version], made
        add_a_session(warehouse, 12)
        assert len(warehouse.versions()) == 10
        assert len(list(warehouse.folder.glob(f"*{SPARE}"))) == 1
        assert not list(warehouse.folder.glob(".work-*"))
        shutil.rmtree(folder)
        step, tried = step + (1 if SOAK else 7), tried + 1
    tell("deaths while a state is packed", tried, 0)
    assert tried > 2
