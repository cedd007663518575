"""App-store ranks placed on the market's clock."""

import pandas as pd

NEW_YORK = "America/New_York"


def on_market_clock(ranks: pd.DataFrame) -> pd.DataFrame:
    """Ranks with `moment` (New York time, no zone) and `time_known`.

    A report that gives only a day is stored at midnight UTC of that day: it is placed at noon, with
    `time_known` false. `ranks` has captured_at (with a zone) and evidence.
    """
    placed = ranks.copy()
    captured = pd.to_datetime(placed["captured_at"], utc=True)
    placed["time_known"] = (placed["evidence"] == "measured") | (captured != captured.dt.normalize())
    local = captured.dt.tz_convert(NEW_YORK).dt.tz_localize(None)
    noon = captured.dt.tz_localize(None) + pd.Timedelta(hours=12)
    placed["moment"] = local.where(placed["time_known"], noon)
    return placed


def first_at_top(ranks: pd.DataFrame, app: str) -> pd.Series | None:
    """The first row in which an app is no. 1, or None. `ranks` is sorted by time."""
    top = ranks[(ranks["app"] == app) & (ranks["rank"] == 1)]
    return None if top.empty else top.iloc[0]
