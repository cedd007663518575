"""Beyond the mean: what explains who lost, what would have been, and the firms on other clocks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pandas as pd
from scipy.special import stdtrit

from dashboard.event_study import EventStudyError, Study
from dashboard.event_study.clocks import run_elsewhere
from dashboard.event_study.explain import characteristics, run_cross_section, segment_columns
from dashboard.event_study.windows import Window

SHARE_UNKNOWN = (
    "The share of sales that AI brings in is not known for any of these companies, so it is not among them."
)
ONCE_UNKNOWN = {"size": "market value before the event", "run_up": "run-up before the event"}
ELSEWHERE = ("firm", "exchange", "session", "raw", "car", "low", "high", "p_value", "placebo_p")


@dataclass(frozen=True)
class Explained:
    """Slopes of the firms' returns, see `run_cross_section`.

    `base` is the segment that the slopes of the segments are differences from, "" without them; `notes` say what is
    not in the regression and why.
    """

    slopes: pd.DataFrame
    base: str
    notes: tuple[str, ...]


def explain(
    study: Study, values: pd.Series, segments: pd.Series, window: Window, own: pd.DataFrame | None = None
) -> Explained:
    """What explains who lost; the segments where the firms are of several and enough for so many slopes.

    `own` are figures of the reader's on each firm (firms × names), NaN where not known.

    Raises
    ------
    EventStudyError
        When the firms are too few without segments, too.
    """
    known = characteristics(study, values)
    if own is not None:
        known = known.join(own)
    rows = study.car[(study.car["start"] == window[0]) & (study.car["end"] == window[1])].dropna(
        subset=["car"]
    )
    unknown = [
        f"Left out: {int(gone)} of the {len(rows)} firms, of which the {ONCE_UNKNOWN.get(name, name)} is not known."
        for name in known
        if (gone := known.loc[rows["firm"], name].isna().sum())
    ]
    notes = (*unknown, *([SHARE_UNKNOWN] if own is None else []))
    columns, base = segment_columns(segments.reindex(known.index))
    if base:
        try:
            return Explained(run_cross_section(study, known.join(columns), window), base, notes)
        except EventStudyError as error:
            left_out = f"The segments are left out: {str(error)[0].lower()}{str(error)[1:]}"
            return Explained(run_cross_section(study, known, window), "", (left_out, *notes))
    return Explained(run_cross_section(study, known, window), "", notes)


def elsewhere(
    foreign: dict[str, pd.DataFrame],
    market: pd.Series,
    session_on: Callable[[str], date],
    window: Window,
    level: float = 0.95,
) -> pd.DataFrame:
    """The firms on other clocks, each exchange on its own sessions against a market with a lag and a lead.

    `session_on` gives an exchange's first session that could react. One row a firm, columns `ELSEWHERE`: session, raw,
    car, low and high (its interval at `level`) are of that session and the window, fractions.
    """
    tables = []
    for exchange, prices in foreign.items():
        try:
            study = run_elsewhere(prices, market, session_on(exchange), windows=(window,))
        except EventStudyError:
            continue
        start, end = window
        rows = study.car[["firm", "car", "se", "df", "p_value", "placebo_p"]].copy()
        half = rows["se"] * stdtrit(rows["df"], (1 + level) / 2)
        raw = study.raw_returns.loc[start:end].sum(skipna=False)
        rows = rows.assign(low=rows["car"] - half, high=rows["car"] + half, raw=rows["firm"].map(raw))
        tables.append(rows.assign(exchange=exchange, session=study.event_session.date()))
    if not tables:
        return pd.DataFrame(columns=list(ELSEWHERE))
    return pd.concat(tables, ignore_index=True)[list(ELSEWHERE)]
