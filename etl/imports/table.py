"""The rows of a file as a table in a database of their own, with its line of headings found."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from secrets import token_hex

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]

from etl.imports.columns import Layout, layout, refuse_repeated
from etl.imports.opening import Opened, opened
from etl.imports.report import ImportRefusedError, Reading
from etl.temporary import spill_folder

SEPARATORS = (",", ";", "\t", "|")
SPOKEN = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
HEADINGS_WITHIN = 100  # lines; what stands above a table is a title and how it was asked for
_SPARE = 3  # columns beyond the widest line near the beginning, to see what is too long
_BARE_DAY = re.compile(r"\d{5}(\.\d+)?e0")
_LONGEST_CELL = 10_000
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*$", re.IGNORECASE)


@dataclass
class Table:
    """The file as the table ``raw`` of ``con``: ``file_row`` (from 1 below the headings) and the cells ``c0``, ``c1`` …

    ``kinds`` are DuckDB's types of the cells, text but in Parquet. ``above`` are the lines over the headings,
    ``besides`` columns that were left out.
    """

    con: duckdb.DuckDBPyConnection
    layout: Layout
    kinds: list[str]
    separator: str = ""
    above: list[list[str]] = field(default_factory=list)
    besides: list[str] = field(default_factory=list)
    read_as: list[str] = field(default_factory=list)

    def kind(self, column: str) -> str:
        """DuckDB's type of what the file has for a column of the table."""
        return self.kinds[self.layout.places[column]]

    def is_text(self, column: str) -> bool:
        """Whether that is text, which must be read, and not values."""
        return self.kind(column) == "VARCHAR"

    def cell(self, column: str) -> str:
        """The name of the column of ``raw``."""
        return f"c{self.layout.places[column]}"

    def distinct(self, column: str) -> list[str]:
        """The texts of a column, each once."""
        cell = self.cell(column)
        query = f"SELECT DISTINCT {cell} FROM raw WHERE {cell} IS NOT NULL"  # noqa: S608
        return [text for (text,) in self.con.execute(query).fetchall()]

    def lengthen(
        self, kept: Sequence[int], label: str, blocks: Sequence[tuple[str, dict[str, int]]], kind: str
    ) -> None:
        """Put blocks of columns that stand side by side below each other, one row for each that is filled.

        ``kept`` are the places of the columns that belong to all of them. Each block is the value of the new column
        ``label`` and, by name, the places of its columns; the layout is found again for each ``kind`` of file.
        """
        names = list(dict.fromkeys(name for _, places in blocks for name in places))
        own = len(kept) + 1
        selects = " UNION ALL ".join(
            f"SELECT file_row, {number} AS block, "  # noqa: S608
            + "".join(f"c{place} AS c{new}, " for new, place in enumerate(kept))
            + f"{_text(value)} AS c{own - 1}, "
            + ", ".join(
                f"{f'c{places[name]}' if name in places else 'NULL'} AS c{place}"
                for place, name in enumerate(names, own)
            )
            + " FROM raw"
            for number, (value, places) in enumerate(blocks)
        )
        cells = ", ".join(f"c{place}" for place in range(len(names) + own))
        filled = " OR ".join(f"c{place} IS NOT NULL" for place in range(own, len(names) + own))
        self.con.execute(
            f"CREATE TEMP TABLE lengthened AS SELECT row_number() OVER (ORDER BY block, file_row) AS file_row, {cells} "  # noqa: S608
            f"FROM ({selects}) WHERE {filled}"
        )
        self.con.execute("CREATE OR REPLACE TEMP VIEW raw AS FROM lengthened")
        headed = [self.layout.names[place] if self.layout.names else "date" for place in kept]
        self.kinds = [
            *(self.kinds[place] for place in kept),
            "VARCHAR",
            *(self.kinds[place] for place in blocks[0][1].values()),
        ]
        self.layout = layout([*headed, label, *names], kind)


@contextmanager
def table_of(path: Path, kind: str, reading: Reading, memory_limit: str = "1GB") -> Iterator[Table]:
    """The table in a file of ``prices`` or ``rankings``.

    Raises
    ------
    ImportRefusedError
        When the file holds no table with headings that are known.
    """
    with opened(path) as made, duckdb.connect() as con:
        con.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
        con.execute("SET memory_limit = $limit", {"limit": memory_limit})
        con.execute("SET temp_directory = $folder", {"folder": spill_folder(token_hex(8))})
        with readable(path):
            if made.parquet:
                table = _of_parquet(con, made, kind, path)
            elif made.text:
                table = _of_text(con, made, made.text, kind, path)
            else:
                table = _of_sheets(con, made, kind, path, reading.sheet)
        refuse_repeated(table.layout, str(path))
        yield table


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say in a sentence what DuckDB finds wrong with the file."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        raise ImportRefusedError(
            f"{path} is not readable as a table: {str(error).splitlines()[0]}"
        ) from error


def _of_parquet(con: duckdb.DuckDBPyConnection, made: Opened, kind: str, path: Path) -> Table:
    con.execute(f"CREATE TEMP VIEW given AS FROM read_parquet('{made.parquet}')")
    described = con.execute("DESCRIBE given").fetchall()
    names = [row[0] for row in described]
    found = layout(names, kind)
    kinds = [row[1] for row in described]
    for place in (found.places[column] for column in ("date", "captured_at") if column in found.places):
        if not kinds[place].startswith(("DATE", "TIMESTAMP")):
            kinds[place] = "VARCHAR"
    renamed = ", ".join(
        f'CAST("{name.replace(chr(34), chr(34) * 2)}" AS {kind}) AS c{place}'
        for place, (name, kind) in enumerate(zip(names, kinds, strict=True))
    )
    con.execute(f"CREATE TEMP VIEW raw AS SELECT row_number() OVER () AS file_row, {renamed} FROM given")  # noqa: S608
    _refuse_empty(con, path)
    return Table(con, found, kinds, read_as=[made.how])


def _of_sheets(
    con: duckdb.DuckDBPyConnection, made: Opened, kind: str, path: Path, wanted: str | None
) -> Table:
    if wanted is not None and wanted not in made.sheets:
        raise ImportRefusedError(f"{path} has no sheet {wanted!r}; it has {', '.join(made.sheets)}.")
    sheets = {wanted: made.sheets[wanted]} if wanted is not None else made.sheets
    if not sheets:
        raise ImportRefusedError(f"{path} holds no rows.")
    name = max(sheets, key=lambda name: len(_headings(sheets[name][:HEADINGS_WITHIN], kind)[1].places))
    rows = sheets[name]
    if made.from_1904:
        _refuse_bare_days(rows, _headings(rows[:HEADINGS_WITHIN], kind)[1], path)
    width = max(len(row) for row in rows)
    columns = {
        f"c{place}": pa.array([row[place] if place < len(row) else None for row in rows], pa.string())
        for place in range(width)
    }
    filled = pa.table({"file_row": pa.array(range(1, len(rows) + 1)), **columns})
    con.register("given", filled)
    read_as = [made.how, *([f"sheet {name!r}"] if name else [])]
    others = [other for other in made.sheets if other != name]
    if others:
        read_as.append(f"not read: {', '.join(repr(other) for other in others)} (--sheet chooses)")
    return _below_headings(Table(con, Layout((), {}), ["VARCHAR"] * width, read_as=read_as), kind, path)


def _refuse_bare_days(rows: list[list[str | None]], found: Layout, path: Path) -> None:
    """Refuse a workbook of Excel's other calendar, of which dates that are not formatted as such lie four years off."""
    places = [found.places[column] for column in ("date", "captured_at") if column in found.places]
    if any(_BARE_DAY.fullmatch(row[place] or "") for row in rows for place in places if place < len(row)):
        raise ImportRefusedError(
            f"{path} counts its days from 1904, and some of its dates are plain numbers: format them as dates in the "
            "spreadsheet and save it again."
        )


def _of_text(con: duckdb.DuckDBPyConnection, made: Opened, text: Path, kind: str, path: Path) -> Table:
    separator, width, quoted = _cut(con, text, kind, path)
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(width))
    con.execute(
        f"""
        CREATE TEMP TABLE given AS SELECT row_number() OVER () AS file_row, * FROM read_csv($file,
            auto_detect = false, header = false, delim = $separator, quote = '"', escape = '"',
            columns = {{{columns}}}, nullstr = '', null_padding = true, strict_mode = false,
            max_line_size = 10000000, parallel = $parallel)""",  # noqa: S608
        {"file": str(text), "separator": separator, "parallel": not quoted},
    )
    if quoted:
        longest = ", ".join(f"coalesce(length(c{place}), 0)" for place in range(width))
        broken = con.execute(
            f"SELECT min(file_row) FROM given WHERE greatest({longest}) > {_LONGEST_CELL}"  # noqa: S608
        ).fetchall()[0][0]
        if broken:
            raise ImportRefusedError(
                f"{path} is not readable as a table: a quotation mark that opens in line {broken} is never closed."
            )
    read_as = [made.how, f"{SPOKEN.get(separator, repr(separator))} between columns"]
    return _below_headings(
        Table(con, Layout((), {}), ["VARCHAR"] * width, separator, read_as=read_as), kind, path
    )


def _cut(con: duckdb.DuckDBPyConnection, text: Path, kind: str, path: Path) -> tuple[str, int, bool]:
    """What separates the columns, how many there are at most, and whether cells are quoted.

    Of the usual separators, and the one that DuckDB finds, it is the one that gives the most headings that are known.
    """
    with text.open(encoding="utf-8") as file:
        lines = list(islice(file, 2 * HEADINGS_WITHIN))
        quoted = any('"' in line for line in lines) or any(
            '"' in block for block in iter(lambda: file.read(1 << 20), "")
        )
    said = _SEPARATOR_LINE.match(lines[0]) if lines else None
    candidates = [*(said.groups() if said else ()), *SEPARATORS]
    try:
        query = "SELECT Delimiter FROM sniff_csv($file, strict_mode = false)"
        candidates.append(con.execute(query, {"file": str(text)}).fetchall()[0][0])
    except duckdb.Error:
        pass  # DuckDB finds none; one of the usual ones may still do

    def found(separator: str) -> tuple[int, int]:
        rows = list(csv.reader(lines, delimiter=separator))
        return len(_headings(rows[:HEADINGS_WITHIN], kind)[1].places), max(
            (len(row) for row in rows), default=1
        )

    csv.field_size_limit(1 << 30)
    best = max(dict.fromkeys(one for one in candidates if one), key=lambda one: found(one)[0])
    known, width = found(best)
    if known < 2:
        _refuse_spaced(lines, kind, path)
    return best, width + _SPARE, quoted


def _refuse_spaced(lines: Sequence[str], kind: str, path: Path) -> None:
    """Refuse a text whose columns stand apart by spaces alone: a name of two words would be two of them."""
    for number, line in enumerate(lines, start=1):
        if len(layout(line.split(), kind).places) > 2:
            raise ImportRefusedError(
                f"{path} has only spaces between its columns, as in line {number}, {line.strip()[:60]!r}: "
                "save it with commas or tabs between them."
            )


def _headings(rows: Sequence[Sequence[str | None]], kind: str) -> tuple[int, Layout]:
    """The line that names the most columns of the table, and what it names."""
    layouts = [layout(row, kind) for row in rows]
    place = max(range(len(rows)), key=lambda place: len(layouts[place].places), default=0)
    return place, layouts[place] if layouts else Layout((), {})


def _below_headings(table: Table, kind: str, path: Path) -> Table:
    """The same table without its line of headings and what stands above it."""
    cells = ", ".join(f"c{place}" for place in range(len(table.kinds)))
    query = f"SELECT {cells} FROM given ORDER BY file_row LIMIT {HEADINGS_WITHIN}"  # noqa: S608
    rows = table.con.execute(query).fetchall()
    place, table.layout = _headings(rows, kind)
    blocks = _of_yfinance(rows, path) if kind == "prices" else []
    place = 2 if blocks else place
    table.above = [[cell for cell in row if cell] for row in rows[:place]]
    filled = " OR ".join(f"trim(c{column}) <> ''" for column in range(len(table.kinds)))
    table.con.execute(
        f"CREATE TEMP VIEW raw AS SELECT file_row - {place + 1} AS file_row, {cells} FROM given "  # noqa: S608
        f"WHERE file_row > {place + 1} AND ({filled})"
    )
    _refuse_empty(table.con, path)
    if blocks:
        table.layout = Layout((), {})
        table.lengthen([0], "ticker", blocks, kind)
        table.read_as.append(_side_by_side(blocks))
    return table


def _of_yfinance(rows: Sequence[Sequence[str | None]], path: Path) -> list[tuple[str, dict[str, int]]]:
    """The blocks of a file that yfinance's ``download`` wrote: a line of fields, one of tickers, one with ``Date``."""
    if len(rows) < 3 or rows[0][0] not in ("Price", None) or rows[1][0] not in ("Ticker", None):
        return []
    if rows[2][0] not in ("Date", "Datetime") or any(rows[2][1:]):
        return []
    blocks: dict[str, dict[str, int]] = {}
    for place, (field_name, ticker) in enumerate(zip(rows[0], rows[1], strict=True)):
        if place and field_name and ticker:
            blocks.setdefault(ticker, {})[field_name] = place
    if any("Adj Close" not in places for places in blocks.values()):
        raise ImportRefusedError(
            f"{path} is a download of yfinance without 'Adj Close', whose closes are adjusted for dividends: "
            "download it again with auto_adjust=False."
        )
    return list(blocks.items())


def _side_by_side(blocks: list[tuple[str, dict[str, int]]]) -> str:
    return f"{len(blocks)} companies side by side" if len(blocks) > 1 else f"ticker {blocks[0][0]}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _refuse_empty(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    if not con.execute("SELECT 1 FROM raw LIMIT 1").fetchall():
        raise ImportRefusedError(f"{path} holds no rows.")
