"""All events on one yardstick: what each did to the AI companies, and how unusual that was."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.analysis.losses import MAX_DELAY_DAYS
from dashboard.analysis.many_events import Measured
from dashboard.event_study.multiplicity import benjamini_hochberg, holm
from dashboard.event_study.panel import FloatArray

CONFOUNDER = "confounder"
TRADED_SHARE = 0.5


def members_on(firms: pd.Index, ai_from: pd.Series, sessions: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Which firms have the role AI in each session (sessions × firms).

    `ai_from` is a day by ticker, of the AI companies alone; NaT: from the first session that has a return.
    """
    begins = pd.DatetimeIndex(ai_from.reindex(firms)).fillna(pd.Timestamp.min)
    return np.asarray(firms.isin(ai_from.index) & (sessions.to_numpy()[:, None] >= begins.to_numpy()))


def mean_changes(returns: FloatArray, members: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.int64]]:
    """Equal-weighted mean return of the members in each session (NaN where none has one), and how many have one."""
    known = members & np.isfinite(returns)
    count = known.sum(axis=1)
    total = np.where(known, returns, 0.0).sum(axis=1)
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0), count


def recovered_after(
    prices: FloatArray, positions: NDArray[np.int64], members: NDArray[np.bool_]
) -> FloatArray:
    """Sessions until an equal-weighted basket bought at the close before is back at it, the event's own being 1.

    0 where it did not fall, inf where it is not back yet, NaN without prices. Sessions on which fewer than half of its
    companies have a price do not count. `prices` is sessions × firms (adj_close), `members` events × firms.
    """
    found = np.full(len(positions), np.nan)
    for row, position in enumerate(positions):
        if position < 1:
            continue
        base = np.where(members[row], prices[position - 1], np.nan)
        held = np.isfinite(base)
        relative = prices[position:, held] / base[held]
        known = np.isfinite(relative)
        enough = known.sum(axis=1) > 0
        enough &= known.sum(axis=1) >= TRADED_SHARE * held.sum()
        if not enough.any():
            continue
        level = np.where(known, relative, 0.0).sum(axis=1)[enough] / known.sum(axis=1)[enough]
        back = np.flatnonzero(level >= 1)
        days = np.flatnonzero(enough)
        found[row] = (0 if back[0] == 0 else days[back[0]] + 1) if len(back) else np.inf
    return found


def ordinary_days(
    measured: Measured, positions: NDArray[np.int64], first_day: int, marked: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ordinary days before each event, and on how many of them the group's mean moved at least as much.

    Ordinary are the days of the estimation window that no listed event (`marked`, positions) falls on; `first_day` is
    the window's first offset.
    """
    rows = positions[:, None] + np.arange(first_day, first_day + measured.residuals.shape[1])
    ordinary = np.isfinite(measured.residuals) & ~np.isin(rows, marked)
    size = np.abs(measured.day(0))[:, None]
    as_large = ordinary & (np.abs(measured.residuals) >= size)
    return ordinary.sum(axis=1), as_large.sum(axis=1)


def reactions(moves: pd.DataFrame, sessions: pd.DataFrame) -> pd.DataFrame:
    """Each company's own move in the first session after each event.

    Args:
        moves: as `dashboard.data.market.value_moves` returns them.
        sessions: event_id, ticker, session (the first that could react).

    Returns:
        The columns of both, one row an event and company that traded within two weeks on either side. A company whose
        first price is that session's has no move: that of the day after answers something else.
    """
    near = pd.Timedelta(days=MAX_DELAY_DAYS)
    left = sessions.assign(session=pd.to_datetime(sessions["session"]).astype("datetime64[us]"))
    left = left.sort_values("session", kind="stable")
    right = moves.astype({"date": "datetime64[us]"}).sort_values("date", kind="stable")
    found = pd.merge_asof(
        left, right, left_on="session", right_on="date", by="ticker", direction="forward", tolerance=near
    ).dropna(subset=["date"])
    own = (found["before"] < found["session"]) & (found["session"] - found["before"] <= near)
    return found[own].reset_index(drop=True)


def dollars(moved: pd.DataFrame) -> pd.DataFrame:
    """Market value lost, gained and in all by event_id, in US dollars, and of how many companies it is known."""
    known = moved.dropna(subset=["value_change"])
    value = known["value_change"]
    parts = pd.DataFrame(
        {
            "event_id": known["event_id"],
            "lost": value.clip(upper=0),
            "gained": value.clip(lower=0),
            "value_change": value,
            "valued": 1,
        }
    )
    return parts.groupby("event_id").sum()


def leads(moved: pd.DataFrame, named: pd.Series) -> pd.DataFrame:
    """The company (or segment) that each event is about, and its move: lead, lead_name, lead_change by event_id.

    `named` is a ticker or a segment by event_id, "" where the list names none: then it is the company whose market
    value changed most, or, where no dollars are known, whose price did. A segment's move is the mean of its members'.
    """
    wanted = moved["event_id"].map(named).fillna("")
    rows = moved.assign(lead=moved["ticker"], lead_name=moved["name"], lead_change=moved["change"])
    order = rows.assign(size=rows["value_change"].abs(), move=rows["change"].abs())
    largest = order.sort_values(["size", "move"], ascending=False, na_position="last")
    inside = rows[rows["segment"] == wanted]
    segments = inside.groupby("event_id", as_index=False)["lead_change"].mean()
    segments["lead"] = segments["lead_name"] = segments["event_id"].map(named)
    companies = rows[rows["ticker"] == wanted]
    columns = ["event_id", "lead", "lead_name", "lead_change"]
    found = pd.concat([companies[columns], segments[columns], largest[columns]])
    return found.drop_duplicates("event_id").set_index("event_id")


def adjusted(p_values: pd.Series, ranked: pd.Series) -> pd.DataFrame:
    """Holm's and Benjamini and Hochberg's p-values among the ranked events: p_holm, p_bh; NaN for the others."""
    p = p_values.where(ranked).to_numpy(dtype=float)
    return pd.DataFrame({"p_holm": holm(p), "p_bh": benjamini_hochberg(p)}, index=p_values.index)


def overlaps(event_ids: Sequence[str], positions: NDArray[np.int64]) -> pd.DataFrame:
    """With which events each one cannot be told apart: same_session, next_session, session_before (lists of ids).

    The windows are those of the league, the session and 0…+1: a neighbour's news is in the other's second day.
    """
    ids = np.array(event_ids, dtype=object)
    apart = positions[None, :] - positions[:, None]
    np.fill_diagonal(apart, np.iinfo(np.int32).max)
    return pd.DataFrame(
        {
            name: [list(ids[row == days]) for row in apart]
            for name, days in (("same_session", 0), ("next_session", 1), ("session_before", -1))
        },
        index=pd.Index(event_ids, name="event_id"),
    )
