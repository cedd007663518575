"""The companies and the events: two TOML files that people edit."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ROLES = ("AI", "comparison", "benchmark")


class CatalogueError(Exception):
    """A catalogue file cannot be used; the message names the file, the entry and what to correct."""

    exit_code = 3


@dataclass(frozen=True)
class Company:
    """One listing. ``exchange`` is a market identifier code, ``currency`` that of its quotes."""

    ticker: str
    name: str
    segment: str
    exchange: str
    currency: str
    role: str
    bundled: bool


@dataclass(frozen=True)
class Event:
    """One dated event; when only its day is known, ``occurred_at`` is the midnight and not ``time_known``."""

    event_id: str
    title: str
    occurred_at: datetime
    zone: str
    time_known: bool
    kind: str
    description: str
    source: str
    source_url: str


def load_companies(path: Path) -> list[Company]:
    """The companies in ``companies.toml``, in the order of the file.

    Raises
    ------
    CatalogueError
        When the file is missing or not TOML, or an entry lacks a field or repeats a ticker.
    """
    companies = [_company(entry, path) for entry in _entries(path, "company")]
    _refuse_repeated([company.ticker for company in companies], path)
    return companies


def load_events(path: Path) -> list[Event]:
    """The events in ``events.toml``, in the order of the file.

    Raises
    ------
    CatalogueError
        When the file is missing or not TOML, or an entry lacks a field, repeats an id or names no such zone.
    """
    events = [_event(entry, path) for entry in _entries(path, "event")]
    _refuse_repeated([event.event_id for event in events], path)
    return events


def _entries(path: Path, name: str) -> list[dict[str, Any]]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get(name, [])
    except FileNotFoundError:
        raise CatalogueError(f"{path} is missing; restore it from the repository") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} is not readable as TOML: {error}") from error
    if not entries:
        raise CatalogueError(f"{path} holds no [[{name}]] entry")
    return entries


def _company(entry: dict[str, Any], path: Path) -> Company:
    try:
        company = Company(**{"bundled": False, **entry})
    except TypeError as error:
        raise CatalogueError(f"{path}: company {entry.get('ticker', '?')}: {_fields(error)}") from error
    if company.role not in ROLES:
        raise CatalogueError(f"{path}: company {company.ticker}: role must be one of {', '.join(ROLES)}")
    return company


def _event(entry: dict[str, Any], path: Path) -> Event:
    name = entry.get("id", "?")
    try:
        zone = ZoneInfo(entry["zone"])
        occurred_at, time_known = _moment(entry["occurred_at"], zone)
        texts = {key: str(entry.get(key, "")) for key in ("kind", "description", "source", "source_url")}
        return Event(entry["id"], entry["title"], occurred_at, entry["zone"], time_known, **texts)
    except KeyError as error:
        raise CatalogueError(f"{path}: event {name} has no {error.args[0]!r}, or no such zone") from error
    except ValueError as error:
        raise CatalogueError(f"{path}: event {name}: occurred_at is no ISO date or time: {error}") from error


def _moment(value: str | date | datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    if isinstance(value, str):
        value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        return datetime.combine(value, time(), tzinfo=zone), False
    return (value if value.tzinfo else value.replace(tzinfo=zone)), True


def _fields(error: TypeError) -> str:
    return str(error).replace("Company.__init__() ", "").replace("positional arguments", "fields")


def _refuse_repeated(names: list[str], path: Path) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise CatalogueError(f"{path} lists {', '.join(repeated)} more than once")
