"""`python -m dashboard`: the dashboard for this machine alone, on the bundled data where there is no warehouse yet."""

import errno
import os
import signal
import socket
import subprocess
import sys
from typing import Annotated

import typer

from dashboard.settings import WAITS
from etl.console import command_line, run
from etl.errors import ProductError
from etl.product import PROJECT_ROOT, variable

app = command_line()


@app.command(epilog="Exit codes: 0 stopped by Ctrl-C, 2 could not be started, 3 wrong usage.")
def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    address: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 or :: for all networks.")
    ] = "localhost",
) -> None:
    """Open the dashboard. Whoever opens it on this machine is its operator, unless the setting operator is 0."""
    address = address.strip().removeprefix("[").removesuffix("]")
    if taken := _taken(address, port):
        raise ProductError(taken)
    environment = dict(os.environ)
    if address == "localhost":
        environment.setdefault(variable("operator"), "1")
    # A reader's matrices are small: shared between two threads they cost 2.7 times the processor time.
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    host = f"[{address}]" if ":" in address else address
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT_ROOT / "dashboard" / "app.py")]
    options = ["--server.port", str(port), "--server.address", address]
    options += ["--browser.serverAddress", address]  # or Streamlit asks a foreign host for it
    try:
        typer.echo(f"The dashboard is at http://{host}:{port} (Ctrl-C stops it)")
        ended = _load_and_serve([*command, *options], environment)
    except KeyboardInterrupt:  # it reaches the server too, and is the usual end and no failure
        ended = 0
    raise typer.Exit(ended)


def _load_and_serve(command: list[str], environment: dict[str, str]) -> int:
    """The exit code of the server, or of the process that builds its warehouse meanwhile where that one failed."""
    server = _start(command, environment)
    try:
        load = [sys.executable, "-m", "etl", "load-bundled", "--if-missing"]
        if failed := subprocess.run(load, cwd=PROJECT_ROOT, check=False).returncode:
            return failed
        _serve(server)
        return server.wait()
    finally:
        server.terminate()
        _serve(server)  # it sees that it is to end once it need not wait
        server.wait()


def _start(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """The server, which imports while the warehouse is built and then waits for the end of its input."""
    return subprocess.Popen(
        command,
        cwd=PROJECT_ROOT,
        env={**environment, WAITS: "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        preexec_fn=None if os.name == "nt" else _deaf,
    )


def _deaf() -> None:
    """Ctrl-C means nothing to a server that has no handler yet: interrupted imports would print a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _serve(server: "subprocess.Popen[bytes]") -> None:
    """Tell the waiting server that there is a warehouse."""
    if server.stdin is not None:
        server.stdin.close()


def _taken(address: str, port: int) -> str:
    """Why the port cannot be listened on, in a sentence; empty where it can."""
    if not address:
        return "There is no address to listen on: leave --address out, or name one of this machine's."
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
        for family, kind, protocol, _, place in found[:1]:
            with socket.socket(family, kind, protocol) as probe:
                if os.name != "nt":
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
    except (OSError, UnicodeError) as error:
        if isinstance(error, socket.gaierror | UnicodeError) or error.errno == errno.EADDRNOTAVAIL:
            return f"This machine has no address {address}: name one that it has, or leave --address out."
        return f"Port {port} of {address} cannot be used ({error.strerror}): choose another, as in PORT=8600 make run."
    return ""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the server would outlive this process
    sys.exit(run(app))
