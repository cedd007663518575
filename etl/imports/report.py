"""What an import is asked, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field

from etl.errors import ProductError
from etl.runlog import ItemLog, RunLog

SHOWN = 20


class ImportRefusedError(ProductError):
    """A file cannot be imported at all; the message says why."""

    exit_code = 3


@dataclass(frozen=True)
class Reading:
    """How to read what a file leaves open: ``None`` where its own figures must tell.

    ``day_first`` is about dates such as 03/04/2025, ``decimal_comma`` about numbers such as 1,234. ``source`` names
    who the figures are from, where the file does not; with ``dry_run`` everything is done but kept.
    """

    day_first: bool | None = None
    decimal_comma: bool | None = None
    sheet: str | None = None
    source: str | None = None
    dry_run: bool = False


@dataclass
class ImportReport:
    """What an import took, and which rows it refused and why (``refused``: the first, as row and reason).

    ``columns`` says for each column of the table the one of the file; ``ignored`` names the rest. ``aside`` are rows
    that are not of the table: totals, footers, repeated headings. ``read_as`` says how the file was read,
    and ``remarks`` what was believed though it could be otherwise, or replaced by figures of our own.
    """

    log: RunLog
    columns: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    read_as: list[str] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    aside: list[tuple[int, str]] = field(default_factory=list)
    dry_run: bool = False
    remarks: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 when all rows were taken, 1 when part was, 2 when none was."""
        return {"ok": 0, "part": 1, "failed": 2}[self.log.status]

    @property
    def item(self) -> ItemLog:
        """The counts of the file."""
        return self.log.items[0]
