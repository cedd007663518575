"""What a test returns, and the reference distributions."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr

from dashboard.event_study.panel import FloatArray


@dataclass(frozen=True)
class Outcome:
    """Statistic, degrees of freedom and two-sided p-value of a test, each B samples × D scopes.

    `df` is NaN where the reference is not Student's t.
    """

    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray


def student(statistic: FloatArray, df: FloatArray) -> Outcome:
    """Referred to Student's t."""
    df = np.broadcast_to(df, statistic.shape).astype(np.float64)
    return Outcome(statistic, df, 2 * stdtr(df, -np.abs(statistic)))


def normal(statistic: FloatArray) -> Outcome:
    """Referred to the standard normal."""
    return Outcome(statistic, np.full(statistic.shape, np.nan), 2 * ndtr(-np.abs(statistic)))
