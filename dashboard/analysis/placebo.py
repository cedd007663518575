"""The range in which a group's cumulative average abnormal return moves when nothing happens."""

import numpy as np
import pandas as pd


def placebo_range(daily: pd.Series, lengths: int, level: float = 0.95) -> pd.DataFrame:
    """The central `level` share of the sums of 1, 2, … `lengths` consecutive sessions of a history.

    `daily`: the group's average abnormal return on each session of the estimation window, fractions. All
    overlapping sums are taken (Gelbach, Helland and Klick 2013, American Law and Economics Review 15, 495-541,
    for sums of several days). Returns one row a length: length, low, high (missing where the history is shorter).
    """
    values = daily.to_numpy(dtype=float)
    rows = []
    for length in range(1, lengths + 1):
        sums = np.convolve(values, np.ones(length), mode="valid") if len(values) >= length else np.array([])
        low, high = np.quantile(sums, [(1 - level) / 2, (1 + level) / 2]) if len(sums) else (np.nan, np.nan)
        rows.append((length, low, high))
    return pd.DataFrame(rows, columns=["length", "low", "high"])
