"""What would have been: a company (or the mean of a group) rebuilt from firms outside it.

Weights are chosen on the days before the event alone (Abadie, Diamond and Hainmueller 2010, Journal of the American
Statistical Association 105, 493-505), non-negative and summing to one, then corrected by a ridge regression of what
is left (Ben-Michael, Feller and Rothstein 2021, JASA 116, 1789-1803).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import nnls

from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.portfolio import block_sums
from dashboard.event_study.windows import EventPlace

FEWEST_DONORS, FEWEST_DAYS = 4, 60
# Share of the target's variance before the event that the synthetic one must explain, on days not fitted.
LEAST_FIT = 0.25
RIDGES = tuple(10.0**power for power in range(6))
FOLDS = 5
# Mean squared gap before the event, over the target's, up to which a donor's placebo counts (Abadie, Diamond and
# Hainmueller 2010 show 20, 5 and 2), and the donors that a rank needs.
WORST_FIT, FEWEST_RANKED = 5.0, 4
# Weight of the constraint that the weights sum to one.
FIRM = 1e3


@dataclass(frozen=True)
class Synthetic:
    """The result of `run_synthetic`.

    Attributes:
        days: one row an event day: session, actual, synthetic, gap (returns, fractions), cumulative_actual,
            cumulative_synthetic, cumulative_gap (sums from day 0 on; 0 before).
        weights: donor → weight, the largest first; they sum to one but for the ridge's correction.
        fit: share of the target's variance that the weights explain on days that they were not chosen on.
        placebo: gap of each estimation day (fractions), out of sample by folds.
        p_time: share of those days with a gap as large as day 0's.
        deviation: root mean squared gap of the target on those days.
        donors: each donor rebuilt from the others: index donor; gap (day 0), deviation (as above), ratio (the one over
            the other), compared (whether its fit before the event allows a comparison).
        donor_gaps: cumulative gaps of the donors, event days × donors.
        rank: place of the target's |gap|/deviation among it and the donors compared, 1 the largest; 0 where fewer
            than four can be compared.
        p_donors: rank over their number; NaN without a rank.
    """

    days: pd.DataFrame
    weights: pd.Series
    fit: float
    placebo: pd.Series
    p_time: float
    deviation: float
    donors: pd.DataFrame
    donor_gaps: pd.DataFrame
    rank: int
    p_donors: float

    def band(self, share: float = 0.95) -> pd.DataFrame:
        """Where that share of equally long stretches before the event has its gaps: low, high, by event day."""
        days = self.days.index[self.days.index >= 0]
        gaps = self.placebo.to_numpy()
        cuts = [
            np.quantile(block_sums(gaps, length), ((1 - share) / 2, (1 + share) / 2)) for length in days + 1
        ]
        return pd.DataFrame(cuts, days, ["low", "high"]).reindex(self.days.index, fill_value=0.0)


def run_synthetic(target: pd.Series, donors: pd.DataFrame, place: EventPlace) -> Synthetic:
    """Rebuild `target` from `donors`.

    Args:
        target: daily returns (fractions) of a company or a group's mean.
        donors: sessions × firms that the event does not treat, daily returns.
        place: the sessions of the estimation and the event window.

    Raises:
        EventStudyError: too few donors or days, or the weights explain less than a quarter of the target's variance
            before the event on days that they were not chosen on.
    """
    before, around = place.estimation, place.event
    kept = [name for name in donors if donors[name].reindex(before.append(around)).notna().all()]
    y = target.reindex(before)
    used = before[y.notna()]
    if len(kept) < FEWEST_DONORS or len(used) < FEWEST_DAYS:
        raise EventStudyError(
            f"A synthetic control needs {FEWEST_DONORS} firms outside the group with whole histories and {FEWEST_DAYS} "
            f"days before the event; there are {len(kept)} and {len(used)}."
        )
    x = donors[kept]
    ridge = _choose(y[used].to_numpy(), x.loc[used].to_numpy())
    outside = _by_folds(y[used].to_numpy(), x.loc[used].to_numpy(), ridge)
    fit = 1 - float(np.sum(outside**2) / np.sum((y[used] - y[used].mean()) ** 2))
    if fit < LEAST_FIT:
        raise EventStudyError(
            f"No synthetic control: before the event the {len(kept)} firms outside the group explain "
            f"{max(fit, 0):.0%} of its variance on days that were not fitted, and {LEAST_FIT:.0%} are needed."
        )
    weights = pd.Series(_weights(y[used].to_numpy(), x.loc[used].to_numpy(), ridge), kept)
    days = _days(target, x, weights, place)
    placebo = pd.Series(outside, used)
    gap, deviation = abs(float(days.loc[0, "gap"])), float(np.sqrt(np.mean(outside**2)))
    others, gaps = _donors(x.loc[used], x.reindex(around), place.days, ridge)
    others["compared"] = others["deviation"] ** 2 <= WORST_FIT * deviation**2
    ratios = others.loc[others["compared"], "ratio"].abs()
    rank = 1 + int((ratios >= gap / deviation).sum()) if len(ratios) >= FEWEST_RANKED else 0
    return Synthetic(
        days,
        weights[weights.abs().sort_values(ascending=False).index],
        fit,
        placebo,
        float((1 + (placebo.abs() >= gap).sum()) / (len(placebo) + 1)),
        deviation,
        others,
        gaps,
        rank,
        rank / (len(ratios) + 1) if rank else float("nan"),
    )


def _weights(y: FloatArray, x: FloatArray, ridge: float) -> FloatArray:
    """Simplex weights by non-negative least squares, and the ridge regression of their residual."""
    scale = float(np.std(x))
    rows = np.vstack([x, np.full((1, x.shape[1]), FIRM * scale)])
    simplex, _ = nnls(rows, np.append(y, FIRM * scale))
    left = y - x @ simplex
    penalty = ridge * float(np.trace(x.T @ x)) / x.shape[1]
    return np.asarray(simplex + np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ left))


def _by_folds(y: FloatArray, x: FloatArray, ridge: float) -> FloatArray:
    """Gaps on days that the weights were not chosen on: each fifth of the days from the other four."""
    gaps = np.empty(len(y))
    for held in np.array_split(np.arange(len(y)), FOLDS):
        kept = np.setdiff1d(np.arange(len(y)), held)
        gaps[held] = y[held] - x[held] @ _weights(y[kept], x[kept], ridge)
    return gaps


def _choose(y: FloatArray, x: FloatArray) -> float:
    """The ridge with the smallest gaps out of sample."""
    return min(RIDGES, key=lambda ridge: float(np.sum(_by_folds(y, x, ridge) ** 2)))


def _donors(
    before: pd.DataFrame, event: pd.DataFrame, days: NDArray[np.int64], ridge: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each donor as if the event had treated it: its figures, and its cumulative gaps by event day."""
    rows, gaps = [], {}
    for donor in before:
        others = before.columns.drop(donor)
        y, x = before[donor].to_numpy(), before[others].to_numpy()
        deviation = float(np.sqrt(np.mean(_by_folds(y, x, ridge) ** 2)))
        daily = pd.Series(event[donor].to_numpy() - event[others].to_numpy() @ _weights(y, x, ridge), days)
        rows.append((float(daily[0]), deviation, float(daily[0]) / deviation))
        gaps[donor] = daily.where(daily.index >= 0, 0.0).cumsum()
    table = pd.DataFrame(rows, before.columns.rename("donor"), ["gap", "deviation", "ratio"])
    return table, pd.DataFrame(gaps).rename_axis("day")


def _days(target: pd.Series, x: pd.DataFrame, weights: pd.Series, place: EventPlace) -> pd.DataFrame:
    actual = target.reindex(place.event).to_numpy()
    synthetic = x.reindex(place.event).to_numpy() @ weights.to_numpy()
    table = pd.DataFrame(
        {"session": place.event, "actual": actual, "synthetic": synthetic, "gap": actual - synthetic}
    )
    table.index = pd.Index(place.days, name="day")
    for name in ("actual", "synthetic", "gap"):
        table[f"cumulative_{name}"] = table[name].where(table.index >= 0, 0.0).cumsum()
    return table
