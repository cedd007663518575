"""Whether a working copy holds other data than the state that it was made from."""

from __future__ import annotations

from pathlib import Path

import duckdb

LOG = ("etl_run", "etl_run_item")
"""Tables that tell of runs: where nothing else differs, there is no new state."""
QUARANTINE = "quarantine"
SEEN = "run_id, first_seen, last_seen, times"  # of a row in quarantine: how often it was refused


def differences(con: duckdb.DuckDBPyConnection, before: Path | None) -> set[str]:
    """Tables of ``con``, apart from those of the run log, whose rows are not those of the file ``before``.

    Of the quarantine only the rows count that were not in it already. Where another table differs it may be the only
    one that is named: what costs less is compared first, and nothing after that.
    """
    here = str(con.execute("SELECT current_database()").fetchall()[0][0])
    tables = _tables(con, here)
    if before is None:
        return set(tables) - set(LOG)
    con.execute(f"ATTACH '{str(before).replace(chr(39), chr(39) * 2)}' AS before (READ_ONLY)")
    try:
        earlier = _tables(con, "before")
        both = (set(tables) | set(earlier)) - set(LOG)
        new = {table for table in both if tables.get(table) != earlier.get(table)}
        if new - {QUARANTINE}:
            return new
        data = sorted(set(tables) - {*LOG, QUARANTINE})
        counts = ", ".join(_pair("count(*)", table) for table in data)  # known without reading
        same = con.execute(f"SELECT {counts}").fetchall()[0]
        if differing := {table for table, alike in zip(data, same, strict=True) if not alike}:
            return differing
        return next(
            ({table} for table in [*data, QUARANTINE] if table in new or not _alike(con, table)), set()
        )
    finally:
        con.execute("DETACH before")


def _tables(con: duckdb.DuckDBPyConnection, database: str) -> dict[str, list[str]]:
    """The columns of each table."""
    rows = con.execute(
        "SELECT table_name, list(column_name || ' ' || data_type ORDER BY column_index) FROM duckdb_columns() "
        "WHERE database_name = $database AND NOT internal GROUP BY table_name",
        {"database": database},
    ).fetchall()
    return dict(rows)


def _alike(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    asked = ["count(*)", "sum(hash(rows))"] if table == QUARANTINE else ["sum(hash(rows))"]
    return all(con.execute(f"SELECT {_pair(what, table)}").fetchall()[0][0] for what in asked)


def _pair(what: str, table: str) -> str:
    """SQL that is true where a figure of a table is the same in both databases."""
    rows = f"(SELECT DISTINCT * EXCLUDE ({SEEN}) FROM {{}})" if table == QUARANTINE else "{}"  # noqa: S608
    here, there = (rows.format(place) for place in (f'"{table}"', f'before."{table}"'))
    return f"(SELECT {what} FROM {here} AS rows) IS NOT DISTINCT FROM (SELECT {what} FROM {there} AS rows)"  # noqa: S608
