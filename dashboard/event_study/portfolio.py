"""The group as one portfolio: the mean of its firms' own residuals, and how far it may move by chance.

The mean raw return of whichever firms exist on a day is another thing when histories are unequal: its
loading on the market changes with its members.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashboard.event_study.correlation import mean_variances
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.regression import Fit
from dashboard.event_study.windows import Scopes

# Variance of the mean over that of a firm below which the firms cancel each other exactly.
CANCELS = 1e-12


@dataclass(frozen=True)
class Portfolio:
    """The mean of the firms' residuals in B samples: T estimation days, W event days, k regressors.

    `estimation` (B × T) and `aar` (B × W) are the mean residual of the firms of each day, NaN without one.
    `variances` (B × T+W) are those of the firms of that day, `caar` is B × D, `df` B × 1. `design` (B ×
    T+W × k) and `inverse` (B × k × k) give the forecast error.
    """

    estimation: FloatArray
    aar: FloatArray
    caar: FloatArray
    variances: FloatArray
    df: FloatArray
    design: FloatArray
    inverse: FloatArray

    @property
    def days(self) -> int:
        """Days of the estimation window."""
        return self.estimation.shape[1]

    def standard_error(self, scopes: Scopes) -> FloatArray:
        """Standard deviation of each CAAR, forecast error included (B × D); NaN where it cannot be measured.

        √(v̄·(L + (Σx)'(X'X)⁻¹(Σx))), v̄ the mean variance of the days, as Mikkelson and Partch (1988) have it
        for one firm.
        """
        mean = _sum_days(self.variances[:, self.days :], scopes) / scopes.lengths
        forecast = quadratic(self.inverse, scopes.member.T @ self.design[:, self.days :])
        with np.errstate(invalid="ignore"):
            error = np.sqrt(mean * (scopes.lengths + forecast))
        return np.where(error > 0, error, np.nan)

    def blocks(self, length: int) -> FloatArray:
        """Sums of all overlapping blocks of the estimation window, in standard deviations (B × blocks).

        A residual of the estimation window is nearer to zero than a forecast of a day outside it: the
        variance of a block is v̄·(L - (Σx)'(X'X)⁻¹(Σx)).
        """
        mean = block_sums(self.variances[:, : self.days], length) / length
        with np.errstate(invalid="ignore", divide="ignore"):
            return block_sums(self.estimation, length) / np.sqrt(mean * (length - self._inside(length)))

    def widening(self, scopes: Scopes) -> FloatArray:
        """How much wider the forecast of a scope (one) spreads than each block of its length before (B × blocks).

        √((L + q)/(L - q_b)), q the forecast error (Σx)'(X'X)⁻¹(Σx): what sums of residuals are multiplied by before
        a sum of abnormal returns is held against them.
        """
        length = int(scopes.lengths[0])
        ahead = quadratic(self.inverse, scopes.member.T @ self.design[:, self.days :])
        return np.asarray(np.sqrt((length + ahead) / (length - self._inside(length))))

    def _inside(self, length: int) -> FloatArray:
        """(Σx)'(X'X)⁻¹(Σx) of every block of the estimation window (B × blocks)."""
        days = self.design[:, : self.days].swapaxes(1, 2)
        return quadratic(self.inverse, block_sums(days, length).swapaxes(1, 2))


def portfolio(fitted: Fit, scopes: Scopes, signs: FloatArray | None = None) -> Portfolio:
    """The group's mean residual.

    With `signs` (N,) of +1 and -1 it is the mean of the firms of the first group less that of the second.
    """
    days = fitted.residuals.shape[-1]
    if signs is None and fitted.complete:
        mean = np.concatenate([fitted.residuals.mean(axis=1), fitted.abnormal.mean(axis=1)], axis=-1)
        squares = np.einsum("bt,bt->b", mean[:, :days], mean[:, :days])
        if not fitted.inverse.shape[-1]:
            squares = squares - mean[:, :days].sum(axis=-1) ** 2 / days
        variances = np.broadcast_to((squares / fitted.df[:, 0])[:, None], mean.shape)
    else:
        mean, variances = _weighted(fitted, np.ones(fitted.residuals.shape[1]) if signs is None else signs)
    used = np.isfinite(fitted.sigma)
    spread = _average(fitted.sigma**2, used)[:, None]
    variances = np.where(variances > CANCELS * spread, variances, np.nan)
    aar = mean[:, days:]
    design = np.concatenate([fitted.design_estimation, fitted.design], axis=-2)
    return Portfolio(
        mean[:, :days],
        aar,
        _sum_days(aar, scopes),
        variances,
        _average(fitted.df, used)[:, None],
        _average(np.nan_to_num(design), used),
        _average(fitted.inverse, used),
    )


def _average(values: FloatArray, used: NDArray[np.bool_]) -> FloatArray:
    """Mean over the firms (axis 1) that were fitted; what all firms share stands there once."""
    if values.shape[1] != used.shape[1] or used.all():
        return np.asarray(values.mean(axis=1))
    there = used.reshape((*used.shape, *[1] * (values.ndim - 2)))
    return np.asarray(np.where(there, values, 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1))


def _weighted(fitted: Fit, signs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean residual of each day and its variance (B × T+W), of the firms that have one on that day."""
    valid = np.isfinite(fitted.residuals) if fitted.valid is None else fitted.valid
    here = np.concatenate([valid, np.isfinite(fitted.abnormal)], axis=-1)
    values = np.concatenate([fitted.residuals, np.nan_to_num(fitted.abnormal)], axis=-1)
    weights = _weights(here, signs)
    empty = np.isnan(weights).any(axis=1)
    parameters = fitted.inverse.shape[-1]
    known = np.nan_to_num(weights)
    if not parameters:
        centre = fitted.residuals.sum(axis=-1, keepdims=True) / fitted.n_obs[..., None]
        fitted = replace(fitted, residuals=np.where(valid, fitted.residuals - centre, 0.0))
    variances = mean_variances(fitted, known, max(parameters, 1))
    mean = np.einsum("bnt,bnt->bt", known, values)
    return np.where(empty, np.nan, mean), np.where(empty, np.nan, variances)


def _weights(here: NDArray[np.bool_], signs: FloatArray) -> FloatArray:
    """What each firm counts on each day (B × N × days); NaN on a day without a firm of either group."""
    weights = np.zeros(here.shape)
    for sign in np.unique(signs):
        group = (signs == sign)[:, None]
        there = here & group
        n = there.sum(axis=1, keepdims=True)
        share = np.divide(sign, n, out=np.full(n.shape, np.nan), where=n > 0)
        weights = weights + np.where(group, np.where(there, share, 0.0 * share), 0.0)
    return weights


def _sum_days(aar: FloatArray, scopes: Scopes) -> FloatArray:
    if not np.isnan(aar).any():
        return np.asarray(aar @ scopes.member)
    missing = np.isnan(aar)
    sums = np.where(missing, 0.0, aar) @ scopes.member
    sums[(missing @ scopes.member) > 0] = np.nan
    return sums


def quadratic(inverse: FloatArray, x: FloatArray) -> FloatArray:
    """x'(X'X)⁻¹x for rows x (… × days × k)."""
    return ((x @ inverse) * x).sum(axis=-1)


def block_sums(series: FloatArray, length: int) -> FloatArray:
    """Sums of all overlapping blocks of `length` days of the last axis; NaN where a day is missing."""
    days = series.shape[-1]
    if length == 1:
        return series
    if length > days:
        return np.empty((*series.shape[:-1], 0))
    missing = np.isnan(series)
    gaps = missing.any()
    total = np.cumsum(np.where(missing, 0.0, series) if gaps else series, axis=-1)
    blocks = total[..., length - 1 :].copy()
    blocks[..., 1:] -= total[..., :-length]
    if gaps:
        count = np.cumsum(missing, axis=-1)
        holes = count[..., length - 1 :].copy()
        holes[..., 1:] -= count[..., :-length]
        blocks[holes > 0] = np.nan
    return blocks
