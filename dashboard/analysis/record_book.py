"""Where a one-day move of market value stands among all that are known, computed and reported."""

from dataclasses import dataclass, field

import pandas as pd

COLUMNS = ["ticker", "name", "date", "value_change", "change", "evidence", "source", "source_url"]


@dataclass(frozen=True)
class Records:
    """All one-day moves of market value that are known.

    `moves`: as `dashboard.data.market.value_moves` returns them (computed); `reported`: as
    `dashboard.data.records.reported_moves`; `indices`: as `dashboard.data.records.index_changes`.
    """

    moves: pd.DataFrame = field(repr=False)
    reported: pd.DataFrame = field(repr=False)
    indices: pd.DataFrame = field(repr=False)

    @property
    def since(self) -> pd.Timestamp:
        """The first day that is computed."""
        return self.moves["date"].min()

    @property
    def until(self) -> pd.Timestamp:
        """The last day that is computed."""
        return self.moves["date"].max()

    @property
    def compared(self) -> int:
        """How many company-days have dollars."""
        return int(self.moves["value_change"].notna().sum())

    @property
    def companies(self) -> int:
        """How many companies have dollars."""
        return int(self.moves.loc[self.moves["value_change"].notna(), "ticker"].nunique())

    def as_of(self, day: pd.Timestamp) -> "Records":
        """The moves up to a day, its own included: what a record of that day is compared with."""
        return Records(*(rows[rows["date"] <= day] for rows in (self.moves, self.reported, self.indices)))

    def ranked(self, *, falls: bool, least: float = 0.0) -> pd.DataFrame:
        """The losses (or gains) of at least so many US dollars, the largest first.

        A reported move of a company and day that is computed is left to the computed one. Columns: ticker, name,
        date, value_change, change, evidence ("computed" or "reported"), source, source_url; index: the rank, from 1.
        """
        sign = -1 if falls else 1
        own = self.moves[sign * self.moves["value_change"] > least].assign(
            evidence="computed", source="", source_url=""
        )
        told = self.reported[
            (self.reported["direction"] == ("loss" if falls else "gain"))
            & (sign * self.reported["value_change"] > least)
        ].rename(columns={"company": "name"})
        held = set(zip(own["ticker"], own["date"], strict=True))
        fresh = [pair not in held for pair in zip(told["ticker"], told["date"], strict=True)]
        parts = [part[COLUMNS] for part in (own, told[fresh].assign(evidence="reported")) if len(part)]
        rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
        order = rows.assign(size=rows["value_change"].abs()).sort_values(
            ["size", "date"], ascending=[False, True]
        )
        ranked = order.drop(columns="size").reset_index(drop=True)
        return ranked.set_index(ranked.index + 1)


def place(ranked: pd.DataFrame, ticker: str, day: pd.Timestamp) -> int | None:
    """The rank of a company's day in `Records.ranked`; None where it is not in it."""
    rows = ranked.index[(ranked["ticker"] == ticker) & (ranked["date"] == day)]
    return int(rows[0]) if len(rows) else None
