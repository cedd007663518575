"""The sentences of the coverage that can be checked, as `data/claims.toml` holds them."""

import tomllib
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dashboard.data.naming import UnknownName, resolve


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
    ValueError
        When the file is not TOML, or an entry has no such key; the message names the entry and the nearest key.
    """
    return [claim for claim in read_claims(folder) if claim.event_id == event_id]


def read_claims(folder: Path) -> tuple[Claim, ...]:
    """All claims, in the order of the file; raises as `claims` does."""
    return _read(folder / "claims.toml", written(folder))


@lru_cache(maxsize=2)
def _read(path: Path, as_of: int) -> tuple[Claim, ...]:
    if not as_of:
        return ()
    return tuple(_claim(entry) for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("claim", []))


RENAMED = {"id": "claim_id", "event": "event_id", "source": "sources"}


def _claim(entry: dict[str, Any]) -> Claim:
    name = str(entry.get("id", "without an id"))
    known = {field.name: field.name for field in fields(Claim) if field.name not in RENAMED.values()}
    try:
        values = {
            RENAMED[key] if key in RENAMED else resolve("key", key, known): value
            for key, value in entry.items()
        }
        values["sources"] = tuple(Source(**source) for source in values["sources"])
    except (UnknownName, KeyError, TypeError) as error:
        raise ValueError(f"The claim {name} in claims.toml cannot be read: {error}") from None
    for listed in ("tickers", "values"):
        values[listed] = tuple(values.get(listed, ()))
    try:
        return Claim(**values)
    except TypeError as error:
        raise ValueError(f"The claim {name} in claims.toml cannot be read: {error}") from None
