"""Temporary files go with the process that made them, and those of a killed one at the next start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from etl.settings import PROJECT_ROOT
from etl.temporary import PREFIX, sweep

PROGRAM = "from etl.temporary import own_folder; print(own_folder('tables'), flush=True); input()"
LEAVING = """
import os, sys
from etl.temporary import leave, own_folder
before = own_folder("tables")
if hasattr(os, "fork"):
    os.fork() or sys.exit()
    os.wait()
print(before.exists())
leave()
print(before.exists(), own_folder("tables").exists())
"""


AT_ONCE = """
import tempfile, time
from concurrent.futures import ThreadPoolExecutor
from etl.temporary import spill_folder
made = tempfile.mkdtemp
tempfile.mkdtemp = lambda **asked: time.sleep(0.1) or made(**asked)
with ThreadPoolExecutor(4) as pool:
    print(len(set(pool.map(spill_folder, ["market.duckdb"] * 4))))
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, of this process and of those that it starts."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def start(place: Path) -> tuple[subprocess.Popen[str], Path]:
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT_ROOT,
        env={**os.environ, "TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout
    return running, Path(running.stdout.readline().strip()).parent


@pytest.mark.tried("temporary files of killed processes")
def test_the_folder_of_a_killed_process_is_swept_and_that_of_a_living_one_is_not(place: Path) -> None:
    (living, kept), (killed, left) = start(place), start(place)
    killed.kill()
    killed.communicate()
    for somebody in ("mine", f"{PREFIX}x.txt"):
        (place / somebody).write_text("")
    (place / f"{PREFIX}link").symlink_to(place / "elsewhere")
    (place / "elsewhere").mkdir()
    assert (left / "tables").exists()
    assert sweep() == 1
    assert not left.exists()
    assert not list((place / "elsewhere").iterdir())
    assert (kept / "tables").exists()
    living.communicate("\n")
    assert {path.name for path in place.iterdir()} == {"mine", "elsewhere", f"{PREFIX}link", f"{PREFIX}x.txt"}


def test_a_sweep_leaves_the_folder_of_its_own_process(place: Path) -> None:
    living, kept = start(place)
    assert sweep() == 0
    living.kill()
    living.communicate()
    following, own = start(place)
    assert list(place.iterdir()) == [own]
    assert kept != own
    following.communicate("\n")


def test_a_process_keeps_its_folder_past_a_fork_and_gets_another_once_it_has_left_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVING], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\nFalse True\n"


def test_threads_that_open_a_database_at_once_at_the_start_spill_it_to_one_place() -> None:
    """DuckDB refuses a second connection to a file with other settings than the first has."""
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
