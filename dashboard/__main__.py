"""`python -m dashboard`: the dashboard for this machine alone, on the bundled data where there is no warehouse yet."""

import errno
import os
import socket
import subprocess
import sys
from typing import Annotated

import typer

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
    typer.echo(f"The dashboard is at http://{host}:{port} (Ctrl-C stops it)")
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT_ROOT / "dashboard" / "app.py")]
    options = ["--server.port", str(port), "--server.address", address]
    options += ["--browser.serverAddress", address]  # or Streamlit asks a foreign host for it
    try:
        loaded = subprocess.run(
            [sys.executable, "-m", "etl", "load-bundled", "--if-missing"], cwd=PROJECT_ROOT, check=False
        )
        if loaded.returncode:
            raise typer.Exit(loaded.returncode)
        server = subprocess.Popen(
            [*command, *options], cwd=PROJECT_ROOT, env=environment, stdout=subprocess.DEVNULL
        )
    except KeyboardInterrupt:
        return
    raise typer.Exit(_until_stopped(server))


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


def _until_stopped(server: "subprocess.Popen[bytes]") -> int:
    """The exit code of the server; Ctrl-C, which reaches the server too, is the usual end and no failure."""
    try:
        return server.wait()
    except KeyboardInterrupt:
        server.wait()
        return 0


if __name__ == "__main__":
    sys.exit(run(app))
