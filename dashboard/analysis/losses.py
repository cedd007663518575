"""What each company lost or gained in the session of an event, in percent and in dollars."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard.analysis.returns import Sessions, each_rows_own, first_sessions, last_sessions

MAX_DELAY_DAYS = 14
DOLLARS = ["shares", "shares_as_of", "basis", "value_before", "value_change"]


def session_changes(
    prices: pd.DataFrame,
    companies: pd.DataFrame,
    moves: pd.DataFrame,
    sessions: Sessions,
) -> pd.DataFrame:
    """The change of every company from its last close before its session to its first one on or after it.

    `sessions` is the first that could react: of all, or of each ticker, since exchanges keep other hours. Where a
    company has no price of it, its next session is taken, up to two weeks later. `change` is a fraction of
    dividend-adjusted prices; the dollars are those of `moves`, as `dashboard.data.market.value_moves` returns them:
    count and exchange rate are of the company's own session.

    Returns one row a company: the columns of `companies`, before, on (dates), close_before, close, change, shares,
    shares_as_of, basis, value_before, value_change, and `missing`, which says why a figure is absent ("": none is).
    """
    apart = prices["date"] - each_rows_own(sessions, prices)
    near = prices[apart.abs() <= pd.Timedelta(days=MAX_DELAY_DAYS)]
    before = last_sessions(near, sessions).add_suffix("_before")
    after = first_sessions(near, sessions)
    table = (
        companies.merge(before, how="left", left_on="ticker", right_index=True)
        .merge(after, how="left", left_on="ticker", right_index=True)
        .merge(moves[["ticker", "date", *DOLLARS]], how="left", on=["ticker", "date"])
        .rename(columns={"date": "on", "date_before": "before"})
    )
    table["change"] = table["adj_close"] / table["adj_close_before"] - 1
    table["missing"] = [_missing(row) for row in table.itertuples()]
    return table.drop(columns=["adj_close", "adj_close_before"])


def _missing(row: Any) -> str:
    if pd.isna(row.change):
        return "no prices around this date"
    if pd.notna(row.value_change):
        return ""
    if pd.notna(row.shares):
        return "no exchange rate"
    if pd.notna(row.spin_off) and row.on <= row.spin_off:
        return f"no share count that fits closes from before the spin-off of {row.spin_off:%Y-%m-%d}"
    return "no share count"


@dataclass(frozen=True)
class Totals:
    """Market value that a group of companies lost and gained in a session, in US dollars."""

    lost: float
    gained: float
    losers: int
    gainers: int
    unknown: int

    @property
    def net(self) -> float:
        """Gains less losses; negative where value was lost on balance."""
        return self.gained + self.lost


def totals(changes: pd.DataFrame, role: str = "AI") -> Totals:
    """Add up `value_change` of the companies of one role; `unknown` counts those with a return but no dollars."""
    group = changes[changes["role"] == role]
    value = group["value_change"].dropna()
    return Totals(
        lost=float(value[value < 0].sum()),
        gained=float(value[value > 0].sum()),
        losers=int((value < 0).sum()),
        gainers=int((value > 0).sum()),
        unknown=int((group["change"].notna() & group["value_change"].isna()).sum()),
    )


def by_segment(changes: pd.DataFrame, whole: str) -> pd.DataFrame:
    """Market value before and its change by segment, in US dollars, of the companies with dollars.

    Index: `whole` (all together) first, then the segments; columns value_before, value_change, change (fraction).
    """
    valued = changes.dropna(subset=["value_change"])
    segments = valued.groupby("segment", sort=False)[["value_before", "value_change"]].sum()
    together = segments.sum().rename(whole).to_frame().T
    table = pd.concat([together, segments]).astype(float)
    table["change"] = table["value_change"] / table["value_before"]
    return table
