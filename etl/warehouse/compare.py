"""Whether a working copy holds other data than the state that it was made from."""

from __future__ import annotations

from pathlib import Path

import duckdb

LOG = ("etl_run", "etl_run_item")
"""Tables that tell of runs: where nothing else differs, there is no new state."""
QUARANTINE = "quarantine"
SEEN = "run_id, first_seen, last_seen, times"  # of a row in quarantine: how often it was refused


def differences(con: duckdb.DuckDBPyConnection, before: Path | None) -> set[str]:
    """The tables of ``con``, apart from those of the run log, whose rows are not those of the file ``before``.

    Of the quarantine only the rows count that were not in it already.
    """
    here = str(con.execute("SELECT current_database()").fetchall()[0][0])
    tables = _tables(con, here)
    if before is None:
        return set(tables) - set(LOG)
    con.execute(f"ATTACH '{str(before).replace(chr(39), chr(39) * 2)}' AS before (READ_ONLY)")
    try:
        earlier = _tables(con, "before")
        changed = set(tables) ^ set(earlier)
        for table in (set(tables) & set(earlier)) - set(LOG):
            if tables[table] != earlier[table] or not _alike(con, table):
                changed.add(table)
        return changed - set(LOG)
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
    here, there = f'"{table}"', f'before."{table}"'
    if table == QUARANTINE:
        rows = f"SELECT DISTINCT * EXCLUDE ({SEEN}) FROM"
        here, there = f"({rows} {here})", f"({rows} {there})"
    for what in ("count(*)", "sum(hash(rows))"):  # the count first: it is known without reading
        asked = (f"(SELECT {what} FROM {place} AS rows)" for place in (here, there))  # noqa: S608
        query = f"SELECT {' IS NOT DISTINCT FROM '.join(asked)}"  # noqa: S608
        if not con.execute(query).fetchall()[0][0]:
            return False
    return True
