"""A month of many companies: what each did from the close before it to its last close, and by segment."""

from datetime import date

import pandas as pd


def month_changes(moves: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """What each company did in a month: one row a company that traded on both sides of its beginning and at its end.

    `moves` is as `dashboard.data.market.value_moves` returns it, of the month's days alone; `first` is the month's
    first day and `last` its last session in the data. Columns: ticker, name, segment, is_ai (at the end), change
    (fraction, from the last close before the month, with dividends), value_change (US dollars: the sum of the days'
    own changes, missing where one is not known), on (the session with the largest move), largest (that move).
    """
    moves = moves.dropna(subset=["change"]).sort_values(["ticker", "date"])
    grouped = moves.groupby("ticker", sort=True)
    ends = grouped.tail(1).set_index("ticker")
    table = ends[["name", "segment", "is_ai"]].assign(
        change=moves["change"].add(1).groupby(moves["ticker"]).prod() - 1,
        value_change=grouped["value_change"].agg(lambda values: values.sum(skipna=False)),
    )
    furthest = moves.loc[moves.groupby("ticker")["change"].agg(lambda values: values.abs().idxmax())]
    table = table.join(furthest.set_index("ticker")[["date", "change"]].set_axis(["on", "largest"], axis=1))
    begun = grouped["before"].first() < pd.Timestamp(first)
    ended = ends["date"] >= pd.Timestamp(last) - pd.Timedelta(days=5)
    return table[begun & ended].reset_index()


def by_segment(changes: pd.DataFrame) -> pd.DataFrame:
    """Segments by their mean change, the highest first: segment, companies, change, value_change (US dollars)."""
    grouped = changes.groupby("segment")
    table = pd.DataFrame(
        {
            "companies": grouped.size(),
            "change": grouped["change"].mean(),
            "value_change": grouped["value_change"].sum(min_count=1),
        }
    )
    return table.reset_index().sort_values("change", ascending=False, kind="stable", ignore_index=True)
