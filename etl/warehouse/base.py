"""What every kind of warehouse can do."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import duckdb

from etl.warehouse.journal import Entry


class Warehouse(Protocol):
    """A warehouse: read without being blocked, written in steps that become visible at once."""

    @property
    def name(self) -> str:
        """What to call it in a message."""

    @property
    def commits_stay_private(self) -> bool:
        """Whether a commit shows nothing yet, so that a large write may be made in several."""

    def exists(self) -> bool:
        """Whether a state has been published."""

    def version(self) -> str:
        """The name of the published state."""

    def reading(self, version: str | None = None) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A read-only connection to a state: the one named ``version``, by default the published one."""

    def writing(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection whose changes are published when the block ends without an exception."""

    def locked(self) -> AbstractContextManager[None]:
        """Keep other writers out; may be entered again by the one who holds it."""

    def bring_up_to_date(self) -> bool:
        """Run the migrations that a published state of an older program has not seen; False where there is none."""

    def versions(self) -> list[str]:
        """The names of the states that are kept, oldest first."""

    def rollback(self, version: str | None = None) -> str:
        """Publish a kept state again: ``version``, or the one that the present one came from."""

    def clean(self) -> int:
        """Take away what the bounds of the settings leave no room for; how many states have gone."""

    def history(self) -> list[Entry]:
        """Every run that is remembered, oldest first, whether or not it published a state."""

    def history_version(self) -> str:
        """A short text that changes with ``history``."""

    def disk_used(self) -> int | None:
        """The bytes that the published and the kept states take; None where that is not known."""
