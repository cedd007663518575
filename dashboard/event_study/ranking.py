"""Ranks along the last axis."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from dashboard.event_study.panel import FloatArray

# Rows ranked at once: few enough to stay in a processor's cache.
BLOCK = 128
LAST = np.finfo(np.float64).max


def average_ranks(values: FloatArray) -> FloatArray:
    """Ranks 1, 2, … along the last axis; ties share their mean rank, NaN stays NaN."""
    ordinal, tied = ordinal_ranks(values)
    known = np.isfinite(values)
    ranks = rankdata(np.where(known, values, np.inf), axis=-1) if tied else ordinal
    return np.where(known, ranks, np.nan)


def ordinal_ranks(values: FloatArray) -> tuple[NDArray[np.int16], bool]:
    """Ranks along the last axis (NaN last), and whether any two values are equal (to 13 digits).

    Each value's place is written into the last bits of its mantissa, so that a plain sort, several times
    faster than an argsort, carries it along; values that agree in all other bits count as equal.
    """
    size = values.shape[-1]
    rows = values.reshape(-1, size)
    ranks = np.empty(rows.shape, dtype=np.int16)
    tied = False
    for start in range(0, len(rows), BLOCK):
        tied |= _rank_block(rows[start : start + BLOCK], ranks[start : start + BLOCK])
    return ranks.reshape(values.shape), tied


def _rank_block(values: FloatArray, ranks: NDArray[np.int16]) -> bool:
    size = values.shape[1]
    low = (1 << size.bit_length()) - 1
    missing = np.isnan(values)
    gaps = bool(missing.any())
    # A sort may forget the bits of NaN; + 0.0 copies, and makes -0.0 equal to 0.0.
    keys = np.where(missing, LAST, values + 0.0) if gaps else values + 0.0
    bits = keys.view(np.int64)
    bits &= ~low
    bits |= np.arange(size)
    keys.sort(axis=-1)
    same = (bits[:, 1:] ^ bits[:, :-1]).view(np.uint64) <= low
    if gaps:
        same &= keys[:, 1:] < LAST / 2
    bits &= low
    bits += (np.arange(len(bits)) * size)[:, None]
    ranks.reshape(-1)[bits] = np.arange(1, size + 1, dtype=np.int16)
    return bool(same.any())
