"""A chart made from the warehouse together with what proves it: the SQL, the sources, the state."""

import inspect
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from typing import Any, cast

import duckdb

from dashboard.charts import locales
from dashboard.charts.chart import Chart
from dashboard.data.events import events
from dashboard.export.drawing import worded
from dashboard.export.spec import Spec, heeded
from dashboard.views.registry import CHARTS
from etl.product import PROJECT_ROOT, SLUG, VERSION
from etl.warehouse import connect_read_only, published_version
from etl.warehouse.runs import RETRIEVED

NO_DATA = ("event", "etl_run", "etl_run_item", "quarantine")
"""Tables with a source that no figure comes from (an event's own source is told with the event)."""


@dataclass(frozen=True)
class Made:
    """A chart and its proof: the warehouse's state, the SQL that selected the data, the sources of each table."""

    chart: Chart
    state: str
    queries: list[dict[str, Any]] = field(repr=False)
    sources: list[dict[str, Any]] = field(repr=False)
    event: dict[str, Any] | None = field(repr=False)


class _Recorder:
    """A connection that writes down the SQL it is given."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self.queries: list[dict[str, Any]] = []

    def execute(self, sql: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        query = {"sql": inspect.cleandoc(sql), "parameters": _plain(parameters)}
        if query not in self.queries:
            self.queries.append(query)
        return self._con.execute(sql) if parameters is None else self._con.execute(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)


def make(spec: Spec, state: str | None = None) -> Made:
    """Make the chart of a spec from one state of the warehouse: the one named, by default the published one.

    Raises
    ------
    dashboard.export.presets.BadSpec
        When there is no chart of that name, or it does not heed what was asked.
    dashboard.views.request.NothingToShow
        When the warehouse has nothing for what was ordered.
    etl.warehouse.WarehouseError
        When there is no warehouse, it cannot be read, or the state that was named is not kept any more.
    """
    spec = heeded(spec)
    state = state or published_version()
    with connect_read_only(version=state) as con, locales.written_in(spec.locale):
        recorder = _Recorder(con)
        chart = CHARTS[spec.name](cast(duckdb.DuckDBPyConnection, recorder), spec.request())
        chart = worded(chart, spec.words(), spec.figure)
        sources, event = _sources(con, recorder.queries), _event(con, spec.event)
    return Made(chart, state, recorder.queries, sources, event)


def _plain(parameters: Any) -> Any:
    if isinstance(parameters, dict):
        return {str(key): _plain(value) for key, value in parameters.items()}
    if isinstance(parameters, list | tuple | set):
        return [_plain(value) for value in parameters]
    if parameters is None or isinstance(parameters, bool | int | float | str):
        return parameters
    return str(parameters)


def _sources(con: duckdb.DuckDBPyConnection, queries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where the rows of each table that was read come from, and when they were retrieved."""
    columns: dict[str, set[str]] = {}
    for table, column in con.execute(
        "SELECT table_name, column_name FROM information_schema.columns ORDER BY table_name"
    ).fetchall():
        columns.setdefault(table, set()).add(column)
    read = [table for table in columns if any(re.search(rf"\b{table}\b", query["sql"]) for query in queries)]
    found: list[dict[str, Any]] = []
    for table in read:
        if "source" in columns[table] and table not in NO_DATA:
            found += _retrieved(con, table, columns[table])
    return found


def _retrieved(con: duckdb.DuckDBPyConnection, table: str, columns: set[str]) -> list[dict[str, Any]]:
    addressed = "source_url" in columns
    address = "list_sort(list_distinct(list(data.source_url)))" if addressed else "[]"
    run = "data.run_id" if "run_id" in columns else "NULL"
    rows = con.execute(
        f"""
        WITH run AS ({RETRIEVED})
        SELECT data.source, count(*), min(run.retrieved), max(run.retrieved), {address}
        FROM "{table}" AS data LEFT JOIN run ON run.run_id = {run}
        GROUP BY data.source ORDER BY data.source
        """  # noqa: S608 - names come from the catalogue
    ).fetchall()
    return [
        {
            "table": table,
            "source": source,
            "rows": count,
            "retrieved_first": _moment(first),
            "retrieved_last": _moment(last),
            **({"addresses": [address for address in addresses if address]} if addressed else {}),
        }
        for source, count, first, last, addresses in rows
    ]


def _moment(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat(timespec="seconds") if value else None


def _event(con: duckdb.DuckDBPyConnection, event_id: str) -> dict[str, Any] | None:
    event = next((event for event in events(con) if event.event_id == event_id), None)
    return None if event is None else {key: _plain(value) for key, value in asdict(event).items()}


@lru_cache(maxsize=1)
def software() -> dict[str, str]:
    """The program's version and, in a git checkout, its commit; the version of the library that draws."""
    found = {"name": SLUG, "version": VERSION}
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        ).stdout.strip()
        found["commit"] = commit
    except (OSError, subprocess.SubprocessError):
        pass
    return {**found, "plotly": version("plotly")}
