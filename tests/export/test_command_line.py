"""`python -m dashboard.export`: exit codes, sentences, and files that are whole or not there."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import duckdb
import pytest

from dashboard.export import batch, files, kit
from dashboard.export.cli import main
from dashboard.export.spec import Spec
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow, Request
from etl.product import variable
from etl.warehouse import WarehouseError
from tests.conftest import SOAK

FAST = ("--format", "csv")


def test_it_lists_every_chart(
    on_bundled_data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def empty(con: object, request: Request) -> None:
        raise NothingToShow("Nothing was read.")

    monkeypatch.setattr("dashboard.export.provenance.CHARTS", dict.fromkeys(CHARTS, empty))
    assert main(["--list"]) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()[1:]] == list(CHARTS)
    assert said.count("(Nothing was read.)") == len(CHARTS)


def test_the_list_says_what_a_chart_says(
    on_bundled_data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.export.cli.CHARTS", ["shock-losses-dollars"])
    assert main(["--list"]) == 0
    assert "NVIDIA alone was 39% of the $1.52 trillion lost" in capsys.readouterr().out


def test_all_that_was_asked_for_ends_with_0(on_bundled_data: Path, tmp_path: Path) -> None:
    assert main(["shock-map", "--format", "png,csv", "--preset", "square", "--out", str(tmp_path)]) == 0
    assert {path.name for path in (tmp_path / "shock-map-square").iterdir()} == {
        *(
            "shock-map.png",
            "shock-map.csv",
            "shock-map.schema.json",
            "alt.txt",
            "caption.txt",
            "metadata.json",
        )
    }


def test_a_part_ends_with_1_and_names_the_rest(
    on_bundled_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shock-mapp", "shock-map", *FAST, "--out", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "the nearest is shock-map" in said.err
    assert "1 of 2 charts exported" in said.err
    assert (tmp_path / "shock-map" / "shock-map.csv").exists()


def test_a_chart_that_its_size_has_no_room_for_leaves_no_kit_and_is_not_counted(
    on_bundled_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shock-losses", "--size", "64mm", "--format", "png", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "at 64mm: choose a larger size or fewer companies" in said.err
    assert "0 of 1 charts exported" in said.err
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_of_all_charts_one_that_there_is_nothing_for_is_told_and_no_fault(
    on_bundled_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = {name: CHARTS[name] for name in ("shock-map", "shock-minutes")}
    monkeypatch.setattr("dashboard.export.cli.CHARTS", few)
    assert main(["--all", *FAST, "--out", str(tmp_path)]) == 0
    assert "No intraday bars of Mon 27 Jan 2025 are held" in capsys.readouterr().err
    assert main(["shock-map", "shock-minutes", *FAST, "--out", str(tmp_path)]) == 1


def test_nothing_ends_with_2(on_bundled_data: Path, tmp_path: Path) -> None:
    assert main(["no-such-chart", "--out", str(tmp_path)]) == 2


def test_no_warehouse_ends_with_2_and_the_next_step(
    tmp_path: Path, use_database: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    use_database(tmp_path / "none.duckdb")
    assert main(["shock-map", "--out", str(tmp_path)]) == 2
    assert "etl load-bundled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "say --all"),
        (["shock-map", "--preset", "poster"], "choose from article"),
        (["shock-map", "--preset", "a\x1b[2J\nb"], "There is no preset “a [2J b”"),
        (["companies-compare", "--from", "yesterday"], "is not a date"),
        (["shock-map", "--option", "log"], "takes KEY=TEXT"),
        (["shock-map", "shock-timeline", "--title", "One"], "name just one"),
        (["--nonsense"], "see --help"),
        (["shock-map", "--from", "2025-01-20"], "shock-map has no first day to choose"),
        (["shock-map", "--option", "nokey=1"], "shock-map has no settings to choose"),
        (["shock-map", "--base-url", "https://example.org"], "--base-url would do nothing without --site"),
        (["shock-map", "--all"], "leave out the names"),
        (["shock-map", "--format", "csv", "--scale", "2"], "--scale would do nothing for csv"),
        (["--from", "metadata.json", "--locale", "de"], "--locale would do nothing beside --from FILE"),
        (["--from", "metadata.json", "shock-map"], "the names of charts would do nothing beside"),
        (["--site", "x", "--title", "Mine"], "--title would do nothing beside --site"),
        (["--list", "--watch"], "--watch would do nothing beside --list"),
        (["--watch", "--event", "2025-01-27"], "--event would do nothing beside --watch without charts"),
        (["shock-map", "--words", "none.json"], "none.json cannot be read"),
        (["--from", "missing/metadata.json"], "cannot be read"),
        (["--site", "x", "--base-url", "ftp://x"], "takes an address such as"),
    ],
)
def test_wrong_usage_ends_with_3_and_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert sentence in said
    assert "Traceback" not in said


def test_it_makes_a_kit_again_and_says_whether_its_data_changed(
    on_bundled_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["shock-map", *FAST, "--out", str(tmp_path / "one")])
    assert (
        main(
            ["--from", str(tmp_path / "one" / "shock-map" / "metadata.json"), "--out", str(tmp_path / "two")]
        )
        == 0
    )
    assert "the data is unchanged" in capsys.readouterr().out
    one, two = ((tmp_path / name / "shock-map") for name in ("one", "two"))
    assert [path.name for path in sorted(one.iterdir())] == [path.name for path in sorted(two.iterdir())]
    assert all(path.read_bytes() == (two / path.name).read_bytes() for path in one.iterdir())


def test_a_kit_that_is_checked_is_never_written_over(
    own_database: Path,
    use_database: Callable[[Path], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_database(own_database)
    main(["shock-losses-percent", *FAST, "--out", str(tmp_path)])
    first = tmp_path / "shock-losses-percent"
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    with duckdb.connect(str(own_database)) as con:
        con.execute(
            "UPDATE price_daily SET adj_close = adj_close * 0.9 WHERE ticker = 'NVDA' AND date = '2025-01-27'"
        )
    assert main(["--from", str(first / "metadata.json"), "--out", str(tmp_path)]) == 4
    said = capsys.readouterr().out
    assert "THE DATA HAS CHANGED" in said
    assert re.search(r"NVDA.*: change, percent.* was -16\.\d+, is -25\.\d+", said)
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before
    assert (tmp_path / "shock-losses-percent-again" / "metadata.json").exists()
    assert main(["--from", str(first / "metadata.json"), "--out", str(tmp_path)]) == 4
    assert (tmp_path / "shock-losses-percent-again-2" / "metadata.json").exists()


def test_of_several_charts_each_takes_what_it_heeds(
    on_bundled_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = ["--from", "2025-01-13", "--to", "2025-02-07"]
    assert main(["shock-map", "companies-compare", *days, *FAST, "--out", str(tmp_path)]) == 0
    assert main(["shock-map", "shock-recovery", *days, *FAST, "--out", str(tmp_path)]) == 3
    assert "shock-map has no first day" in capsys.readouterr().err


def test_an_editors_words_come_from_a_file(on_bundled_data: Path, tmp_path: Path) -> None:
    words = tmp_path / "german.toml"
    words.write_text(
        'title = "Der Kurssturz"\nalt = "Eine Karte"\nlanguage = "de"\n[figure]\nNVIDIA = "Nvidia"\n'
    )
    usual = ["shock-losses-percent", "--format", "html", "--out", str(tmp_path)]
    assert main([*usual, "--words", str(words)]) == 0
    folder = next(path for path in tmp_path.iterdir() if path.is_dir())
    assert (folder / "alt.txt").read_text() == "Eine Karte\n"
    text = (folder / "shock-losses-percent.html").read_text()
    assert '<html lang="de">' in text
    assert "Der Kurssturz</h1>" in text


def test_a_day_can_stand_for_an_event_and_numbers_follow_a_locale(
    on_bundled_data: Path, tmp_path: Path
) -> None:
    words = ["--event", "2024-09-03", "--locale", "de", "--format", "html", "--out", str(tmp_path)]
    assert main(["shock-losses-percent", *words]) == 0
    text = (tmp_path / "shock-losses-percent-2024-09-03-de" / "caption.txt").read_text()
    assert "Di., 3. Sept. 2024" in text.replace("\N{NO-BREAK SPACE}", " ")


def test_a_folder_that_cannot_be_written_is_named_and_the_batch_goes_on(
    on_bundled_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shock-map").write_text("a file where a folder should be")
    assert main(["shock-map", "shock-recovery", *FAST, "--out", str(tmp_path)]) == 1
    assert "shock-map cannot be written" in capsys.readouterr().err
    assert (tmp_path / "shock-recovery" / "shock-recovery.csv").exists()


def test_a_full_disk_leaves_whole_files_and_no_halves(
    on_bundled_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        assert main(["shock-map", "--format", "csv,html", "--out", str(tmp_path)]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "shock-map.html" in capsys.readouterr().err
    left = {path.name for path in (tmp_path / "shock-map").iterdir()}
    assert "shock-map.csv" in left
    assert "shock-map.html" not in left
    assert not [name for name in left if name.startswith(".")]


def test_a_file_that_cannot_be_finished_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "chart.png"
    files.write(path, b"old")
    monkeypatch.setattr(
        os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(OSError, match="No space left"):
        files.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_export_had_begun_goes_and_what_another_is_writing_stays(tmp_path: Path) -> None:
    names = (".chart.png.0a1b2c3d", ".chart.png.4e5f6071", ".env.mine")
    for age, name in zip((7200, 1, 7200), names, strict=True):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, times=(time.time() - age,) * 2)
    files.write(tmp_path / "chart.png", b"new")
    assert {path.name for path in tmp_path.iterdir()} == {"chart.png", *names[1:]}


@pytest.mark.skipif(not SOAK, reason="a long form: make soak")
def test_a_browser_killed_in_the_middle_of_a_batch_costs_no_chart(
    on_bundled_data: Path, tmp_path: Path
) -> None:
    from tests.export.test_renderer import chromium

    killed = []

    def kill(result: batch.Result) -> None:
        pid = chromium()
        if len(killed) < 2 and pid:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    names = ("shock-map", "shock-losses-percent", "shock-losses-dollars", "shock-recovery")
    results = batch.export_all(
        [Spec(name, formats=("png", "svg")) for name in names], lambda spec: kit.place(tmp_path, spec), kill
    )
    assert killed
    assert batch.exit_code(results) == 0
    assert all((tmp_path / name / f"{name}.png").stat().st_size > 10_000 for name in names)


def test_it_exports_again_when_a_refresh_publishes(
    own_database: Path, use_database: Callable[[Path], None]
) -> None:
    use_database(own_database)
    stop, exports = SimpleQueue(), []

    def export() -> int:
        exports.append(time.monotonic())
        if len(exports) == 3:
            stop.put(None)
        elif len(exports) == 2:
            raise WarehouseError("The catalog went away in the middle.")
        else:
            with duckdb.connect(str(own_database)) as con:
                con.execute("UPDATE company SET name = 'Another name' WHERE ticker = 'NVDA'")
        return 0

    said: list[str] = []
    assert batch.watched(export, 0.05, said.append, stop) == 0
    assert len(exports) == 3
    assert said[-2:-1] == ["The catalog went away in the middle."]
    assert "has been published" in said[-1]


@pytest.mark.parametrize("charts", [["shock-map"], []], ids=["a chart", "signals"])
def test_watching_ends_cleanly_when_it_is_told_to(
    bundled_database: Path, tmp_path: Path, charts: list[str]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard.export", *charts, *FAST, "--watch", "--out", str(tmp_path)],
        env={**os.environ, variable("database"): str(bundled_database)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Watching"):
            process.send_signal(signal.SIGINT)
            break
    assert process.wait(20) == 0
    process.stderr.close()
    assert [path.name for path in tmp_path.iterdir()] == charts
