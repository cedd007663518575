"""Keeps refused rows in ``quarantine``: each once, however often it comes."""

from __future__ import annotations

import duckdb
import pandas as pd

from etl.warehouse.merge import TABLES

DROPPED = "dropped by an operator"


def keep(con: duckdb.DuckDBPyConnection, name: str, run_id: str, source: str, now: pd.Timestamp) -> None:
    """Put the refused rows of a table into ``quarantine``, or count them once more where they are known.

    A known row of which a good one has come since is settled as ``mended``.
    """
    table = TABLES[name]
    columns = [row[0] for row in con.execute(f"DESCRIBE {name}").fetchall() if row[0] != "run_id"]
    row = ", ".join(f"'{column}': arrived.{column}" for column in columns)
    unknown = " OR ".join(f"arrived.{column} IS NULL" for column in table.keys)
    key = f"CASE WHEN {unknown} THEN concat_ws(' ', {table.key('arrived')}, fault) ELSE {table.key('arrived')} END"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE refused_row AS
        SELECT bad.item, {key} AS key, CAST(arrived.{table.figure} AS DOUBLE) AS figure,
            any_value(bad.reason) AS reason, any_value(CAST(to_json({{{row}}}) AS VARCHAR)) AS row_json
        FROM arrived_{name} AS arrived JOIN bad_{name} AS bad USING (position) GROUP BY ALL""")  # noqa: S608
    values = {"run": run_id, "source": source, "name": name, "now": now.to_pydatetime()}
    con.execute(_COUNT_AGAIN, values)
    con.execute(_ADD, values)
    open_items = (
        f"SELECT item FROM quarantine WHERE table_name = '{name}' AND settled IS NULL AND run_id <> $run"  # noqa: S608
    )
    if con.execute(f"{open_items} LIMIT 1", {"run": run_id}).fetchall():
        con.execute(
            f"UPDATE quarantine SET settled = 'mended' WHERE table_name = '{name}' AND settled IS NULL "  # noqa: S608
            f"AND run_id <> $run AND key IN (SELECT {table.key('arrived')} FROM arrived_{name} AS arrived "
            f"ANTI JOIN (SELECT position FROM bad_{name}) USING (position) "
            f"WHERE {table.item('arrived')} IN ({open_items}))",
            {"run": run_id},
        )


_SAME = """
    held.source = $source AND held.table_name = $name AND held.item IS NOT DISTINCT FROM row.item
    AND held.key IS NOT DISTINCT FROM row.key AND held.figure IS NOT DISTINCT FROM row.figure"""

_COUNT_AGAIN = f"""
    UPDATE quarantine AS held
    SET run_id = $run, reason = row.reason, row_json = row.row_json, last_seen = $now, times = held.times + 1,
        settled = nullif(held.settled, 'mended')
    FROM refused_row AS row WHERE {_SAME}"""  # noqa: S608

_ADD = f"""
    INSERT INTO quarantine
        (run_id, source, item, reason, row_json, table_name, key, figure, first_seen, last_seen, times)
    SELECT $run, $source, item, reason, row_json, $name, key, figure, $now, $now, 1
    FROM refused_row AS row WHERE NOT EXISTS (FROM quarantine AS held WHERE {_SAME})"""  # noqa: S608
