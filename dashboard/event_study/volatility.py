"""The day against the volatility of its time, and whether the day was stormy or busy at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.event_study.panel import FloatArray
from dashboard.event_study.study import Study
from dashboard.event_study.windows import Window

# Weight of yesterday's forecast (J. P. Morgan 1996, RiskMetrics technical document, daily data).
DECAY = 0.94
# Days that the first forecast rests on.
WARM_UP = 30
# Days that a share's own volume needs before the event.
FEWEST_VOLUMES = 60


@dataclass(frozen=True)
class Unusual:
    """How unusual a figure is: `value`, `usual` (its median before the event), `p_value`, `days` compared with."""

    value: float
    usual: float
    p_value: float
    days: int


def scaled_placebo(study: Study, window: Window) -> Unusual:
    """The placebo in time with each CAAR over the volatility forecast of its time.

    σ²_t = λσ²_{t-1} + (1 - λ)ē²_{t-1} with λ = .94 (RiskMetrics 1996), known before a block begins; the event's
    forecast uses the days before its window. After calm months an ordinary placebo finds too few large days,
    after stormy ones too many. `value` and `usual` are |CAAR| in standard deviations, forecast error included; p as
    in `time_series.placebo`, two-sided.
    """
    group, days = study.portfolio, study.aar.index.to_numpy()
    start, end = window
    length = end - start + 1
    series = np.concatenate([group.estimation[0], group.aar[0]])
    forecast = _forecasts(series / np.sqrt(group.variances[0]))
    position = group.days + int(np.flatnonzero(days == start)[0])
    event = abs(study.estimate(window)[0]) / (study.standard_error(window) * forecast[position])
    blocks = np.abs(group.blocks(length)[0]) / forecast[: group.days - length + 1]
    return _rank(event, blocks[WARM_UP:])


def abnormal_variance(study: Study) -> Unusual:
    """Spread of the firms on day 0: the mean over firms of (AR/sd)², against the same on each estimation day.

    One day's mean square is 1 when nothing happens (Beaver 1968, Journal of Accounting Research 6, 67-92). The
    p-value is one-sided, the share of days with a mean square as large.
    """
    daily = study.standardised_squares
    return _rank(float(daily.loc[0]), daily.loc[daily.index < study.aar.index[0]].to_numpy())


def abnormal_volume(volumes: pd.DataFrame, study: Study) -> Unusual:
    """Mean over firms of ln(volume/its median before the event) on day 0, against each estimation day.

    Log volumes are near normal where volumes are not (Ajinkya and Jain 1989, Journal of Accounting and Economics
    11, 331-359). `value` and `usual` are ratios (2: twice the usual volume); one-sided p.

    Args:
        volumes: sessions × firms, shares traded, NaN or 0 where none.
        study: whose firms and windows are used.
    """
    firms = [firm for firm in study.abnormal_returns.columns if firm in volumes.columns]
    logs = np.log(volumes[firms].where(volumes[firms] > 0))
    before = logs.reindex(study.estimation_sessions)
    kept = before.columns[before.count() >= FEWEST_VOLUMES]
    if not len(kept) or study.event_session not in logs.index:
        return Unusual(np.nan, np.nan, np.nan, 0)
    away = (logs[kept] - before[kept].median()).mean(axis=1)
    found = _rank(
        float(away.get(study.event_session, np.nan)), away.reindex(study.estimation_sessions).to_numpy()
    )
    return Unusual(float(np.exp(found.value)), float(np.exp(found.usual)), found.p_value, found.days)


def unusual_table(items: Sequence[tuple[str, Unusual]]) -> pd.DataFrame:
    """One row a figure: name, value, usual, p_value, days."""
    columns = ["name", "value", "usual", "p_value", "days"]
    return pd.DataFrame([(name, *vars(item).values()) for name, item in items], columns=columns)


def _forecasts(scaled: FloatArray) -> FloatArray:
    """One-step volatility forecasts in units of the whole history's; a missing day leaves the forecast alone."""
    forecast = np.ones(len(scaled))
    variance = float(np.nanmean(scaled[:WARM_UP] ** 2))
    for day, value in enumerate(scaled):
        forecast[day] = np.sqrt(variance)
        if np.isfinite(value):
            variance = DECAY * variance + (1 - DECAY) * value**2
    return forecast


def _rank(value: float, history: FloatArray) -> Unusual:
    known = history[np.isfinite(history)]
    if not len(known) or not np.isfinite(value):
        return Unusual(value, np.nan, np.nan, len(known))
    return Unusual(
        value, float(np.median(known)), float((1 + (known >= value).sum()) / (len(known) + 1)), len(known)
    )
