"""Whole companies that were worth about as much together as an amount."""

from collections.abc import Collection
from itertools import combinations

import pandas as pd

CLOSE, NEAR = 0.015, 0.05
SMALLEST = 0.15  # of the amount: the tile of a smaller one has no room for its name
MOST = 4
CANDIDATES = 24


def worth_as_much(values: pd.Series, amount: float, preferred: Collection[str] = ()) -> list[str]:
    """The companies whose market values come nearest to `amount` together, the largest first; none where none do.

    `values` is in US dollars by ticker. One to four companies, each at least 15 % of the amount; those of
    `preferred` alone where they come within 1.5 %, else any within 5 %; of sums about as near the fewest companies.
    """
    fitting = values[(values >= SMALLEST * amount) & (values <= (1 + NEAR) * amount)]
    fitting = fitting.sort_values(ascending=False)
    own = fitting[fitting.index.isin(list(preferred))]
    for pool, room in ((own, CLOSE), (fitting, CLOSE), (fitting, NEAR)):
        found = _nearest(pool.head(CANDIDATES), amount, room)
        if found:
            return found
    return []


def _nearest(pool: pd.Series, amount: float, room: float) -> list[str]:
    best: tuple[float, tuple[str, ...]] | None = None
    held = dict(pool.items())
    for size in range(1, MOST + 1):
        for group in combinations(held, size):
            error = abs(sum(held[ticker] for ticker in group) / amount - 1)
            if error <= room and (best is None or error < best[0]):
                best = (error, group)
        if best is not None and best[0] <= CLOSE:
            break
    return list(best[1]) if best else []
