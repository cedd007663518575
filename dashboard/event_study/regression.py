"""Ordinary least squares for every firm at once, and the variance of what it forecasts.

Arrays carry a leading axis of B samples (one for a study, one a placebo date for a size check), then N
firms, then days. Sources: Patell (1976, Journal of Accounting Research 14, 246-276) and Campbell, Lo and
MacKinlay (1997, chapter 4) for the forecast error; Mikkelson and Partch (1988) for the variance of a
cumulative abnormal return.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.windows import Scopes

# Residual over total sum of squares below which a firm's returns are an exact function of the regressors.
EXACT_FIT = 1e-14
# Condition of the regressors (centred, scaled to unit variance) beyond which their coefficients mean nothing.
COLLINEAR = 1e10


@dataclass(frozen=True)
class Sample:
    """Returns (B × N × T+W) and regressors (B × 1 or N × T+W × p) of the estimation and then the event
    window.

    Missing values are NaN. `span` (like the returns) counts the days that a return covers; None when each
    covers one.
    """

    returns: FloatArray
    factors: FloatArray
    estimation_days: int
    span: FloatArray | None = None


@dataclass(frozen=True)
class Fit:
    """What a regression leaves: T estimation days, W event days, k coefficients.

    `residuals` (B × N × T) are 0 where `valid` is False; `valid` is None when nothing is missing. `abnormal`
    (B × N × W) is NaN where missing. `n_obs`, `df` and `sigma` are B × N. `design_estimation` (B × 1 or N × T ×
    k), `design` (… × W × k) and `inverse` (B × 1 or N × k × k) give the forecast error; `span` (B × N × W) is
    None for one-day returns.
    """

    coefficients: FloatArray
    inverse: FloatArray
    residuals: FloatArray
    valid: NDArray[np.bool_] | None
    abnormal: FloatArray
    design_estimation: FloatArray
    design: FloatArray
    n_obs: FloatArray
    df: FloatArray
    sigma: FloatArray
    exact: NDArray[np.bool_]
    span: FloatArray | None

    @cached_property
    def complete(self) -> bool:
        """Whether no residual and no abnormal return is missing."""
        return self.valid is None and not np.isnan(self.abnormal).any()


def fit(sample: Sample, *, constant: bool) -> Fit:
    """Regress each firm's returns on its regressors over the days where both exist (rule M1).

    S² = Σe²/(T_i - k); the market-adjusted model, which estimates nothing, takes the centred Σ(e - ē)²/(T_i
    - 1), as the R packages do, and so T_i - 1 degrees of freedom.

    Raises:
        EventStudyError: a regressor is constant in the estimation window, or the regressors are collinear.
    """
    days = sample.estimation_days
    design, centre, scale = _design(sample, constant)
    y, x = sample.returns, design
    if sample.span is not None:
        weight = np.sqrt(sample.span)
        y, x = y / weight, x / weight[..., None]
    y_estimation, x_estimation = y[..., :days], x[..., :days, :]
    known: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(x_estimation), axis=-1)
    valid: NDArray[np.bool_] | None = None
    if np.isnan(y_estimation).any() or not known.all():
        seen = np.asarray(np.isfinite(y_estimation) & known)
        y_estimation = np.where(seen, y_estimation, 0.0)
        x_estimation = np.where(known[..., None], x_estimation, 0.0)
        n_obs = seen.sum(axis=-1).astype(np.float64)
        valid = seen
    else:
        n_obs = np.full(y.shape[:2], float(days))
    inner, coefficients = _solve(y_estimation, x_estimation, valid, n_obs)
    left = sample.returns - _predict(design, coefficients)
    residuals, abnormal = left[..., :days], left[..., days:]
    if sample.span is not None:
        residuals = residuals / weight[..., :days]
    if valid is not None:
        residuals = np.where(valid, residuals, 0.0)
    df, sigma, exact = _spread(y_estimation, residuals, valid, n_obs, design.shape[-1])
    return Fit(
        _untransform(coefficients, centre, scale, constant),
        inner,
        residuals,
        valid,
        abnormal,
        design[..., :days, :],
        design[..., days:, :],
        n_obs,
        df,
        sigma,
        exact,
        None if sample.span is None else sample.span[..., days:],
    )


def _design(sample: Sample, constant: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Constant and regressors, centred and scaled over the estimation window so that the sums stay exact."""
    factors, days = sample.factors, sample.estimation_days
    ones = np.ones((*factors.shape[:-1], 1)) if sample.span is None else sample.span[..., None]
    if not factors.shape[-1]:
        design = ones if constant else factors
        if constant and sample.span is None:
            design = np.ones((sample.returns.shape[0], 1, sample.returns.shape[2], 1))
        return design, np.zeros((1, 1, 1, 0)), np.ones((1, 1, 1, 0))
    seen = factors[..., :days, :]
    if np.isnan(seen).any():
        if np.isnan(seen).all(axis=(1, 2)).any():
            raise EventStudyError("The market has no return in the estimation window.")
        centre, scale = (
            np.nanmean(seen, axis=(1, 2), keepdims=True),
            np.nanstd(seen, axis=(1, 2), keepdims=True),
        )
    else:
        centre, scale = seen.mean(axis=(1, 2), keepdims=True), seen.std(axis=(1, 2), keepdims=True)
    if (scale <= 1e-12 * np.abs(centre)).any() or (scale == 0).any():
        raise EventStudyError(
            "The market's returns are constant in the estimation window: beta is not defined."
        )
    scaled = (factors - ones * centre) / scale
    return np.concatenate([ones, scaled], axis=-1), centre, scale


def _solve(
    y: FloatArray, x: FloatArray, valid: NDArray[np.bool_] | None, n_obs: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(X'X)^-1 (B × 1 or N × k × k) and the coefficients (B × N × k)."""
    k = x.shape[-1]
    if k == 0:
        return np.empty((y.shape[0], 1, 0, 0)), np.empty((*y.shape[:2], 0))
    shared = x.shape[1] == 1
    if valid is None:
        gram: NDArray[np.floating] = x.swapaxes(-1, -2) @ x
    elif shared:
        products = (x[:, 0, :, :, None] * x[:, 0, :, None, :]).reshape(*x.shape[:1], x.shape[2], k * k)
        gram = (valid.astype(np.float64) @ products).reshape(*y.shape[:2], k, k)
    else:
        known = x * valid[..., None]
        gram = known.swapaxes(-1, -2) @ known
    enough = np.ones(gram.shape[:2], dtype=bool) if gram.shape[1] != y.shape[1] else n_obs > k
    gram = np.where(enough[..., None, None], gram, np.eye(k))
    if (k > 2 or valid is not None) and (np.linalg.cond(gram) > COLLINEAR).any():
        raise EventStudyError(
            "The factors are collinear in the estimation window: their coefficients are undefined."
        )
    inverse: FloatArray = np.linalg.inv(gram)
    moments = y @ x[:, 0] if shared else (y[..., None, :] @ x)[..., 0, :]
    return inverse, (moments[..., None, :] @ inverse)[..., 0, :]


def _predict(x: FloatArray, coefficients: FloatArray) -> FloatArray:
    if x.shape[-1] == 0:
        return np.zeros((1, 1, 1))
    if x.shape[1] == 1:
        return coefficients @ x[:, 0].swapaxes(-1, -2)
    return (x @ coefficients[..., None])[..., 0]


def _spread(
    y: FloatArray, residuals: FloatArray, valid: NDArray[np.bool_] | None, n_obs: FloatArray, k: int
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    df = n_obs - max(k, 1)
    squares = np.einsum("bnt,bnt->bn", residuals, residuals)
    raw = np.einsum("bnt,bnt->bn", y, y)
    with np.errstate(invalid="ignore", divide="ignore"):
        if k == 0:
            squares = squares - residuals.sum(axis=-1) ** 2 / n_obs
        exact = squares <= EXACT_FIT * raw
        sigma = np.sqrt(np.where((df > 0) & ~exact, squares, np.nan) / df)
    return df, sigma, exact


def _untransform(
    coefficients: FloatArray, centre: FloatArray, scale: FloatArray, constant: bool
) -> FloatArray:
    """Coefficients on the regressors as they were given: [alpha, slopes]."""
    if not constant:
        return coefficients
    slopes = coefficients[..., 1:] / scale[:, 0]
    alpha = coefficients[..., :1] - (slopes * centre[:, 0]).sum(axis=-1, keepdims=True)
    return np.concatenate([alpha, slopes], axis=-1)


@dataclass(frozen=True)
class Cumulated:
    """Cumulative abnormal returns of D scopes (B × N × D): NaN where a day is missing (rule M3).

    `factor` is Var(CAR)/S² with the forecast error: L + (Σx)'(X'X)^-1(Σx).
    """

    car: FloatArray
    factor: FloatArray
    sigma: FloatArray

    @property
    def standard_error(self) -> FloatArray:
        """Standard deviation of the CAR, forecast error included."""
        return self.sigma[..., None] * np.sqrt(self.factor)

    @property
    def scar(self) -> FloatArray:
        """Standardised: CAR/sd(CAR)."""
        return self.car / self.standard_error


def cumulate(fitted: Fit, scopes: Scopes) -> Cumulated:
    """CAR of every firm over every scope, with its variance factor (Mikkelson and Partch 1988)."""
    missing = np.isnan(fitted.abnormal)
    if missing.any():
        car = np.where(missing, 0.0, fitted.abnormal) @ scopes.member
        car[_incomplete(fitted, scopes, missing)] = np.nan
    else:
        car = fitted.abnormal @ scopes.member
    design = np.nan_to_num(fitted.design)
    if fitted.span is not None:
        design = np.where(missing[..., None], 0.0, design)
    summed = np.einsum("bnwk,wd->bndk", design, scopes.member)
    forecast = ((summed @ fitted.inverse) * summed).sum(axis=-1)
    factor = np.broadcast_to(scopes.lengths + forecast, car.shape)
    return Cumulated(car, factor, fitted.sigma)


def _incomplete(fitted: Fit, scopes: Scopes, missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Scopes in which a firm has no complete CAR.

    With returns that cover a gap (trade-to-trade) a CAR is complete when the returns cover the scope's
    days, no more and no less.
    """
    if fitted.span is None:
        return (missing.astype(np.float64) @ scopes.member) > 0
    covered = np.where(missing, 0.0, fitted.span) @ scopes.member
    last = np.searchsorted(scopes.days, scopes.ends)
    return (covered != scopes.lengths) | missing[..., last]
