"""Turns the texts of a file into figures and days, each distinct text once, and tells rows from what is not one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time

import pyarrow as pa  # type: ignore[import-untyped]

from etl.imports import dates, numbers
from etl.imports.columns import layout
from etl.imports.report import Reading
from etl.imports.table import Table

PLAIN = re.compile(r"-?[09]+(\.[09]+)?")
SUMMARIES = re.compile(
    r"(grand |sub)?(total|sum|average|mean|median|min(imum)?|max(imum)?|count|highest|lowest|summe|gesamt|durchschnitt|"
    r"mittelwert|moyenne|somme|promedio|suma|media|st(an)?d(ard)?\.? ?dev(iation)?|合計|平均|합계|평균)\b.*",
    re.IGNORECASE | re.DOTALL,
)
ACTIONS = r"(?i).*\d.*\b(dividends?|(stock )?splits?|capital gains?)\b\W*"
MOST_ASIDE = 10_000


def add_figures(table: Table, columns: list[str], reading: Reading, path: str) -> dict[str, str]:
    """For each numeric column the SQL of its value, a DOUBLE: NULL where the cell is empty or no number.

    Where a column needs more than a cast, the table ``figure`` (text, value, missing, sign) holds what its texts mean,
    and in ``hint`` what is wrong with those that are not a figure, where it is known.
    """
    texts = [column for column in columns if table.is_text(column)]
    shapes = {column: _shapes(table, column) for column in texts}
    comma = reading.decimal_comma
    if comma is None:
        every = set().union(*shapes.values()) if shapes else set()
        comma = numbers.uses_decimal_comma(every, table.separator, path)
    if comma:
        table.read_as.append("decimal commas")
    found = {column: f"TRY_CAST(raw.{table.cell(column)} AS DOUBLE)" for column in columns}
    odd = [
        column
        for column in texts
        if not all(PLAIN.fullmatch(shape) and not (comma and "." in shape) for shape in shapes[column])
    ]
    known = {text for column in odd for text in table.distinct(column)}
    rows = [
        (
            *(text, numbers.number(text, comma), numbers.is_missing(text)),
            *(numbers.currency(text), numbers.hint(text, comma)),
        )
        for text in known
    ]
    texts_of = {name: pa.string() for name in ("text", "sign", "hint")}
    kinds = texts_of | {"value": pa.float64(), "missing": pa.bool_()}
    _register(
        table, "figure", rows, [(name, kinds[name]) for name in ("text", "value", "missing", "sign", "hint")]
    )
    return found | {column: f"{column}_figure.value" for column in odd}


def figure_joins(table: Table, figures: dict[str, str]) -> str:
    """The joins with ``figure`` that those figures need."""
    return " ".join(
        f"LEFT JOIN figure AS {column}_figure ON {column}_figure.text = raw.{table.cell(column)}"
        for column, value in figures.items()
        if value.endswith("_figure.value")
    )


def unreadable(table: Table, column: str, value: str) -> str:
    """The SQL condition that a cell holds something, and that it is not a finite number."""
    cell = f"raw.{table.cell(column)}"
    joined = value.endswith("_figure.value")
    empty = f"coalesce({column}_figure.missing, {cell} IS NULL)" if joined else f"{cell} IS NULL"
    return f"(NOT {empty} AND NOT coalesce(isfinite({value}), false))"


def add_days(table: Table, column: str, reading: Reading, path: str) -> None:
    """The table ``dated``: for each text of a column ``day``, ``clock`` (seconds), ``instant`` and ``at_midnight``."""
    texts = table.distinct(column)
    day_first = reading.day_first
    if day_first is None:
        day_first = dates.reads_day_first(texts, path)
    if day_first is not None and any(dates.is_in_numbers(text) for text in texts):
        table.read_as.append("days first" if day_first else "months first")
    rows = []
    for text in texts:
        found = dates.moment(text, day_first)
        if found:
            clock = found.clock
            seconds = None if clock is None else clock.hour * 3600 + clock.minute * 60 + clock.second
            rows.append((text, found.day, seconds, found.instant, clock in (None, time())))
    schema = [
        ("text", pa.string()),
        ("day", pa.date32()),
        ("clock", pa.int32()),
        ("instant", pa.timestamp("us", tz="UTC")),
        ("at_midnight", pa.bool_()),
    ]
    _register(table, "dated", rows, schema)


def add_words(table: Table, name: str, texts: list[str], meaning: Callable[[str], str | None]) -> None:
    """A table of that name: for each text what it means."""
    rows = [(text, meaning(text)) for text in texts]
    _register(table, name, rows, [("text", pa.string()), ("means", pa.string())])


def set_aside(table: Table, date: str, needed: str, kind: str) -> tuple[list[tuple[int, str]], int | None]:
    """The rows that are not of the table, now in ``aside``, and the row in which another table begins.

    ``date`` and ``needed`` are the columns without which a row is none: a line with neither that stands below the last
    row is a footer; a repeated heading, a line of totals and one of a dividend or a split may stand anywhere.
    """
    cells = ", ".join(f"raw.c{place}" for place in range(len(table.kinds)))
    con, day, figure = table.con, table.cell(date), table.cell(needed)
    newest = (
        f"SELECT coalesce(max(file_row), 0) FROM raw JOIN dated ON dated.text = raw.{day} "  # noqa: S608
        f"WHERE raw.{figure} IS NOT NULL"
    )
    (last,) = con.execute(newest).fetchall()[0]
    told = f"(raw.{figure} IS NULL AND regexp_full_match(concat_ws(' ', {cells}), $action))"
    rows = con.execute(
        f"SELECT raw.file_row, raw.{day}, raw.{figure}, {told}, {cells} "  # noqa: S608
        f"FROM raw LEFT JOIN dated ON dated.text = raw.{day} "
        f"WHERE dated.text IS NULL OR {told} ORDER BY file_row LIMIT {MOST_ASIDE}",
        {"action": ACTIONS},
    ).fetchall()
    aside: list[tuple[int, str]] = []
    second = None
    for row, day_text, figure_text, of_action, *others in rows:
        found = layout(others, kind)
        said = " ".join(cell for cell in others if cell)
        if len(found.places) >= 2 and {date, needed} <= set(found.places):
            if found.places != table.layout.places:
                second = row
                break
            aside.append((row, said))
        elif (
            of_action
            or SUMMARIES.fullmatch((day_text or others[0] or "").strip())
            or (row > last and not (day_text and re.search(r"\d", str(figure_text))))
        ):
            aside.append((row, said))
    table.con.register("aside", pa.table({"file_row": pa.array([row for row, _ in aside], pa.int64())}))
    return aside, second


def misplaced(table: Table, second: int | None) -> list[str]:
    """The faults of rows that do not fit under the headings: below those of another table, or too long for them.

    A cell too many in a line of text means that an earlier one was cut in two, such as 119,53 between commas.
    """
    faults = []
    if second:
        faults.append(
            f"WHEN raw.file_row >= {second} THEN 'it is below the headings of another table, in row {second}'"
        )
    named = max((place for place, name in enumerate(table.layout.names) if name), default=0)
    beyond = [f"nullif(trim(raw.c{place}), '')" for place in range(named + 1, len(table.kinds))]
    if table.separator and beyond:
        faults.append(
            f"WHEN coalesce({', '.join(beyond)}) IS NOT NULL THEN 'it has more cells than there are headings'"
        )
    return faults


def _shapes(table: Table, column: str) -> set[str]:
    """The texts of a column with the digits 1 to 9 as 9: few, even where the texts are many."""
    cell = table.cell(column)
    query = f"SELECT DISTINCT translate({cell}, '12345678', '99999999') FROM raw WHERE {cell} IS NOT NULL"  # noqa: S608
    return {shape for (shape,) in table.con.execute(query).fetchall()}


def _register(table: Table, name: str, rows: list[tuple], schema: list[tuple[str, pa.DataType]]) -> None:
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in schema]
    arrays = [pa.array(column, kind) for column, (_, kind) in zip(columns, schema, strict=True)]
    table.con.register(name, pa.table(arrays, names=[column for column, _ in schema]))
