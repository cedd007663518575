"""Tables with one row a day, a window or a test."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from dashboard.event_study.battery import Battery
from dashboard.event_study.catalogue import Test
from dashboard.event_study.outcome import Outcome
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.portfolio import Portfolio, block_sums
from dashboard.event_study.validity import Validity
from dashboard.event_study.windows import Scopes, make_scopes

CONFIDENCE = 0.95
VERDICTS = {
    "valid_with_common_date": "common",
    "valid_with_volatile_day": "volatile",
    "size_common_date": "size_common",
    "size_volatile_day": "size_volatile",
}
# Tests whose denominator is the spread of the firms or their correlation.
COMPARING = {"cross_sectional", "bmp", "kolari_pynnonen", "patell_adjusted", "grank_t"}


def aar_table(
    sessions: pd.DatetimeIndex, scopes: Scopes, raw: FloatArray, abnormal: FloatArray, battery: Battery
) -> pd.DataFrame:
    """One row an event day: session, aar, caar (from the first day of the event window on), n firms, bands.

    The bands are 95% intervals of the portfolio regression: forecast error included, correlation of the firms
    included. `mean_return` is the mean raw return of the same firms.
    """
    days = scopes.days
    known = np.isfinite(abnormal)
    n = known.sum(axis=0)
    aar = battery.portfolio.aar[0]
    caar = np.cumsum(aar)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_return = np.where(known, raw, 0.0).sum(axis=0) / n
    day_half, window_half = band(battery.portfolio, days)
    return pd.DataFrame(
        {
            "session": sessions,
            "aar": aar,
            "aar_low": aar - day_half,
            "aar_high": aar + day_half,
            "caar": caar,
            "caar_low": caar - window_half,
            "caar_high": caar + window_half,
            "n": n,
            "mean_return": mean_return,
        },
        index=pd.Index(days, name="day"),
    )


def band(group: Portfolio, days: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Half the 95% interval of each day's AAR, and of the CAAR from the first day to each day."""
    first = int(days[0])
    scopes = make_scopes((first, int(days[-1])), [(first, int(day)) for day in days])
    error = group.standard_error(scopes)[0]
    quantile = stdtrit(group.df[0, 0], (1 + CONFIDENCE) / 2)
    return quantile * error[: len(days)], quantile * error[scopes.rows]


def placebo_table(sessions: pd.DatetimeIndex, group: Portfolio, scopes: Scopes) -> pd.DataFrame:
    """The group's AAR (one-day windows) and CAAR over every block of the estimation window.

    Columns: start, end (the window), session (first of the block), caar, and comparable: the CAAR that would be
    as rare in a forecast of the event window as the block is in the estimation window, the one to hold beside
    the event's own. Blocks with a day without any firm are left out.
    """
    errors = group.standard_error(scopes)[0]
    parts = []
    for (start, end), row in zip(scopes.windows, scopes.rows, strict=True):
        length = end - start + 1
        blocks = block_sums(group.estimation[0], length)
        known = np.isfinite(blocks)
        count = int(known.sum())
        comparable = group.blocks(length)[0] * errors[row]
        parts.append(
            (
                np.full(count, start),
                np.full(count, end),
                sessions.to_numpy()[: len(blocks)][known],
                blocks[known],
                comparable[known],
            )
        )
    columns = ["start", "end", "session", "caar", "comparable"]
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.DataFrame(
        {name: np.concatenate(each) for name, each in zip(columns, zip(*parts, strict=True), strict=True)}
    )


def path_table(aar: pd.DataFrame, group: Portfolio, scopes: Scopes, first: int) -> pd.DataFrame:
    """The event from the session before day `first` on, whose values are 0: everything cumulates from `first`.

    Returns:
        Index day; session, n, mean_return, aar, aar_low, aar_high (of the day itself), raw (mean raw returns summed),
        caar, caar_low, caar_high (95% band of the portfolio regression) and placebo_low, placebo_high (95% of equally
        long stretches before the event, as wide as a forecast is unsure). Fractions.
    """
    path = aar.loc[first:, ["session", "n", "mean_return", "aar", "aar_low", "aar_high"]].copy()
    days = path.index.to_numpy()
    spans = make_scopes(
        (int(scopes.days[0]), int(scopes.days[-1])), [(first, int(day)) for day in days], days=False
    )
    errors = group.standard_error(spans)[0]
    half = stdtrit(group.df[0, 0], (1 + CONFIDENCE) / 2) * errors
    path["raw"], path["caar"] = path["mean_return"].cumsum(), path["aar"].cumsum()
    path["caar_low"], path["caar_high"] = path["caar"] - half, path["caar"] + half
    ranges = []
    for length, error in enumerate(errors, start=1):
        blocks = group.blocks(length)[0]
        known = blocks[np.isfinite(blocks)] * error
        quantiles = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
        ranges.append(np.quantile(known, quantiles) if len(known) else (np.nan, np.nan))
    path[["placebo_low", "placebo_high"]] = np.array(ranges)
    if first - 1 not in aar.index:
        return path
    start = aar.loc[[first - 1], ["session", "n"]]
    return pd.concat([start.reindex(columns=path.columns, fill_value=0.0), path]).rename_axis("day")


def tests_table(
    outcomes: Mapping[str, Outcome],
    n_firms: NDArray[np.int64],
    caar: FloatArray,
    scopes: Scopes,
    catalogue: Mapping[str, Test],
    verdicts: Mapping[str, Validity],
) -> pd.DataFrame:
    """Every test on every event day, then on every window: the tidy table of `Study.tests`.

    Columns: scope ("day" or "window"), start, end, test, statistic, df (NaN: not Student's t), p_value
    (two-sided), valid_with_common_date and valid_with_volatile_day (whether the test rejects a true null about as
    often as it says for a group of this size, with these gaps, over a window of this length: when all firms share
    the date, and when the residuals of the event are twice as large besides), size_common_date and
    size_volatile_day (the rejection rate at 5% that was measured, the worst of seven kinds of residuals; NaN where
    none was), note.
    """
    days = len(scopes.days)
    rows = np.concatenate([np.arange(days), scopes.rows])
    names = list(outcomes)
    stacked = {
        field: np.stack([getattr(outcomes[name], field)[0, rows] for name in names], axis=1).ravel()
        for field in ("statistic", "df", "p_value")
    }
    notes = [catalogue[name].note for name in names]
    which = np.tile(np.arange(len(names)), len(rows))
    for position in np.flatnonzero(np.isnan(stacked["statistic"])):
        scope = rows[position // len(names)]
        test = catalogue[names[position % len(names)]]
        which[position] = len(notes)
        notes.append(_why_missing(test, int(n_firms[scope]), caar[scope]))
    return pd.DataFrame(
        {
            "scope": _strings(("day", "window")).take(
                np.repeat([0, 1], [days * len(names), len(scopes.rows) * len(names)])
            ),
            "start": np.repeat(scopes.starts[rows], len(names)),
            "end": np.repeat(scopes.ends[rows], len(names)),
            "test": _strings(tuple(names)).take(np.tile(np.arange(len(names)), len(rows))),
            **stacked,
            **{
                column: np.stack([getattr(verdicts[name], field)[rows] for name in names], axis=1).ravel()
                for column, field in VERDICTS.items()
            },
            "note": _strings(tuple(notes)).take(which),
        }
    )


@lru_cache(maxsize=16)
def _strings(texts: tuple[str, ...]) -> pd.api.extensions.ExtensionArray:
    return pd.array(texts, dtype="str")


def _why_missing(test: Test, firms: int, caar: float) -> str:
    if firms < test.firms_needed:
        have = "no firm has" if firms == 0 else "one firm has" if firms == 1 else f"{firms} firms have"
        return (
            f"Not computed: it needs {test.firms_needed} or more firms; {have} a return on every day of it."
        )
    if np.isnan(caar):
        return "Not computed: on one of its days no firm has an abnormal return."
    if test.name in COMPARING:
        return (
            "Not computed: the firms are copies of each other, or cancel each other out, so that rounding would "
            "decide it."
        )
    return "Not computed: the firms cancel each other out, so that rounding would decide it."
