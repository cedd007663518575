"""Turns a signal into an event: an entry appended to `events.toml` in the form that is there."""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from etl import catalogue
from etl.errors import ProductError, nearest
from etl.signals.store import slug


class NoSuchSignal(ProductError):
    """There is no signal of that name; the message names the nearest."""

    exit_code = 3


@dataclass(frozen=True)
class Origin:
    """What an event takes from a signal: its session, and the ticker or segment that it was about, if any."""

    session: date
    lead: str


def signal_named(con: duckdb.DuckDBPyConnection, wanted: str) -> Origin:
    """The session and the lead of a signal.

    Raises
    ------
    NoSuchSignal
        When there is none of that name.
    """
    rows = con.execute("SELECT signal_id, session, subject FROM signal").fetchall()
    known = {signal_id: (session, subject) for signal_id, session, subject in rows}
    if wanted not in known:
        hint = nearest(wanted, known, "`python -m etl signals` lists them")
        raise NoSuchSignal(f"There is no signal “{wanted[:60]}”{hint}.")
    session, subject = known[wanted]
    named = con.execute("SELECT 1 FROM company WHERE ticker = $it OR segment = $it LIMIT 1", {"it": subject})
    return Origin(session, subject if named.fetchall() else "")


def add_event(path: Path, entry: dict[str, str]) -> str:
    """Append an event to a catalogue file, which is replaced at once; returns the event's id.

    Raises
    ------
    catalogue.CatalogueError
        When the file with it would not be in its form; it is then left as it was.
    """
    entry = {name: _one_line(value) for name, value in entry.items()}
    entry["id"] = entry["id"] or slug(entry["title"], f"event-{entry['occurred_at'][:10]}")
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [f"{name} = {_written(name, value)}" for name, value in entry.items() if value]
    work = path.with_name(f".{path.name}")
    work.write_text(f"{before.rstrip()}\n\n[[event]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    try:
        if not entry["source_url"].startswith(("https://", "http://")):
            told = entry["source_url"][:80]
            raise catalogue.CatalogueError(
                f"The address of a source begins with https://, “{told}” does not."
            )
        companies = catalogue.load_companies(path.with_name("companies.toml"))
        events = catalogue.load_events(work)
        leads = {one.ticker for one in companies} | {one.segment for one in companies} | {""}
        if events[-1].lead not in leads:
            hint = nearest(events[-1].lead, leads - {""})
            raise catalogue.CatalogueError(f"There is no company or segment “{events[-1].lead[:40]}”{hint}.")
        work.replace(path)
    except catalogue.CatalogueError as error:
        raise catalogue.CatalogueError(str(error).replace(str(work), str(path))) from None
    finally:
        work.unlink(missing_ok=True)
    return entry["id"]


def _one_line(value: str) -> str:
    """A text without line breaks and runs of spaces.

    Raises
    ------
    catalogue.CatalogueError
        When it is no Unicode text, as words of a terminal with another encoding.
    """
    if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise catalogue.CatalogueError("A text is not in UTF-8: set the terminal, or LC_ALL, to it.")
    return " ".join(value.split())


def _written(name: str, value: str) -> str:
    """A value in TOML: a day or a time bare, as the file has them, and text as a basic string."""
    if name == "occurred_at":
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ].+)?", value):
                raise ValueError
            return str(
                date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value).isoformat()
            )
        except ValueError:
            raise catalogue.CatalogueError(
                f"“{value[:40]}” is not a day or a time: write it as 2025-01-27 or 2025-01-27T09:30:00-05:00."
            ) from None
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
