"""Entries of the TOML files that people edit: read, and a misspelt word refused with the nearest right one."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from etl.errors import ProductError, nearest


class EntryError(ProductError):
    """A file cannot be used; the message names the file, the entry and what to correct."""

    exit_code = 3


def read(path: Path, name: str, beside: Collection[str] = ()) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The ``[[name]]`` entries of a file, and what else stands in it under one of the keys ``beside``.

    Raises
    ------
    EntryError
        When the file is missing or not TOML, holds no such entry, or has another key.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EntryError(f"{path} is missing; restore it from the repository") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EntryError(f"{path} is not readable as TOML: {error}") from error
    refuse_unknown(content, {name, *beside}, f"{path}", "key")
    entries = content.pop(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise EntryError(f"{path}: each entry begins with [[{name}]]")
    if not entries:
        raise EntryError(f"{path} holds no [[{name}]] entry")
    return entries, content


def refuse_unknown(words: Collection[str], known: Collection[str], where: str, kind: str) -> None:
    """Refuse the first word that is not known, with the nearest one that is.

    Raises
    ------
    EntryError
        When there is one.
    """
    for word in words:
        if word not in known:
            raise EntryError(f"{where}: there is no {kind} “{word}”{nearest(str(word), known)}")
