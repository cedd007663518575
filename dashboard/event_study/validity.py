"""Which tests hold for this group, these gaps and this window: read from the table of measured sizes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.event_study.catalogue import Test
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.regression import Fit
from dashboard.event_study.size_table import LEVEL, PATH, draws_of
from dashboard.event_study.windows import Scopes

# Rejection rates at 5% between which a test holds, when all firms share the date and when the day is more
# volatile; the rate of a cell alone may lie a little further out than that of the cell and its neighbours.
COMMON, VOLATILE, ALONE = (0.040, 0.0605), (0.037, 0.065), 0.006
# Rates that a test may at most have in any kind of market. The extremes as they were measured must lie between them:
# these lie 1.35 standard errors further out than the truth, two of the average of a cell and its neighbours.
PROMISED = {COMMON: (0.035, 0.07), VOLATILE: (0.03, 0.075)}
# Standard errors by which the extremes of a cell's seven rates are moved inwards. The largest of seven rates of one
# true size lies 1.35 above it: with less, a doubtful test does not hold.
EXTREME = 1.16
# Missing share of the firm-days that counts as none, and the most that was measured.
NEGLIGIBLE, MOST_SCATTERED, MOST_LEADING = 0.005, 0.25, 0.35
# A longer window distorts more: beyond this many days the next longer window measured must hold as well.
SHORT = 3
# From this many firms on sizes change slowly, and neighbouring cells are averaged.
SMOOTH = 4


@dataclass(frozen=True)
class Cell:
    """What was measured for one panel and estimation window: tests × firms × lengths.

    `holds` and `sizes` end in an axis of two: common date, volatile day. `sizes` are the measured rates furthest
    from 5%.
    """

    firms: NDArray[np.int64]
    lengths: NDArray[np.int64]
    holds: dict[str, NDArray[np.bool_]]
    sizes: dict[str, FloatArray]


@dataclass(frozen=True)
class Validity:
    """Of D scopes and one test: whether it holds with a common date and on a volatile day, and both sizes."""

    common: NDArray[np.bool_]
    volatile: NDArray[np.bool_]
    size_common: FloatArray
    size_volatile: FloatArray


def judge(
    fitted: Fit, scopes: Scopes, tests: Iterable[Test], firms: int | None = None
) -> dict[str, Validity]:
    """The verdict on every test over every scope of a study (a batch of one).

    Args:
        fitted: the regressions of the study.
        scopes: its days and windows.
        tests: which ones.
        firms: size of the group when it is not the number of those fitted.
    """
    days = fitted.residuals.shape[-1]
    count = fitted.residuals.shape[1] if firms is None else firms
    before = panels_of(fitted)
    hole = (np.isnan(fitted.abnormal[0]).any(axis=0) @ scopes.member) > 0 if not fitted.complete else None
    keys = [(int(length), hole is not None and bool(hole[at])) for at, length in enumerate(scopes.lengths)]
    known = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    which = np.array([known[key] for key in keys])
    found = {}
    for test in tests:
        rows = []
        for length, gap in known:
            panels = (
                [*(panel for panel in before if panel != "complete"), "gaps in window"] if gap else before
            )
            rows.append(look_up(test, tuple(panels), days, count, length))
        holds, sizes = (np.array(each)[which] for each in zip(*rows, strict=True))
        found[test.name] = Validity(holds[:, 0], holds[:, 1], sizes[:, 0], sizes[:, 1])
    return found


def panels_of(fitted: Fit) -> tuple[str, ...]:
    """The kinds of missing days of an estimation window; none of a kind that was measured: "unmeasured"."""
    if fitted.span is not None and not fitted.complete:
        return ("unmeasured",)
    if fitted.valid is None:
        return ("complete",)
    valid = fitted.valid[0]
    leading = np.cumsum(valid, axis=1) == 0
    late, scattered = float(leading.mean()), float((~valid & ~leading).mean())
    if late > MOST_LEADING or scattered > MOST_SCATTERED:
        return ("unmeasured",)
    kinds = [name for name, share in (("histories", late), ("gaps", scattered)) if share > NEGLIGIBLE]
    return tuple(kinds) or ("complete",)


@lru_cache(maxsize=4096)
def look_up(
    test: Test, panels: tuple[str, ...], days: int, firms: int, length: int
) -> tuple[NDArray[np.bool_], FloatArray]:
    """Whether a test holds (common date, volatile day) and its measured sizes; between two cells both must.

    A test that assumes independent firms holds for one firm at most, whatever a simulation happened to give.
    """
    possible = firms == 1 or test.allows(panels, firms)
    holds, sizes = np.array([possible, possible]), np.full(2, np.nan)
    for panel in panels:
        cell = _cells().get((panel, _measured_days(days)))
        if cell is None or length > cell.lengths[-1]:
            return np.array([False, False]), np.full(2, np.nan)
        rows, columns = _around(cell.firms, firms), _around(cell.lengths, length)
        holds = holds & cell.holds[test.name][np.ix_(rows, columns)].all(axis=(0, 1))
        for size in cell.sizes[test.name][np.ix_(rows, columns)].reshape(-1, 2):
            further = ~(np.abs(size - LEVEL) <= np.abs(sizes - LEVEL))
            sizes = np.where(further & np.isfinite(size), size, sizes)
    return holds, sizes


def _measured_days(days: int) -> int:
    known = sorted({measured for _, measured in _cells()})
    return max((each for each in known if each <= days), default=0)


def _around(grid: NDArray[np.int64], value: int) -> list[int]:
    """Places of the grid's values on both sides of a value; one where it is on the grid or beyond its end."""
    right = int(np.searchsorted(grid, value))
    if right == len(grid) or grid[right] == value:
        return [min(right, len(grid) - 1)]
    return [right - 1, right] if right else [right]


@lru_cache(maxsize=1)
def _cells() -> dict[tuple[str, int], Cell]:
    table = pd.read_csv(PATH)
    return {
        (str(panel), int(days)): _cell(rows)
        for (panel, days), rows in table.groupby(["panel", "days"], sort=False)
    }


def _cell(rows: pd.DataFrame) -> Cell:
    firms, lengths = np.sort(rows["firms"].unique()), np.sort(rows["length"].unique())
    error = np.sqrt(LEVEL * (1 - LEVEL) / np.array([draws_of(int(each)) for each in firms]))[:, None]
    holds, sizes = {}, {}
    for test, figures in rows.groupby("test", sort=False):
        wide = figures.set_index(["firms", "length"]).sort_index()
        low, high, quiet_low, quiet_high = (
            wide[name].to_numpy().reshape(len(firms), len(lengths))
            for name in ("volatile_low", "volatile_high", "low", "high")
        )
        pairs = ((quiet_low, quiet_high, COMMON), (low, high, VOLATILE))
        verdict = np.stack([_within(a, b, error, firms, limits) for a, b, limits in pairs], axis=-1)
        verdict[..., 1] &= verdict[..., 0]
        for column in np.flatnonzero(lengths[:-1] > SHORT)[::-1]:
            verdict[:, column] &= verdict[:, column + 1]
        holds[str(test)] = verdict
        sizes[str(test)] = np.stack([_furthest(a, b) for a, b, _ in pairs], axis=-1)
    return Cell(firms, lengths, holds, sizes)


def _within(
    low: FloatArray,
    high: FloatArray,
    error: FloatArray,
    firms: NDArray[np.int64],
    limits: tuple[float, float],
) -> NDArray[np.bool_]:
    least, most = low + EXTREME * error, high - EXTREME * error
    smooth_least, smooth_most = _smooth(least, firms), _smooth(most, firms)
    together = (smooth_least >= limits[0]) & (smooth_most <= limits[1])
    alone = (least >= limits[0] - ALONE) & (most <= limits[1] + ALONE)
    fewest, largest = PROMISED[limits]
    kept = (_smooth(low, firms) >= fewest) & (_smooth(high, firms) <= largest)
    return np.asarray(together & alone & kept)


def _smooth(values: FloatArray, firms: NDArray[np.int64]) -> FloatArray:
    smooth = values.copy()
    for row in np.flatnonzero(firms >= SMOOTH):
        near = [each for each in (row - 1, row, row + 1) if each < len(firms) and firms[each] >= SMOOTH]
        smooth[row] = values[near].mean(axis=0)
    return smooth


def _furthest(low: FloatArray, high: FloatArray) -> FloatArray:
    return np.where(np.abs(low - LEVEL) > np.abs(high - LEVEL), low, high)
