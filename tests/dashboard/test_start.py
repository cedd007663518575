"""`python -m dashboard`, the command behind `make run`: for this machine alone, and quiet at its end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import pytest
import typer
from starlette.types import Message

from dashboard.__main__ import serve
from dashboard.serving import OwnOrigin, clear_old_pages
from etl.errors import ProductError
from etl.product import variable
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
        env={**os.environ, variable("database"): str(database)},
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


@pytest.mark.parametrize("moment", ["at once", "while it serves"])
def test_a_stop_of_the_command_leaves_no_server_behind(
    moment: str, port: int, tmp_path: Path, bundled_database: Path
) -> None:
    running = start(port, tmp_path / "new.duckdb" if moment == "at once" else bundled_database)
    try:
        assert running.stdout is not None
        assert "Ctrl-C stops it" in running.stdout.readline()
        if moment == "at once":
            os.killpg(running.pid, signal.SIGINT)
        else:
            assert answers(f"http://localhost:{port}/healthz", lambda: running.poll() is None)
            running.terminate()
        said, _ = running.communicate(timeout=30)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 0
    assert "Traceback" not in said
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("localhost", port), timeout=5)


def test_where_the_data_cannot_be_loaded_nothing_is_served_and_the_reason_is_the_end(
    port: int, tmp_path: Path
) -> None:
    refused = start(port, tmp_path)
    said, _ = refused.communicate(timeout=30)
    assert refused.returncode == 2
    assert "Is a directory" in said
    assert "Traceback" not in said


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


@pytest.mark.parametrize(("address", "shown"), [("::1", "[::1]"), ("[::1]", "[::1]"), ("0.0.0.0", "0.0.0.0")])
def test_an_address_can_be_opened_as_it_is_shown(
    address: str, shown: str, port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started = Mock()
    started.return_value.wait.return_value = 0
    monkeypatch.setattr(subprocess, "Popen", started)
    monkeypatch.setattr(subprocess, "run", Mock(return_value=Mock(returncode=0)))
    with pytest.raises(typer.Exit):
        serve(port, address)
    assert f"at http://{shown}:{port} " in capsys.readouterr().out
    command = started.call_args.args[0]
    assert started.call_args.kwargs["env"]["OPENBLAS_NUM_THREADS"] == "1"
    assert command[command.index("--server.address") + 1] == address.strip("[]")


@pytest.mark.parametrize("address", ["203.0.113.5", f"{'x' * 80}.example", ""])
def test_an_address_that_this_machine_has_not_is_said_and_no_other_port_proposed(
    address: str, port: int
) -> None:
    with pytest.raises(ProductError, match="no address") as refused:
        serve(port, address)
    assert "port" not in str(refused.value).lower()


@pytest.mark.parametrize(
    ("origin", "host", "taken"),
    [
        (None, "news.example", True),
        ("https://news.example", "news.example", True),
        ("https://news.example:8443", "news.example:8443", True),
        ("http://[::1]:8501", "[::1]:8501", True),
        ("http://localhost:8501", "127.0.0.1:8501", True),
        ("https://evil.example", "news.example", False),
        ("https://news.example.evil.example", "news.example", False),
        ("null", "news.example", False),
        ("http://[::1", "[::1", False),
        ("", "", True),
        ("", "news.example", False),
    ],
)
def test_pages_of_other_sites_are_refused_without_a_question_to_the_world(
    origin: str | None, host: str, taken: bool
) -> None:
    answers: list[str] = []
    headers = [(b"host", host.encode()), *([] if origin is None else [(b"origin", origin.encode())])]

    async def app(*_: object) -> None:
        answers.append("taken")

    async def send(message: Message) -> None:
        answers.append(message["type"])

    asked = OwnOrigin(app)({"type": "websocket", "headers": headers}, Mock(), send)
    with ThreadPoolExecutor(1) as apart:  # a browser of other tests may hold this thread's loop
        apart.submit(asyncio.run, asked).result()
    assert answers == ["taken" if taken else "websocket.close"]


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
