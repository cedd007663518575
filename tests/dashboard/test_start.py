"""`python -m dashboard`, the command behind `make run`: for this machine alone, and quiet at its end."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.serving import clear_old_pages
from etl.settings import PROJECT_ROOT
from tests.conftest import answers

COMMAND = (sys.executable, "-m", "dashboard")


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(port: int, database: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "--port", str(port)],
        cwd=PROJECT_ROOT,
        env={**os.environ, "AIMI_DATABASE": str(database)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.tried("first contact")
def test_it_listens_on_this_machine_alone_and_ctrl_c_ends_it_without_a_complaint(
    port: int, bundled_database: Path
) -> None:
    running = start(port, bundled_database)
    try:
        assert answers(f"http://localhost:{port}/healthz", lambda: running.poll() is None)
        listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
        here = [line.split()[1] for line in listening if line.split()[1].endswith(f":{port:04X}")]
        assert {place.split(":")[0] for place in here} <= {"0100007F"}
        os.killpg(running.pid, signal.SIGINT)
        said, _ = running.communicate(timeout=30)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 0
    assert f"http://localhost:{port}" in said
    assert "Traceback" not in said
    assert "Error" not in said


def test_a_port_that_is_taken_is_said_before_any_address(bundled_database: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused = start(other.getsockname()[1], bundled_database)
        said, _ = refused.communicate(timeout=30)
    assert refused.returncode == 2
    assert said.count("\n") == 1
    assert "cannot be used (Address already in use): choose another" in said
    assert "http" not in said


def test_what_an_upgrade_leaves_of_the_old_pages_is_removed_before_streamlit_takes_it_for_pages(
    tmp_path: Path,
) -> None:
    compiled = tmp_path / "pages" / "__pycache__"
    compiled.mkdir(parents=True)
    (compiled / "shock.cpython-311.pyc").write_bytes(b"")
    clear_old_pages(tmp_path)
    assert not (tmp_path / "pages").exists()
    clear_old_pages(tmp_path)


def test_a_folder_of_pages_with_somebody_s_own_page_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "pages" / "own.py"
    own.parent.mkdir()
    own.write_text("")
    clear_old_pages(tmp_path)
    assert own.exists()
