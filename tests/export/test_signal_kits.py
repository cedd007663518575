"""`--watch` without charts: the kit of each new signal, once, and once more when it is corrected."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from dashboard.export import signal_kits
from dashboard.export.files import write
from dashboard.export.signal_kits import DONE, write_new
from dashboard.export.spec import Spec
from etl.warehouse.files import FileWarehouse

TODAY = date(2026, 7, 31)
NEWEST = {"signal-2026-07-28-ai", "signal-2026-07-30-msft-gain", "signal-2026-07-31-amzn-gain"}
FAST = Spec("", formats=("csv",))


@pytest.fixture
def warehouse(
    own_database: Path, use_database: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> FileWarehouse:
    """The bundled warehouse as it was at the close of a day with signals; older ones are of no interest."""
    found = FileWarehouse(own_database)
    with found.writing() as con:
        con.execute("DELETE FROM price_daily WHERE date > ?", [TODAY])
        con.execute(
            "DELETE FROM signal WHERE session > ? OR (session >= DATE '2026-07-24' AND NOT "
            "list_contains($2::VARCHAR[], signal_id))",
            [TODAY, sorted(NEWEST)],
        )
    use_database(own_database)
    monkeypatch.setattr(signal_kits, "CHARTS", ("shock-losses",))
    return found


def change(warehouse: FileWarehouse, assignment: str, signal_id: str) -> None:
    with warehouse.writing() as con:
        con.execute(f"UPDATE signal SET {assignment} WHERE signal_id = ?", [signal_id])


def told(out: Path) -> dict[str, int]:
    """When each signal's folder was completed."""
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob(f"*/{DONE}")}


def bars_come_in(warehouse: FileWarehouse, ticker: str) -> None:
    with warehouse.writing() as con:
        con.execute(
            "INSERT INTO price_intraday SELECT ticker, 5, TIMESTAMPTZ '2026-07-31 13:30:00+00' + each.minute, "
            "TIMESTAMP '2026-07-31 09:30:00' + each.minute, date, 'regular', close, close, close, close, 1000, 'USD', "
            "date, 'yahoo', 'bars' FROM price_daily, (SELECT to_minutes(unnest(range(0, 390, 5))) AS minute) AS each "
            "WHERE ticker = ? AND date = ?",
            [ticker, TODAY],
        )


def test_each_signal_of_the_last_days_has_its_kit_once_and_its_minutes_once_they_are_there(
    warehouse: FileWarehouse, tmp_path: Path
) -> None:
    out, one = tmp_path / "kits", "signal-2026-07-31-amzn-gain"
    assert write_new(out, FAST, TODAY) == 0
    first = told(out)
    assert set(first) == NEWEST
    for name in NEWEST:
        assert (out / name / "shock-losses" / "shock-losses.csv").exists()
        said = json.loads((out / name / "shock-losses" / "metadata.json").read_text(encoding="utf-8"))
        assert said["parameters"]["event"] == name
        assert "Noticed in the figures alone" in (out / name / "story.txt").read_text(encoding="utf-8")
    assert write_new(out, FAST, TODAY) == 0
    assert told(out) == first
    bars_come_in(warehouse, "AMZN")
    assert not (out / one / "shock-minutes").exists()
    assert write_new(out, FAST, TODAY) == 0
    assert (out / one / "shock-minutes" / "shock-minutes.csv").exists()
    later = told(out)
    assert {name for name in later if later[name] != first[name]} == {one}
    assert write_new(out, FAST, TODAY) == 0
    assert told(out) == later


def test_a_correction_and_a_withdrawal_are_written_once(warehouse: FileWarehouse, tmp_path: Path) -> None:
    out, one = tmp_path / "kits", "signal-2026-07-31-amzn-gain"
    write_new(out, FAST, TODAY)
    for column, words in (
        ("corrected_at", "Correction. Noticed in the figures alone: Amazon gained"),
        ("withdrawn_at", "Withdrawn: the data"),
    ):
        before = told(out)
        change(warehouse, f"{column} = now()", one)
        assert write_new(out, FAST, TODAY) == 0
        after = told(out)
        assert {name for name in after if after[name] != before[name]} == {one}
        assert words in (out / one / "story.txt").read_text(encoding="utf-8")
        assert write_new(out, FAST, TODAY) == 0
        assert told(out) == after


@pytest.mark.usefixtures("warehouse")
def test_one_that_was_interrupted_is_written_again_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "kits"

    def killed(path: Path, content: bytes) -> None:
        if path.name == DONE and "msft" in path.parent.name:
            raise KeyboardInterrupt
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(signal_kits.files, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            write_new(out, FAST, TODAY)
    before = told(out)
    assert set(before) == {"signal-2026-07-28-ai"}
    assert write_new(out, FAST, TODAY) == 0
    assert set(told(out)) == NEWEST
    assert told(out) | before == told(out)


def test_a_step_in_the_stores_brings_the_charts_of_the_ranks_and_is_done_without_any(
    warehouse: FileWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = "signal-2026-07-31-amzn-gain"
    for name, charts in (("chatgpt", ("rank-history", "rank-bump")), ("none", ())):
        change(warehouse, "kind = 'rank', subject = 'ChatGPT', corrected_at = now()", one)
        monkeypatch.setattr(signal_kits, "OF_THE_STORES", charts)
        assert write_new(tmp_path / name, FAST, TODAY) == 0
        assert one in told(tmp_path / name)
        assert {path.name for path in (tmp_path / name / one).iterdir() if path.is_dir()} == set(charts[:1])


@pytest.mark.usefixtures("warehouse")
def test_what_is_long_past_gets_no_kit(tmp_path: Path) -> None:
    assert write_new(tmp_path / "kits", FAST, date(2026, 11, 26)) == 0
    assert not told(tmp_path / "kits")


def test_without_a_warehouse_it_says_what_to_do(
    tmp_path: Path, use_database: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    use_database(tmp_path / "none.duckdb")
    assert write_new(tmp_path, FAST) == 2
    assert "etl load-bundled" in capsys.readouterr().err
