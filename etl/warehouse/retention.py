"""How long a warehouse remembers what it changed and what it refused."""

from __future__ import annotations

import duckdb

_OLD = """
    SELECT run_id FROM etl_run GROUP BY run_id
    HAVING max(finished_at) < now() - to_days($days)"""
FORGOTTEN = (
    f"DELETE FROM revision WHERE run_id IN ({_OLD})",  # noqa: S608
    f"DELETE FROM etl_run_item WHERE run_id IN ({_OLD})",  # noqa: S608
    "DELETE FROM quarantine WHERE settled IS NOT NULL AND last_seen < now() - to_days($days)",
)
"""Runs themselves stay, since rows of data name them; so do decisions, and rows that nobody has decided about."""


def forget(con: duckdb.DuckDBPyConnection, days: int) -> None:
    """Forget the revisions, the items and the settled refusals of runs that ended more than ``days`` days ago."""
    for statement in FORGOTTEN:
        con.execute(statement, {"days": days})
