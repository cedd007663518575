"""Log lines on the standard error: one line each, for people or (``json``) for machines."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn


class LogFormat(StrEnum):
    """How a log line looks."""

    TEXT = "text"
    JSON = "json"


class _OneLine(logging.Formatter):
    def converter(self, seconds: float | None) -> time.struct_time:
        return time.gmtime(seconds)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return "".join(sign if sign.isprintable() else " " for sign in text)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"time": stamp, "level": record.levelname.lower(), "message": record.getMessage()})


def set_up_logs(chosen: LogFormat | None) -> None:
    """Write the lines of this program to the standard error.

    What went well is told on a terminal or when a format was chosen; a scheduler that mails what a command
    prints hears only of what went wrong.
    """
    handler = logging.StreamHandler(sys.stderr)
    text = _OneLine("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    handler.setFormatter(_Json() if chosen is LogFormat.JSON else text)
    logger = logging.getLogger("etl")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO if chosen or sys.stderr.isatty() else logging.WARNING)


@contextmanager
def progress_on(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each source on a terminal, and nothing elsewhere."""
    if not console.is_terminal:
        yield lambda source, done, total: None
        return
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(source: str, done: int, total: int) -> None:
            if source not in tasks:
                tasks[source] = bars.add_task(source, total=total)
            bars.update(tasks[source], completed=done, total=total)

        yield advance
