"""From a panel to the sample of one event: windows cut out, firms with too little data dropped."""

import math
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.gaps import trade_to_trade
from dashboard.event_study.models import Model
from dashboard.event_study.panel import FloatArray, Panel
from dashboard.event_study.regression import Sample
from dashboard.event_study.windows import Window

Sessions: TypeAlias = slice | NDArray[np.int64]

FEWEST_OBSERVATIONS = 60
# Range of a firm's returns over the largest of them below which they are constant but for rounding.
CONSTANT = 1e-9
ROUNDING = 1e-14
SHORTER = " A shorter estimation window takes fewer."


def default_minimum(estimation: Window, asked: int | None, model: Model) -> int:
    """Returns that a firm needs in the estimation window: max(60, half), and more than k + 2 (M2)."""
    least = model.parameters + 3
    if asked is None:
        return max(FEWEST_OBSERVATIONS, math.ceil((estimation[1] - estimation[0] + 1) / 2), least)
    if isinstance(asked, bool) or not isinstance(asked, int | np.integer) or asked < least:
        raise EventStudyError(f"min_observations must be a whole number of at least {least} for this model.")
    return int(asked)


def take_sample(panel: Panel, before: Sessions, around: slice, gaps: str) -> Sample:
    """The returns and factors of the estimation and the event window as a batch of one."""
    days = len(panel.sessions[before])
    if gaps == "trade-to-trade":
        returns, factors, span = trade_to_trade(panel.returns, panel.factors, panel.subtract)
        return Sample(
            np.concatenate([returns[:, before], returns[:, around]], axis=1)[None],
            np.concatenate([factors[:, before], factors[:, around]], axis=1)[None],
            days,
            np.concatenate([span[:, before], span[:, around]], axis=1)[None],
        )
    returns = np.concatenate([panel.returns[:, before], panel.returns[:, around]], axis=1)
    subtract = np.concatenate([panel.subtract[before], panel.subtract[around]])
    if subtract.any():
        returns -= subtract
    factors = np.concatenate([panel.factors[before], panel.factors[around]])
    return Sample(returns[None], factors[None, None], days)


def count_observations(sample: Sample) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Usable returns in the estimation window, and whether there is one in the event window (B × N each)."""
    days = sample.estimation_days
    if not (np.isnan(sample.returns).any() or np.isnan(sample.factors).any()):
        shape = sample.returns.shape[:2]
        return np.full(shape, days), np.full(shape, True)
    usable = np.isfinite(sample.returns)
    if sample.factors.shape[-1]:
        usable &= np.isfinite(sample.factors).all(axis=-1)
    return usable[..., :days].sum(axis=-1), np.logical_or.reduce(usable[..., days:], axis=-1)


def choose_firms(
    panel: Panel, sample: Sample, before: Sessions, minimum: int
) -> tuple[NDArray[np.bool_], pd.DataFrame]:
    """Which firms stay (N,), and the table of the dropped ones with the reason.

    Raises:
        EventStudyError: no firm stays.
    """
    seen, inside = count_observations(sample)
    seen, inside = seen[0], inside[0]
    still = constant(panel.returns[:, before])
    keep = (seen >= minimum) & inside & ~still
    names = panel.firms.tolist()
    dropped = [
        (names[row], _reason(int(seen[row]), minimum, bool(still[row]))) for row in np.flatnonzero(~keep)
    ]
    if not keep.any():
        market = int(
            (np.isfinite(panel.factors[before]).all(axis=1) & np.isfinite(panel.subtract[before])).sum()
        )
        why = (
            f"The market has {_reason(market, minimum, False)}."
            if market < minimum and panel.factors.shape[1]
            else _nobody(dropped)
        )
        short = ((seen >= FEWEST_OBSERVATIONS) & (seen < minimum)).any()
        raise EventStudyError(f"{why}{SHORTER if short else ''}")
    return keep, pd.DataFrame(dropped, columns=["firm", "reason"])


def keep_firms(sample: Sample, keep: NDArray[np.bool_]) -> Sample:
    """The sample of the firms that stay."""
    if keep.all():
        return sample
    return Sample(
        sample.returns[:, keep],
        sample.factors[:, keep] if sample.factors.shape[1] > 1 else sample.factors,
        sample.estimation_days,
        None if sample.span is None else sample.span[:, keep],
    )


def constant(returns: FloatArray) -> NDArray[np.bool_]:
    """Firms (rows) whose returns are all the same: a halted share, a price carried forward."""
    still = np.zeros(len(returns), dtype=bool)
    doubtful = np.flatnonzero(
        ~(np.abs(returns[:, 0] - returns[:, -1]) > CONSTANT * np.abs(returns[:, 0]) + ROUNDING)
    )
    for row in doubtful:
        known = returns[row][np.isfinite(returns[row])]
        if len(known):
            still[row] = np.ptp(known) <= CONSTANT * np.abs(known).max() + ROUNDING
    return still


def _nobody(dropped: list[tuple[str, str]]) -> str:
    firm, reason = dropped[0]
    if len(dropped) == 1:
        return f"{firm} cannot be studied: it has {reason}."
    return f"None of the {len(dropped)} firms can be studied: {firm}, for instance, has {reason}."


def _reason(seen: int, minimum: int, still: bool) -> str:
    if seen < minimum:
        return f"{seen} of the {minimum} returns needed in the estimation window"
    if still:
        return "constant returns in the estimation window (a halted share?)"
    return "no return in the event window"
