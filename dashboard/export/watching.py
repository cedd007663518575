"""Exporting again whenever a refresh publishes."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from etl.warehouse import WarehouseError, published_version


def watch(
    export: Callable[[], int], seconds: float, say: Callable[[str], None], stop: threading.Event
) -> int:
    """Call `export` now and after each publication, until `stop` is set; returns the last exit code.

    A warehouse that cannot be read is waited for.
    """
    seen = _version()
    code = export()
    say(f"Watching for the next refresh, every {seconds:g} seconds (Ctrl-C stops).")
    while not stop.wait(seconds):
        now = _version()
        if now and now != seen:
            say(f"{now} has been published.")
            seen, code = now, export()
    return code


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set instead of ending the process in the middle of a file."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _version() -> str | None:
    try:
        return published_version()
    except WarehouseError:
        return None
