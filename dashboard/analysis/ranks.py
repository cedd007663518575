"""App-store ranks placed on the market's clock."""

import pandas as pd

NEW_YORK = "America/New_York"


def on_market_clock(ranks: pd.DataFrame) -> pd.DataFrame:
    """Ranks with `moment` (New York time, no zone): one that gives only a day is placed at its noon.

    `ranks` has captured_at (with a zone; the day itself where that is all that is known) and time_known.
    """
    captured = pd.to_datetime(ranks["captured_at"], utc=True)
    local = captured.dt.tz_convert(NEW_YORK).dt.tz_localize(None)
    noon = captured.dt.tz_localize(None).dt.normalize() + pd.Timedelta(hours=12)
    return ranks.assign(moment=local.where(ranks["time_known"], noon))


def first_at_top(ranks: pd.DataFrame, app: str) -> pd.Series | None:
    """The first row in which an app is no. 1, or None. `ranks` is sorted by time."""
    top = ranks[(ranks["app"] == app) & (ranks["rank"] == 1)]
    return None if top.empty else top.iloc[0]
