"""A warehouse for the tests that are about what is stored and not about files: a tenth of the work of a publication."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from etl.warehouse.migrate import migrate


class InMemory:
    """A warehouse for one thread, without files and with one state; what fails half-way is taken back."""

    name, commits_stay_private = "memory", True

    def __init__(self, template: Path | None = None) -> None:
        self.con = duckdb.connect()
        self.con.execute("SET TimeZone = 'UTC'; SET threads = 1")
        if template is None:
            migrate(self.con, constraints=True)
        else:
            self.con.execute(f"ATTACH '{template}' AS template (READ_ONLY)")
            self.con.execute("COPY FROM DATABASE template TO memory; DETACH template")

    def exists(self) -> bool:
        return self.con.execute("FROM company LIMIT 1").fetchone() is not None

    bring_up_to_date = exists

    def version(self) -> str:
        return "1"

    def history(self) -> list[dict[str, Any]]:
        return [{"run_id": run} for (run,) in self.con.execute("SELECT run_id FROM etl_run").fetchall()]

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        yield self.con

    reading = locked = _opened

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            yield self.con
        except BaseException:
            with suppress(duckdb.TransactionException):
                self.con.rollback()
            raise

    def rows(self, query: str) -> list[tuple]:
        return self.con.execute(query).fetchall()
