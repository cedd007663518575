"""How often each test rejects when nothing happened, by group size, gaps and length of the window.

`python -m dashboard.event_study --size-table` computes the table again that the package holds.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from dashboard.event_study.battery import run_battery
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.regression import fit
from dashboard.event_study.windows import Scopes, make_scopes
from dashboard.event_study.worlds import PANELS, WORLDS, excite, simulate
from etl.errors import UsageError

PATH = Path(__file__).with_name("size_table.csv")
EVENT_WINDOW = (-10, 10)
WINDOWS = ((0, 0), (-1, 1), (0, 10), (-10, 10))
DAYS = {250: PANELS, 120: PANELS, 60: ("complete",)}
FIRMS = {"complete": (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 60, 200)}
FIRMS_WITH_GAPS = (1, 2, 3, 5, 10, 20, 60)
LEVEL, DOUBLED = 0.05, 2.0
VALUES = 600_000


def draws_of(firms: int) -> int:
    """Draws of each kind of residuals: fewer where they cost more, and the sizes differ less."""
    return 9000 if firms == 1 else 2400 if firms <= 10 else 1600 if firms <= 30 else 1000


def compute(scale: float = 1.0, seed: int = 20250127) -> pd.DataFrame:
    """Simulate every cell.

    Returns:
        One row a panel, days of estimation, number of firms, days of the window and test: low and high, the least
        and the largest rejection rate at 5% over the kinds of residuals; volatile_low and volatile_high, the same
        when the residuals of the event's day, or of all days of the event window, are twice as large.
    """
    return pd.concat([_cell(*cell, scale, seed) for cell in cells()], ignore_index=True)


def rewrite(path: Path | None) -> str:
    """Simulate the table and write it to a file, or over that of the package; says what was written.

    Raises:
        UsageError: the file cannot be written.
    """
    target = path or PATH
    table = compute()
    try:
        table.to_csv(target, index=False, float_format="%.3f")
    except OSError as error:
        raise UsageError(f"{target} cannot be written ({error.strerror or error}).") from None
    return f"{len(table)} rows are in {target}."


def cells() -> Iterator[tuple[str, int, int]]:
    """Panel, days of the estimation window and firms of every cell."""
    for days, panels in DAYS.items():
        for panel in panels:
            for firms in FIRMS.get(panel, FIRMS_WITH_GAPS):
                yield panel, days, firms


def _cell(panel: str, days: int, firms: int, scale: float, seed: int) -> pd.DataFrame:
    scopes = make_scopes(EVENT_WINDOW, WINDOWS, days=False)
    draws = int(draws_of(firms) * scale)
    rates = {world: _rates(world, panel, days, firms, draws, scopes, seed) for world in WORLDS}
    rows = []
    for test in rates["equal"]["quiet"]:
        for place, (start, end) in enumerate(WINDOWS):
            quiet = [rate["quiet"][test][place] for rate in rates.values()]
            loud = [rate[kind][test][place] for rate in rates.values() for kind in ("day", "window")]
            figures = [min(quiet), max(quiet), min(loud), max(loud)]
            rows.append((panel, days, firms, end - start + 1, test, *figures))
    columns = ["panel", "days", "firms", "length", "test", "low", "high", "volatile_low", "volatile_high"]
    return pd.DataFrame(rows, columns=columns)


def _rates(
    world: str, panel: str, days: int, firms: int, draws: int, scopes: Scopes, seed: int
) -> dict[str, dict[str, FloatArray]]:
    """Rejection rate of each test over each window, for a quiet event and two kinds of loud ones."""
    draw = np.random.default_rng([seed, days, firms, list(WORLDS).index(world), PANELS.index(panel)])
    event_days = len(scopes.days)
    at_once = max(1, VALUES // (firms * (days + event_days)))
    rejected: dict[str, dict[str, list[FloatArray]]] = {"quiet": {}, "day": {}, "window": {}}
    for start in range(0, draws, at_once):
        quiet = simulate(draw, world, panel, min(at_once, draws - start), firms, days, event_days)
        loud = {"day": excite(quiet, 10, 11, DOUBLED), "window": excite(quiet, 0, event_days, DOUBLED)}
        for kind, sample in {"quiet": quiet, **loud}.items():
            outcomes = run_battery(fit(sample, constant=True), scopes).outcomes
            for name, outcome in outcomes.items():
                p_value = outcome.p_value[:, scopes.rows]
                flags = np.where(np.isfinite(p_value), p_value < LEVEL, np.nan)
                rejected[kind].setdefault(name, []).append(flags)
    return {
        kind: {name: _share(np.concatenate(parts)) for name, parts in tests.items()}
        for kind, tests in rejected.items()
    }


def _share(flags: FloatArray) -> FloatArray:
    """Share of the draws that reject; NaN where the test could be computed on fewer than half of them."""
    known = np.isfinite(flags)
    n = known.sum(axis=0)
    share = np.where(known, flags, 0.0).sum(axis=0) / np.maximum(n, 1)
    return np.where(n >= len(flags) / 2, share, np.nan)
