"""The folder of the states: the published one whole, each other as what differs from the state after it.

Beside its difference, the state that was published last before is kept as a spare, packed whole: should the
published file be lost, it and those that build on it are still there.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from etl.errors import first_line
from etl.warehouse import packs
from etl.warehouse.errors import StateGoneError, WarehouseError
from etl.warehouse.packs import BrokenPackError, Pack
from etl.warehouse.states import State

logger = logging.getLogger("etl")
DIFFERENCE, SPARE = ".difference", ".spare"
_ATTEMPTS = 3  # packs can be replaced while they are looked for


@dataclass(frozen=True)
class KeptStates:
    """The states in ``folder`` that belong to the warehouse whose file is called ``name``."""

    folder: Path
    name: str

    def states(self) -> list[State]:
        """All states, oldest first."""
        pattern = f"{Path(self.name).stem}-*.duckdb"
        files = (path.name for end in ("", DIFFERENCE, SPARE) for path in self.folder.glob(pattern + end))
        names = {name.removesuffix(DIFFERENCE).removesuffix(SPARE) for name in files}
        return sorted(state for state in map(State.named, names) if state)

    def whole(self, version: str) -> Path | None:
        """The file of a state that is there as a whole."""
        path = self.folder.resolve() / Path(version).name
        return path if path.is_file() else None

    def holds(self, version: str) -> bool:
        """Whether the state is kept, whole or packed."""
        return any(
            Path(f"{self.folder / Path(version).name}{end}").is_file() for end in ("", DIFFERENCE, SPARE)
        )

    def called(self, plain: str) -> str:
        """The state that was called ``plain`` while it was a plain file at the place of the warehouse.

        Raises
        ------
        StateGoneError
            When there is none.
        """
        for state in self.states():
            path, pack = self.whole(state.name), self._difference(state.name)
            with suppress(OSError, BrokenPackError):
                if (plain_name(self.name, path) if path else _header(pack).plain) == plain:
                    return state.name
        raise StateGoneError.of(plain)

    def unpack(self, version: str, target: Path) -> None:
        """Write the file of a packed state.

        Raises
        ------
        StateGoneError
            When it is not kept.
        WarehouseError
            When it cannot be put together, or ``target`` cannot be written.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with ExitStack() as stack, target.open("wb") as file:
                    chain, base = self._chain(version, stack)
                    file.writelines(packs.unpacked(chain, base))
                return
            except FileNotFoundError:
                target.unlink(missing_ok=True)
                if attempt == _ATTEMPTS:
                    raise StateGoneError.of(version) from None
            except (OSError, BrokenPackError) as error:
                target.unlink(missing_ok=True)
                raise WarehouseError(
                    f"The state {version} cannot be put together ({first_line(error)}): choose another of "
                    "`python -m etl rollback --list`, or make room if the disk is full."
                ) from error

    def restore(self, version: str) -> None:
        """Make a state whole again.

        Raises
        ------
        WarehouseError
            When it cannot be.
        """
        if self.whole(version) is None:
            work = self.folder / f".work-{secrets.token_hex(4)}"
            self.unpack(version, work)
            flush(work)
            work.replace(self.folder / version)
            flush(self.folder)

    def pack(self, published: str) -> None:
        """Pack every whole state but the published one; one that cannot be packed stays as it is."""
        base = self.folder / published
        for state in self.states():
            path = self.whole(state.name)
            if path is None or state.name == published:
                continue
            try:
                self._pack(path, base)
            except (OSError, BrokenPackError) as error:
                logger.warning("%s stays whole: %s", state.name, first_line(error))
        with suppress(OSError):
            self._difference(published).unlink(missing_ok=True)

    def remove(self, names: Iterable[str]) -> None:
        """Let states go; those that refer to them refer from then on to what these refer to."""
        for name in names:
            with suppress(OSError, BrokenPackError):
                if self._hand_on(name):
                    for end in ("", DIFFERENCE, SPARE):
                        (self.folder / f"{name}{end}").unlink(missing_ok=True)

    def files(self) -> list[Path]:
        """Every file of a state."""
        return [
            path
            for end in ("", DIFFERENCE, SPARE)
            for path in self.folder.glob(f"*.duckdb{end}")
            if path.is_file()
        ]

    def _difference(self, version: str) -> Path:
        return self.folder / f"{Path(version).name}{DIFFERENCE}"

    def _spare(self, version: str) -> Path:
        return self.folder / f"{Path(version).name}{SPARE}"

    def _pack(self, path: Path, base: Path) -> None:
        """Put the two packs of a state, once they have been read back, in the place of its file."""
        pages = packs.pages_of(path)
        places = packs.compared(pages, packs.pages_of(base))
        header = packs.header_of(path, plain_name(self.name, path), base.name)
        difference, spare = self._difference(path.name), self._spare(path.name)
        self._write(difference, partial(packs.write, header, places, pages.__getitem__))
        every = np.full(len(pages), -1, dtype=np.int64)
        self._write(spare, partial(packs.write, replace(header, base=None), every, pages.__getitem__))
        path.unlink()
        for other in self.folder.glob(f"*{SPARE}"):
            if other != spare:
                other.unlink(missing_ok=True)

    def _write(self, target: Path, write: Callable[[Path], None]) -> None:
        """Put a pack in its place once it has been read back."""
        work = self.folder / f".work-{secrets.token_hex(4)}"
        try:
            write(work)
            flush(work)
            with ExitStack() as stack:
                pack = stack.enter_context(closing(Pack(work)))
                chain, base = self._chain(pack.header.base, stack)
                for _ in packs.unpacked([pack, *chain], base):
                    pass
            work.replace(target)
        finally:
            work.unlink(missing_ok=True)
        flush(self.folder)

    def _hand_on(self, name: str) -> bool:
        """Make the states that refer to ``name`` refer to what it refers to; whether none is left that does."""
        pack = self._difference(name)
        for child in self.folder.glob(f"*.duckdb{DIFFERENCE}"):
            if _header(child).base != name or child.with_suffix("").is_file():
                continue
            if not pack.is_file():
                return False
            with ExitStack() as stack:
                older, newer = (stack.enter_context(closing(Pack(path))) for path in (child, pack))
                self._write(child, partial(packs.flatten, older, newer))
        return True

    def _chain(self, version: str | None, stack: ExitStack) -> tuple[list[Pack], packs.Pages | None]:
        """The packs that lead from a state to a whole one, and the pages of that.

        Raises
        ------
        FileNotFoundError
            When one of them is not there.
        BrokenPackError
            When one cannot be read, or they lead nowhere.
        """
        chain: list[Pack] = []
        seen: set[str] = set()
        name = version
        while name is not None:
            if name in seen:
                raise BrokenPackError("its pack refers to itself")
            seen.add(name)
            if whole := self.whole(name):
                return chain, packs.pages_of(whole)
            spare = self._spare(name)
            path = spare if spare.is_file() else self._difference(name)
            chain.append(stack.enter_context(closing(Pack(path))))
            name = chain[-1].header.base
        return chain, None


def plain_name(name: str, path: Path) -> str:
    """What to call a plain file at the place of a warehouse: another name means other contents."""
    stat = path.stat()
    return f"{name}@{stat.st_ino}-{stat.st_mtime_ns}"


def flush(path: Path) -> None:
    """Have a file or folder written to the disk."""
    if os.name == "nt":
        return  # Windows flushes neither folders nor files opened for reading
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _header(path: Path) -> packs.Header:
    with closing(Pack(path)) as pack:
        return pack.header
