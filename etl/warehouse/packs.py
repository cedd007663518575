"""A state as a pack: the pages that another state does not hold, compressed, and where all the others are in it.

A page is 4 KiB, on which DuckDB lays out its blocks. After a daily refresh nearly every page of the state before is
somewhere in the new one, though a third of the blocks of 256 KiB were rewritten.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]

PAGE = 4096
FRAME = 64
"""Pages that are compressed together."""
Pages = npt.NDArray[np.uint8]
"""Pages, one a row."""
Places = npt.NDArray[np.int64]
"""Where each page is: a page of the base, or, as -1 - n, the n-th of the pack's own."""
_HEADER, _PLACES = "header.json", "places"


class BrokenPackError(Exception):
    """A pack cannot be read, or does not give back what was packed."""


@dataclass(frozen=True)
class Header:
    """What a pack says of its state: its bytes, checksum, the state referred to, and its name as a plain file."""

    size: int
    sha256: str
    base: str | None
    plain: str


class Pack:
    """A pack to read from, open from the start, so that nobody can take it away."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises
        ------
        BrokenPackError
            When the file is not a pack.
        """
        try:
            self._zip = zipfile.ZipFile(path)
            self.header = Header(**json.loads(self._zip.read(_HEADER)))
        except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
            raise BrokenPackError(f"{path.name} is not a pack") from error
        self._frame = lru_cache(maxsize=4)(self._read_frame)

    @cached_property
    def places(self) -> Places:
        """Where each page of the state is."""
        count = -(-self.header.size // PAGE)
        steps = np.frombuffer(_unpacked(self._zip.read(_PLACES), count * 8), dtype=np.int64)
        return steps + np.arange(count)

    @cached_property
    def _owned(self) -> int:
        return int((self.places < 0).sum())

    def own(self, numbers: Places) -> Pages:
        """The pages of its own that have these numbers."""
        found = np.empty((len(numbers), PAGE), dtype=np.uint8)
        for frame in np.unique(numbers // FRAME):
            here = numbers // FRAME == frame
            found[here] = self._frame(int(frame))[numbers[here] % FRAME]
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def _read_frame(self, number: int) -> Pages:
        rows = min(FRAME, self._owned - number * FRAME)
        content = _unpacked(self._zip.read(f"pages/{number}"), rows * PAGE)
        return np.frombuffer(content, dtype=np.uint8).reshape(rows, PAGE)


def pages_of(file: Path) -> Pages:
    """The pages of a database file.

    Raises
    ------
    BrokenPackError
        When the file does not consist of pages.
    """
    size = file.stat().st_size
    if not size or size % PAGE:
        raise BrokenPackError(f"{file.name} does not consist of pages of {PAGE} bytes")
    return np.memmap(file, dtype=np.uint8, mode="r").reshape(-1, PAGE)


def header_of(file: Path, plain: str, base: str | None = None) -> Header:
    """The header for a pack of a database file."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Header(file.stat().st_size, digest, base, plain)


def write(header: Header, places: Places, pages: Callable[[Places], Pages], target: Path) -> None:
    """Write a pack; ``pages`` gives those pages of the state that ``places`` says are not in the base (-1)."""
    own = np.flatnonzero(places < 0)
    numbered = places.copy()
    numbered[own] = -1 - np.arange(len(own))
    codec = pa.Codec("zstd", compression_level=1)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as pack:
        pack.writestr(_HEADER, json.dumps(vars(header)))
        steps = numbered - np.arange(len(numbered))
        pack.writestr(_PLACES, codec.compress(steps.tobytes(), asbytes=True))
        for number, first in enumerate(range(0, len(own), FRAME)):
            content = pages(own[first : first + FRAME]).tobytes()
            pack.writestr(f"pages/{number}", codec.compress(content, asbytes=True))


def compared(pages: Pages, base: Pages) -> Places:
    """Where each page is in the base; -1 where it is not."""
    places = np.full(len(pages), -1, dtype=np.int64)
    both = min(len(pages), len(base))
    for first in range(0, both, FRAME):
        there = slice(first, min(first + FRAME, both))
        same = (pages[there].view(np.uint64) == base[there].view(np.uint64)).all(axis=1)
        places[there][same] = np.flatnonzero(same) + first
    kept = np.zeros(len(base), dtype=bool)
    kept[places[places >= 0]] = True
    moved = {_digest(base[page]): page for page in np.flatnonzero(~kept)}
    for page in np.flatnonzero(places < 0):
        places[page] = moved.get(_digest(pages[page]), -1)
    return places


def flatten(pack: Pack, base: Pack, target: Path) -> None:
    """Write a pack of the same state that refers to what ``base``, the pack of its base, refers to."""
    levels, numbers = _traced([pack, base])
    places = np.where(levels < 2, -1, numbers)
    header = Header(pack.header.size, pack.header.sha256, base.header.base, pack.header.plain)
    write(header, places, lambda rows: _gathered(levels[rows], numbers[rows], [pack, base], None), target)


def unpacked(packs: list[Pack], base: Pages | None) -> Iterator[bytes]:
    """The content of the state that the first pack is of; each next one is of the base of the one before.

    Without a pack it is that of the base.

    Raises
    ------
    BrokenPackError
        When what comes out is not what was packed.
    """
    if not packs and base is not None:
        yield from (base[first : first + FRAME].tobytes() for first in range(0, len(base), FRAME))
        return
    header, checksum = packs[0].header, hashlib.sha256()
    try:
        levels, numbers = _traced(packs)
        for first in range(0, len(levels), FRAME):
            there = slice(first, first + FRAME)
            content = _gathered(levels[there], numbers[there], packs, base).tobytes()
            checksum.update(content)
            yield content
    except (zipfile.BadZipFile, KeyError, IndexError, ValueError, OSError, pa.ArrowException) as error:
        raise BrokenPackError("its pack is damaged") from error
    if checksum.hexdigest() != header.sha256:
        raise BrokenPackError("its checksum is another")


def _traced(packs: list[Pack]) -> tuple[Places, Places]:
    """For each page the pack that holds it (beyond the last one: the base), and its number there."""
    numbers = np.arange(len(packs[0].places))
    levels = np.full(len(numbers), len(packs), dtype=np.int64)
    for level, pack in enumerate(packs):
        deeper = np.flatnonzero(levels == len(packs))
        found = pack.places[numbers[deeper]]
        own = found < 0
        levels[deeper[own]] = level
        numbers[deeper] = np.where(own, -1 - found, found)
    return levels, numbers


def _gathered(levels: Places, numbers: Places, packs: list[Pack], base: Pages | None) -> Pages:
    found = np.empty((len(levels), PAGE), dtype=np.uint8)
    for level in np.unique(levels):
        here = levels == level
        if level < len(packs):
            found[here] = packs[level].own(numbers[here])
        elif base is None:
            raise BrokenPackError("its pack refers to a state that is not there")
        else:
            found[here] = base[numbers[here]]
    return found


def _digest(page: Any) -> bytes:
    return hashlib.blake2b(page.data, digest_size=16).digest()


def _unpacked(content: bytes, size: int) -> bytes:
    return bytes(pa.Codec("zstd").decompress(content, size, asbytes=True)) if size else b""
