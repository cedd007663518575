"""The raw answers of the last refreshes, kept so that a gate that was mended can judge them again.

A run is a folder: ``answers.json`` tells what was asked for, and each table of a source is a Parquet file. It holds
what the sources sent and nothing of how they were asked.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from etl.catalogue import Company
from etl.errors import ProductError, UsageError, first_line
from etl.product import variable
from etl.settings import settings
from etl.sources.base import Batch, Task
from etl.warehouse import Warehouse
from etl.warehouse.files import FileWarehouse
from etl.warehouse.lake_connections import SESSION

INDEX = "answers.json"
FOLLOWING = ["yahoo-intraday"]
"""What a refresh of prices brings in a run of its own: whoever asks for the newest run means the refresh."""
MEGABYTE = 1_000_000

logger = logging.getLogger("etl")


@dataclass(frozen=True)
class Answers:
    """The answers of a run by source and task, and the moment at which it asked."""

    run_id: str
    asked_at: pd.Timestamp
    sources: dict[str, dict[Task, Batch]]


def keep(
    warehouse: Warehouse, run_id: str, asked_at: pd.Timestamp, sources: Mapping[str, Mapping[Task, Batch]]
) -> None:
    """Keep the answers of a run and take away those that there is no room for; what is in the way is only told."""
    held = {name: batches for name, batches in sources.items() if batches}
    runs, room = settings().keep_answers, settings().keep_answers_mb * MEGABYTE
    if not held:
        return
    folder = place(warehouse)
    try:
        if runs and _size(held) > room:
            logger.warning(
                "The answers of this run are too large to be kept for a replay: %s is %d.",
                variable("keep_answers_mb"),
                settings().keep_answers_mb,
            )
        elif runs:
            _write(folder, run_id, asked_at, held)
        _prune(folder, runs, room)
    except Exception as error:  # the refresh has done its work, whatever is in the way of this
        logger.warning("The answers of this run cannot be kept for a replay: %s", first_line(error))


def place(warehouse: Warehouse) -> Path:
    """Where answers are kept: beside a file; for a lake, in the cache of the machine that asked."""
    if isinstance(warehouse, FileWarehouse):
        return warehouse.path.with_name(f"{warehouse.path.name}.answers")
    return settings().cache_dir / f"{re.sub(r'[^A-Za-z0-9]+', '-', warehouse.name)}.answers"


def read(warehouse: Warehouse, run: str = "") -> Answers:
    """The kept answers of the run whose name begins so; by default the newest that is more than intraday bars.

    Raises
    ------
    UsageError
        When there are none, or those of several runs.
    ProductError
        When they cannot be read.
    """
    folder = _choose(place(warehouse), run)
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        with closing(duckdb.connect()) as con:
            con.execute(SESSION)
            sources = {
                name: _read_source(con, folder, name, tasks) for name, tasks in index["sources"].items()
            }
        return Answers(folder.name, pd.Timestamp(index["asked_at"]), sources)
    except (OSError, ValueError, LookupError, TypeError, duckdb.Error) as error:
        raise ProductError(
            f"The kept answers of run {folder.name} cannot be read: {first_line(error)}; name another run."
        ) from error


def _choose(folder: Path, run: str) -> Path:
    kept = _places(folder)
    if not kept:
        raise UsageError(
            f"No answers are kept: those of the next refreshes will be, see {variable('keep_answers')}."
        )
    if run:
        found = [one for one in kept if one.name.startswith(run)]
    else:
        found = ([one for one in kept if _sources(one) != FOLLOWING] or kept)[-1:]
    if len(found) != 1:
        named = ", ".join(f"{one.name} ({', '.join(_sources(one))})" for one in kept)
        told = "Several runs have names that begin with" if found else "No answers are kept of a run"
        raise UsageError(f"{told} {run[:60]!r}; kept are {named}.")
    return found[0]


def _places(folder: Path) -> list[Path]:
    """The runs that are kept, oldest first."""
    return sorted(index.parent for index in folder.glob(f"r*/{INDEX}"))


def _sources(run: Path) -> list[str]:
    return sorted({file.name.partition(".")[0] for file in run.glob("*.parquet")})


def _size(sources: Mapping[str, Mapping[Task, Batch]]) -> int:
    """Bytes in memory, which is more than they take on the disk."""
    frames = [
        frame for batches in sources.values() for batch in batches.values() for frame in batch.rows.values()
    ]
    return sum(int(frame.memory_usage().sum()) for frame in frames)


def _write(
    folder: Path, run_id: str, asked_at: pd.Timestamp, sources: Mapping[str, Mapping[Task, Batch]]
) -> None:
    """Write a run beside the others, under its name only once it is whole."""
    unfinished = folder / f".{run_id}"
    unfinished.mkdir(parents=True)
    with closing(duckdb.connect()) as con:
        con.execute(SESSION)
        for name, batches in sources.items():
            for table in next(iter(batches.values())).rows:
                frames = [batch.rows[table].assign(task=task) for task, batch in enumerate(batches.values())]
                rows = pd.concat([frame for frame in frames if not frame.empty] or frames[:1])
                con.from_df(rows).write_parquet(str(unfinished / f"{name}.{table}.parquet"))
    told = {name: [_told(*both) for both in batches.items()] for name, batches in sources.items()}
    index = {"asked_at": asked_at.isoformat(), "sources": told}
    (unfinished / INDEX).write_text(json.dumps(index), encoding="utf-8")
    unfinished.rename(folder / run_id)


def _told(task: Task, batch: Batch) -> dict[str, Any]:
    return {
        "item": task.item,
        "asked_from": str(task.asked_from) if task.asked_from else None,
        "asked_to": str(task.asked_to) if task.asked_to else None,
        "is_company": isinstance(task.detail, Company),
        "received": batch.received,
        "notes": batch.notes,
        "complete": batch.complete,
    }


def _read_source(
    con: duckdb.DuckDBPyConnection, folder: Path, name: str, tasks: list[dict[str, Any]]
) -> dict[Task, Batch]:
    tables = {
        file.name.split(".")[1]: con.read_parquet(str(file)).df() for file in folder.glob(f"{name}.*.parquet")
    }
    answers = {}
    for number, told in enumerate(tasks):
        first, last = (
            date.fromisoformat(day) if day else None for day in (told["asked_from"], told["asked_to"])
        )
        rows = {
            table: frame[frame["task"] == number].drop(columns="task").reset_index(drop=True)
            for table, frame in tables.items()
        }
        batch = Batch(rows, told["received"], told["notes"], tuple(told["complete"]))
        answers[Task(told["item"], first, last, told["is_company"])] = batch
    return answers


def _prune(folder: Path, runs: int, room: int) -> None:
    """Leave the newest ``runs`` of each source, as far as there is ``room`` (bytes).

    By source, so that hourly charts do not drive out daily prices.
    """
    for unfinished in folder.glob(".r*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    taken, seen = 0, dict[str, int]()
    for run in reversed(_places(folder)):
        taken += sum(file.stat().st_size for file in run.iterdir())
        wanted = [name for name in _sources(run) if seen.get(name, 0) < runs]
        seen |= {name: seen.get(name, 0) + 1 for name in wanted}
        if not wanted or taken > room:
            shutil.rmtree(run)
