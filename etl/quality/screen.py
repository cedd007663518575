"""Judges what arrived: by the gates row by row, and closes also by the bars around them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import pandas as pd

from etl import calendars
from etl.quality import daily, levels
from etl.quality.adjusted import adjusted
from etl.quality.gates import CALENDARS_FROM, GATES, REPEATED
from etl.quality.held import DROPPED, keep
from etl.warehouse.merge import TABLES

MOSTLY = 0.5  # a batch of which more than this share is bad is refused whole
ALONE = ("dividend", "split")  # of which a bad row costs nothing but itself


@dataclass
class Screen:
    """Judges the rows of one source in one run; what it refuses goes to ``quarantine``.

    With ``in_steps`` what arrived is committed before it is judged: only then do DuckDB's plans know how many rows
    there are, which a large batch gains a fifth of its time by. ``remarks`` tells by item what was believed though an
    operator should know of it.
    """

    con: duckdb.DuckDBPyConnection
    run_id: str
    source: str
    now: pd.Timestamp
    in_steps: bool = False
    remarks: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Expect nothing, and find out whether an operator has decided anything."""
        self.expect([])
        query = "SELECT DISTINCT table_name FROM quarantine_decision"
        self._decided = {name for (name,) in self.con.execute(query).fetchall()}
        self._judged: set[str] = set()

    def expect(self, asked: Iterable[tuple[str, date | None, date | None]]) -> None:
        """Tell which items and days were asked for: of splits and dividends, what is missing there is withdrawn."""
        windows = pd.DataFrame([row for row in asked if row[1] and row[2]], columns=["item", "first", "last"])
        self.con.register("windows", windows)
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE asked AS SELECT CAST(item AS VARCHAR) AS item, "
            "CAST(first AS DATE) AS first, CAST(last AS DATE) AS last FROM windows"
        )
        self.con.unregister("windows")

    def judge(self, name: str, rows: pd.DataFrame | str) -> None:
        """Sort the rows of a table (a frame, or the name of a view) into good and bad ones.

        Splits are judged before prices, and dividends after them: each needs what the one before it found. A column
        ``fault`` says what whoever read the rows could not read; such a row is bad.
        """
        if isinstance(rows, str):
            self._take(name, rows)
        else:
            self.con.register("arriving", rows)
            self._take(name, "arriving")
            self.con.unregister("arriving")
        if self.in_steps:
            self.con.commit()
            self.con.begin()
        columns, joins = self._context(name)
        self.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE bad_{name} AS FROM (
                SELECT position, {TABLES[name].item()} AS item, {self._reasons(name)} AS reason
                FROM (SELECT arrived.* {columns} FROM arrived_{name} AS arrived {joins}))
            WHERE reason IS NOT NULL""")  # noqa: S608
        self._judged.add(name)
        if name == "price_daily":
            for item, remarks in levels.judge(self.con, "split" in self._judged).items():
                self.remarks.setdefault(item, []).extend(remarks)

    def mostly_bad(self, name: str) -> list[str]:
        """The items of which more than half of the rows were refused; all of them when most of the batch is bad.

        Each item counts the same there: the long history of one says nothing about the few sessions of the others.
        """
        if name in ALONE:
            return []
        counts = self.con.execute(f"""
            SELECT item, count(*), count(reason) FILTER (reason <> '{DROPPED}')
            FROM (SELECT *, {TABLES[name].item()} AS item FROM arrived_{name})
            LEFT JOIN (SELECT position, reason FROM bad_{name}) USING (position) GROUP BY item ORDER BY item
            """).fetchall()  # noqa: S608
        whole = len(counts) > 1 and sum(bad / rows for _, rows, bad in counts) > MOSTLY * len(counts)
        return [item for item, rows, refused in counts if whole or refused > MOSTLY * rows]

    def refuse_items(self, name: str, items: list[str]) -> None:
        """Refuse every row of those items, and take nothing of theirs for withdrawn."""
        self.con.execute(
            f"INSERT INTO bad_{name} SELECT position, {TABLES[name].item()} AS item, 'refused with its batch' "  # noqa: S608
            f"FROM arrived_{name} ANTI JOIN (SELECT position FROM bad_{name}) USING (position) WHERE item IN $items",
            {"items": items},
        )
        self.con.execute("DELETE FROM asked WHERE item IN $items", {"items": items})

    def good(self, name: str) -> str:
        """The name of a view of the rows that are believed, of prices with adjusted closes of our own.

        Prices come last: their adjusted closes follow from the dividends that are stored.
        """
        refused = self.con.execute(f"SELECT 1 FROM bad_{name} LIMIT 1").fetchall()  # noqa: S608
        but = f" ANTI JOIN (SELECT position FROM bad_{name}) USING (position)" if refused else ""  # noqa: S608
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW good_{name} AS FROM arrived_{name}{but}")
        if name == "price_intraday":
            return daily.on_basis(self.con, "good_price_intraday")
        if name != "price_daily":
            return f"good_{name}"
        others = ["arrived_dividend"] if "dividend" in self._judged else []
        view, differing = adjusted(self.con, f"good_{name}", *others)
        for item, remark in differing.items():
            self.remarks.setdefault(item, []).append(remark)
        return view

    def withdrawn(self, name: str) -> str:
        """The rule for the rows of a table that a whole answer no longer has, in terms of ``target``."""
        day = TABLES[name].keys[-1]
        there = f"FROM arrived_{name} AS sent WHERE sent.ticker = target.ticker AND sent.{day} = target.{day}"
        return (
            f"EXISTS (FROM asked WHERE asked.item = target.ticker AND target.{day} BETWEEN asked.first AND asked.last) "
            f"AND NOT EXISTS ({there})"
        )

    def refused(self, name: str) -> dict[str, dict[str, int]]:
        """How many rows were refused, by item and reason; they are now in ``quarantine``.

        Those that an operator has dropped are not reported again.
        """
        keep(self.con, name, self.run_id, self.source, self.now)
        counts: dict[str, dict[str, int]] = {}
        query = f"SELECT item, reason, count(*) FROM bad_{name} WHERE reason <> $dropped GROUP BY ALL ORDER BY ALL"  # noqa: S608
        for item, reason, count in self.con.execute(query, {"dropped": DROPPED}).fetchall():
            counts.setdefault(item, {})[reason] = count
        return counts

    def _take(self, name: str, view: str) -> None:
        kinds = {row[0]: row[1] for row in self.con.execute(f"DESCRIBE {name}").fetchall()}
        given = {row[0]: row[1] for row in self.con.execute(f"DESCRIBE {view}").fetchall()}
        columns = ", ".join(
            f"TRY_CAST({column} AS {kind}) AS {column}"
            if column in given
            else f"CAST(NULL AS {kind}) AS {column}"
            for column, kind in kinds.items()
            if column != "run_id"
        )
        position = "file_row" if "file_row" in given else "row_number() OVER ()"
        fault = "CAST(fault AS VARCHAR)" if "fault" in given else "CAST(NULL AS VARCHAR)"
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE arrived_{name} AS "  # noqa: S608
            f"SELECT {columns}, {_unread(kinds, given)} AS unread, {fault} AS fault, {position} AS position FROM {view}"
        )

    def _reasons(self, name: str) -> str:
        """The reason to refuse a row, or NULL."""
        repeated = self._has_repeated(name)
        gates = [gate for gate in GATES[name] if repeated or REPEATED not in gate.condition]
        fault = "WHEN fault IS NOT NULL THEN fault"
        every = " ".join([fault, *(f"WHEN {gate.condition} THEN {gate.reason}" for gate in gates)])
        if name not in self._decided:
            return f"CASE {every} END"
        firm = " ".join(
            [fault, *(f"WHEN {gate.condition} THEN {gate.reason}" for gate in gates if gate.firm)]
        )
        return (
            f"CASE verdict WHEN 'dropped' THEN '{DROPPED}' WHEN 'accepted' THEN CASE {firm} END "
            f"ELSE CASE {every} END END"
        )

    def _has_repeated(self, name: str) -> bool:
        """Whether two rows share a key; the windows that find which are spared when none do."""
        if name == "app_ranking":
            return True
        keys = ", ".join(TABLES[name].keys)
        query = f"SELECT 1 FROM arrived_{name} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1"  # noqa: S608
        return bool(self.con.execute(query).fetchall())

    def _context(self, name: str) -> tuple[str, str]:
        """What the gates of a table look at besides the row: more columns, and the joins that bring them."""
        columns, joins = {
            "price_daily": self._with_sessions,
            "price_intraday": lambda: daily.context(self.con, self.now),
            "dividend": self._with_closes,
            "split": lambda: (_LISTED, _LISTING),
            "shares_outstanding": lambda: _with_usual("shares_outstanding", "ticker", "shares"),
            "exchange_rate": lambda: _with_usual("exchange_rate", "currency", "usd_per_unit"),
            "app_ranking": lambda: (", depth", f"LEFT JOIN arrived_ranking_capture USING ({_CHART})"),
        }.get(name, lambda: ("", ""))()
        columns += f", DATE '{self.now.date()}' AS today"
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE accepted_{name} (position BIGINT)")
        if name in self._decided:
            self._match_decisions(name)
            columns += ", verdict"
            joins += f" LEFT JOIN decided_{name} USING (position)"
        return columns, joins

    def _match_decisions(self, name: str) -> None:
        """Find the rows that an operator has decided on; another figure is another row."""
        table = TABLES[name]
        self.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE decided_{name} AS
            SELECT arrived.position, arg_max(verdict, decided_at) AS verdict FROM arrived_{name} AS arrived
            JOIN quarantine_decision AS made ON made.table_name = '{name}' AND made.key = {table.key("arrived")}
                AND {table.same_figure("arrived", "made")}
            GROUP BY arrived.position""")  # noqa: S608
        self.con.execute(
            f"INSERT INTO accepted_{name} SELECT position FROM decided_{name} WHERE verdict = 'accepted'"  # noqa: S608
        )

    def _with_sessions(self) -> tuple[str, str]:
        """What the calendars and the catalogue say about each bar."""
        spans = self.con.execute(
            f"SELECT DISTINCT exchange, "  # noqa: S608
            f"(SELECT min(date) FROM arrived_price_daily WHERE date >= {CALENDARS_FROM}), "
            "(SELECT max(date) FROM arrived_price_daily WHERE isfinite(date)) "
            "FROM company SEMI JOIN (SELECT DISTINCT ticker FROM arrived_price_daily) USING (ticker)"
        ).fetchall()
        latest = self.now.date() + timedelta(days=200)
        held = [
            (exchange, day)
            for exchange, first, last in spans
            if first
            for day in calendars.sessions(exchange, min(first, latest), min(last, latest))
        ]
        closed = [(exchange, calendars.last_closed_session(exchange, self.now)) for exchange, *_ in spans]
        for name, rows, column in (("held_session", held, "date"), ("closed_session", closed, "last_closed")):
            frame = pd.DataFrame(rows, columns=["exchange", column])
            self.con.register("arriving_days", frame)
            self.con.execute(
                f"CREATE OR REPLACE TEMP TABLE {name} AS "  # noqa: S608
                f"SELECT CAST(exchange AS VARCHAR) AS exchange, CAST({column} AS DATE) AS {column} FROM arriving_days"
            )
            self.con.unregister("arriving_days")
        columns = (
            ", company.exchange AS listed_exchange, history_from, last_closed, "
            "held_session.date IS NOT NULL AS is_session"
        )
        joins = (
            f"{_LISTING} LEFT JOIN closed_session USING (exchange) "
            "LEFT JOIN held_session ON held_session.exchange = company.exchange AND held_session.date = arrived.date"
        )
        return columns + _LISTED, joins

    def _with_closes(self) -> tuple[str, str]:
        """The closes around each ex-date, of those that arrived and of those that are stored."""
        arrived = ""
        if "price_daily" in self._judged:
            arrived = (
                "SELECT ticker, date, close, 1 AS newer FROM arrived_price_daily "
                "ANTI JOIN (SELECT position FROM bad_price_daily) USING (position) UNION ALL "
            )
        self.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE close_around AS
            SELECT ticker, date, arg_max(close, newer) AS close
            FROM ({arrived} SELECT ticker, date, close, 0 AS newer FROM price_daily)
            SEMI JOIN arrived_dividend USING (ticker) GROUP BY ticker, date""")  # noqa: S608
        columns = ", earlier.close AS close_before, later.close AS close_on"
        joins = (
            "ASOF LEFT JOIN close_around AS earlier "
            "ON earlier.ticker = arrived.ticker AND arrived.ex_date > earlier.date "
            "ASOF LEFT JOIN close_around AS later ON later.ticker = arrived.ticker AND arrived.ex_date <= later.date"
        )
        return columns + _LISTED, f"{joins} LEFT JOIN company ON company.ticker = arrived.ticker"


_LISTED = ", company.currency AS listed_currency"
_LISTING = "LEFT JOIN company ON company.ticker = arrived.ticker"
_CHART = "captured_at, store, country, chart, device, evidence, source_url"


def _with_usual(name: str, item: str, figure: str) -> tuple[str, str]:
    """The median of the figures of the same item, arrived and stored."""
    both = (
        f"SELECT {item}, {figure} FROM arrived_{name} UNION ALL SELECT {item}, {figure} FROM {name} "  # noqa: S608
        f"SEMI JOIN arrived_{name} USING ({item})"
    )
    medians = f"SELECT {item}, median({figure}) AS usual FROM ({both}) WHERE {figure} > 0 GROUP BY {item}"  # noqa: S608
    return ", usual", f"LEFT JOIN ({medians}) USING ({item})"


def _unread(kinds: dict[str, str], given: dict[str, str]) -> str:
    """SQL for what of a row is not a number of its column, with the column's name; NULL where all is."""
    found = []
    for column, kind in kinds.items():
        if kind in ("DOUBLE", "BIGINT", "INTEGER") and given.get(column, kind) != kind:
            text, number = f"CAST({column} AS VARCHAR)", f"TRY_CAST({column} AS {kind})"
            lost = f"{number} IS NULL"
            if kind == "INTEGER":
                lost += f" OR TRY_CAST({column} AS DOUBLE) <> {number}"
            found.append(f"CASE WHEN {text} <> '' AND ({lost}) THEN '{column} ' || left({text}, 30) END")
    return f"nullif(concat_ws(', ', {', '.join(found)}), '')" if found else "CAST(NULL AS VARCHAR)"
