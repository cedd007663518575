"""Computes the signals of a state and keeps them in it: new ones, corrections, and those that did not hold."""

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta

import duckdb
import pandas as pd

from etl import calendars
from etl.signals.moves import Move, moves, read_panel
from etl.signals.ranks import Step, steps
from etl.signals.records import Record, records

AGAIN = timedelta(days=21)
"""How far back of the newest session a refresh looks again: revisions of the sources hardly reach further."""
TOGETHER = 3
"""Sessions within which a step in the app stores and a move of the market are told as one pattern."""
VALUE = "change of market value"
PAST = {
    "takes no. 1": "took no. 1 of",
    "loses no. 1": "lost no. 1 of",
    "enters the top ten": "entered the top ten of",
}
SAME = 0.01
"""Relative change of a size above which a signal counts as corrected."""


@dataclass(frozen=True)
class Signal:
    """What was noticed on one session; see the table ``signal`` for the units."""

    signal_id: str
    kind: str
    session: date
    subject: str
    name: str
    direction: str
    measure: str
    size: float
    unusual: float | None = None
    earlier: int | None = None
    place: int | None = None
    detail: str = ""

    @property
    def title(self) -> str:
        """What happened, without a cause: "NVIDIA lost $592.7 billion of market value on Monday 27 January 2025"."""
        return f"{self._happened()} on {self.session:%A} {self.session.day} {self.session:%B %Y}"

    def _happened(self) -> str:
        if self.measure == VALUE:
            verb = "lost" if self.size < 0 else "gained"
            return f"{self.name} {verb} ${abs(self.size) / 1e9:,.1f} billion of market value"
        if self.kind == "rank":
            return f"{self.name} {self.detail}"
        against = " more than the market explains" if self.measure == "abnormal return" else ""
        return f"{self.name} {'fell' if self.size < 0 else 'rose'} {abs(self.size):.1%}{against}"


@dataclass(frozen=True)
class Found:
    """What a run noticed: how many signals are new, corrected and withdrawn."""

    new: int = 0
    corrected: int = 0
    withdrawn: int = 0


def notice(con: duckdb.DuckDBPyConnection, run_id: str, now: pd.Timestamp, alarms: float) -> Found:
    """Compute the signals of the sessions that are new or near the newest, and keep them in the table ``signal``.

    Where no run has computed any with the same `alarms` (sessions a year with a signal), those of the whole history.
    Called inside the transaction that merged the prices.
    """
    since = _since(con, alarms)
    computed = {signal.signal_id: signal for signal in _signals(con, since, alarms)}
    rows = con.execute("SELECT * FROM signal WHERE session >= $since", {"since": since}).df()
    held = {row["signal_id"]: row for row in rows.to_dict("records")}
    changes, found = [], Found()
    for signal in computed.values():
        row = held.get(signal.signal_id)
        told = {
            **asdict(signal),
            "title": signal.title,
            "first_seen": now if row is None else row["first_seen"],
        }
        if row is None or not pd.isna(row["withdrawn_at"]):
            changes.append({**told, "corrected_at": None if row is None else now})
            found = replace(found, new=found.new + 1)
        elif _corrected(signal, row):
            changes.append({**told, "corrected_at": now})
            found = replace(found, corrected=found.corrected + 1)
    for signal_id, row in held.items():
        if signal_id not in computed and pd.isna(row["withdrawn_at"]):
            changes.append({**row, "withdrawn_at": now})
            found = replace(found, withdrawn=found.withdrawn + 1)
    _keep(con, [{**change, "alarms": alarms, "run_id": run_id} for change in changes])
    _remember(con, run_id, now, alarms)
    return found


def _remember(con: duckdb.DuckDBPyConnection, run_id: str, now: pd.Timestamp, alarms: float) -> None:
    """Note how far the signals reach, where that has changed: a run that brought nothing leaves no trace."""
    through = con.execute("SELECT max(date) FROM price_daily").fetchall()[0][0]
    known = con.execute("SELECT through, alarms FROM signal_run").fetchall()
    if known == [(through, alarms)]:
        return
    con.execute("DELETE FROM signal_run")
    con.execute("INSERT INTO signal_run VALUES (?, ?, ?, ?)", [run_id, now, through, alarms])


def _since(con: duckdb.DuckDBPyConnection, alarms: float) -> date:
    """The first session to compute again."""
    last = con.execute("SELECT alarms, through FROM signal_run").fetchall()
    if not last or last[0][1] is None or last[0][0] != alarms:
        return date.min
    reached: date = last[0][1]
    return reached - AGAIN


def _corrected(signal: Signal, row: dict[str, object]) -> bool:
    before = float(str(row["size"]))
    moved = abs(signal.size - before) > SAME * abs(before)
    return moved or signal.direction != row["direction"] or signal.detail != row["detail"]


def _keep(con: duckdb.DuckDBPyConnection, changes: list[dict[str, object]]) -> None:
    if not changes:
        return
    columns = [row[0] for row in con.execute("DESCRIBE signal").fetchall()]
    con.execute(
        "DELETE FROM signal WHERE list_contains($ids::VARCHAR[], signal_id)",
        {"ids": [change["signal_id"] for change in changes]},
    )
    places = ", ".join("?" for _ in columns)
    values = [[_plain(change.get(column)) for column in columns] for change in changes]
    con.executemany(f"INSERT INTO signal VALUES ({places})", values)  # noqa: S608


def _plain(value: object) -> object:
    """A missing value as NULL, a moment as Python's."""
    if value is None or pd.isna(value):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def _signals(con: duckdb.DuckDBPyConnection, since: date, alarms: float) -> Iterator[Signal]:
    market = [_record(record) for record in records(con, since)]
    panel = read_panel(con)
    if panel is not None:
        market += [_move(move) for move in moves(panel, alarms, since)]
    stores = [_step(step) for step in steps(con, since)]
    yield from market
    yield from stores
    yield from _patterns(market, stores)


def _move(move: Move) -> Signal:
    share = f"{move.unusual:.1%}" if move.unusual else "none"
    return Signal(
        f"signal-{move.session}-{slug(move.subject)}",
        "move",
        move.session,
        move.subject,
        move.name,
        _direction(move.size),
        move.measure,
        move.size,
        move.unusual,
        move.earlier,
        detail=f"{share} of the {move.earlier:,} days before moved as much, for the volatility of their time",
    )


def _record(record: Record) -> Signal:
    what = "loss" if record.value_change < 0 else "gain"
    return Signal(
        f"signal-{record.session}-{slug(record.ticker)}-{what}",
        "record",
        record.session,
        record.ticker,
        record.name,
        _direction(record.value_change),
        VALUE,
        record.value_change,
        place=record.place,
        detail=f"no. {record.place} of the one-day {'losses' if what == 'loss' else 'gains'} known by then",
    )


def _step(step: Step) -> Signal:
    where = f"{len(step.countries)} countries" if len(step.countries) > 1 else step.countries[0].upper()
    chart = f"{step.store.capitalize()}’s {step.chart} chart"
    return Signal(
        f"signal-{step.day}-{slug(step.name)}-{slug(step.what)}-{step.store}-{slug(step.chart)}",
        "rank",
        step.day,
        step.app,
        step.name,
        "down" if step.what.startswith("loses") else "up",
        f"rank in {chart}",
        float(step.rank),
        detail=f"{PAST[step.what]} {chart} in {where}",
    )


def _patterns(market: list[Signal], stores: list[Signal]) -> Iterator[Signal]:
    """Where an app rose and the market moved within three sessions: one signal a session, by its strongest move."""
    rises = [step for step in stores if step.direction == "up"]
    for session in sorted({signal.session for signal in market}):
        earliest = calendars.sessions_before(calendars.HOME, session, TOGETHER)
        near = [step for step in rises if earliest <= step.session <= session]
        if not near:
            continue
        moved = [signal for signal in market if signal.session == session]
        lead = min(moved, key=lambda signal: (signal.place or math.inf, signal.unusual or 0.0))
        apps = ", ".join(sorted({step.name for step in near}))
        yield replace(
            lead,
            signal_id=f"signal-{session}-coincidence",
            kind="coincidence",
            detail=f"{apps} rose in the app stores within {TOGETHER} sessions",
        )


def slug(text: str) -> str:
    """A name as part of an identifier: small letters, digits and hyphens, at most 40."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "app"


def _direction(size: float) -> str:
    return "down" if size < 0 else "up"
