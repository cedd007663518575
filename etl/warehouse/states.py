"""The names of the states that are kept in files, their order, and which of them are kept for how long."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_NAME = re.compile(
    r".+?-(?:(\d{8})(?:-from-(\d{8}))?-)?(?:(\d{8}T\d{6}(?:\.\d+)?)Z-[0-9a-f]+|adopted)\.duckdb"
)


@dataclass(frozen=True, order=True)
class State:
    """One state. States are ordered by ``number``, a counter, since a clock can be wrong.

    ``parent`` is the number of the state that a rollback returns to; ``moment`` is when it was published by the
    clock of that time, None where the name does not tell.
    """

    number: int
    name: str
    parent: int | None = None
    moment: datetime | None = None

    @classmethod
    def named(cls, name: str) -> State | None:
        """The state of that file name, None where it is not one of a state."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        number, parent, stamp = match.groups()
        moment = datetime.strptime(stamp[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if stamp else None
        return cls(int(number or 0), name, int(parent) if parent else None, moment)

    @classmethod
    def after(cls, stem: str, kept: Sequence[State], parent: int | None, token: str) -> State:
        """The state to publish next, after those that are kept."""
        number = max((state.number for state in kept), default=0) + 1
        now = datetime.now(UTC)
        lineage = "" if parent is None else f"-from-{parent:08d}"
        name = f"{stem}-{number:08d}{lineage}-{now:%Y%m%dT%H%M%S.%f}Z-{token}.duckdb"
        return cls(number, name, parent, now)

    def came_from(self, kept: Sequence[State]) -> State | None:
        """The one of ``kept`` that a rollback from this state returns to; None where there is none."""
        if self.parent is None:
            return max((state for state in kept if state < self), default=None)
        return max((state for state in kept if state.number <= self.parent), default=None)


@dataclass(frozen=True)
class Keep:
    """How kept states thin out: all of ``days`` days, then one a day, then one a month.

    ``newest`` states stay whatever their age, so that no wrong clock can take the last good one.
    """

    newest: int = 10
    days: int = 1
    daily: int = 31
    monthly: int = 12

    def kept(self, states: Sequence[State], now: datetime) -> set[State]:
        """Those of ``states`` that stay, as of ``now``."""
        ordered = sorted(states)
        stay, seen = set(ordered[-self.newest :]), set()
        for state, moment in reversed(list(zip(ordered, _plausible(ordered, now), strict=True))):
            age = (now.date() - moment.date()) / timedelta(days=1)
            span: object
            if age < self.days:
                span = state
            elif age < self.daily:
                span = moment.date()
            elif age < self.monthly * 31:
                span = (moment.year, moment.month)
            else:
                continue
            if span not in seen:
                seen.add(span)
                stay.add(state)
        return stay


def _plausible(states: Sequence[State], now: datetime) -> list[datetime]:
    """When each was published: never after now, and never before the one that it follows."""
    moments: list[datetime] = []
    for state in states:
        known = state.moment if state.moment and state.moment <= now else None
        before = moments[-1] if moments else None
        moments.append(max(filter(None, (known, before)), default=now))
    return moments
