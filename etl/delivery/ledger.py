"""What has been told to whom: an SQLite file, written before and after each message.

A message counts as sent from the moment before it leaves: after a kill in between nobody can know whether it arrived,
and it is not told a second time unless somebody asks for that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from etl.errors import ProductError, first_line
from etl.settings import Settings

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between the tries of one message, as Standard Webhooks 1.0 proposes; then it is given up."""

LEFT, GIVEN_UP = "sending", "given up"
LET_GO, LEFT_LONG_AGO = "let go", "left long ago"
"""What an operator has heard for the last time: of messages that never left, and of those that may have arrived."""

_TABLE = """
    CREATE TABLE IF NOT EXISTS message (
        message_id TEXT, target TEXT, state TEXT, tries INTEGER, tried_at TEXT, due_at TEXT, why TEXT,
        PRIMARY KEY (message_id, target)
    )"""


class LedgerError(ProductError):
    """What was told to whom cannot be read or noted; the message says why and what to do."""

    @classmethod
    def at(cls, place: Path, error: Exception) -> LedgerError:
        """The error for the ledger in that file."""
        return cls(
            f"{place}, which holds what was told to whom, cannot be used ({first_line(error)}): mend that, or move the "
            "file away, after which the signals of the last week are told once more."
        )


@dataclass(frozen=True)
class Ledger:
    """The ledger in the file ``path``; its folder must be there."""

    path: Path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as con, con:
                con.execute(_TABLE)
                yield con
        except sqlite3.Error as error:
            raise LedgerError.at(self.path, error) from None

    def due(self, message_ids: list[str], target: str, now: datetime, *, again: bool = False) -> list[str]:
        """Those that have not been told to the target and whose time has come.

        With `again` also those that left and are not known to have arrived, and those that were given up. What was
        let go is treated as before.
        """
        query = "SELECT message_id, state, due_at FROM message WHERE target = ?"
        with self._open() as con:
            known = {one: row for one, *row in con.execute(query, [target]).fetchall()}
        return [
            one
            for one in message_ids
            if one not in known
            or (known[one][1] and known[one][1] <= now.isoformat())
            or (again and known[one][0] != "told" and not known[one][1])
        ]

    def told(self, message_id: str, target: str) -> bool:
        """Whether a message has been sent to a target, arrived or not known to have arrived."""
        with self._open() as con:
            query = "SELECT 1 FROM message WHERE message_id = ? AND target = ? AND state IN ('told', ?, ?)"
            return bool(con.execute(query, [message_id, target, LEFT, LEFT_LONG_AGO]).fetchall())

    def begin(self, message_ids: list[str], target: str, now: datetime) -> None:
        """Note that messages are about to leave."""
        with self._open() as con:
            con.executemany(
                "INSERT INTO message VALUES (?, ?, 'sending', 1, ?, NULL, '') ON CONFLICT DO UPDATE SET "
                "state = 'sending', tries = tries + 1, tried_at = excluded.tried_at, due_at = NULL",
                [(one, target, now.isoformat()) for one in message_ids],
            )

    def end(self, message_ids: list[str], target: str, now: datetime, why: str = "") -> None:
        """Note that they arrived, or why they did not: they are then due again later, or given up."""
        with self._open() as con:
            for one in message_ids:
                row = con.execute(
                    "SELECT tries FROM message WHERE message_id = ? AND target = ?", [one, target]
                ).fetchone()
                tries = row[0] if row else 1  # it failed before it left
                due = (now + PAUSES[tries - 1]).isoformat() if why and tries <= len(PAUSES) else None
                state = ("waiting" if due else GIVEN_UP) if why else "told"
                con.execute(
                    "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [one, target, state, tries, now.isoformat(), due, why],
                )

    def unsettled(self) -> list[tuple[str, str, str, str]]:
        """Message, target, state and reason of what did not arrive, or is not known to, and was not let go."""
        query = "SELECT message_id, target, state, why FROM message WHERE state NOT IN ('told', ?, ?) ORDER BY 1, 2"
        with self._open() as con:
            return con.execute(query, [LET_GO, LEFT_LONG_AGO]).fetchall()

    def left(self) -> list[tuple[str, str]]:
        """Message and target of what left and is not known to have arrived, let go or not."""
        query = "SELECT message_id, target FROM message WHERE state IN (?, ?) ORDER BY 1, 2"
        with self._open() as con:
            return con.execute(query, [LEFT, LEFT_LONG_AGO]).fetchall()

    def let_go(self, messages: list[tuple[str, str]]) -> None:
        """Speak no more of what did not arrive: pairs of message and target."""
        with self._open() as con:
            con.executemany(
                "UPDATE message SET state = CASE state WHEN ? THEN ? ELSE ? END WHERE message_id = ? AND target = ?",
                [(LEFT, LEFT_LONG_AGO, LET_GO, *one) for one in messages],
            )


def ledger_place(options: Settings) -> Path:
    """The file of the ledger: beside the database, or, for a lake, in the folder of what this machine keeps."""
    if ":" in options.database.partition("/")[0][2:]:
        return options.cache_dir / "deliveries.sqlite"
    database = Path(options.database)
    return database.with_name(f"{database.name}.deliveries.sqlite")


@contextmanager
def delivering(place: Path) -> Iterator[None]:
    """Hold the lock of a delivery, at which nobody waits: `filelock.Timeout` meanwhile.

    Raises
    ------
    LedgerError
        When the lock cannot be made.
    """
    lock = FileLock(place.with_name(f".{place.name}.lock"), timeout=0)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise
    except OSError as error:
        raise LedgerError.at(place, error) from None
    try:
        yield
    finally:
        lock.release()


def left(place: Path) -> list[tuple[str, str]]:
    """Message and target of what left, and is not known to have arrived; none while a delivery is under way."""
    if not place.exists():
        return []
    try:
        with delivering(place):
            return Ledger(place).left()
    except Timeout:
        return []
