"""Sessions in which the AI mean, a segment or a company moved as it hardly ever does.

Each subject's return is compared with that of its own earlier days, by four yardsticks: the AI mean's abnormal return,
its raw return, the largest abnormal return of a segment, and the largest of a company. Every yardstick gives an alarm
on its share of the sessions that the operator asks for. Nothing from after a session enters its figures.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
from exchange_calendars import resolve_alias
from numpy.typing import NDArray

from etl import calendars
from etl.warehouse.figures import ai_on

MARKET = "SPY"
ESTIMATION, FEWEST = 250, 120
DECAY = 0.99
FEWEST_SCALED = 60
YEAR = 252
FEWEST_EARLIER = 60

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Panel:
    """Returns of T sessions and N subjects (fractions, NaN where there is none); `market` has length T.

    The first subject is the AI mean; `kinds` says "mean", "segment" or "company" of each.
    """

    sessions: list[date]
    subjects: list[str]
    names: list[str]
    kinds: list[str]
    returns: FloatArray
    market: FloatArray


@dataclass(frozen=True)
class Move:
    """A move that is rare: `size` (fraction) against `earlier` days, of which the share `unusual` moved as much."""

    session: date
    subject: str
    name: str
    measure: str
    size: float
    unusual: float
    earlier: int


def read_panel(con: duckdb.DuckDBPyConnection) -> Panel | None:
    """The returns of the AI companies on New York's sessions and of their means; None where there are none."""
    rows = con.execute(
        f"""
        SELECT ticker, name, segment, exchange, role, date, change, {ai_on("date")} AS is_ai FROM (
            SELECT ticker, date, adj_close / lag(adj_close) OVER (PARTITION BY ticker ORDER BY date) - 1 AS change
            FROM price_daily
        ) JOIN company USING (ticker) WHERE change IS NOT NULL AND (role = 'AI' OR ticker = $market)
        """,  # noqa: S608
        {"market": MARKET},
    ).df()
    home = {name for name in rows["exchange"].unique() if resolve_alias(name) == calendars.HOME}
    rows = rows[rows["exchange"].isin(home)]
    ai = rows[(rows["role"] == "AI") & rows["is_ai"]]
    if ai.empty:
        return None
    wide = ai.pivot(index="date", columns="ticker", values="change")
    market = rows[rows["ticker"] == MARKET].set_index("date")["change"].reindex(wide.index)
    labels = ai.drop_duplicates("ticker").set_index("ticker").reindex(wide.columns)
    columns = {"ai": ("AI companies", "mean", wide.mean(axis=1))}
    for segment, members in sorted(labels.groupby("segment").groups.items()):
        columns[str(segment)] = (str(segment), "segment", wide[members].mean(axis=1))
    for ticker in wide.columns:
        columns[ticker] = (str(labels.at[ticker, "name"]), "company", wide[ticker])
    return Panel(
        [day.date() for day in wide.index],
        list(columns),
        [name for name, _, _ in columns.values()],
        [kind for _, kind, _ in columns.values()],
        np.column_stack([values.to_numpy() for _, _, values in columns.values()]),
        market.to_numpy(),
    )


def abnormal(returns: FloatArray, market: FloatArray) -> FloatArray:
    """Abnormal returns (T × N) of the market model, each day's fitted to the 250 sessions before it.

    NaN where fewer than 120 of those have both returns. MacKinlay (1997), Journal of Economic Literature 35,
    equations 3 and 7.
    """
    paired = np.isfinite(returns) & np.isfinite(market)[:, None]
    y = np.where(paired, returns, 0.0)
    x = np.where(paired, market[:, None], 0.0)
    count = _window(paired.astype(float))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_x, mean_y = _window(x) / count, _window(y) / count
        beta = (_window(x * y) / count - mean_x * mean_y) / (_window(x * x) / count - mean_x**2)
        fitted = mean_y + beta * (market[:, None] - mean_x)
    return np.where(paired & (count >= FEWEST), returns - fitted, np.nan)


def _window(values: FloatArray) -> FloatArray:
    """Sums of the sessions before each one, at most 250."""
    total = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    ends = np.arange(len(values))
    return total[ends] - total[np.maximum(ends - ESTIMATION, 0)]


def scaled(values: FloatArray) -> FloatArray:
    """Each day's value over the root mean square of those before it, which fade by one percent a session.

    NaN until there are 60 of them. J.P. Morgan (1996), RiskMetrics, 4th edition, equation 5.3 (with decay 0.99).
    """
    result = np.full_like(values, np.nan)
    variance, weight = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    count = np.zeros(values.shape[1])
    for day, row in enumerate(values):
        enough = count >= FEWEST_SCALED
        with np.errstate(
            divide="ignore", invalid="ignore"
        ):  # of a price that has not moved there is no scale
            result[day, enough] = row[enough] / np.sqrt(variance[enough] / weight[enough])
        known = np.isfinite(row)
        variance[known] = DECAY * variance[known] + row[known] ** 2
        weight[known] = DECAY * weight[known] + 1
        count[known] += 1
    return result


def rarity(scores: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """For each day of a series the share of the earlier days that were at least as large, and how many those are."""
    share, earlier = np.full(len(scores), np.nan), np.zeros(len(scores), dtype=np.int64)
    seen: list[float] = []
    for day, score in enumerate(scores):
        if not np.isfinite(score):
            continue
        earlier[day] = len(seen)
        if seen:
            share[day] = (len(seen) - bisect_left(seen, score)) / len(seen)
        insort(seen, float(score))
    return share, earlier


def moves(panel: Panel, alarms: float, since: date) -> list[Move]:
    """The rare moves of the sessions from `since` on, where about `alarms` sessions a year are to have one."""
    kinds = np.array(panel.kinds)
    adjusted = abnormal(panel.returns, panel.market)
    scores, raw = np.abs(scaled(adjusted)), np.abs(scaled(panel.returns[:, :1]))
    yardsticks = [
        ("abnormal return", np.flatnonzero(kinds == "mean"), scores, adjusted),
        ("return", np.array([0]), raw, panel.returns),
        ("abnormal return", np.flatnonzero(kinds == "segment"), scores, adjusted),
        ("abnormal return", np.flatnonzero(kinds == "company"), scores, adjusted),
    ]
    found: dict[tuple[date, str], Move] = {}
    for measure, columns, judged, sizes in yardsticks:
        for move in _alarms(panel, measure, columns, judged, sizes, alarms / len(yardsticks) / YEAR, since):
            found.setdefault((move.session, move.subject), move)
    return sorted(found.values(), key=lambda move: (move.session, move.subject))


def _alarms(
    panel: Panel,
    measure: str,
    columns: NDArray[np.int64],
    judged: FloatArray,
    sizes: FloatArray,
    share: float,
    since: date,
) -> list[Move]:
    """The subjects of one yardstick on the days whose largest score is among the given share of the largest."""
    known = np.isfinite(judged[:, columns])
    largest = np.where(
        known.any(axis=1), np.nanmax(np.where(known, judged[:, columns], -1.0), axis=1), np.nan
    )
    rare, earlier = rarity(largest)
    days = [
        day
        for day in np.flatnonzero((rare <= share) & (earlier >= FEWEST_EARLIER))
        if panel.sessions[day] >= since
    ]
    found = []
    for day in days:
        ordered = np.sort(largest[:day][np.isfinite(largest[:day])])
        threshold = ordered[-(int(share * len(ordered)) + 1)]
        for column in columns[np.nan_to_num(judged[day, columns], nan=-1.0) > threshold]:
            own, count = rarity(judged[: day + 1, column])
            found.append(
                Move(
                    panel.sessions[day],
                    panel.subjects[column],
                    panel.names[column],
                    measure,
                    float(sizes[day, column]),
                    float(own[day]),
                    int(count[day]),
                )
            )
    return found
