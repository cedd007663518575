"""The sentences of the coverage that can be checked, as `data/claims.toml` holds them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Claim:
    """A sentence with its source, and the check (with its parameters) that puts it to the test."""

    claim_id: str
    event_id: str
    text: str
    check: str
    source: str
    source_url: str
    ticker: str = ""
    app: str = ""
    rival: str = ""
    threshold: float = 0.0


def written(folder: Path) -> int:
    """When the claims were written, in nanoseconds since 1970; 0 where there are none."""
    path = folder / "claims.toml"
    return path.stat().st_mtime_ns if path.exists() else 0


def claims(folder: Path, event_id: str) -> list[Claim]:
    """The claims about one event, in the order of the file; none where there is no file.

    Raises
    ------
    tomllib.TOMLDecodeError
        When the file is not TOML.
    """
    path = folder / "claims.toml"
    if not path.exists():
        return []
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("claim", [])
    return [
        Claim(
            claim_id=entry["id"],
            event_id=entry["event"],
            **{key: value for key, value in entry.items() if key not in ("id", "event")},
        )
        for entry in entries
        if entry["event"] == event_id
    ]
