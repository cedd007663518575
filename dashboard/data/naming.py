"""What companies are called, and the refusal of a name that nobody knows: the same sentence wherever it is asked."""

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches

import duckdb

from dashboard.data.events import Event, events, find_event
from etl.errors import UsageError

MOST_NAMED = 16
LONGEST = 60
ALIKE = 0.6


class UnknownName(UsageError):
    """Nothing has the name that was asked for; the message quotes it and says which is nearest."""


def labelled(name: str, ticker: str) -> str:
    """A company as it is called in lists: "NVIDIA (NVDA)"; a name that ends with its ticker stays as it is."""
    return name if f"({ticker})" in name else f"{name} ({ticker})"


def resolve(kind: str, wanted: str, known: Iterable[str], otherwise: str = "") -> str:
    """The one of `known` (ids, or a mapping of them to what they are called) that `wanted` names, in any case.

    `kind` is what they are, with "{}" for the place of the name where it is not the end: "company {} with prices".
    `otherwise` is what to do where no name is near.

    Raises
    ------
    UnknownName
        When there is none.
    """
    called = known if isinstance(known, Mapping) else {}
    names = {each: text if isinstance(text := called.get(each), str) else each for each in known}
    if wanted in names:
        return wanted
    asked = wanted.strip().casefold()
    spoken = {text.casefold(): each for each, text in names.items()}
    spoken |= {each.casefold(): each for each in names}
    if asked in spoken:
        return spoken[asked]
    raise UnknownName(_refusal(kind, wanted, names, spoken, otherwise))


def _refusal(
    kind: str, wanted: str, names: Mapping[str, str], spoken: Mapping[str, str], otherwise: str
) -> str:
    quoted = " ".join(wanted[:LONGEST].split())
    near = get_close_matches(wanted[:LONGEST].casefold(), spoken, 1, ALIKE)
    parts = [f"There is no {kind if '{}' in kind else f'{kind} {{}}'}".format(f"“{quoted}”")]
    if near:
        found = spoken[near[0]]
        called = names[found]
        parts.append(f"the nearest is {found}" + (f" ({called})" if called != found else ""))
    text = "; ".join(parts)
    if not near and not otherwise and len(names) <= MOST_NAMED:
        return f"{text}: choose from {', '.join(names)}."
    return f"{text}{f': {otherwise}' if otherwise else ''}."


def day_named(wanted: str) -> date:
    """The day that a text names, such as "2025-01-27".

    Raises
    ------
    UnknownName
        When it names none.
    """
    try:
        return date.fromisoformat(wanted.strip())
    except ValueError:
        quoted = " ".join(wanted[:LONGEST].split())
        raise UnknownName(f"“{quoted}” is not a date like 2025-01-27.") from None


def event_named(con: duckdb.DuckDBPyConnection, wanted: str) -> Event:
    """The event with an id or a title, or, for a day such as "2024-09-03", the first session on or after it.

    Raises
    ------
    UnknownName
        When there is neither.
    """
    found = find_event(con, wanted)
    if found is not None:
        return found
    try:
        day = date.fromisoformat(wanted.strip())
    except ValueError:
        pass
    else:
        raise UnknownName(_without_session(con, day))
    known = {event.event_id: event.title for event in events(con)}
    named = resolve("event", wanted, known, "choose an event from the list or a day inside the data")
    found = find_event(con, named)
    if found is None:
        raise UnknownName(f"There is no event “{named}” any more: choose an event from the list.")
    return found


def _spelled(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


def _without_session(con: duckdb.DuckDBPyConnection, day: date) -> str:
    first, last = con.execute("SELECT min(date), max(date) FROM price_daily").fetchall()[0]
    if first is None:
        return "There are no prices yet, and so no sessions."
    return (
        f"There is no session on {_spelled(day)}, nor within ten days after it (the prices reach from "
        f"{_spelled(first)} to {_spelled(last)}): choose an event from the list or a day inside the data."
    )


def tickers_named(con: duckdb.DuckDBPyConnection, wanted: Iterable[str]) -> tuple[str, ...]:
    """The tickers of companies and funds that are named by ticker or by name, each once.

    Raises
    ------
    UnknownName
        When one of them is not known.
    """
    asked = list(wanted)
    if not asked:
        return ()
    known = dict(con.execute("SELECT ticker, name FROM company ORDER BY ticker").fetchall())
    otherwise = "the table company lists them all"
    return tuple(dict.fromkeys(resolve("company", one, known, otherwise) for one in asked))
