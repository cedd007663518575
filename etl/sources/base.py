"""What a source is: something that plans what to ask for, asks for it, and yields rows of known tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import duckdb
import pandas as pd

from etl.catalogue import Company


@dataclass(frozen=True)
class Request:
    """What the operator wants: companies, and perhaps a window of sessions (both ends included).

    ``minutes`` is the length of bars within a session.
    """

    companies: Sequence[Company]
    now: pd.Timestamp
    since: date | None = None
    until: date | None = None
    minutes: int = 5


@dataclass(frozen=True)
class Task:
    """One thing to ask for: a ticker, a chart or a currency, named by ``item``."""

    item: str
    asked_from: date | None = None
    asked_to: date | None = None
    detail: Any = None


@dataclass
class Batch:
    """What came for a task: frames by table, how many rows the source sent, and remarks for the run log.

    Of the ``complete`` tables it has every row of the days asked for: a stored one that it lacks is withdrawn.
    ``lacking`` says what of it the source does not have, in a sentence.
    """

    rows: Mapping[str, pd.DataFrame]
    received: int
    notes: list[str] = field(default_factory=list)
    complete: tuple[str, ...] = ()
    lacking: str = ""


class Source(Protocol):
    """One provider of rows. Its tables are checked by the gates of :mod:`etl.quality`."""

    @property
    def name(self) -> str:
        """What the run log and the rows call it."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it fills."""

    @property
    def patience(self) -> int:
        """How many consecutive tasks may fail to reach it before the rest is not asked for."""

    def close(self) -> None:
        """Let go of the connections."""

    def plan(self, con: duckdb.DuckDBPyConnection | None, request: Request) -> list[Task]:
        """The tasks, given what the warehouse holds (``None``: nothing yet)."""

    def fetch(self, task: Task) -> Batch:
        """What the source has for the task; called from several threads.

        Raises
        ------
        etl.network.FetchError
            When it cannot be had.
        """

    def follow_up(self, con: duckdb.DuckDBPyConnection, tasks: dict[Task, Batch]) -> list[Task]:
        """Tasks that replace those whose answer shows that more is needed."""
