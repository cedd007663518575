"""The gates between extract and publish: which rows are believed, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import duckdb
import pandas as pd

from etl import calendars
from etl.warehouse.merge import TABLES

MOSTLY = 0.5  # a batch of which more than this share is bad is refused whole
CALENDARS_FROM = "DATE '2000-01-01'"

_REPEATED = "ORDER BY position) > 1"


def _repeated(keys: str) -> str:
    return f"row_number() OVER (PARTITION BY {keys} {_REPEATED}"


GATES: dict[str, tuple[tuple[str, str], ...]] = {
    "price_daily": (
        ("'no company of that ticker'", "listed_exchange IS NULL"),
        ("'no date'", "date IS NULL"),
        ("'no close'", "close IS NULL OR isnan(close)"),
        ("'the close is not positive'", "close <= 0 OR isinf(close)"),
        (
            "'the adjusted close is missing or not positive'",
            "NOT coalesce(adj_close > 0, false) OR isinf(adj_close)",
        ),
        ("'a price is not positive'", "least(open, high, low) <= 0"),
        ("'the high is below the low'", "high < low"),
        ("'the close is outside the range of its session'", "close > high * 1.0001 OR close < low * 0.9999"),
        ("'the volume is negative'", "volume < 0"),
        ("'the currency is ' || currency || ', not ' || listed_currency", "currency <> listed_currency"),
        ("'the session has not closed yet'", "date > last_closed"),
        ("listed_exchange || ' held no such session'", f"NOT is_session AND date >= {CALENDARS_FROM}"),
        ("'a second bar of its session'", _repeated("ticker, date")),
        ("'after a jump that looks like an unadjusted split'", "jumped"),
    ),
    "dividend": (
        ("'no ex-date'", "ex_date IS NULL"),
        ("'the dividend is not positive'", "NOT coalesce(amount > 0, false) OR isinf(amount)"),
        ("'a second dividend of its day'", _repeated("ticker, ex_date")),
    ),
    "split": (
        ("'no date'", "date IS NULL"),
        ("'the ratio of the split is not positive'", "NOT coalesce(ratio > 0, false) OR isinf(ratio)"),
        ("'a second split of its day'", _repeated("ticker, date")),
    ),
    "shares_outstanding": (
        ("'no date'", "date IS NULL"),
        ("'the share count is not positive'", "NOT coalesce(shares > 0, false)"),
        ("'a second count of its day'", _repeated("ticker, date")),
    ),
    "exchange_rate": (
        ("'no date'", "date IS NULL"),
        ("'the rate is not positive'", "NOT coalesce(usd_per_unit > 0, false) OR isinf(usd_per_unit)"),
        ("'a second rate of its day'", _repeated("currency, date")),
    ),
    "ranking_capture": (
        ("'no time of capture'", "captured_at IS NULL"),
        ("'captured in the future'", "captured_at > now() + INTERVAL 1 HOUR"),
    ),
    "app_ranking": (
        ("'no time of capture'", "captured_at IS NULL"),
        ("'captured in the future'", "captured_at > now() + INTERVAL 1 HOUR"),
        ("'no rank'", "rank IS NULL"),
        ("'the rank is outside 1 to ' || coalesce(CAST(depth AS VARCHAR), 'n')", "rank < 1 OR rank > depth"),
        ("'an app without an id'", "app_id IS NULL AND evidence = 'measured'"),
        ("'an app without a name'", "app_name IS NULL"),
        (
            "'a second app of its rank'",
            _repeated("captured_at, store, country, chart, device, evidence, source_url, rank"),
        ),
        (
            "'the app is in the chart twice'",
            "evidence = 'measured' AND "
            + _repeated("captured_at, store, country, chart, device, evidence, source_url, app_id"),
        ),
    ),
}
"""For each table the reasons to refuse a row, as SQL, each with the condition; the first that holds counts."""


@dataclass
class Screen:
    """Judges the rows of one source in one run; what it refuses goes to ``quarantine``.

    With ``in_steps`` what arrived is committed before it is judged: only then do DuckDB's plans know how many rows
    there are, which a large batch gains a fifth of its time by.
    """

    con: duckdb.DuckDBPyConnection
    run_id: str
    source: str
    now: pd.Timestamp
    in_steps: bool = False

    def judge(self, name: str, rows: pd.DataFrame | str) -> None:
        """Sort the rows of a table (a frame, or the name of a view) into good and bad ones."""
        if isinstance(rows, str):
            self._take(name, rows)
        else:
            self.con.register("arriving", rows)
            self._take(name, "arriving")
            self.con.unregister("arriving")
        if self.in_steps:
            self.con.commit()
            self.con.begin()
        context = {"price_daily": self._with_sessions, "app_ranking": self._with_depth}
        columns, joins = context.get(name, lambda: ("", ""))()
        repeated = self._has_repeated(name)
        gates = [gate for gate in GATES[name] if repeated or _REPEATED not in gate[1]]
        reasons = " ".join(f"WHEN {condition} THEN {reason}" for reason, condition in gates)
        self.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE bad_{name} AS FROM (
                SELECT position, {TABLES[name].item()} AS item, CASE {reasons} END AS reason
                FROM (SELECT arrived.* {columns} FROM arrived_{name} AS arrived {joins}))
            WHERE reason IS NOT NULL""")  # noqa: S608

    def _has_repeated(self, name: str) -> bool:
        """Whether two rows share a key; the windows that find which are spared when none do."""
        if name == "app_ranking":
            return True
        keys = ", ".join(TABLES[name].keys)
        query = f"SELECT 1 FROM arrived_{name} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1"  # noqa: S608
        return bool(self.con.execute(query).fetchall())

    def mostly_bad(self, name: str) -> list[str]:
        """The items of which more than half of the rows were refused; all of them when the whole batch is."""
        counts = self.con.execute(f"""
            SELECT item, count(*), count(reason) FROM (SELECT *, {TABLES[name].item()} AS item FROM arrived_{name})
            LEFT JOIN (SELECT position, reason FROM bad_{name}) USING (position) GROUP BY item ORDER BY item
            """).fetchall()  # noqa: S608
        total, bad = sum(row[1] for row in counts), sum(row[2] for row in counts)
        whole = len(counts) > 1 and bad > MOSTLY * total
        return [item for item, rows, refused in counts if whole or refused > MOSTLY * rows]

    def refuse_items(self, name: str, items: list[str]) -> None:
        """Refuse every row of those items."""
        self.con.execute(
            f"INSERT INTO bad_{name} SELECT position, {TABLES[name].item()} AS item, 'refused with its batch' "  # noqa: S608
            f"FROM arrived_{name} ANTI JOIN (SELECT position FROM bad_{name}) USING (position) WHERE item IN $items",
            {"items": items},
        )

    def good(self, name: str) -> str:
        """The name of a view of the rows that are believed."""
        refused = self.con.execute(f"SELECT 1 FROM bad_{name} LIMIT 1").fetchall()  # noqa: S608
        but = f" ANTI JOIN (SELECT position FROM bad_{name}) USING (position)" if refused else ""  # noqa: S608
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW good_{name} AS FROM arrived_{name}{but}")
        return f"good_{name}"

    def refused(self, name: str) -> dict[str, dict[str, int]]:
        """How many rows were refused, by item and reason; they are now in ``quarantine``."""
        self.con.execute(
            f"INSERT INTO quarantine SELECT $run, $source, item, reason, to_json(arrived) "  # noqa: S608
            f"FROM arrived_{name} AS arrived JOIN bad_{name} USING (position)",
            {"run": self.run_id, "source": self.source},
        )
        counts: dict[str, dict[str, int]] = {}
        query = f"SELECT item, reason, count(*) FROM bad_{name} GROUP BY ALL ORDER BY ALL"  # noqa: S608
        for item, reason, count in self.con.execute(query).fetchall():
            counts.setdefault(item, {})[reason] = count
        return counts

    def _take(self, name: str, view: str) -> None:
        kinds = {row[0]: row[1] for row in self.con.execute(f"DESCRIBE {name}").fetchall()}
        given = {row[0] for row in self.con.execute(f"DESCRIBE {view}").fetchall()}
        columns = ", ".join(
            f"TRY_CAST({column} AS {kind}) AS {column}"
            if column in given
            else f"CAST(NULL AS {kind}) AS {column}"
            for column, kind in kinds.items()
            if column != "run_id"
        )
        position = "file_row" if "file_row" in given else "row_number() OVER ()"
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE arrived_{name} AS "  # noqa: S608
            f"SELECT {columns}, {position} AS position FROM {view}"
        )

    def _with_sessions(self) -> tuple[str, str]:
        """What the calendars, the catalogue and the stored closes say about each bar."""
        spans = self.con.execute(
            "SELECT DISTINCT exchange, "
            "(SELECT min(date) FROM arrived_price_daily WHERE date >= DATE '2000-01-01'), "
            "(SELECT max(date) FROM arrived_price_daily) "
            "FROM company SEMI JOIN (SELECT DISTINCT ticker FROM arrived_price_daily) USING (ticker)"
        ).fetchall()
        held = [
            (exchange, day)
            for exchange, first, last in spans
            if first
            for day in calendars.sessions(exchange, first, min(last, self.now.date() + timedelta(days=200)))
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
            ", company.exchange AS listed_exchange, company.currency AS listed_currency, last_closed, "
            "held_session.date IS NOT NULL AS is_session"
        )
        joins = (
            "LEFT JOIN company USING (ticker) LEFT JOIN closed_session USING (exchange) "
            "LEFT JOIN held_session ON held_session.exchange = company.exchange AND held_session.date = arrived.date"
        )
        self.con.execute(_STEPS)
        if not self.con.execute("SELECT 1 FROM step LIMIT 1").fetchall():
            return columns + ", false AS jumped", joins
        self.con.execute(_JUMPS)
        return columns + ", coalesce(jumped, false) AS jumped", joins + " LEFT JOIN jump USING (position)"

    def _with_depth(self) -> tuple[str, str]:
        keys = ("captured_at", "store", "country", "chart", "device", "evidence", "source_url")
        return ", depth", f"LEFT JOIN arrived_ranking_capture USING ({', '.join(keys)})"


_STEPS = """
    CREATE OR REPLACE TEMP TABLE step AS
    WITH following AS MATERIALIZED (
        SELECT ticker, date, position, open, close,
               lag(close) OVER (PARTITION BY ticker ORDER BY date, position) AS before
        FROM arrived_price_daily WHERE close > 0 AND NOT isinf(close)
    ), entering AS (
        SELECT bar.* EXCLUDE (before), arg_max(held.close, held.date) AS before
        FROM following AS bar JOIN price_daily AS held ON held.ticker = bar.ticker AND held.date < bar.date
        WHERE bar.before IS NULL GROUP BY ALL
    ), compared AS (
        SELECT ticker, position, close / before AS factor, coalesce(open, close) / before AS opening,
               round(greatest(close / before, before / close)) AS whole
        FROM (FROM entering UNION ALL FROM following) WHERE before > 0
    )
    SELECT ticker, position, sign(factor - 1) * ln(whole) AS step FROM compared
    WHERE whole IN (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50, 100)
      AND abs(greatest(factor, 1 / factor) / whole - 1) < 0.06 AND abs(opening / factor - 1) < 0.1"""
"""The bars that differ by a whole factor from the bar before them, in the batch or in the warehouse."""

_JUMPS = """
    CREATE OR REPLACE TEMP TABLE jump AS
    SELECT position, abs(sum(coalesce(step, 0)) OVER (PARTITION BY ticker ORDER BY date, position)) > 1e-6 AS jumped
    FROM arrived_price_daily AS bar SEMI JOIN (SELECT DISTINCT ticker FROM step) AS stepped USING (ticker)
    LEFT JOIN (SELECT position, step FROM step) AS step USING (position)"""
"""A step by a whole factor lasts until a step back: a spike is one bar, an unadjusted split all that follow."""
