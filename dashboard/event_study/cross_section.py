"""Tests that compare the firms of one day (or window) with each other.

All but `patell_adjusted` and `kolari_pynnonen` assume that the firms are independent, which firms that
share the event date are not.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dashboard.event_study.correlation import ALIKE
from dashboard.event_study.outcome import Outcome, normal, student
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.ranking import average_ranks

# Above this number of firms Wilcoxon's W is referred to the normal instead of its exact distribution.
EXACT_WILCOXON = 50
# Spread of the firms over the largest of them below which they are copies of each other.
COPIES = 1e-5


def moments(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Number, mean and standard deviation (n - 1) over the firms that have a value (B × D).

    The deviation is NaN where the firms are all but equal: rounding would decide the statistic.
    """
    known = np.isfinite(values)
    n = known.sum(axis=1).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0.0).sum(axis=1) / n
        away = np.where(known, values - mean[:, None], 0.0)
        spread = np.sqrt((away**2).sum(axis=1) / (n - 1))
        largest = np.where(known, np.abs(values), 0.0).max(axis=1, initial=0.0)
        return n, mean, np.where(spread > COPIES * largest, spread, np.nan)


def cross_sectional(values: FloatArray) -> Outcome:
    """t = mean·√N/s over the firms, df = N - 1 (Brown and Warner 1980).

    Given abnormal returns or CARs (B × N × D) this is the cross-sectional t. Given standardised ones it is
    the test of Boehmer, Musumeci and Poulsen (1991, Journal of Financial Economics 30, 253-272).
    """
    n, mean, spread = moments(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return student(mean * np.sqrt(n) / spread, n - 1)


def patell(sar_sums: FloatArray, df: FloatArray, lengths: NDArray[np.int64]) -> Outcome:
    """Patell's Z (1976), standard normal.

    One day: Σ SAR_i/√(Σ df_i/(df_i - 2)). L > 1 days: N^-1/2 Σ CSAR_i/√(L·df_i/(df_i - 2)) with CSAR_i the
    sum of the daily SARs; df_i = T_i - k. The R package estudy2 is larger by √((T - 1)/(T - 2)): it
    standardises by a deviation with T - 1.

    Args:
        sar_sums: B × N × D, sums of the SARs over each scope.
        df: B × N.
        lengths: days of each scope (D,).
    """
    known = np.isfinite(sar_sums)
    n = known.sum(axis=1)
    variance = np.where(known, (df / (df - 2))[..., None], 0.0)
    sums = np.where(known, sar_sums, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        day = sums.sum(axis=1) / np.sqrt(variance.sum(axis=1))
        window = np.where(known, sums / np.sqrt(lengths * variance), 0.0).sum(axis=1) / np.sqrt(n)
    return normal(np.where(n > 0, np.where(lengths == 1, day, window), np.nan))


def patell_adjusted(unadjusted: Outcome, n: NDArray[np.int64], r_mean: FloatArray) -> Outcome:
    """Patell's Z over √(1 + (N - 1)·r̄) (Kolari and Pynnönen 2010), r̄ (B × D) of the firms of each scope."""
    return normal(unadjusted.statistic / np.sqrt(_inflation(n, r_mean)))


def kolari_pynnonen(bmp: Outcome, n: NDArray[np.int64], r_mean: FloatArray) -> Outcome:
    """BMP's t times √((1 - r̄)/(1 + (N - 1)·r̄)), df = N - 1, r̄ (B × D) of the firms of each scope.

    Kolari and Pynnönen (2010, Review of Financial Studies 23, 3996-4025, equation 11). Refused (NaN) where
    1 + (N - 1)·r̄ is not positive, or the firms are copies of each other. Its denominator holds the true
    differences between the firms' effects: with winners and losers in one group it has little power.
    """
    with np.errstate(invalid="ignore"):
        apart = np.where(1 - r_mean > ALIKE, 1 - r_mean, np.nan)
    return student(bmp.statistic * np.sqrt(apart / _inflation(n, r_mean)), bmp.df)


def _inflation(n: NDArray[np.int64], r_mean: FloatArray) -> FloatArray:
    """Variance of the mean of N firms over that of independent ones; NaN where it is not positive."""
    inflation = 1 + (n - 1) * r_mean
    with np.errstate(invalid="ignore"):
        return np.where(inflation > ALIKE * n, inflation, np.nan)


def sign(values: FloatArray) -> Outcome:
    """(n₊ - N/2)/√(N/4) with n₊ the firms above zero, standard normal."""
    n, positive = _count_positive(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return normal((positive - n / 2) / np.sqrt(n / 4))


def generalized_sign(values: FloatArray, positive_share: FloatArray) -> Outcome:
    """(n₊ - N·p̂)/√(N·p̂(1 - p̂)), standard normal (Cowan 1992, Review of Quantitative Finance 2, 343-358).

    p̂ is the mean over the firms of each one's own share of positive estimation-window residuals (B × N);
    the R package estudy2 pools all observations, which differs when histories are unequal.
    """
    n, positive = _count_positive(values)
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(known, positive_share[..., None], 0.0).sum(axis=1) / n
        return normal((positive - n * share) / np.sqrt(n * share * (1 - share)))


def _count_positive(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.isfinite(values).sum(axis=1).astype(np.float64), (values > 0).sum(axis=1).astype(np.float64)


def wilcoxon(values: FloatArray) -> Outcome:
    """W₊, the sum of the ranks of |AR| over the firms above zero (Wilcoxon 1945); zeros are left out.

    The p-value is exact for up to 50 firms without ties, else from Z = (W - N(N + 1)/4)/√(N(N + 1)(2N +
    1)/24).
    """
    nonzero = np.where(values == 0, np.nan, values).swapaxes(1, 2)
    size = np.abs(nonzero)
    ranks = average_ranks(size)
    n = np.isfinite(nonzero).sum(axis=-1)
    statistic = np.where(nonzero > 0, ranks, 0.0).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (statistic - n * (n + 1) / 4) / np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    approximate = normal(z)
    tied = (ranks % 1 != 0).any(axis=-1, where=np.isfinite(ranks))
    p_value = approximate.p_value.copy()
    for count in np.unique(n[(n > 0) & (n <= EXACT_WILCOXON)]):
        here = (n == count) & ~tied
        p_value[here] = _wilcoxon_p(int(count))[np.rint(statistic[here]).astype(np.int64)]
    return Outcome(np.where(n > 0, statistic, np.nan), approximate.df, p_value)


@lru_cache(maxsize=EXACT_WILCOXON)
def _wilcoxon_p(n: int) -> FloatArray:
    """Two-sided p-value of each W₊ from 0 to n(n + 1)/2 when signs are fair coins."""
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1
    for rank in range(1, n + 1):
        ways[rank:] = ways[rank:] + ways[:-rank]
    chance = ways / 2.0**n
    below = np.cumsum(chance)
    above = np.cumsum(chance[::-1])[::-1]
    p_value: FloatArray = np.minimum(1.0, 2 * np.minimum(below, above))
    return p_value
