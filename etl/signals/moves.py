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
MOST_A_SESSION = 5
"""Subjects of one yardstick that a session names: the most unusual ones of a day on which everything moves."""

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
    """A move that is rare: `size` (fraction) against `earlier` days, of which the share `unusual` moved as much.

    `change` is the return itself, which `size` is where the measure is no abnormal return.
    """

    session: date
    subject: str
    name: str
    kind: str
    measure: str
    size: float
    change: float
    unusual: float
    earlier: int


def read_panel(con: duckdb.DuckDBPyConnection) -> Panel | None:
    """The returns of the AI companies on New York's sessions and of their means; None where there are none.

    A return is from one session to the next: after a session without a price there is none.
    """
    companies = con.execute(
        "SELECT ticker, name, segment, exchange FROM company WHERE role = 'AI' OR ticker = ? ORDER BY ticker",
        [MARKET],
    ).df()
    home = {name for name in companies["exchange"].unique() if resolve_alias(name) == calendars.HOME}
    abroad = set(companies.loc[~companies["exchange"].isin(home), "segment"])
    companies = companies[companies["exchange"].isin(home)].reset_index(drop=True)
    sessions, returns, is_ai = _returns(con, companies["ticker"].tolist())
    own = (companies["ticker"] == MARKET).to_numpy()
    ai = np.where(is_ai, returns, np.nan)[:, ~own]
    held, kept = (np.asarray(np.isfinite(ai).any(axis=axis)) for axis in (0, 1))
    if not held.any():
        return None
    ai, labels = ai[kept][:, held], companies[~own][held]
    market = returns[kept][:, own]
    columns = [("ai", "AI companies", "mean", _mean(ai))]
    for segment in sorted(labels["segment"].unique()):
        name = f"{segment} (New York listings)" if segment in abroad else segment
        columns.append((segment, name, "segment", _mean(ai[:, (labels["segment"] == segment).to_numpy()])))
    for column, (ticker, name) in enumerate(zip(labels["ticker"], labels["name"], strict=True)):
        columns.append((ticker, name, "company", ai[:, column]))
    subjects, names, kinds, values = zip(*columns, strict=True)
    return Panel(
        [day for day, used in zip(sessions, kept, strict=True) if used],
        list(subjects),
        list(names),
        list(kinds),
        np.column_stack(values),
        market[:, 0] if market.shape[1] else np.full(len(market), np.nan),
    )


def _returns(
    con: duckdb.DuckDBPyConnection, tickers: list[str]
) -> tuple[list[date], FloatArray, NDArray[np.bool_]]:
    """The sessions, the returns (sessions × tickers) and where each had the role AI."""
    query = (
        "SELECT DISTINCT date FROM price_daily WHERE list_contains($tickers::VARCHAR[], ticker) ORDER BY date"
    )
    sessions = [day for (day,) in con.execute(query, {"tickers": tickers}).fetchall()]
    cells = con.execute(
        f"""
        WITH wanted AS (
            SELECT unnest($tickers::VARCHAR[]) AS ticker, unnest(range(len($tickers::VARCHAR[]))) AS place
        ), day AS (SELECT unnest($sessions::DATE[]) AS date, unnest(range(len($sessions::DATE[]))) AS place)
        SELECT wanted.place AS ticker, day.place AS day, adj_close, {ai_on("price_daily.date")} AS is_ai
        FROM price_daily JOIN wanted USING (ticker) JOIN day USING (date) JOIN company USING (ticker)
        """,  # noqa: S608
        {"tickers": tickers, "sessions": sessions},
    ).fetchnumpy()
    closes = np.full((len(sessions), len(tickers)), np.nan)
    is_ai = np.zeros(closes.shape, dtype=bool)
    closes[cells["day"], cells["ticker"]] = np.ma.filled(cells["adj_close"], np.nan)
    is_ai[cells["day"], cells["ticker"]] = cells["is_ai"]
    returns = np.full(closes.shape, np.nan)
    if len(closes):
        returns[1:] = closes[1:] / closes[:-1] - 1
    return sessions, returns, is_ai


def _mean(returns: FloatArray) -> FloatArray:
    """The mean of each row's returns, NaN where there is none."""
    known = np.isfinite(returns)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, returns, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


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
            found.setdefault((move.session, f"{move.kind} {move.subject}"), move)
    return sorted(found.values(), key=lambda move: (move.session, move.kind, move.subject))


def _alarms(
    panel: Panel,
    measure: str,
    columns: NDArray[np.int64],
    judged: FloatArray,
    sizes: FloatArray,
    share: float,
    since: date,
) -> list[Move]:
    """The subjects of one yardstick on the days whose largest score is among the given share of the largest.

    In a history too short for the share, where each new maximum would be an alarm however few are asked for, there is
    none: half a day, as a mid-p-value counts the day itself, has to be no more than the share. Lancaster (1961),
    Journal of the American Statistical Association 56, 223–234.
    """
    finite = np.isfinite(judged[:, columns])
    known = finite & (np.cumsum(finite, axis=0) > FEWEST_EARLIER)
    largest = np.where(
        finite.any(axis=1), np.max(np.where(finite, judged[:, columns], -1.0), axis=1, initial=-1.0), np.nan
    )
    rare, earlier = rarity(largest)
    long_enough = (earlier >= FEWEST_EARLIER) & (0.5 / (earlier + 1) <= share)
    days = [day for day in np.flatnonzero((rare <= share) & long_enough) if panel.sessions[day] >= since]
    found = []
    for day in map(int, days):
        ordered = np.sort(largest[:day][np.isfinite(largest[:day])])
        threshold = ordered[-(int(share * len(ordered)) + 1)]
        scores = np.where(known[day], judged[day, columns], -1.0)
        order = np.argsort(-scores, kind="stable")[:MOST_A_SESSION]
        found += [
            _move(panel, measure, judged, sizes, day, int(columns[one]))
            for one in order
            if scores[one] > threshold
        ]
    return found


def _move(panel: Panel, measure: str, judged: FloatArray, sizes: FloatArray, day: int, column: int) -> Move:
    own, count = rarity(judged[: day + 1, column])
    return Move(
        panel.sessions[day],
        panel.subjects[column],
        panel.names[column],
        panel.kinds[column],
        measure,
        float(sizes[day, column]),
        float(panel.returns[day, column]),
        float(own[day]),
        int(count[day]),
    )
