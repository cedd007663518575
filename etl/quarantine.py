"""Refused rows: what lies in quarantine, and what an operator decides about it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb
import pandas as pd

from etl.errors import ProductError, UsageError
from etl.quality import Screen
from etl.runlog import ItemLog, RunLog, new_run_id
from etl.warehouse import Warehouse
from etl.warehouse.merge import TABLES, Counts, Merge

SOURCE = "quarantine"
SPLITS_FIRST = ("split", "dividend", "price_daily")  # prices after what their adjusted closes follow from
VERDICTS = {"accept": "accepted", "drop": "dropped"}
NUMBER = "left(md5(concat_ws('|', held.source, held.table_name, held.item, held.key, held.figure)), 8)"
"""A short name of a row, the same from run to run."""


class NothingChosenError(ProductError):
    """No row in quarantine is meant. See what there is with ``python -m etl quarantine list``."""


@dataclass(frozen=True)
class Filter:
    """Which rows are meant: all that fit every part that is given.

    ``numbers`` are the short names that the list gives; ``run`` is the beginning of the last run that refused them;
    ``since`` the first day on which they were last refused; ``settled`` adds those that are decided or mended.
    """

    numbers: Sequence[str] = ()
    ticker: str = ""
    run: str = ""
    since: date | None = None
    settled: bool = False

    @property
    def is_given(self) -> bool:
        """Whether anything narrows the rows."""
        return bool(self.numbers or self.ticker or self.run or self.since)


@dataclass
class Decided:
    """What a decision did: how many rows it settled, what the merge did, and what cannot be accepted and why."""

    settled: int
    log: RunLog
    impossible: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 when all were settled, 1 when part were, 2 when none could be."""
        return 0 if not self.impossible else 1 if self.settled else 2


def held(warehouse: Warehouse, chosen: Filter) -> list[dict[str, Any]]:
    """The refused rows, the newest refusal first, with what was decided about each and why."""
    with warehouse.reading() as con:
        return _rows(con, chosen)


def decide(warehouse: Warehouse, verb: str, chosen: Filter, *, reason: str, by: str = "") -> Decided:
    """Accept or drop refused rows, for a reason that is kept with the name of who gave it.

    Accepted rows are merged at once and not refused again. Dropped ones stay out and are not reported any more.

    Raises
    ------
    UsageError
        When nothing says which rows are meant, or no reason is given.
    NothingChosenError
        When no open row fits.
    """
    if not chosen.is_given:
        raise UsageError(f"Say which rows to {verb}: name them, or give --ticker, --run or --since.")
    if not reason.strip():
        raise UsageError(f"Say why with --reason: it is kept with the rows that you {verb}.")
    log = RunLog(new_run_id(warehouse), SOURCE)
    decided = Decided(0, log)
    with warehouse.writing() as con:
        con.begin()
        rows = [row for row in _rows(con, chosen) if verb == "accept" or row["settled"] is None]
        if not rows:
            raise NothingChosenError(
                "No open row in quarantine matches: see `python -m etl quarantine list` for what there is."
            )
        _remember(con, rows, VERDICTS[verb], reason.strip(), by or _operator())
        impossible = _merge(con, rows, decided) if verb == "accept" else set()
        for place, row in enumerate(rows):
            if place in impossible:
                _forget(con, row)
            else:
                _settle(con, row, VERDICTS[verb])
        decided.settled = len(rows) - len(impossible)
        count = f"{decided.settled} refused row{'' if decided.settled == 1 else 's'}"
        log.message = f"{count} {VERDICTS[verb]} by {by or _operator()}: {reason.strip()}"
        log.write(con)
        con.commit()
    return decided


def _rows(con: duckdb.DuckDBPyConnection, chosen: Filter) -> list[dict[str, Any]]:
    result = con.execute(
        f"""
        SELECT {NUMBER} AS number, held.table_name, held.source, held.item, held.key, held.figure, held.reason,
            held.first_seen, held.last_seen, held.times, held.run_id, held.settled, held.row_json,
            made.reason AS decided_for, made.decided_by, made.decided_at
        FROM quarantine AS held
        LEFT JOIN (
            SELECT table_name, key, figure, arg_max(reason, decided_at) AS reason,
                arg_max(decided_by, decided_at) AS decided_by, max(decided_at) AS decided_at
            FROM quarantine_decision GROUP BY ALL
        ) AS made ON made.table_name = held.table_name AND made.key = held.key AND made.figure = held.figure
        WHERE ($settled OR held.settled IS NULL OR (held.settled = 'dropped' AND len($numbers) > 0))
            AND (len($numbers) = 0 OR list_contains($numbers, {NUMBER}))
            AND ($ticker = '' OR upper(held.item) = upper($ticker))
            AND ($run = '' OR starts_with(held.run_id, $run))
            AND ($since IS NULL OR CAST(held.last_seen AS DATE) >= $since)
        ORDER BY held.last_seen DESC, held.item, held.key, number""",  # noqa: S608
        {
            "settled": chosen.settled,
            "numbers": list(chosen.numbers),
            "ticker": chosen.ticker,
            "run": chosen.run,
            "since": chosen.since,
        },
    )
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _remember(
    con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], verdict: str, reason: str, by: str
) -> None:
    con.executemany(
        "INSERT INTO quarantine_decision VALUES (?, ?, ?, ?, ?, ?, ?, now(), ?, ?)",
        [
            [
                *(row["table_name"], row["key"], row["figure"], row["item"], verdict, reason, by),
                *(row["reason"], row["row_json"]),
            ]
            for row in rows
        ],
    )


def _merge(con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], decided: Decided) -> set[int]:
    """Merge the rows as a refresh would; gives the places of those that no operator can make good."""
    screen = Screen(con, decided.log.run_id, SOURCE, pd.Timestamp.now("UTC"))
    merge, impossible = Merge(con, decided.log.run_id), set()
    for name in [*SPLITS_FIRST, *(name for name in TABLES if name not in SPLITS_FIRST)]:
        frame = _frame(con, name, rows)
        if frame.empty and not (name == "price_daily" and "dividend" in {row["table_name"] for row in rows}):
            continue
        screen.judge(name, frame)
        merge.rows(name, screen.good(name))
        for place, reason in con.execute(f"SELECT position, reason FROM bad_{name}").fetchall():  # noqa: S608
            impossible.add(place)
            decided.impossible.append(f"{rows[place]['item']}: {reason}")
    for item in sorted({str(row["item"]) for row in rows}):
        counts = merge.items.get(item, Counts())
        received = sum(str(row["item"]) == item for row in rows)
        decided.log.items.append(
            ItemLog(item, received=received, inserted=counts.inserted, updated=counts.updated)
        )
    return impossible


def _frame(con: duckdb.DuckDBPyConnection, name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The refused rows of a table as they came, with their places among all."""
    columns = [row[0] for row in con.execute(f"DESCRIBE {name}").fetchall() if row[0] != "run_id"]
    found = [
        [place, *(json.loads(row["row_json"]).get(column) for column in columns)]
        for place, row in enumerate(rows)
        if row["table_name"] == name
    ]
    return pd.DataFrame(found, columns=["file_row", *columns], dtype=object).astype({"file_row": "int64"})


def _settle(con: duckdb.DuckDBPyConnection, row: dict[str, Any], verdict: str) -> None:
    con.execute(
        "UPDATE quarantine SET settled = $verdict WHERE source = $source AND table_name = $table_name "
        "AND item IS NOT DISTINCT FROM $item AND key IS NOT DISTINCT FROM $key "
        "AND figure IS NOT DISTINCT FROM $figure",
        {name: row[name] for name in ("source", "table_name", "item", "key", "figure")}
        | {"verdict": verdict},
    )


def _forget(con: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> None:
    """Take back the decision on a row that could not be accepted."""
    con.execute(
        "DELETE FROM quarantine_decision WHERE table_name = $table_name AND key IS NOT DISTINCT FROM $key "
        "AND figure IS NOT DISTINCT FROM $figure AND verdict = 'accepted'",
        {name: row[name] for name in ("table_name", "key", "figure")},
    )


def _operator() -> str:
    """The name under which somebody is logged in."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
