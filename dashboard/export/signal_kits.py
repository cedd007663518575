"""The kits of signals: `--watch` without the names of charts writes those of each new signal, once."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from dashboard.data.events import find_event
from dashboard.data.signals import newest_versions
from dashboard.export import batch, files
from dashboard.export.spec import Spec, for_chart
from etl.settings import settings
from etl.warehouse import WarehouseError, connect_read_only, published_version

CHARTS: tuple[str, ...] = ("shock-proportion", "record-book", "shock-losses", "shock-timeline")
OF_THE_DAY = ("shock-minutes",)
"""Of intraday bars, which a refresh saves once it has published the signal: some come later than the kit."""
OF_THE_STORES: tuple[str, ...] = ("rank-history", "rank-bump", "shock-timeline")
DONE = "signal.json"


def write_new(out: Path, spec: Spec, today: date | None = None) -> int:
    """Write the kits of the signals of the seven days before `today` into `out`, a folder each; returns the exit code.

    A signal whose folder says that this version of it is done is passed over, so that each is written once, and a
    correction once more; one that was interrupted is written again. Where more bars within its day have come since,
    their chart alone is written.
    """
    try:
        state = published_version()
        with connect_read_only(version=state) as con:
            held = {path.parent.name for path in out.glob(f"*/{DONE}")}
            told: list[tuple[dict[str, str], tuple[str, ...]]] = []
            for row in newest_versions(con, today or datetime.now(UTC).date(), held):
                before = _done(out / row["signal_id"])
                if before.get("version") == row["version"]:
                    if before.get("bars", "") != row["bars"]:
                        told.append((before | {"bars": row["bars"]}, OF_THE_DAY))
                    continue
                if not before:
                    row["status"] = "new"
                row["story"] = _story(row, find_event(con, row["signal_id"]))
                usual = OF_THE_STORES if row["kind"] == "rank" else CHARTS
                told.append((row, usual + OF_THE_DAY if row["bars"] else usual))
    except WarehouseError as error:
        batch.errors.print(str(error))
        return 2
    codes = [_write(out / row["signal_id"], row, charts, spec, state) for row, charts in told]
    if not told:
        batch.errors.print("Every signal of the last seven days has its kit.")
    return max(codes, default=0)


def _done(folder: Path) -> dict[str, str]:
    """What a folder says of the signal that it holds whole, empty where it holds none."""
    try:
        said = json.loads((folder / DONE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: str(value) for name, value in said.items()} if isinstance(said, dict) else {}


def _story(row: dict[str, str], event: Any) -> str:
    lead = {"new": "", "corrected": "Correction. ", "withdrawn": ""}[row["status"]]
    text = f"{lead}{event.description if event else row['detail']}\n"
    address = settings().dashboard_url.rstrip("/")
    return f"{text}\n{address}/?event={row['signal_id']}\n" if address else text


def _write(folder: Path, row: dict[str, str], charts: Sequence[str], spec: Spec, state: str) -> int:
    """The kits of one signal's `charts`, and at the very end the file that says that they are there."""
    batch.console.print(f"{row['title']} ({row['status']})")
    code = 0
    if row["status"] != "withdrawn":
        usual = replace(spec, event=row["signal_id"])
        specs = [for_chart(name, usual) for name in charts]
        specs = [
            replace(one, tickers=(row["subject"],)) if one.name == "rank-history" else one for one in specs
        ]
        results = batch.export_all(specs, lambda one: folder / one.name, lambda _: None, state)
        results = [
            replace(one, failures={}) if set(one.failures) == {"nothing to show"} else one for one in results
        ]
        batch.summary(results)
        code = batch.exit_code(results) if any(one.failures for one in results) else 0
    try:
        files.write(folder / "story.txt", row["story"].encode())
        if code == 0:
            files.write(folder / DONE, f"{json.dumps(row, ensure_ascii=False, indent=1)}\n".encode())
    except OSError as error:
        batch.errors.print(f"{folder} cannot be written ({error.strerror or error})")
        return 1
    return code
