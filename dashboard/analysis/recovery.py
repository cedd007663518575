"""How deep a fall went after an event and how long it took to make it good."""

import pandas as pd

from dashboard.analysis.returns import Sessions, each_rows_own, last_sessions

COLUMNS = (
    *("ticker", "before", "first_change", "low", "drawdown"),
    *("recovered", "sessions", "last", "last_change"),
)


def recoveries(prices: pd.DataFrame, sessions: Sessions) -> pd.DataFrame:
    """Drawdown and recovery of each ticker since an event, on its own sessions and dividend-adjusted prices.

    `prices` is one row a ticker and session from before the event's on; `sessions` is the first that could react, of
    all or of each ticker. Returns one row a ticker that fell at the
    event's first close: ticker, before (date of the base), first_change, low (date of the lowest close until the
    recovery, or until the end of the data), drawdown (fraction below the base at that low), recovered (first date
    with a close at or above the base, NaT where there is none yet), sessions (number of sessions from the event's
    session to it, the event's own counting as 1; missing where not recovered), last (last date), last_change.
    """
    base = last_sessions(prices, sessions)
    rows = []
    since = prices[prices["date"] >= each_rows_own(sessions, prices)]
    for ticker, path in since.groupby("ticker", sort=True):
        if ticker not in base.index:
            continue
        relative = path["adj_close"].to_numpy() / float(base.at[ticker, "adj_close"]) - 1
        dates = path["date"].to_numpy()
        if relative[0] >= 0:
            continue
        back = next((position for position, value in enumerate(relative) if value >= 0), None)
        lowest = int(relative[:back].argmin())
        rows.append(
            {
                "ticker": ticker,
                "before": base.at[ticker, "date"],
                "first_change": relative[0],
                "low": dates[lowest],
                "drawdown": relative[lowest],
                "recovered": pd.NaT if back is None else dates[back],
                "sessions": pd.NA if back is None else back + 1,
                "last": dates[-1],
                "last_change": relative[-1],
            }
        )
    table = pd.DataFrame(rows, columns=COLUMNS)
    for name in ("before", "low", "recovered", "last"):
        table[name] = pd.to_datetime(table[name])
    table["sessions"] = table["sessions"].astype("Int64")
    return table
