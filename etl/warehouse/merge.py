"""Merges rows into a table: inserts the new, updates the changed, and counts and records what it did."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb
import pandas as pd

RELATIVE_TOLERANCE = 1e-6
"""Doubles closer than this are the same figure: Yahoo serves single precision, good for seven digits."""


@dataclass(frozen=True)
class Table:
    """How rows of a table are told apart (``keys``) and what makes one changed (``values``).

    ``item_columns`` make up what the run log calls the item: a ticker, a chart or a currency. Where a row lacks one
    of the ``optional`` figures, the one that is there already stays. ``figure`` is the column that a row is about.
    """

    name: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    item_columns: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    figure: str = ""
    day: str = ""
    has_run: bool = True
    bundled_rows: str = "target.source LIKE 'bundled%'"

    def item(self, of: str = "") -> str:
        """The SQL for the item of a row, of the relation ``of`` where that must be said."""
        columns = ", ".join(f"{of}.{column}" if of else column for column in self.item_columns)
        return f"concat_ws(' ', {columns})" if columns else "NULL"

    def key(self, of: str) -> str:
        """The SQL for the key of a row of the relation ``of``, as a text."""
        return f"concat_ws(' ', {', '.join(f'CAST({of}.{column} AS VARCHAR)' for column in self.keys)})"

    def same_figure(self, of: str, other: str) -> str:
        """The SQL for whether a row of ``of`` has the column ``figure`` of ``other`` as its figure."""
        return f"abs({of}.{self.figure} - {other}.figure) <= {RELATIVE_TOLERANCE} * abs({other}.figure)"


@dataclass
class Counts:
    """What a merge did to a table."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    def __add__(self, other: Counts) -> Counts:
        """The sums of both."""
        return Counts(
            self.inserted + other.inserted, self.updated + other.updated, self.deleted + other.deleted
        )


@dataclass(frozen=True)
class Rules:
    """Which rows of the target a merge may change, in terms of ``target``; fixed texts, never data."""

    update: str = "true"
    delete: str | None = None
    revisions: bool = True


_CAPTURE = ("captured_at", "store", "country", "chart", "device", "evidence", "source_url")
_OF_A_BUNDLE = "target.run_id IN (SELECT run_id FROM etl_run WHERE source = 'bundled')"

TABLES = {
    table.name: table
    for table in (
        Table(
            "company",
            ("ticker",),
            (
                *("name", "segment", "exchange", "currency", "role", "is_benchmark", "bundled"),
                *("history_from", "ai_from", "spin_off", "retired", "note", "listing", "home", "sp500_from"),
            ),
            has_run=False,
            bundled_rows="true",
        ),
        Table(
            "event",
            ("event_id",),
            (
                *("title", "occurred_at", "zone", "time_known", "market_session", "market_open"),
                *("kind", "description", "source", "source_url", "lead"),
            ),
            has_run=False,
            bundled_rows="true",
        ),
        Table(
            "price_daily",
            ("ticker", "date"),
            ("open", "high", "low", "close", "adj_close", "volume", "currency", "source"),
            item_columns=("ticker",),
            optional=("open", "high", "low", "volume"),
            figure="close",
        ),
        Table(
            "price_intraday",
            ("ticker", "minutes", "starts_at"),
            (
                *("local_time", "session", "phase", "open", "high", "low", "close", "volume", "currency"),
                *("splits_through", "source"),
            ),
            item_columns=("ticker",),
            optional=("open", "high", "low", "volume"),
            figure="close",
            day="session",
        ),
        Table(
            "intraday_asked",
            ("ticker", "minutes", "session"),
            ("asked_at", "source"),
            item_columns=("ticker",),
            figure="minutes",
            has_run=False,
        ),
        Table(
            "dividend",
            ("ticker", "ex_date"),
            ("amount", "currency", "source"),
            item_columns=("ticker",),
            figure="amount",
        ),
        Table("split", ("ticker", "date"), ("ratio", "source"), item_columns=("ticker",), figure="ratio"),
        Table(
            "shares_outstanding",
            ("ticker", "date"),
            ("shares", "basis", "splits_through", "filed", "form", "confidence", "source"),
            item_columns=("ticker",),
            figure="shares",
            has_run=False,
        ),
        Table(
            "exchange_rate",
            ("currency", "date"),
            ("usd_per_unit", "source"),
            item_columns=("currency",),
            figure="usd_per_unit",
        ),
        Table(
            "ranking_capture",
            _CAPTURE,
            ("depth", "source", "time_known"),
            item_columns=("country", "chart"),
            figure="depth",
            optional=("time_known",),
            bundled_rows=_OF_A_BUNDLE,
        ),
        Table(
            "app_ranking",
            (*_CAPTURE, "rank"),
            ("app_id", "app_name", "publisher", "source", "note", "confidence", "time_known"),
            item_columns=("country", "chart"),
            figure="rank",
            optional=("time_known",),
            bundled_rows=_OF_A_BUNDLE,
        ),
        Table(
            "factor_daily",
            ("date",),
            ("mkt_rf", "smb", "hml", "rmw", "cma", "umd", "rf", "source"),
            item_columns=("source",),
            figure="mkt_rf",
        ),
        Table(
            "reported_move",
            ("direction", "date", "company"),
            ("ticker", "change", "value_change", "source", "source_url", "confidence", "note"),
            has_run=False,
            bundled_rows="true",
        ),
        Table(
            "day_note",
            ("date",),
            ("cause", "explanation", "source", "source_url", "confidence"),
            has_run=False,
            bundled_rows="true",
        ),
        Table("rule", ("name",), ("text",), has_run=False, bundled_rows="true"),
    )
}


@dataclass
class Merge:
    """Merges of one run: the rows carry ``run_id``, the counts add up by table."""

    con: duckdb.DuckDBPyConnection
    run_id: str
    items: dict[str, Counts] = field(default_factory=dict)
    returns: bool = True

    def __post_init__(self) -> None:
        """Find out whether a merge can tell here what it did."""
        query = "SELECT type FROM duckdb_databases() WHERE database_name = current_database()"
        self.returns = self.con.execute(query).fetchall()[0][0] != "ducklake"

    def rows(self, name: str, rows: pd.DataFrame | str, rules: Rules | None = None) -> Counts:
        """Merge a frame, or a view of that name, into the table ``name``; a missing column is taken as NULL.

        Raises
        ------
        duckdb.ConstraintException
            When the frame holds two rows of one key that the table does not hold yet.
        """
        table, rules = TABLES[name], rules or Rules()
        kinds = {row[0]: row[1] for row in self.con.execute(f"DESCRIBE {table.name}").fetchall()}
        differs = {column: _differs(table, column, kinds[column]) for column in table.values}
        self._stage(table, rows, kinds)
        deleted = self._delete(table, rules) if rules.delete else 0
        if not self._has_any(table):
            return self._insert(table) + Counts(deleted=deleted)
        if rules.revisions and table.has_run:
            self._record_revisions(table, rules, differs)
        return self._merge(table, rules, differs) + Counts(deleted=deleted)

    def _stage(self, table: Table, rows: pd.DataFrame | str, kinds: dict[str, str]) -> None:
        view = rows if isinstance(rows, str) else "incoming"
        if not isinstance(rows, str):
            self.con.register("incoming", rows)
        given = {row[0] for row in self.con.execute(f"DESCRIBE {view}").fetchall()}
        columns = ", ".join(
            f"CAST({column} AS {kinds[column]}) AS {column}"
            if column in given
            else f"CAST(NULL AS {kinds[column]}) AS {column}"
            for column in table.keys + table.values
        )
        self.con.execute("DROP VIEW IF EXISTS staged")
        self.con.execute("DROP TABLE IF EXISTS staged_rows")
        if isinstance(rows, str):
            self.con.execute(f"CREATE TEMP VIEW staged AS SELECT {columns} FROM {view}")  # noqa: S608
            return
        self.con.execute(f"CREATE TEMP TABLE staged_rows AS SELECT {columns} FROM {view}")  # noqa: S608
        self.con.execute("CREATE TEMP VIEW staged AS FROM staged_rows")
        self.con.unregister("incoming")

    def _has_any(self, table: Table) -> bool:
        """Whether the table holds any of the staged rows already."""
        query = f"SELECT 1 FROM {table.name} AS target JOIN staged ON {_matches(table)} LIMIT 1"  # noqa: S608
        return bool(self.con.execute(query).fetchall())

    def _insert(self, table: Table) -> Counts:
        columns = ", ".join(table.keys + table.values)
        run = (", run_id", ", $run") if table.has_run else ("", "")
        self.con.execute(
            f"INSERT INTO {table.name} ({columns}{run[0]}) SELECT {columns}{run[1]} FROM staged",  # noqa: S608
            {"run": self.run_id} if table.has_run else None,
        )
        query = f"SELECT {table.item()} AS item, count(*) FROM staged GROUP BY 1"  # noqa: S608
        counts = {str(item): Counts(inserted=count) for item, count in self.con.execute(query).fetchall()}
        for item, count in counts.items():
            self.items[item] = self.items.get(item, Counts()) + count
        return sum(counts.values(), Counts())

    def _record_revisions(self, table: Table, rules: Rules, differs: dict[str, str]) -> None:
        selects = " UNION ALL ".join(
            f"SELECT $run, '{table.name}', {table.key('target')}, '{column}', CAST(target.{column} AS VARCHAR), "  # noqa: S608
            f"CAST(staged.{column} AS VARCHAR) FROM {table.name} AS target JOIN staged ON {_matches(table)} "
            f"WHERE target.{column} IS NOT NULL AND {differs[column]} AND {rules.update}"
            for column in _told(table)
        )
        self.con.execute(f"INSERT INTO revision {selects}", {"run": self.run_id})

    def _merge(self, table: Table, rules: Rules, differs: dict[str, str]) -> Counts:
        inserted = {column: f"staged.{column}" for column in table.keys + table.values}
        updated = {
            column: f"coalesce(staged.{column}, target.{column})" if column in table.optional else value
            for column, value in inserted.items()
            if column not in table.keys
        }
        if table.has_run:
            inserted["run_id"] = updated["run_id"] = "$run"
        changed = f"{rules.update} AND ({' OR '.join(differs.values())})"
        done = None if self.returns else self._foreseen(table, changed)
        statement = f"""
            MERGE INTO {table.name} AS target USING staged ON {_matches(table)}
            WHEN MATCHED AND {changed}
                THEN UPDATE SET {", ".join(f"{column} = {value}" for column, value in updated.items())}
            WHEN NOT MATCHED BY TARGET
                THEN INSERT ({", ".join(inserted)}) VALUES ({", ".join(inserted.values())})
            {f"RETURNING merge_action, {table.item()} AS item" if self.returns else ""}"""  # noqa: S608
        result = self.con.execute(statement, {"run": self.run_id} if table.has_run else None)
        done = result.df() if done is None else done
        done.columns = ["action", "item"]  # DuckDB loses the name of a column that is a constant
        for item, actions in done.groupby("item")["action"]:
            self.items[str(item)] = self.items.get(str(item), Counts()) + _count(actions)
        return _count(done["action"])

    def _foreseen(self, table: Table, changed: str) -> pd.DataFrame:
        """What the merge will do, for a DuckLake, where it cannot tell (1.5 has no RETURNING there)."""
        key = table.keys[0]
        action = f"CASE WHEN target.{key} IS NULL THEN 'INSERT' ELSE 'UPDATE' END"
        return self.con.execute(f"""
            SELECT {action} AS action, {table.item("staged")} AS item
            FROM staged LEFT JOIN {table.name} AS target ON {_matches(table)}
            WHERE target.{key} IS NULL OR ({changed})""").df()  # noqa: S608

    def _delete(self, table: Table, rules: Rules) -> int:
        """Take out the rows that the rule names and that are not staged."""
        gone = f"{rules.delete} AND NOT EXISTS (FROM staged WHERE {_matches(table)})"
        query = f"SELECT {table.item('target')} FROM {table.name} AS target WHERE {gone}"  # noqa: S608
        items = [str(item) for (item,) in self.con.execute(query).fetchall()]
        if items and rules.revisions and table.has_run:
            selects = " UNION ALL ".join(
                f"SELECT $run, '{table.name}', {table.key('target')}, '{column}', "  # noqa: S608
                f"CAST(target.{column} AS VARCHAR), NULL FROM {table.name} AS target WHERE {gone}"
                for column in _told(table)
            )
            self.con.execute(f"INSERT INTO revision {selects}", {"run": self.run_id})
        if items:
            self.con.execute(f"DELETE FROM {table.name} AS target WHERE {gone}")  # noqa: S608
        for item in items:
            self.items[item] = self.items.get(item, Counts()) + Counts(deleted=1)
        return len(items)


def _count(actions: pd.Series) -> Counts:
    return Counts(*(int((actions == action).sum()) for action in ("INSERT", "UPDATE")))


def _told(table: Table) -> list[str]:
    """The columns whose changes are revisions."""
    return [column for column in table.values if column not in ("source", "note", "time_known")]


def _matches(table: Table) -> str:
    return " AND ".join(f"target.{column} = staged.{column}" for column in table.keys)


def _differs(table: Table, column: str, kind: str) -> str:
    differs = f"target.{column} IS DISTINCT FROM staged.{column}"
    if kind == "DOUBLE":
        near = f"abs(target.{column} - staged.{column}) <= {RELATIVE_TOLERANCE} * abs(staged.{column})"
        differs = f"({differs} AND NOT coalesce({near}, false))"
    return f"(staged.{column} IS NOT NULL AND {differs})" if column in table.optional else differs
