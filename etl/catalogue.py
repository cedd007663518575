"""The companies and the events: two TOML files that people edit."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from etl import calendars, entries
from etl.entries import EntryError as CatalogueError
from etl.errors import nearest

ROLES = ("AI", "comparison", "benchmark", "index")
KINDS = (
    *("release", "earnings", "investment", "policy", "market"),
    *("claim", "people", "app-store", "confounder"),
)
"""What an event is; a confounder is a day of other causes that would be mistaken for an AI event."""
AI_RULE = "ai_rule"
_BESIDE = ("segments", AI_RULE)


@dataclass(frozen=True)
class Company:
    """One listing. ``exchange`` is a market identifier code, ``currency`` that of its quotes.

    ``history_from`` is the first session that is the company's own (none: all are), ``ai_from`` the day from which
    role AI counts (none: its first session). Closes before ``spin_off`` have a spin-off taken out, so that they give
    returns but no market value; a ``retired`` one is neither asked for nor missed; ``note`` says such things in words.
    ``listing`` says what trades where the shares themselves are at home elsewhere (such as ADR), ``home`` on which
    exchange (none: nowhere else), ``sp500_from`` since when it is in the S&P 500 (none: it is not),
    ``sp500_source`` the address where that was read.
    """

    ticker: str
    name: str
    segment: str
    exchange: str
    currency: str
    role: str
    bundled: bool = False
    history_from: date | None = None
    ai_from: date | None = None
    spin_off: date | None = None
    listing: str = ""
    home: str = ""
    sp500_from: date | None = None
    sp500_source: str = ""
    retired: bool = False
    note: str = ""


@dataclass(frozen=True)
class Event:
    """One dated event; when only its day is known, ``occurred_at`` is the midnight and not ``time_known``.

    ``lead`` is the ticker or the segment that it is about, "" where there is none.
    """

    event_id: str
    title: str
    occurred_at: datetime
    zone: str
    time_known: bool
    kind: str
    description: str
    source: str
    source_url: str
    lead: str = ""


@dataclass(frozen=True)
class Catalogue:
    """What the catalogue files say; ``rules`` are those that they state in words, by name."""

    companies: list[Company]
    events: list[Event]
    rules: dict[str, str]


_COMPANY_KEYS = [field.name for field in fields(Company)]
_EVENT_KEYS = (
    *("id", "title", "occurred_at", "zone", "kind", "description"),
    *("source", "source_url", "lead"),
)


def load(folder: Path) -> Catalogue:
    """``companies.toml`` and ``events.toml`` of a folder.

    Raises
    ------
    CatalogueError
        As by the loading of each, and when an event's ``lead`` is neither a ticker nor a segment.
    """
    path = folder / "companies.toml"
    companies, events = load_companies(path), load_events(folder / "events.toml")
    known = {company.ticker for company in companies} | {company.segment for company in companies}
    for event in events:
        if event.lead:
            where = f"{folder / 'events.toml'}: event {event.event_id}"
            entries.refuse_unknown([event.lead], known, where, "company or segment")
    _, beside = entries.read(path, "company", _BESIDE)
    rules = {AI_RULE: " ".join(str(beside[AI_RULE]).split())} if AI_RULE in beside else {}
    return Catalogue(companies, events, rules)


def load_companies(path: Path) -> list[Company]:
    """The companies in ``companies.toml``, in the order of the file.

    Raises
    ------
    CatalogueError
        When the file is missing or not TOML, or an entry lacks a field, has one that is not known, repeats a ticker,
        or names an exchange of unknown sessions or a segment that is not in the file's list of ``segments``.
    """
    found, beside = entries.read(path, "company", _BESIDE)
    companies = [_company(entry, path) for entry in found]
    _refuse_repeated([company.ticker for company in companies], path)
    for company in companies:
        where = f"{path}: company {company.ticker}"
        if "segments" in beside:
            entries.refuse_unknown([company.segment], beside["segments"], where, "segment")
        for exchange in filter(None, (company.exchange, company.home)):
            if not calendars.is_known(exchange):
                near = nearest(exchange, calendars.names())
                raise CatalogueError(
                    f"{where}: the sessions of the exchange “{exchange}” are not known{near}"
                )
    return companies


def load_events(path: Path) -> list[Event]:
    """The events in ``events.toml``, in the order of the file.

    Raises
    ------
    CatalogueError
        When the file is missing or not TOML, or an entry lacks a field, has one that is not known, repeats an id, or
        names no such zone or kind.
    """
    found, _ = entries.read(path, "event")
    events = [_event(entry, path) for entry in found]
    _refuse_repeated([event.event_id for event in events], path)
    return events


def _company(entry: dict[str, Any], path: Path) -> Company:
    where = f"{path}: company {entry.get('ticker', '?')}"
    entries.refuse_unknown(entry, _COMPANY_KEYS, where, "key")
    try:
        company = Company(**entry)
    except TypeError as error:
        raise CatalogueError(f"{where}: {_fields(error)}") from error
    entries.refuse_unknown([company.role], ROLES, where, "role")
    for name in ("history_from", "ai_from", "spin_off", "sp500_from"):
        day = getattr(company, name)
        if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
            raise CatalogueError(f"{where}: {name} must be a date such as 2024-05-10, without quotes")
    if bool(company.sp500_from) != str(company.sp500_source).startswith("https://"):
        raise CatalogueError(
            f"{where}: sp500_from needs sp500_source, the https address where the day was read, and only then"
        )
    return company


def _event(entry: dict[str, Any], path: Path) -> Event:
    where = f"{path}: event {entry.get('id', '?')}"
    entries.refuse_unknown(entry, _EVENT_KEYS, where, "key")
    try:
        zone = entry["zone"]
        occurred_at, time_known = _moment(entry["occurred_at"], _zone(zone, where))
        texts = {
            key: str(entry.get(key, "")) for key in ("kind", "description", "source", "source_url", "lead")
        }
        event = Event(entry["id"], entry["title"], occurred_at, zone, time_known, **texts)
    except KeyError as error:
        raise CatalogueError(f"{where} has no {error.args[0]!r}") from error
    except ValueError as error:
        raise CatalogueError(f"{where}: occurred_at is not an ISO date or time: {error}") from error
    entries.refuse_unknown([event.kind], KINDS, where, "kind")
    return event


def _zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        near = nearest(name, available_timezones())
        raise CatalogueError(f"{where}: there is no such zone as “{name}”{near}") from None


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
