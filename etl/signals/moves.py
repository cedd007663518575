"""Sessions in which the AI mean, a segment or a company moved as it hardly ever does.

Each subject's return is compared with that of its own earlier days, by four yardsticks: the AI mean's abnormal return,
its raw return, the largest abnormal return of a segment, and the largest of a company. Each is as strict as the others,
and together they give alarms on as many sessions as the operator asks for. Nothing from after a session enters its
figures.
"""

import math
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

    `change` is the return itself, which `size` is where the measure is not an abnormal return.
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
    kinds, share = np.array(panel.kinds), alarms / YEAR
    adjusted = abnormal(panel.returns, panel.market)
    scores, raw = np.abs(scaled(adjusted)), np.abs(scaled(panel.returns[:, :1]))
    yardsticks = [
        ("abnormal return", np.flatnonzero(kinds == "mean"), scores, adjusted),
        ("return", np.array([0]), raw, panel.returns),
        ("abnormal return", np.flatnonzero(kinds == "segment"), scores, adjusted),
        ("abnormal return", np.flatnonzero(kinds == "company"), scores, adjusted),
    ]
    largest = [_largest(judged[:, columns]) for _, columns, judged, _ in yardsticks]
    ranked = [rarity(row) for row in largest]
    found: dict[tuple[date, str], Move] = {}
    for day in range(bisect_left(panel.sessions, since), len(panel.sessions)):
        own = [(shares[day] * earlier[day] + 1) / (earlier[day] + 1) for shares, earlier in ranked]
        rare = [
            number
            for number, (_, earlier) in enumerate(ranked)
            if earlier[day] >= FEWEST_EARLIER and own[number] <= share + 1 / earlier[day]
        ]
        bound = _bound([row[: day + 1] for row in largest], share) if rare else 0.0
        for number in rare:
            if own[number] < bound:
                for move in _alarms(panel, *yardsticks[number], largest[number][:day], day, bound):
                    found.setdefault((move.session, f"{move.kind} {move.subject}"), move)
    return sorted(found.values(), key=lambda move: (move.session, move.kind, move.subject))


def _largest(judged: FloatArray) -> FloatArray:
    """The largest score of each day, NaN where there is none."""
    finite = np.isfinite(judged)
    return np.where(finite.any(axis=1), np.max(np.where(finite, judged, -1.0), axis=1, initial=-1.0), np.nan)


def _bound(scores: list[FloatArray], share: float) -> float:
    """The share of its own days below which a yardstick gives an alarm on the last one, so that all keep to `share`.

    Where days that several yardsticks find count once, as many of the others as lie below it are within `share`; the
    last day counts as half of one, as a mid-p-value has it, so that in a history too short no new maximum is an alarm.
    Westfall and Young (1993), Resampling-Based Multiple Testing, section 2.3 (the least of several p-values);
    Lancaster (1961), Journal of the American Statistical Association 56, 223–234.
    """
    least = np.full(len(scores[0]), np.inf)
    for row in scores:
        known = np.flatnonzero(np.isfinite(row))
        order = known[np.argsort(-row[known], kind="stable")]
        least[order] = np.minimum(least[order], np.arange(1, len(order) + 1) / max(len(order), 1))
    others = np.sort(least[:-1][np.isfinite(least[:-1])])
    most = math.floor(share * (len(others) + 1) - 0.5)
    return float(others[most]) if most >= 0 else 0.0


def _alarms(
    panel: Panel,
    measure: str,
    columns: NDArray[np.int64],
    judged: FloatArray,
    sizes: FloatArray,
    before: FloatArray,
    day: int,
    bound: float,
) -> list[Move]:
    """The subjects of one yardstick, at most five, that on a day moved as hardly any day's largest `before` it did."""
    finite = np.isfinite(judged[: day + 1, columns])
    known = finite[-1] & (finite.sum(axis=0) > FEWEST_EARLIER)
    ordered = np.sort(before[np.isfinite(before)])
    threshold = ordered[1 - math.ceil(bound * (len(ordered) + 1) - 1e-9)]
    scores = np.where(known, judged[day, columns], -1.0)
    order = np.argsort(-scores, kind="stable")[:MOST_A_SESSION]
    return [
        _move(panel, measure, judged, sizes, day, int(columns[one]))
        for one in order
        if scores[one] > threshold
    ]


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
