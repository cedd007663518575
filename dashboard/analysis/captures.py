"""Points of a ranking placed in time, and broken into the lines that may be drawn."""

from datetime import date

import pandas as pd

NOON = pd.Timedelta(hours=12)
MOST_CAPTURES = 1500
MOST_COLUMNS = 45


def placed(points: pd.DataFrame) -> pd.DataFrame:
    """Points with `moment` (UTC, no zone): one that gives only a day stands at its noon.

    `points` has captured_at (with a zone) and time_known.
    """
    captured = pd.to_datetime(points["captured_at"], utc=True).dt.tz_localize(None)
    return points.assign(moment=captured.where(points["time_known"], captured.dt.normalize() + NOON))


def lines(points: pd.DataFrame) -> pd.DataFrame:
    """The points of one app in time with an empty row between two `segment`s, so that a line breaks there."""
    ordered = points.sort_values("moment", ignore_index=True)
    segment = ordered["segment"].to_numpy(dtype=int)
    gaps = ordered.loc[:, ["moment"]].iloc[:-1][segment[:-1] != segment[1:]]
    return pd.concat([ordered, gaps]).sort_values("moment", kind="stable", ignore_index=True)


def column_step(captures: int, start: date, end: date) -> str:
    """Which captures a chart of columns shows: each, or the last of each day or week where they are too many."""
    if captures <= MOST_COLUMNS:
        return "capture"
    return "day" if (end - start).days < MOST_COLUMNS else "week"


def earliest(firsts: pd.DataFrame) -> pd.DataFrame:
    """The earlier of what was measured and what was reported: one row an app and country, with `moment` as `placed`."""
    ordered = placed(firsts).sort_values(["moment", "evidence"], kind="stable")
    return ordered.drop_duplicates(["app", "country"]).reset_index(drop=True)
