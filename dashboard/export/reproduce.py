"""A kit made again from its `metadata.json`, and what has changed since, row by row."""

import csv
import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from dashboard.export import tables
from dashboard.export.drawing import LIMITS, readable_alt
from dashboard.export.kit import Kit
from dashboard.export.presets import BadSpec
from dashboard.export.spec import Spec, from_parameters

Row = dict[str, str]


@dataclass(frozen=True)
class Earlier:
    """What a `metadata.json` says of an earlier kit, and that kit's CSV where it still lies beside it as it was."""

    spec: Spec
    title: str
    state: str
    data_hash: str
    csv: bytes | None


def read(path: Path) -> Earlier:
    """Read a kit's `metadata.json`.

    Raises
    ------
    BadSpec
        When it cannot be read, or is none.
    """
    try:
        said: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadSpec(f"{path} cannot be read ({error.strerror or error}).") from None
    except (ValueError, RecursionError):
        raise BadSpec(f"{path} is not JSON.") from None
    if not isinstance(said, dict) or not isinstance(said.get("data"), dict):
        raise BadSpec(f"{path} is not the metadata.json of a kit.")
    spec = from_parameters(said.get("parameters"))
    warehouse = said.get("warehouse")
    state = warehouse.get("state", "") if isinstance(warehouse, dict) else ""
    data_hash, table = str(said["data"].get("sha256", "")), path.parent / f"{spec.name}.csv"
    content = table.read_bytes() if table.is_file() else None
    if content is not None and sha256(content).hexdigest() != data_hash:
        content = None
    return Earlier(spec, _told(said.get("title", "")), _told(state), data_hash, content)


def _told(text: object) -> str:
    """What a file says of itself, on one line that is no longer than a title may be."""
    return readable_alt(str(text))[: LIMITS["title"]]


def place(out: Path, spec: Spec) -> Path:
    """A folder that is not there yet: the kit's own name, or with "-again" behind it."""
    names = (
        f"{spec.folder()}{end}" for end in ("", "-again", *(f"-again-{turn}" for turn in range(2, 10_000)))
    )
    return next(out / name for name in names if not (out / name).exists())


def changes(earlier: Earlier, kit: Kit) -> list[str]:
    """What differs between an earlier kit and the one made again, a sentence each; nothing where nothing does."""
    now = tables.csv(kit.made.chart)
    found = []
    if earlier.title and earlier.title != _told(kit.made.chart.title):
        found.append(f"The title was “{earlier.title}”, it is now “{kit.made.chart.title}”.")
    if sha256(now).hexdigest() == earlier.data_hash:
        return found
    if earlier.csv is None:
        return [
            *found,
            "The data has changed; which rows is not known: the earlier CSV does not lie beside the file.",
        ]
    before, after = (text.decode("utf-8").splitlines() for text in (earlier.csv, now))
    words = [
        field["name"] for field in tables.schema(kit.made.chart)["fields"] if field["type"] in tables.NAMES
    ]
    rows = _rows(list(csv.DictReader(before)), list(csv.DictReader(after)), words)
    return [*found, *rows] or [line for line in difflib.ndiff(before, after) if line[0] in "+-"]


def _rows(before: list[Row], after: list[Row], words: list[str]) -> Iterator[str]:
    """The rows that are new, gone or different, each called by the columns that hold words and days."""
    old, new = ({_key(row, words): row for row in rows} for rows in (before, after))
    if len(old) < len(before) or len(new) < len(after):
        old, new = (
            {_key({"": f"row {at}"}, [""]): row for at, row in enumerate(rows, 1)} for rows in (before, after)
        )
    for key in [*new, *(key for key in old if key not in new)]:
        name = ", ".join(filter(None, key)) or "the row"
        if key not in old:
            yield f"{name}: is new"
        elif key not in new:
            yield f"{name}: is gone"
        else:
            columns = dict.fromkeys([*new[key], *old[key]])
            told = [
                f"{column} was {old[key].get(column) or 'nothing'}, is {new[key].get(column) or 'nothing'}"
                for column in columns
                if old[key].get(column) != new[key].get(column)
            ]
            if told:
                yield f"{name}: {'; '.join(told)}"


def _key(row: Row, words: list[str]) -> tuple[str, ...]:
    return tuple(row.get(word) or "" for word in words)


def verdict(earlier: Earlier, kit: Kit, found: list[str]) -> str:
    """One sentence: whether the new kit is the earlier one."""
    if not found:
        same = "the same state" if kit.made.state == earlier.state else f"now in {kit.made.state}"
        return f"{kit.spec.name}: the data is unchanged since {earlier.state} ({same})."
    return f"{kit.spec.name}: THE DATA HAS CHANGED since {earlier.state}, it is now {kit.made.state}:"
