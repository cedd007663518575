"""How the firms of a study move together: r̄ of Kolari and Pynnönen (2010), and the variance of a group's mean.

With gaps every pair of firms is measured over the days that both have (pairwise complete, rule M6). On
complete data no N × N matrix is built.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.event_study.panel import FloatArray
from dashboard.event_study.regression import Fit

BLOCK = 512
# Days that two firms must share before their covariance counts.
FEWEST_SHARED = 20
# 1 - r̄ below which firms are copies of each other: it is half the square of their relative difference.
ALIKE = 1e-9


@dataclass(frozen=True)
class Dependence:
    """Correlation of B samples: `overall` (B,) of all firms, `scopes` (B × D) of those with a CAR.

    A test of a window uses the r̄ of the firms that have the window: one set of firms for both. NaN with
    fewer than two firms.
    """

    overall: FloatArray
    scopes: FloatArray


def dependence(fitted: Fit, firms: NDArray[np.bool_]) -> Dependence:
    """Mean correlation over the pairs i < j, never the diagonal.

    Args:
        fitted: the regressions of B × N firms.
        firms: B × N × D, the firms of each scope.
    """
    sets = np.concatenate([np.ones((*firms.shape[:2], 1), dtype=bool), firms], axis=-1)
    if fitted.valid is None:
        means = _complete(fitted.residuals, None if firms.all() else sets)
        means = np.broadcast_to(means, (len(means), sets.shape[-1]))
    else:
        means = np.stack(
            [
                _pairwise(e, v, weights)
                for e, v, weights in zip(fitted.residuals, fitted.valid, sets.astype(np.float64), strict=True)
            ]
        )
    return Dependence(means[:, 0], means[:, 1:])


def _complete(residuals: FloatArray, sets: NDArray[np.bool_] | None) -> FloatArray:
    """(‖Σ z_i‖² - n)/(n(n - 1)) with z_i the residuals centred and scaled to unit length (B × sets or 1)."""
    mean = residuals.mean(axis=-1)
    days = residuals.shape[-1]
    length = np.sqrt(np.einsum("bnt,bnt->bn", residuals, residuals) - days * mean**2)
    weight = (1 / length)[:, None, :] if sets is None else sets.swapaxes(1, 2) / length[:, None, :]
    summed = weight @ residuals - (weight @ mean[..., None])
    n = residuals.shape[1] if sets is None else sets.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(
            np.asarray(n) > 1, (np.einsum("bst,bst->bs", summed, summed) - n) / (n * (n - 1.0)), np.nan
        )


def _pairwise(residuals: FloatArray, valid: NDArray[np.bool_], sets: FloatArray) -> FloatArray:
    """Mean pairwise-complete correlation within each set of firms (N × sets)."""
    present = valid.astype(np.float64)
    total, pairs = np.zeros(sets.shape[1]), np.zeros(sets.shape[1])
    for rows in _blocks(len(residuals)):
        correlations = _correlate(residuals[rows], present[rows], residuals, present)
        counted = np.isfinite(correlations)
        counted[np.arange(rows.stop - rows.start), np.arange(rows.start, rows.stop)] = False
        total += (sets[rows] * (np.where(counted, correlations, 0.0) @ sets)).sum(axis=0)
        pairs += (sets[rows] * (counted.astype(np.float64) @ sets)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, total / pairs, np.nan)


def _blocks(firms: int) -> Iterator[slice]:
    for start in range(0, firms, BLOCK):
        yield slice(start, min(start + BLOCK, firms))


def _correlate(a: FloatArray, in_a: FloatArray, b: FloatArray, in_b: FloatArray) -> FloatArray:
    """Pearson correlations (rows of a × rows of b), each over the days both have; NaN with fewer than two."""
    n = in_a @ in_b.T
    with np.errstate(invalid="ignore", divide="ignore"):
        sum_a, sum_b = a @ in_b.T, in_a @ b.T
        square_a = (a * a) @ in_b.T - sum_a**2 / n
        square_b = in_a @ (b * b).T - sum_b**2 / n
        return np.where(n >= 2, (a @ b.T - sum_a * sum_b / n) / np.sqrt(square_a * square_b), np.nan)


def mean_variances(fitted: Fit, weights: FloatArray, parameters: int) -> FloatArray:
    """Variance of a weighted sum of the firms' residuals, w'Sw, S the pairwise-complete covariances.

    Args:
        fitted: the regressions of B × N firms.
        weights: B × N × days: 1/n of the firms that have a return on a day, so that each day's variance is
            that of the firms of that day. What a firm adds is then the same whoever stands beside it.
        parameters: degrees of freedom that a regression uses up.

    Returns:
        B × days.
    """
    if fitted.valid is None:
        summed = weights.swapaxes(1, 2) @ fitted.residuals
        return np.einsum("bdt,bdt->bd", summed, summed) / fitted.df[:, :1]
    variances = np.zeros((len(weights), weights.shape[-1]))
    for sample, (residuals, valid) in enumerate(zip(fitted.residuals, fitted.valid, strict=True)):
        present, weight = valid.astype(np.float64), weights[sample]
        for rows in _blocks(len(residuals)):
            shared = present[rows] @ present.T
            moments = residuals[rows] @ residuals.T
            covariance = np.where(
                shared >= FEWEST_SHARED, moments / np.maximum(shared - parameters, 1.0), 0.0
            )
            variances[sample] += (weight[rows] * (covariance @ weight)).sum(axis=0)
    return variances
