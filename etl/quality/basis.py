"""Tells bars on another basis (another unit, a split not applied) from real moves of the price.

One ratio cannot tell them apart: a close of 5.85 after 609.6 is pence become pounds, and 51 after 100 may be a crash.
So the whole run of bars on either side of a jump is looked at, the bar's own open, range and turnover, the closes that
are stored, and the splits that are known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

from etl.quality.provider import apart, other_basis

LOOKED_AT = 0.2
"""Natural logarithm of the smallest change that is looked at; a split of 5:4 is one of 0.22."""
RATIOS = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
IMPLAUSIBLE, UNLIKELY, LARGE = math.log(6), math.log(2.6), 0.375
"""Logarithms of changes of a session: never taken on trust, not without a sign of news, and worth a second look."""
ENOUGH = 5
"""So many sessions at a new level make it one, and so many before it are a history to compare it with."""
LIKELY = 5
"""Where nothing is stored, so many of the longest runs are tried as the one to believe: most bars agree with it."""
SAME, STEADY = 0.2, 0.01
JUMP = "after a jump that looks like an unadjusted split or another unit"
OFF = "on another basis than the stored closes"
UNSEEN = "adjusted for a split that the closes do not show"


class Doubt(Enum):
    """How far a jump is from what prices do."""

    NONE = 0
    LOOSE = 1  # a large move overnight: only doubted when it goes back as it came
    WEAK = 2  # it has the size of a common split too: believed once it lasts
    STRONG = 3  # believed only on an operator's word


@dataclass
class Findings:
    """What a look at one ticker found.

    ``refused`` gives the reason for each refused position, ``unapplied`` the days of splits that the refused bars are
    on and the earlier ones are not, ``unseen`` those of splits for which the closes were adjusted though they never
    moved, ``remarks`` what was believed though it could be otherwise, and ``agreeing`` how many bars are on one level
    beyond doubt.
    """

    refused: dict[int, str] = field(default_factory=dict)
    unapplied: list[pd.Timestamp] = field(default_factory=list)
    unseen: list[pd.Timestamp] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    agreeing: int = 0


class Series:
    """The closes of one ticker as they would be stored: those that arrived laid over those that are there.

    ``bars`` has a row a session in the order of ``date``: open, high, low, close, volume, ``position`` (NaN where
    nothing arrived), ``held`` (the stored close, NaN where there is none) and ``paid`` (the logarithm of the stored
    adjusted close over it). ``splits`` has date and ratio of those that hold from now on, ``before`` of those that held
    until now. ``other_source`` says that what is stored comes from another provider.
    """

    def __init__(
        self,
        bars: pd.DataFrame,
        splits: pd.DataFrame,
        before: pd.DataFrame | None = None,
        *,
        other_source: bool = False,
    ) -> None:
        """Take the columns apart."""
        self.days = bars["date"].to_numpy()
        self.close = bars["close"].to_numpy(float)
        self.bars = bars
        self.arrived = bars["position"].notna().to_numpy()
        self.held = bars["held"].to_numpy(float)
        self.paid = bars["paid"].to_numpy(float)
        self.splits = splits
        self.before = splits if before is None else before
        self.other_source = other_source

    def judge(self) -> Findings:
        """Which bars are on another basis than the rest."""
        mixed = self.other_source and not self.arrived.all()
        why = other_basis(self._shift, self.close, self.paid) if mixed else None
        if why:
            found = Findings()
            self._refuse(found, 0, len(self.close), OFF + why)
            return found
        runs = self._runs()
        unseen = {place: days for place, (first, _) in enumerate(runs) if (days := self._unseen_at(first))}
        newest = max(unseen, default=0)
        found = self._judge_runs(runs[newest:])
        found.unseen = [day for days in unseen.values() for day in days]
        if unseen:
            self._refuse(found, 0, runs[newest][0], f"{UNSEEN} ({found.unseen[-1].date()})")
        found.remarks += self._differing() if self.other_source and not found.refused else []
        return found

    def _judge_runs(self, runs: list[tuple[int, int]]) -> Findings:
        found = Findings()
        known = [self._anchored(first, last) for first, last in runs]
        if True in known:
            return self._from(known.index(True), runs, known)
        if False in known:
            for run in runs:
                self._refuse(found, *run, self._off_by(*run))
            return found
        lengths = [last - first for first, last in runs]
        likely = sorted(range(len(runs)), key=lambda one: (lengths[one], one))[-LIKELY:]
        return max((self._from(one, runs, known) for one in likely), key=lambda found: found.agreeing)

    def _from(self, start: int, runs: list[tuple[int, int]], known: list[bool | None]) -> Findings:
        """What is found when the run ``start`` is believed."""
        found = Findings(agreeing=runs[start][1] - runs[start][0])
        good = [True if one == start else each for one, each in enumerate(known)]
        self._walk(found, runs, good, start, 1)
        self._walk(found, runs, good, start, -1)
        return found

    @cached_property
    def steps(self) -> np.ndarray:
        """The logarithm of each close over the one before it; 0 for the first."""
        return np.diff(np.log(self.close), prepend=math.log(self.close[0]))

    @cached_property
    def usual(self) -> float:
        """A standard deviation of the steps that no outlier moves (1.4826 times their median size)."""
        sizes = np.abs(self.steps[1:])
        return min(max(1.4826 * float(np.median(sizes)), 0.01), 0.25) if len(sizes) else 0.01

    @cached_property
    def _shift(self) -> np.ndarray:
        """How far each arrived close lies from the stored one, in logarithms, but for what changed splits explain."""
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = np.log(self.close / self.held)
        days = pd.DatetimeIndex(self.days)
        held = self.before[~self.before["date"].isin(self.still_shown["date"])]
        explained = shift - (_later(held, days) - _later(self.splits, days))
        shift = np.where(np.abs(explained) < np.abs(shift), explained, shift)
        return np.where(self.arrived, shift, np.nan)

    @cached_property
    def still_shown(self) -> pd.DataFrame:
        """The splits that the source no longer sends, though the closes that came still move by them on their day.

        Sources have lost splits for days, and with them the adjustment of the closes.
        """
        gone = self.before[~self.before["date"].isin(self.splits["date"])]
        days = pd.DatetimeIndex(self.days)
        shown = []
        for day, ratio in zip(gone["date"], gone["ratio"], strict=True):
            near = np.flatnonzero(self.arrived & (abs(days - day) <= timedelta(days=4)))
            steps = self.steps[near] * -np.sign(math.log(ratio))
            shown.append(any(step > 0 and self._is_of_split(step, math.log(ratio)) for step in steps))
        return gone[np.array(shown, dtype=bool)]

    def _unseen_at(self, after: int) -> list[pd.Timestamp]:
        """The days of new or changed splits by which the closes rise where they should not move at all.

        A source divides the closes before a split by its ratio. Where these did not show the split before, the quotient
        stands a whole ratio below the closes after it: there was none, or it was taken twice.
        """
        if after == 0:
            return []
        stored = self.before.drop_duplicates("date").set_index("date")["ratio"]
        near = self._near(self.splits, after - 1, after)
        sizes = np.log(near["ratio"] / near["date"].map(stored).fillna(1.0))
        step = float(self.steps[after])
        return [
            day
            for day, size in zip(near["date"], sizes, strict=True)
            if size * step > 0 and self._is_of_split(step, size)
        ]

    def _runs(self) -> list[tuple[int, int]]:
        """First and past-the-last index of the runs of bars between doubtful steps."""
        doubtful = [
            int(one)
            for one in np.flatnonzero(np.abs(self.steps) > LOOKED_AT)
            if self.doubt(int(one) - 1, int(one)) is not Doubt.NONE
        ]
        edges = [0, *doubtful, len(self.close)]
        return list(pairwise(edges))

    def _anchored(self, first: int, last: int) -> bool | None:
        """Whether what is stored speaks for a run, or against it, or not at all."""
        run = slice(first, last)
        if not self.arrived[run].all():
            return True
        shift = self._shift[run][~np.isnan(self._shift[run])]
        if not len(shift):
            return None
        if abs(float(np.median(shift))) <= SAME:
            return True
        return False if self._is_another_basis(shift) else None

    @staticmethod
    def _is_another_basis(shift: np.ndarray) -> bool:
        """Whether closes differ from the stored ones by one factor, and not as revisions do, each by its own."""
        middle = float(np.median(shift))
        steady = len(shift) > 1 and float(np.median(np.abs(shift - middle))) < STEADY
        return steady or abs(middle) > UNLIKELY

    def _differing(self) -> list[str]:
        """What to tell of closes that replace others of another provider."""
        off = apart(self._shift, self.close)
        if not off.any():
            return []
        most = float(np.max(np.abs(np.expm1(self._shift[off]))))
        count = "a close replaces one" if off.sum() == 1 else f"{off.sum()} closes replace ones"
        return [f"{count} of another provider, {'at most ' if off.sum() > 1 else ''}{most:.2%} apart"]

    def _off_by(self, first: int, last: int) -> str:
        shift = self._shift[first:last]
        times = "" if np.isnan(shift).all() else f" (×{math.exp(float(np.nanmedian(shift))):.4g})"
        return OFF + times

    def _walk(
        self, found: Findings, runs: list[tuple[int, int]], good: list[bool | None], start: int, way: int
    ) -> None:
        """Go from a good run to one end, and compare each run on the way with the last that is believed."""
        nearest = 0 if way == 1 else 1
        edge = runs[start][1 - nearest] - (1 - nearest)
        number = start + way
        while 0 <= number < len(runs):
            near = runs[number][nearest] - nearest
            first, last = runs[number]
            if not good[number]:
                doubt = self.doubt(min(edge, near), max(edge, near))
                back = good[number] is False  # what is stored speaks against it
                if 0 <= number + way < len(runs):
                    back |= self._is_back(edge, runs[number + way][nearest] - nearest)
                good[number] = self._believed(
                    doubt, back, max(edge, near), runs[number if way == 1 else number + 1]
                )
                why = f"×{self.close[near] / self.close[edge]:.4g} on {pd.Timestamp(self.days[first]).date()}"
                if not good[number]:
                    self._refuse(found, first, last, f"{JUMP} ({why})")
                    found.unapplied += self._splits_at(edge, near) if way == 1 else []
                elif doubt is Doubt.WEAK:
                    found.remarks.append(f"a change of {why} is taken for real, since no split is known")
                else:
                    found.agreeing += last - first if doubt is Doubt.NONE else 0
            if good[number]:
                edge = runs[number][1 - nearest] - (1 - nearest)
            number += way

    @staticmethod
    def _believed(doubt: Doubt, back: bool, later: int, run: tuple[int, int]) -> bool:
        """Whether a level is believed: ``later`` is the bar after the step, ``run`` the bars that keep its level."""
        if doubt is Doubt.NONE:
            return True
        if doubt is Doubt.STRONG or back:
            return False
        return doubt is Doubt.LOOSE or run[1] - run[0] >= ENOUGH or later < ENOUGH

    def _is_back(self, edge: int, beyond: int) -> bool:
        """Whether the closes are back at the level that they had before a run."""
        spread = 4 * self.usual * math.sqrt(abs(beyond - edge))
        return abs(math.log(self.close[beyond] / self.close[edge])) <= min(max(0.1, spread), LARGE)

    def doubt(self, before: int, after: int) -> Doubt:
        """How doubtful the step between two bars is."""
        step = math.log(self.close[after] / self.close[before])
        size = abs(step)
        seam = bool(self.arrived[after] != self.arrived[before])
        if self._is_strong(before, after, step, seam):
            return Doubt.STRONG
        if size < max(LARGE, 6 * self.usual) or self._of_a_few_cents(before, after):
            return Doubt.NONE
        if self._tells_of_news(before, after, step):
            return Doubt.NONE
        if size > UNLIKELY or (seam and self.other_source):
            return Doubt.STRONG
        near = max(0.03, min(3 * self.usual, 0.08))
        common = any(abs(size - math.log(ratio)) <= near for ratio in RATIOS)
        return Doubt.WEAK if common else Doubt.LOOSE

    def _is_strong(self, before: int, after: int, step: float, seam: bool) -> bool:
        size = abs(step)
        if size > IMPLAUSIBLE:
            return True
        if self._splits_at(before, after):
            return True
        near = max(0.05, min(3 * self.usual, 0.1))
        return seam and any(abs(size - known) <= near for known in self._known if known > LOOKED_AT)

    @cached_property
    def _known(self) -> set[float]:
        """The logarithms of the known splits and of the products of those that follow each other."""
        every = pd.concat([self.splits, self.before]).drop_duplicates("date").sort_values("date")
        logs = np.log(every["ratio"].to_numpy(float))
        return {
            abs(float(logs[first:last].sum()))
            for first in range(len(logs))
            for last in range(first + 1, len(logs) + 1)
        }

    def _splits_at(self, before: int, after: int) -> list[pd.Timestamp]:
        """The days of the splits between two bars, or within days of them, whose ratio is that of the step."""
        step = math.log(self.close[after] / self.close[before])
        every = self._near(pd.concat([self.splits, self.still_shown]), before, after)
        return [
            day
            for day, ratio in zip(every["date"], every["ratio"], strict=True)
            if self._is_of_split(step, math.log(ratio))
        ]

    def _near(self, splits: pd.DataFrame, before: int, after: int) -> pd.DataFrame:
        first = pd.Timestamp(self.days[before]) - timedelta(days=4)
        last = pd.Timestamp(self.days[after]) + timedelta(days=4)
        return splits[splits["date"].between(first, last)]

    def _is_of_split(self, step: float, ratio: float) -> bool:
        near = min(max(0.1, 4 * self.usual, 0.1 * abs(ratio)), 0.5 * abs(ratio))
        return abs(abs(step) - abs(ratio)) <= near

    def _of_a_few_cents(self, before: int, after: int) -> bool:
        one, other = self.close[before], self.close[after]
        return max(one, other) < 0.1 and abs(one - other) <= 0.02

    def _tells_of_news(self, before: int, after: int, step: float) -> bool:
        """Whether the session itself was not an ordinary one: it moved within the day, or drew far more money."""
        bars = self.bars
        opened = bars["open"].iloc[after]
        if opened > 0 and abs(math.log(self.close[after] / opened)) > 0.3 * abs(step):
            return True
        nearby = slice(max(0, after - 30), after)
        with np.errstate(divide="ignore", invalid="ignore"):
            ranges = np.log(bars["high"].to_numpy(float) / bars["low"].to_numpy(float))
        shares = bars["volume"].to_numpy(float)
        drawn = [values[after] > 3 * _median(values[nearby]) > 0 for values in (shares, shares * self.close)]
        wide = ranges[after] > max(0.08, 3 * _median(ranges[nearby]))
        return bool(wide or all(drawn))

    def _refuse(self, found: Findings, first: int, last: int, why: str) -> None:
        for position in self.bars["position"].iloc[first:last].dropna():
            found.refused[int(position)] = why


def _later(splits: pd.DataFrame, days: pd.DatetimeIndex) -> np.ndarray:
    """For each day the logarithm of the product of the ratios of later splits."""
    ordered = splits.sort_values("date")
    logs = np.log(ordered["ratio"].to_numpy(float))
    remaining = np.append(logs[::-1].cumsum()[::-1], 0.0)
    return remaining[pd.DatetimeIndex(ordered["date"]).searchsorted(days, side="right")]


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.inf
