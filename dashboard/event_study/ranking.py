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
    ordinal, _, tied = ordinal_ranks(values)
    known = np.isfinite(values)
    ranks = rankdata(np.where(known, values, np.inf), axis=-1) if tied else ordinal
    return np.where(known, ranks, np.nan)


def ordinal_ranks(*parts: FloatArray, within: int = 0) -> tuple[NDArray[np.int16], NDArray[np.int16], bool]:
    """Ranks along the last axis of the parts laid side by side (NaN last, at most 32,767 values).

    Each value's place is written into the last bits of its mantissa, so that a plain sort, several times faster
    than an argsort, carries it along; values that agree in all other bits (13 digits) count as equal.

    Returns:
        The ranks; the ranks of the first `within` columns among themselves (other columns mean nothing); whether
        any two values are equal.
    """
    widths = [part.shape[-1] for part in parts]
    lead = parts[0].shape[:-1]
    rows = [part.reshape(-1, width) for part, width in zip(parts, widths, strict=True)]
    ranks = np.empty((len(rows[0]), sum(widths)), dtype=np.int16)
    inner = np.empty((len(ranks), sum(widths) if within else 0), dtype=np.int16)
    tied = False
    for start in range(0, len(ranks), BLOCK):
        block = slice(start, start + BLOCK)
        tied |= _rank_block([part[block] for part in rows], ranks[block], inner[block], within)
    return ranks.reshape((*lead, ranks.shape[1])), inner.reshape((*lead, inner.shape[1])), tied


def _rank_block(
    parts: list[FloatArray], ranks: NDArray[np.int16], inner: NDArray[np.int16], within: int
) -> bool:
    keys: FloatArray = np.empty((len(ranks), sum(part.shape[1] for part in parts)))
    end = 0
    for part in parts:
        start, end = end, end + part.shape[1]
        np.add(part, 0.0, out=keys[:, start:end])  # makes -0.0 equal to 0.0
    gaps = bool(np.isnan(keys.sum()))
    if gaps:
        keys[np.isnan(keys)] = LAST  # a sort may forget the bits of NaN
    size = keys.shape[1]
    low = (1 << size.bit_length()) - 1
    bits = keys.view(np.int64)
    bits &= ~low
    bits |= np.arange(size)
    keys.sort(axis=-1)
    same = (bits[:, 1:] ^ bits[:, :-1]).view(np.uint64) <= low
    if gaps:
        same &= keys[:, 1:] < LAST / 2
    bits &= low
    if within:
        order = np.cumsum(bits < within, axis=1, dtype=np.int16)
    bits += (np.arange(len(bits)) * size)[:, None]
    ranks.reshape(-1)[bits] = np.arange(1, size + 1, dtype=np.int16)
    if within:
        inner.reshape(-1)[bits] = order
    return bool(same.any())
