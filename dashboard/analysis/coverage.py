"""Which sessions of which company the warehouse holds, against those that its exchange held."""

from datetime import date
from typing import Any

import pandas as pd

from dashboard.data.status import Period
from etl import calendars

DAYS_BY_SESSION = 3 * 366
DAYS_BY_WEEK = 12 * 366
_FREQUENCY: dict[Period, str] = {"day": "D", "week": "W-SUN", "month": "M"}


def suitable_period(first: date, last: date) -> Period:
    """The finest period in which a span still fits a chart: each session, each week, or each month."""
    days = (last - first).days
    return "day" if days <= DAYS_BY_SESSION else "week" if days <= DAYS_BY_WEEK else "month"


def completeness(reach: pd.DataFrame) -> pd.DataFrame:
    """Each company's reach with the sessions that it should have and those that are missing.

    `reach` as `dashboard.data.status.reach` returns it. A company should have every session of its exchange from
    its own first to the last that any company of that exchange has. Adds until (that last session), expected
    (missing where the exchange's calendar is not known) and missing; companies without any price are left out.
    """
    held = reach.dropna(subset=["last"]).copy()
    held["until"] = held.groupby("exchange")["last"].transform("max")
    days = _sessions(held)
    expected = [len(_due(row, days)) or pd.NA for row in held.itertuples()]
    held["expected"] = pd.array(expected, dtype="Int64")
    held["missing"] = (held["expected"] - held["sessions"]).clip(lower=0)
    return held


def coverage(held: pd.DataFrame, companies: pd.DataFrame, period: Period) -> pd.DataFrame:
    """How much of each period's sessions each company has, for every period in which its exchange traded.

    `held` as `dashboard.data.status.held_sessions` returns it for `period`; `companies` as `completeness` returns
    them. Returns ticker, period, expected, held, bars: one row a company and period from its first session on.
    Where the calendar is not known, the sessions held are those expected.
    """
    due = [held.iloc[:0][["ticker", "period"]].assign(expected=pd.Series(dtype="int64"))]
    days = _sessions(companies)
    for row in companies.itertuples():
        counts = _due(row, days).to_period(_FREQUENCY[period]).start_time.value_counts()
        due.append(
            pd.DataFrame({"ticker": row.ticker, "period": counts.index, "expected": counts.to_numpy()})
        )
    table = pd.concat([frame.astype({"period": "datetime64[us]"}) for frame in due], ignore_index=True)
    table = table.merge(held.astype({"period": "datetime64[us]"}), how="outer", on=["ticker", "period"])
    for column in ("held", "bars"):
        table[column] = table[column].fillna(0).astype(int)
    table["expected"] = table["expected"].fillna(table["held"]).astype(int)
    return table.sort_values(["ticker", "period"], ignore_index=True)


def _sessions(companies: pd.DataFrame) -> dict[str, pd.DatetimeIndex]:
    """The sessions of each exchange over the span of its companies; none where its calendar is not known."""
    days = {}
    for exchange, group in companies.groupby("exchange"):
        name, known = str(exchange), calendars.is_known(str(exchange))
        span = group["first"].min().date(), group["until"].max().date()
        days[name] = pd.DatetimeIndex(calendars.sessions(name, *span) if known else [])
    return days


def _due(row: Any, days: dict[str, pd.DatetimeIndex]) -> pd.DatetimeIndex:
    held = days[row.exchange]
    return held[held.searchsorted(row.first) : held.searchsorted(row.until, side="right")]
