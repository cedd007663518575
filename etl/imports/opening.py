"""Opens the files that people have: plain or packed text in any encoding, workbooks, and Parquet."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

import charset_normalizer
import python_calamine

from etl.imports.records import UnknownFormError, rows_of
from etl.imports.report import ImportRefusedError
from etl.temporary import own_folder

LOOKED_AT = 1 << 20  # bytes that tell the encoding where no mark does
_PACKED: dict[bytes, tuple[str, Callable[..., Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY = ["cp1252", "cp1250", "cp1251", "cp949", "cp932", "gb18030", "big5", "shift_jis", "euc_kr", "euc_jp"]
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_FROM_1904 = re.compile(rb"<(?:\w+:)?workbookPr\b[^>]*\bdate1904=[\"'](?:1|true)[\"']")
_BROKEN = (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile)


@dataclass
class Opened:
    """A file made ready: ``text`` (UTF-8, in a folder that goes with it), ``parquet``, or ``sheets`` by name.

    ``from_1904`` tells that the plain numbers of a workbook, where they are days, count from 1904 and not from 1900.
    """

    how: str
    text: Path | None = None
    parquet: Path | None = None
    sheets: dict[str, list[list[str | None]]] = field(default_factory=dict)
    from_1904: bool = False


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """The file at ``path``, whatever it is packed or written in; its kind is told by its contents, not its name.

    Raises
    ------
    ImportRefusedError
        When there is no such file, or it is of no kind that can be read.
    """
    if not path.is_file():
        raise ImportRefusedError(f"{path} is not a file.")
    with tempfile.TemporaryDirectory(dir=own_folder("import")) as folder:
        try:
            with path.open("rb") as file:
                made = _made_ready(file, Path(folder), "")
            if path.suffix.lower() == ".parquet" and not made.parquet:
                raise _Unreadable("it is not Parquet.")
        except PermissionError as error:
            raise ImportRefusedError(f"{path} cannot be read: {error.strerror}.") from error
        except UnicodeError as error:
            raise ImportRefusedError(f"{path} is not readable as a table: its text is broken.") from error
        except _BROKEN as error:
            raise ImportRefusedError(f"{path} is not readable as a table: {_first_line(error)}.") from error
        except _Unreadable as error:
            raise ImportRefusedError(f"{path} is not readable as a table: {error}") from error
        yield made


class _Unreadable(Exception):
    """Why a file is of no use, without its name."""


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _made_ready(file: IO[bytes], folder: Path, packed: str) -> Opened:
    start = file.read(8)
    file.seek(0)
    for mark, (name, unpack) in _PACKED.items():
        if start.startswith(mark) and not packed:
            with unpack(file, "rb") as inner, _kept(inner, folder / "unpacked") as unpacked:
                return _made_ready(unpacked, folder, f", {name}")
    if start.startswith(b"PAR1"):
        _kept(file, folder / "table.parquet").close()
        return Opened("Parquet" + packed, parquet=folder / "table.parquet")
    if start.startswith(b"PK"):
        return _zipped(file, folder, packed)
    if start.startswith(_OLD_WORKBOOK):
        return _workbook(file, packed)
    return _plain(file, folder, packed)


def _kept(source: IO[bytes], place: Path) -> IO[bytes]:
    with place.open("wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
    return place.open("rb")


def _zipped(file: IO[bytes], folder: Path, packed: str) -> Opened:
    """A workbook, which is a zip archive of a known form, or an archive of one table."""
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
        if {"[Content_Types].xml", "mimetype"} & set(names):
            made = _workbook(file, packed)
            if "xl/workbook.xml" in names:
                made.from_1904 = bool(_FROM_1904.search(archive.read("xl/workbook.xml")))
            return made
        if len(names) != 1 or packed:
            raise _Unreadable(f"the archive holds {len(names)} files; unpack it and import them one by one.")
        with archive.open(names[0]) as inner, _kept(inner, folder / "unpacked") as unpacked:
            return _made_ready(unpacked, folder, ", zip")


def _workbook(file: IO[bytes], packed: str) -> Opened:
    file.seek(0)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.read()))
        sheets = {
            name: [
                [_cell(value) for value in row]
                for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            ]
            for name in book.sheet_names
        }
    except python_calamine.PasswordError:
        raise _Unreadable("the workbook is locked with a password; save it without one.") from None
    except (python_calamine.CalamineError, ValueError) as error:
        raise _Unreadable(f"the workbook is broken ({_first_line(error)}).") from error
    return Opened("workbook" + packed, sheets={name: rows for name, rows in sheets.items() if rows})


def _cell(value: Any) -> str | None:
    """A cell as text. A number is written with an exponent, so that its point cannot be taken for thousands."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return f"{value!r}e0" if "e" not in repr(value) else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time | timedelta):
        return str(value)
    return str(value)


def _plain(file: IO[bytes], folder: Path, packed: str) -> Opened:
    sample = file.read(LOOKED_AT)
    file.seek(0)
    encoding = _encoding(sample)
    place = folder / "table.csv"
    try:
        _written_as_utf8(file, encoding, place)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise
        encoding = _guessed(sample)  # the first character beyond ASCII came late
        file.seek(0)
        _written_as_utf8(file, encoding, place)
    with place.open(encoding="utf-8") as text:
        start = text.read(2000).lstrip().lower()
    if start.startswith("<") and (
        "<html" in start or "<table" in start or "<!doctype" in start or "<?xml" in start
    ):
        raise _Unreadable("it is a web page or XML; open it in a spreadsheet and save it as CSV.")
    if start.startswith("%pdf"):
        raise _Unreadable("it is a document, not a table; save it as CSV.")
    if start.startswith(("{", "[")):
        return _json(place.read_text(encoding="utf-8"), packed)
    said = "UTF-8" if encoding.startswith("utf-8") else encoding.upper().replace("CP1252", "Windows-1252")
    return Opened(f"{said} text{packed}", text=place)


def _json(text: str, packed: str) -> Opened:
    try:
        rows = rows_of(text)
    except UnknownFormError as error:
        raise _Unreadable(f"it is JSON, but {error}") from error
    whole = [[str(cell) if isinstance(cell, int) else _cell(cell) for cell in row] for row in rows]
    return Opened(f"JSON{packed}", sheets={"": whole})


def _written_as_utf8(file: IO[bytes], encoding: str, place: Path) -> None:
    """A copy in UTF-8 whose lines end alike."""
    source = io.TextIOWrapper(file, encoding=encoding, newline=None)
    try:
        with place.open("w", encoding="utf-8", newline="\n") as copy:
            while block := source.read(1 << 20):
                copy.write(block.replace("\0", ""))
    finally:
        source.detach()


def _encoding(sample: bytes) -> str:
    marked = next((name for mark, name in _MARKS if sample.startswith(mark)), None)
    if marked:
        return marked
    if sample.count(0) > len(sample) // 8:  # UTF-16 without a mark: every other byte of plain text is zero
        return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return _guessed(sample)
    return "utf-8"


def _guessed(sample: bytes) -> str:
    """The likeliest encoding of text that is not UTF-8, the one of Western Windows where nothing speaks against it."""
    found = charset_normalizer.from_bytes(sample, cp_isolation=_LEGACY)
    best = found.best()
    if best is None:
        return "latin-1"
    western = [match for match in found if "cp1252" in match.could_be_from_charset]
    return "cp1252" if western and western[0].chaos <= best.chaos else best.encoding
