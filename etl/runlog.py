"""The run log: one row for each run and source, and one for each item (a ticker, a chart) of it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

import duckdb

from etl.warehouse import Warehouse

Count = Literal["received", "inserted", "updated", "rejected"]
COUNTED: tuple[Count, ...] = ("received", "inserted", "updated", "rejected")
Status = Literal["ok", "part", "failed"]


_NUMBER = re.compile(r"r(\d+)-")


def new_run_id(warehouse: Warehouse) -> str:
    """A short identifier; those of later runs sort behind those of earlier ones, whatever the clock says."""
    matches = (_NUMBER.match(entry["run_id"]) for entry in warehouse.history())
    number = 1 + max((int(match[1]) for match in matches if match), default=0)
    return f"r{number:07d}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(2)}"


@dataclass
class ItemLog:
    """What became of one ticker or chart."""

    item: str
    status: Status = "ok"
    asked_from: date | None = None
    asked_to: date | None = None
    received: int = 0
    inserted: int = 0
    updated: int = 0
    rejected: int = 0
    seconds: float = 0.0
    message: str = ""


@dataclass
class RunLog:
    """What became of one source in one run; ``replayed`` names the run whose answers a replay judged again."""

    run_id: str
    source: str
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    items: list[ItemLog] = field(default_factory=list)
    message: str = ""
    replayed: str = ""

    @property
    def status(self) -> Status:
        """``ok`` when every item is, ``failed`` when none brought anything, else ``part``."""
        states = {item.status for item in self.items}
        if states <= {"ok"}:
            return "ok"
        return "failed" if states == {"failed"} else "part"

    def total(self, column: Count) -> int:
        """The sum of a count over the items."""
        return sum(getattr(item, column) for item in self.items)

    def describe(self) -> str:
        """The message of the run, or else the messages of the items that have one."""
        told = self.message or "; ".join(
            f"{item.item}: {item.message}" for item in self.items if item.message
        )
        lead = f"the answers of {self.replayed} again" if self.replayed else ""
        return "; ".join(filter(None, [lead, told]))

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        """Add the rows to ``etl_run`` and ``etl_run_item``."""
        counts = [self.total(column) for column in COUNTED]
        con.execute(
            "INSERT INTO etl_run BY NAME SELECT $run AS run_id, $start AS started_at, now() AS finished_at, "
            "$source AS source, $status AS status, $counts[1] AS rows_received, $counts[2] AS rows_inserted, "
            "$counts[3] AS rows_updated, $counts[4] AS rows_rejected, $message AS message",
            {
                "run": self.run_id,
                "start": self.started_at,
                "source": self.source,
                "status": self.status,
                "counts": counts,
                "message": self.describe(),
            },
        )
        if self.items:
            con.executemany(
                "INSERT INTO etl_run_item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    [
                        *(self.run_id, self.source, item.item, item.status, item.asked_from, item.asked_to),
                        *(item.received, item.inserted, item.updated, item.rejected),
                        *(round(item.seconds, 3), item.message),
                    ]
                    for item in self.items
                ],
            )
