"""The product's name, prefix and version stand in `pyproject.toml` alone, and all command lines refuse alike."""

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from dashboard.__main__ import app as serving
from dashboard.event_study.__main__ import app as event_study
from dashboard.export.cli import app as export
from etl.cli import app as etl
from etl.console import ExitCode, command_line, console, run
from etl.product import NAME, PREFIX, PROJECT_ROOT, VERSION, variable

COMMAND_LINES = pytest.mark.parametrize("app", [serving, event_study, export, etl])


def test_a_new_name_and_prefix_are_written_in_one_place(tmp_path: Path) -> None:
    shutil.copytree(PROJECT_ROOT / "etl", tmp_path / "etl", ignore=shutil.ignore_patterns("__pycache__"))
    written = (PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    renamed = written.replace(f'"{NAME}"', '"Other Name"').replace(f'"{PREFIX}"', '"OTHER_"')
    (tmp_path / "pyproject.toml").write_text(renamed, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "etl", "settings"],
        cwd=tmp_path,
        env={**os.environ, "OTHER_THREADS": "7", f"{PREFIX}THREADS": "9"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "* OTHER_THREADS=7 (default " in done.stdout
    assert PREFIX not in done.stdout + done.stderr


def test_the_container_sets_settings() -> None:
    lines = (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")
    given = set(re.findall(r"\b([A-Z_]+)=", lines))
    assert {variable(name) for name in ("database", "cache_dir", "load_bundled")} <= given


def test_the_container_stands_on_an_image_that_stays_the_same() -> None:
    dockerfile = (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")
    (base,) = re.findall(r"^FROM (.+)$", dockerfile, re.MULTILINE)
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    changes = (PROJECT_ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == VERSION


@COMMAND_LINES
def test_an_unknown_option_is_refused_in_one_line(
    app: typer.Typer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(app, ["--hepl"]) == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "No such option: --hepl" in said.err
    assert "(see --help)" in said.err


@COMMAND_LINES
def test_h_is_for_help(app: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["-h"]) == ExitCode.ALL
    assert "Usage: " in capsys.readouterr().out


def test_one_page_of_the_documentation_says_the_prefix() -> None:
    pages = [*PROJECT_ROOT.glob("*.md"), *(PROJECT_ROOT / "docs").glob("*.md")]
    written = {path.name for path in pages if PREFIX in path.read_text(encoding="utf-8")}
    assert written - {"reference.md"} == {"operating.md"}  # the reference is written from the code
    named = {path.name for path in pages if NAME in path.read_text(encoding="utf-8")}
    assert named == {"README.md"}


def test_a_command_says_all_it_can_where_the_terminal_has_not_all_letters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    app = command_line()
    app.command()(lambda: console.print("850 × 400 px"))
    assert run(app, []) == 0
    sys.stdout.flush()
    assert written.getvalue() == b"850 \\xd7 400 px\n"
