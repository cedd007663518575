"""Computes the signals of a state and keeps them in it: new ones, corrections, and those that did not hold."""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from hashlib import sha256

import duckdb
import pandas as pd
from babel import Locale

from etl import calendars
from etl.signals.moves import Move, moves, read_panel
from etl.signals.ranks import TOP, Step, steps
from etl.signals.records import Record, records

TOGETHER = 3
"""Sessions within which a step in the app stores and a move of the market are told as one pattern."""
VALUE = "change of market value"
PAST = {
    "takes no. 1": "took no. 1 in",
    "loses no. 1": "lost no. 1 in",
    "enters the top ten": "entered the top ten of",
}
ORDINALS = ("", "second-", "third-", "fourth-", "fifth-", "sixth-", "seventh-", "eighth-", "ninth-", "tenth-")
SHORT_NAMES = {"US": "the US", "GB": "the UK"}
UNTOLD = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Control characters, which XML has no place for, and marks that turn the direction of the text around a name."""
LONGEST_NAME = 80
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
    happened: str = ""
    change: float | None = None
    average: bool = False

    @property
    def title(self) -> str:
        """What happened, without a cause: "NVIDIA lost $592.7 billion of market value on Monday 27 January 2025"."""
        day = f"on {self.session:%A} {self.session.day} {self.session:%B %Y}"
        if self.measure == VALUE:
            return f"{self.name} {'lost' if self.size < 0 else 'gained'} {_billions(self.size)} of market value {day}"
        if self.kind == "rank":
            return f"{self.name} {self.happened} {day}"
        change = self.size if self.change is None else self.change
        average = " on average" if self.average else ""
        moved = f"{self.name} {'fell' if change < 0 else 'rose'} {abs(change):.1%}{average} {day}"
        return (
            moved if self.measure != "abnormal return" else f"{moved}, {_against(change, change - self.size)}"
        )


def _billions(dollars: float) -> str:
    return f"${abs(dollars) / 1e9:,.1f} billion"


def _against(change: float, explained: float) -> str:
    """A return beside what the market explains of it (fractions)."""
    if explained * change < 0:
        return f"where the market explains a {'fall' if explained < 0 else 'rise'} of {abs(explained):.1%}"
    more = "more" if abs(change) > abs(explained) else "less"
    return f"{abs(change - explained) * 100:.1f} points {more} than the market explains"


@dataclass(frozen=True)
class Found:
    """What a run noticed: how many signals are new, corrected and withdrawn."""

    new: int = 0
    corrected: int = 0
    withdrawn: int = 0


def notice(con: duckdb.DuckDBPyConnection, run_id: str, now: pd.Timestamp, alarms: float) -> Found:
    """Compute the signals of all sessions, and keep what has changed of them in the table ``signal``.

    `alarms` is how many sessions a year are to have one; what another number before this one had brought and this one
    does not is withdrawn for the setting, without a message. Called inside the transaction that merged the
    prices.
    """
    computed = _told_apart(_signals(con, alarms))
    rows = con.execute("SELECT * FROM signal").df()
    held = {row["signal_id"]: row for row in rows.to_dict("records")}
    why = "setting" if _set_anew(con, alarms) else "revised"
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
        elif (signal.title, signal.detail) != (
            row["title"],
            row["detail"],
        ):  # such as an app in one country more
            changes.append({**told, "corrected_at": row["corrected_at"]})
    for signal_id, row in held.items():
        if signal_id not in computed and pd.isna(row["withdrawn_at"]):
            changes.append({**row, "withdrawn_at": now, "withdrawn_for": why})
            found = replace(found, withdrawn=found.withdrawn + 1)
    _keep(con, [{**change, "alarms": alarms, "run_id": run_id} for change in changes])
    _remember(con, run_id, now, alarms)
    return found


def _told_apart(signals: Iterable[Signal]) -> dict[str, Signal]:
    """The signals by identity; of two subjects that are written alike the second gets a mark of its own."""
    found: dict[str, Signal] = {}
    for signal in signals:
        held = found.get(signal.signal_id)
        if held is not None and (held.kind, held.subject) != (signal.kind, signal.subject):
            mark = sha256(f"{signal.kind} {signal.subject}".encode()).hexdigest()[:8]
            signal = replace(signal, signal_id=f"{signal.signal_id}-{mark}")
        found[signal.signal_id] = signal
    return found


def _remember(con: duckdb.DuckDBPyConnection, run_id: str, now: pd.Timestamp, alarms: float) -> None:
    """Note how far the signals reach, where that has changed: a run that brought nothing leaves no trace."""
    through = con.execute("SELECT max(date) FROM price_daily").fetchall()[0][0]
    known = con.execute("SELECT through, alarms FROM signal_run").fetchall()
    if known == [(through, alarms)]:
        return
    con.execute("DELETE FROM signal_run")
    con.execute("INSERT INTO signal_run VALUES (?, ?, ?, ?)", [run_id, now, through, alarms])


def _set_anew(con: duckdb.DuckDBPyConnection, alarms: float) -> bool:
    """Whether the signals that are there were computed for another number of alarms."""
    last = con.execute("SELECT alarms FROM signal_run").fetchall()
    return bool(last) and last[0][0] != alarms


def _corrected(signal: Signal, row: dict[str, object]) -> bool:
    """Whether what people were told would be wrong; an app that goes on rising, or in more countries, is not."""
    if signal.kind == "rank":
        return False
    before = float(str(row["size"]))
    moved = abs(signal.size - before) > SAME * abs(before)
    placed = not pd.isna(row["place"]) and signal.place != row["place"]
    return moved or placed or signal.direction != row["direction"]


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


def _signals(con: duckdb.DuckDBPyConnection, alarms: float) -> Iterator[Signal]:
    market = [_record(record) for record in records(con, date.min)]
    panel = read_panel(con)
    if panel is not None:
        market += [_move(move) for move in moves(panel, alarms, date.min)]
    stores = [_step(step) for step in steps(con, date.min)]
    yield from market
    yield from stores
    yield from _patterns(market, stores)


def _move(move: Move) -> Signal:
    share = f"{move.unusual:.1%}" if move.unusual else "none"
    own = slug(move.subject)
    return Signal(
        f"signal-{move.session}-{own}{'-shares' if own == 'ai' and move.kind != 'mean' else ''}",
        "move",
        move.session,
        move.subject,
        move.name,
        _direction(move.size),
        move.measure,
        move.size,
        move.unusual,
        move.earlier,
        detail=f"{share} of the {move.earlier:,} earlier sessions moved as far, measured against the volatility of "
        "their time",
        change=move.change,
        average=move.kind != "company",
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
        detail=f"the {ORDINALS[record.place - 1]}largest one-day {what} of market value known by then",
    )


def _name(text: str) -> str:
    """An app's name as a feed, a mail's subject and a sentence can hold it: one line of at most 80 characters."""
    line = " ".join(UNTOLD.sub(" ", text).split())
    return (line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…") or "An app without a name"


def _step(step: Step) -> Signal:
    own = slug(step.name)
    told = own if step.name.isascii() else f"{own}-{slug(step.app)}"
    return Signal(
        f"signal-{step.day}-{told}-{slug(step.what)}-{step.store}-{slug(step.chart)}",
        "rank",
        step.day,
        step.app,
        _name(step.name),
        "down" if step.what.startswith("loses") else "up",
        f"rank in {_chart(step)}",
        math.nan if step.rank is None else float(step.rank),
        detail=_before(step),
        happened=f"{PAST[step.what]} {_chart(step)} in {_countries(step.countries)}",
    )


def _before(step: Step) -> str:
    """Where an app stood in the capture before, or stands now, as a sentence without its full stop."""
    if step.what.startswith("loses"):
        here = f"stands at no. {step.rank}" if step.rank else f"is not in the first {step.depth}"
        return f"it {here} now"
    if step.before is None:
        return f"it was outside the first {TOP} in the capture before"
    return f"it was no. {step.before} in the capture before"


def _chart(step: Step) -> str:
    """The chart as a sentence has it: "Apple’s top-free chart for productivity"."""
    chart, _, genre = step.chart.partition("/")
    return f"{step.store.capitalize()}’s {chart} chart{f' for {genre}' if genre else ''}"


def _countries(codes: Sequence[str]) -> str:
    if len(codes) > 1:
        return f"{len(codes)} countries"
    code = codes[0].upper()
    return SHORT_NAMES.get(code) or str(Locale("en").territories.get(code, code))


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


def slug(text: str, otherwise: str = "app") -> str:
    """A name as part of an identifier: at most 40 small letters, digits and hyphens; `otherwise` where it has none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:40].strip("-") or otherwise


def _direction(size: float) -> str:
    return "down" if size < 0 else "up"
