"""Ranks in a table with a column for each day, app or country, as vendors export them, become one row a rank."""

from __future__ import annotations

import re

from etl.imports import dates
from etl.imports.places import country
from etl.imports.rankings import RankOptions, is_unranked, rank_of
from etl.imports.table import Table

LOWEST = 2000
"""No chart of a store is longer."""
_APP_ID = re.compile(r"\d{6,}|\w+(\.\w+)+")


def side_by_side(table: Table, options: RankOptions) -> None:
    """Put the columns below each other where the file has no column of days, or none of ranks."""
    places = table.layout.places
    free = {
        place: name for place, name in enumerate(table.layout.names) if name and place not in places.values()
    }
    if "captured_at" not in places:
        days = {place: name for place, name in free.items() if _is_day(name)}
        named = {"app_name", "app_id"} & places.keys() or options.app_name or options.app_id
        if "rank" not in places and named:
            _lengthen(table, days, "captured_at", "rank", "days")
        elif "rank" in places and not named:
            _lengthen(table, days, "captured_at", "app_name", "days")
    elif "rank" not in places:
        ranked = {place: name for place, name in free.items() if _holds_ranks(table, place)}
        if "country" not in places and ranked and all(map(country, ranked.values())):
            _lengthen(table, ranked, "country", "rank", "countries")
        elif not {"app_name", "app_id"} & places.keys() and not (options.app_name or options.app_id):
            by_id = all(map(_APP_ID.fullmatch, ranked.values()))
            _lengthen(table, ranked, "app_id" if by_id else "app_name", "rank", "apps")


def _lengthen(table: Table, columns: dict[int, str], label: str, value: str, what: str) -> None:
    if not columns:
        return
    kept = list(table.layout.places.values())
    used = {*kept, *columns}
    table.besides = [name for place, name in enumerate(table.layout.names) if name and place not in used]
    if value == "rank":
        empty = sum(_without_unranked(table, place) for place in columns)
        table.read_as += [f"cells without a rank passed over: {empty}"] if empty else []
    table.lengthen(kept, label, [(name, {value: place}) for place, name in columns.items()], "rankings")
    table.read_as.append(f"{len(columns)} {what} side by side")


def _without_unranked(table: Table, place: int) -> int:
    """Empty the cells that say that there is no rank; how many there were."""
    words = [text for text in _texts(table, place) if is_unranked(text)]
    if not words:
        return 0
    cell, view = f"c{place}", f"ranked_{place}"
    chosen = ", ".join("'" + word.replace("'", "''") + "'" for word in words)
    count = table.con.execute(f"SELECT count(*) FROM raw WHERE {cell} IN ({chosen})").fetchall()[0][0]  # noqa: S608
    table.con.execute(f"ALTER VIEW raw RENAME TO {view}")
    table.con.execute(
        f"CREATE TEMP VIEW raw AS SELECT * REPLACE (CASE WHEN {cell} NOT IN ({chosen}) THEN {cell} END AS {cell}) "  # noqa: S608
        f"FROM {view}"
    )
    return int(count)


def _is_day(heading: str) -> bool:
    alone = not re.fullmatch(r"\d{9,}", heading.strip())
    return alone and any(dates.moment(heading, day_first) for day_first in (True, False))


def _holds_ranks(table: Table, place: int) -> bool:
    """Whether a column has ranks and nothing else."""
    found = [rank_of(text) for text in _texts(table, place)]
    ranks = [rank for rank, _, _ in found if rank is not None]
    return (
        bool(ranks) and all(fault is None for *_, fault in found) and 1 <= min(ranks) <= max(ranks) <= LOWEST
    )


def _texts(table: Table, place: int) -> list[str]:
    query = f"SELECT DISTINCT CAST(c{place} AS VARCHAR) FROM raw WHERE c{place} IS NOT NULL"  # noqa: S608
    return [text for (text,) in table.con.execute(query).fetchall()]
