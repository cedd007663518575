"""The sentences of the coverage that can be checked, as `data/claims.toml` holds them."""

from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from etl import entries

NEEDS: dict[str, tuple[str, ...]] = {
    "amount": ("ticker", "values"),
    "more-than": ("ticker", "values"),
    "together": ("tickers", "values"),
    "together-more-than": ("values",),
    "percent": ("ticker", "change"),
    "rank": ("ticker", "rank"),
    "own-record": ("ticker",),
    "largest-since": ("ticker", "since"),
    "first-above": ("ticker", "level"),
    "overtook": ("app", "rival"),
    "coincided": ("app",),
    "still-first": ("app",),
}
"""Each check and the keys that it cannot do without."""


@dataclass(frozen=True)
class Source:
    """Who published a sentence, and where it was read: by the publisher, `via` another one, or in a reprint."""

    publisher: str
    url: str
    day: str = ""
    via: str = ""
    reprint: bool = False

    @property
    def host(self) -> str:
        """The site of the address."""
        return (urlsplit(self.url).hostname or "").removeprefix("www.")

    @property
    def words(self) -> str:
        """The source in words: "Bloomberg, 27 January 2025 (reprint at example.org)"."""
        named = ", ".join(part for part in (self.publisher, self.day) if part)
        if self.reprint:
            return f"{named} (reprint at {self.host})"
        return f"{named} (via {self.via})" if self.via else named


@dataclass(frozen=True)
class Claim:
    """A sentence with its sources, and the check (with its parameters) that puts it to the test.

    `values` are what the sentence asserts, in US dollars, losses negative; `change` a fraction; `level` a market value
    in US dollars; `rank` a place among the largest moves; `since` the year from which it claims to be the largest.
    """

    claim_id: str
    event_id: str
    text: str
    check: str
    sources: tuple[Source, ...]
    ticker: str = ""
    tickers: tuple[str, ...] = ()
    app: str = ""
    rival: str = ""
    values: tuple[float, ...] = ()
    change: float = 0.0
    level: float = 0.0
    rank: int = 0
    since: int = 0

    @property
    def source(self) -> str:
        """The sources in words."""
        return "; ".join(source.words for source in self.sources)

    @property
    def source_url(self) -> str:
        """The address of the first source."""
        return self.sources[0].url


def written(folder: Path) -> int:
    """When the claims were written, in nanoseconds since 1970; 0 where there are none."""
    path = folder / "claims.toml"
    return path.stat().st_mtime_ns if path.exists() else 0


def claims(folder: Path, event_id: str) -> list[Claim]:
    """The claims about one event, in the order of the file; none where there is no file.

    Raises
    ------
    etl.entries.EntryError
        When the file is not TOML, or an entry has a key, a check or a value that cannot be used; the message names the
        entry, and the nearest right word.
    """
    return [claim for claim in read_claims(folder) if claim.event_id == event_id]


def read_claims(folder: Path) -> tuple[Claim, ...]:
    """All claims, in the order of the file; raises as `claims` does."""
    return _read(folder / "claims.toml", written(folder))


@lru_cache(maxsize=2)
def _read(path: Path, as_of: int) -> tuple[Claim, ...]:
    if not as_of:
        return ()
    found, _ = entries.read(path, "claim")
    return tuple(
        _claim(entry, f"{path.name}, claim {entry.get('id', number)}")
        for number, entry in enumerate(found, 1)
    )


RENAMED = {"id": "claim_id", "event": "event_id", "source": "sources"}
TEXT, NUMBER, WHOLE, TABLE = (str,), (int, float), (int,), (dict,)
KEYS: dict[str, tuple[tuple[type, ...], bool]] = {
    **dict.fromkeys(("id", "event", "text", "check", "ticker", "app", "rival"), (TEXT, False)),
    "tickers": (TEXT, True),
    "source": (TABLE, True),
    "values": (NUMBER, True),
    **dict.fromkeys(("change", "level"), (NUMBER, False)),
    **dict.fromkeys(("rank", "since"), (WHOLE, False)),
}
"""Each key of an entry: the types of its value, and whether it lists several."""
SPOKEN: dict[tuple[type, ...], str] = {
    TEXT: "text in quotes",
    NUMBER: "a number",
    WHOLE: "a whole number",
    TABLE: "{ publisher, url }",
}


def _claim(entry: dict[str, Any], where: str) -> Claim:
    entries.refuse_unknown(entry, KEYS, where, "key")
    for key, value in entry.items():
        _refuse_value(key, value, where)
    _require(entry, ("id", "event", "text", "check", "source"), where)
    entries.refuse_unknown([entry["check"]], NEEDS, where, "check")
    _require(entry, NEEDS[entry["check"]], f"{where}, check {entry['check']}")
    values: dict[str, Any] = {
        RENAMED.get(key, key): tuple(value) if isinstance(value, list) else value
        for key, value in entry.items()
    }
    values["sources"] = tuple(_source(source, where) for source in entry["source"])
    return Claim(**values)


def _source(source: dict[str, Any], where: str) -> Source:
    entries.refuse_unknown(source, {field.name for field in fields(Source)}, f"{where}, source", "key")
    _require(source, ("publisher", "url"), f"{where}, source")
    for key, value in source.items():
        if not isinstance(value, bool if key == "reprint" else str):
            wanted = "true or false" if key == "reprint" else SPOKEN[TEXT]
            raise entries.EntryError(f"{where}, source: {key} takes {wanted}, not {value!r}")
    return Source(**source)


def _require(entry: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in keys:
        if entry.get(key) in (None, "", []):
            raise entries.EntryError(f"{where}: {key} is missing")


def _refuse_value(key: str, value: Any, where: str) -> None:
    types, several = KEYS[key]
    each = value if several and isinstance(value, list) else [value]
    right = isinstance(value, list) == several and all(
        isinstance(one, types) and not isinstance(one, bool) for one in each
    )
    if not right:
        wanted = f"a list, each {SPOKEN[types]}" if several else SPOKEN[types]
        raise entries.EntryError(f"{where}: {key} takes {wanted}, not {str(value)[:40]!r}")
