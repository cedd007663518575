"""The runs that a warehouse tells of: those in its tables, and those of the journal beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb

from etl.warehouse.journal import Entry

Key = tuple[str, str]
"""A run and its source."""

RETRIEVED = r"""
    WITH ended AS (
        SELECT run_id, max(finished_at) AS moment,
               max(regexp_extract(message, '^the answers of (r\S+) again', 1)) AS replayed
        FROM etl_run GROUP BY run_id)
    SELECT ended.run_id, coalesce(earlier.moment, ended.moment) AS retrieved
    FROM ended LEFT JOIN ended AS earlier ON earlier.run_id = ended.replayed"""
"""When the rows of each run came: those of a replay with the run whose answers it judged again."""


def known(con: duckdb.DuckDBPyConnection) -> set[Key]:
    """The runs in the tables."""
    return set(con.execute("SELECT run_id, source FROM etl_run").fetchall())


def entries_since(con: duckdb.DuckDBPyConnection, before: set[Key]) -> list[Entry]:
    """The runs in the tables that are not in ``before``, oldest first, with the items that did not come."""
    entries = [
        entry for entry in _rows(con, "FROM etl_run ORDER BY run_id, source") if _key(entry) not in before
    ]
    troubled = _rows(con, "FROM etl_run_item WHERE status <> 'ok' ORDER BY item")
    by_run: dict[Key, list[dict[str, Any]]] = {}
    for item in troubled:
        told = {name: item[name] for name in ("item", "status", "message")}
        by_run.setdefault(_key(item), []).append(told)
    return [entry | {"items": by_run.get(_key(entry), [])} for entry in entries]


def joined(held: Iterable[Entry], told: Iterable[Entry]) -> list[Entry]:
    """The runs of the tables and of the journal, each once, by their counter."""
    entries = {_key(entry): entry for entry in [*held, *told]}
    return [entries[key] for key in sorted(entries)]


def _key(entry: Entry) -> Key:
    return entry["run_id"], entry["source"]


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = con.execute(query)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
