"""Brings a warehouse to the newest schema by running the numbered migrations that it has not seen."""

from __future__ import annotations

import re
from importlib.resources import files

import duckdb

from etl.warehouse.base import Warehouse
from etl.warehouse.errors import WarehouseError
from etl.warehouse.merge import TABLES

_NAME = re.compile(r"(\d{4})_(\w+?)(\.file)?\.sql")


def migrate(con: duckdb.DuckDBPyConnection, *, constraints: bool) -> list[int]:
    """Run each pending migration in a transaction of its own, together with the record of it.

    ``constraints`` is false for a DuckLake, which has no primary keys: migrations named ``*.file.sql`` are
    then passed over. Returns the numbers of the migrations that were run.

    Raises
    ------
    WarehouseError
        When a table has lost a column.
    """
    con.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER, name VARCHAR, applied_at TIMESTAMPTZ)"
    )
    done = {number for (number,) in con.execute("SELECT number FROM schema_migration").fetchall()}
    pending = [step for step in _steps() if step[0] not in done and (constraints or not step[2])]
    for number, name, _, script in pending:
        con.begin()
        try:
            con.execute(script)
            con.execute("INSERT INTO schema_migration VALUES (?, ?, now())", [number, name])
            con.commit()
        except duckdb.Error:
            con.rollback()
            raise
    _refuse_a_missing_column(con)
    return [number for number, *_ in pending]


def is_current(con: duckdb.DuckDBPyConnection, *, constraints: bool) -> bool:
    """Whether every migration has been run."""
    done = {number for (number,) in con.execute("SELECT number FROM schema_migration").fetchall()}
    return all(number in done for number, _, only_file, _ in _steps() if constraints or not only_file)


def bring_up_to_date(warehouse: Warehouse, *, constraints: bool) -> bool:
    """Run the migrations that a published state of an older program has not seen; False where there is none."""
    if not warehouse.exists():
        return False
    with warehouse.reading() as con:
        current = is_current(con, constraints=constraints)
    if not current:
        with warehouse.writing():
            pass
    return True


def _refuse_a_missing_column(con: duckdb.DuckDBPyConnection) -> None:
    for table in TABLES.values():
        there = {row[0] for row in con.execute(f"DESCRIBE {table.name}").fetchall()}
        missing = [column for column in (*table.keys, *table.values) if column not in there]
        if missing:
            raise WarehouseError(
                f"The table {table.name} lacks the column {missing[0]!r}: `python -m etl rollback` returns to an "
                "earlier state."
            )


def _steps() -> list[tuple[int, str, bool, str]]:
    found = []
    for resource in files("etl.warehouse.migrations").iterdir():
        match = _NAME.fullmatch(resource.name)
        if match:
            number, name, file_only = match.groups()
            found.append((int(number), name, bool(file_only), resource.read_text(encoding="utf-8")))
    return sorted(found)
