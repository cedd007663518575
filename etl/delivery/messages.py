"""Signals as messages: an identity for each version of a signal, words for people, JSON for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import duckdb

RECENT = timedelta(days=7)
"""Signals of older sessions are history: they are on the pages, and nobody gets them."""
CORRECTED = timedelta(days=60)
"""Sessions whose corrections go to those who got the signal."""
MOST = 200


@dataclass(frozen=True)
class Message:
    """One version of a signal; ``what`` is created, corrected or withdrawn, ``first_id`` that of the first version.

    ``recent`` is whether those who have not heard of the signal are still told.
    """

    message_id: str
    first_id: str
    what: str
    signal: dict[str, Any]
    recent: bool = True

    def payload(self, address: str) -> dict[str, Any]:
        """As JSON, in the form of Standard Webhooks 1.0: ``type``, ``timestamp`` and ``data``."""
        data = {
            name: _plain(value)
            for name, value in self.signal.items()
            if name not in ("alarms", "run_id", "withdrawn_for")
        }
        if address:
            data["url"] = page_of(self.signal["signal_id"], address)
        moment = self.signal["withdrawn_at"] or self.signal["corrected_at"] or self.signal["first_seen"]
        return {"type": f"signal.{self.what}", "timestamp": _plain(moment), "data": data}

    def line(self) -> str:
        """As a sentence for people."""
        signal = self.signal
        lead = {"created": "", "corrected": "Correction: ", "withdrawn": "Withdrawn, the data were revised: "}
        return f"{lead[self.what]}{signal['title']}; {signal['detail']}."


def messages(con: duckdb.DuckDBPyConnection, now: datetime) -> list[Message]:
    """The versions of the signals of the newest sessions, oldest first, of one the largest first; of older ones the
    corrections.

    New are the sessions of the last days before `now`, or before the newest prices where the clock is behind them:
    neither a first run, nor a history that is brought in, nor a new target is told what is long past.
    """
    newest = con.execute("SELECT max(date) FROM price_daily").fetchall()[0][0] or date.min
    today = max(now.astimezone(UTC).date(), newest)
    result = con.execute(
        """
        FROM signal WHERE session >= $corrected AND coalesce(withdrawn_for, '') <> 'setting'
            AND (session >= $recent OR coalesce(corrected_at, withdrawn_at) IS NOT NULL)
        ORDER BY session DESC, place NULLS LAST, unusual NULLS LAST, signal_id LIMIT $most
        """,
        {"corrected": today - CORRECTED, "recent": today - RECENT, "most": MOST},
    )
    names = [column[0] for column in result.description or []]
    found = []
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    for signal in sorted(rows, key=lambda row: row["session"]):
        first = signal["signal_id"]
        what = "withdrawn" if signal["withdrawn_at"] else "corrected" if signal["corrected_at"] else "created"
        version = signal["withdrawn_at"] or signal["corrected_at"]
        identity = f"{first}.{what}.{version.astimezone(UTC):%Y%m%dT%H%M%S}" if version else first
        found.append(Message(identity, first, what, signal, signal["session"] >= today - RECENT))
    return found


def subject(told: Sequence[Message]) -> str:
    """The subject of a mail: the first sentence, and how many more there are."""
    rest = f" and {len(told) - 1} more" if len(told) > 1 else ""
    return f"{told[0].line().split(';')[0]}{rest}"


def body(told: Sequence[Message], address: str, picture: str = "") -> str:
    """Plain text for a reader of any kind: a sentence each, where to see it, and what is not claimed.

    ``picture`` is what an attached picture shows, for those who read without pictures.
    """
    parts = []
    for message in told:
        link = f"\n{page_of(message.signal['signal_id'], address)}" if address else ""
        parts.append(message.line() + link)
    if picture:
        parts.append(f"Attached picture: {picture}")
    return "\n\n".join([*parts, "Nothing here claims a cause: these are figures, not explanations."])


def page_of(signal_id: str, address: str) -> str:
    """The address of a signal's page."""
    return f"{address.rstrip('/')}/?{urlencode({'event': signal_id})}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
