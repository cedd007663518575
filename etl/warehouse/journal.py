"""The journal of all runs, beside the states: it tells of runs that published nothing, and outlives a rollback."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
"""A row of ``etl_run``, with those of its items that did not come as asked for as ``items``."""


@dataclass(frozen=True)
class Journal:
    """A file of one line a run and source, oldest first; the newest ``keep`` lines stay."""

    path: Path
    keep: int = 2000

    def read(self) -> list[Entry]:
        """Every entry, oldest first; a line that cannot be read is passed over."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [entry for entry in map(_entry, lines) if entry]

    def add(self, entries: Iterable[Entry]) -> None:
        """Add entries; the file is replaced at once, so that a reader never finds half of it."""
        new = list(entries)
        if not new:
            return
        lines = [json.dumps(entry, ensure_ascii=False, default=_plain) for entry in [*self.read(), *new]]
        temporary = self.path.with_name(f".{self.path.name}")
        with temporary.open("w", encoding="utf-8") as file:
            file.write("\n".join(lines[-self.keep :]) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)


def _entry(line: str) -> Entry | None:
    try:
        entry = json.loads(line)
        for name in ("started_at", "finished_at"):
            entry[name] = datetime.fromisoformat(entry[name])
    except (ValueError, KeyError, TypeError):
        return None
    return dict(entry)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)
