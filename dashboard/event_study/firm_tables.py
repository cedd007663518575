"""Tables with one row a firm: the fitted model, and the cumulative abnormal returns."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from dashboard.event_study.diagnostics import arch_lm, autocorrelation, jarque_bera
from dashboard.event_study.models import Model
from dashboard.event_study.multiplicity import benjamini_hochberg, holm
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.portfolio import block_sums, quadratic
from dashboard.event_study.regression import Cumulated, Fit
from dashboard.event_study.windows import Scopes

CAR_FIGURES = (
    "car",
    "se",
    "t",
    "df",
    "p_value",
    "p_holm",
    "p_bh",
    "placebo_p",
    "placebo_p_holm",
    "placebo_p_bh",
    "bhar",
)


def firms_table(firms: pd.Index, fitted: Fit, model: Model, returns: FloatArray) -> pd.DataFrame:
    """alpha, beta (and further loadings), sigma, r2, n_obs and residual diagnostics, indexed by firm.

    Returns per session; sigma is the regression's standard error (T_i - k degrees of freedom). The
    mean-adjusted model has no beta; the market-adjusted one takes alpha 0 and beta 1 as given and has no R².

    `returns` are those that were explained (N × T), NaN where missing.
    """
    residuals, valid = fitted.residuals[0], None if fitted.valid is None else fitted.valid[0]
    coefficients = fitted.coefficients[0]
    n = len(firms)
    columns: dict[str, FloatArray | NDArray[np.int64]] = {
        "alpha": coefficients[:, 0] if model.constant else np.zeros(n),
        "beta": coefficients[:, 1] if model.factors else np.full(n, 1.0 if model.subtract_market else np.nan),
    }
    for position, factor in enumerate(model.factors[1:], start=2):
        columns[f"beta_{factor.lower()}"] = coefficients[:, position]
    columns |= {
        "sigma": fitted.sigma[0],
        "r2": _r2(fitted, model, returns),
        "n_obs": fitted.n_obs[0].astype(np.int64),
    }
    columns["autocorrelation"] = autocorrelation(residuals, valid)
    columns["arch_lm"], columns["arch_lm_p"] = arch_lm(residuals, valid)
    columns["jarque_bera"], columns["jarque_bera_p"] = jarque_bera(residuals, valid)
    return pd.DataFrame(columns, index=pd.Index(firms, name="firm"))


def car_table(firms: pd.Index, fitted: Fit, sums: Cumulated, scopes: Scopes, raw: FloatArray) -> pd.DataFrame:
    """One row a firm and window: firm, start, end and `CAR_FIGURES`.

    `se` holds the forecast error. `p_value` is of t = car/se. `placebo_p` ranks the CAR among the firm's own
    overlapping residual sums of that length (Gelbach, Helland and Klick 2013), two-sided, each over its own
    standard deviation (a sum inside the estimation window is nearer to zero than a forecast), and is the one to
    trust when returns have fat tails. Both come adjusted over the firms of a window, by Holm and by Benjamini
    and Hochberg. bhar = Π(1 + R) - Π(1 + R - AR). All are NaN for a firm without a complete CAR.

    Args:
        firms: names of the N firms.
        fitted: their regression (one sample).
        sums: CARs over all scopes.
        scopes: days and windows.
        raw: raw returns of the event days (N × W).
    """
    n, windows = len(firms), scopes.windows
    residuals = fitted.residuals[0]
    if fitted.valid is not None:
        residuals = np.where(fitted.valid[0], residuals, np.nan)
    figures = np.empty((len(CAR_FIGURES), len(windows), n))
    for row, scope in enumerate(scopes.rows):
        car, error = sums.car[0, :, scope], sums.standard_error[0, :, scope]
        t = car / error
        p_value = 2 * stdtr(fitted.df[0], -np.abs(t))
        length = int(scopes.lengths[scope])
        scaled = block_sums(residuals, length) / np.sqrt(length - _forecast(fitted, length))
        placebo_p = _placebo_p(scaled, car / np.sqrt(sums.factor[0, :, scope]))
        adjusted = (holm(p_value), benjamini_hochberg(p_value))
        placebo_adjusted = (holm(placebo_p), benjamini_hochberg(placebo_p))
        bhar = _bhar(raw, fitted.abnormal[0], scopes.member[:, scope] > 0)
        figures[:, row] = (
            car,
            error,
            t,
            fitted.df[0],
            p_value,
            *adjusted,
            placebo_p,
            *placebo_adjusted,
            np.where(np.isnan(car), np.nan, bhar),
        )
    table = pd.DataFrame(figures.reshape(len(CAR_FIGURES), -1).T, columns=list(CAR_FIGURES))
    table.insert(0, "firm", firms.take(np.tile(np.arange(n), len(windows))))
    table.insert(1, "start", np.repeat([window[0] for window in windows], n).astype(np.int64))
    table.insert(2, "end", np.repeat([window[1] for window in windows], n).astype(np.int64))
    return table


def _r2(fitted: Fit, model: Model, returns: FloatArray) -> FloatArray:
    if not model.constant:
        return np.full(len(returns), np.nan)
    used = returns if fitted.valid is None else np.where(fitted.valid[0], returns, np.nan)
    away = np.nan_to_num(used - np.nanmean(used, axis=1, keepdims=True))
    squares = np.einsum("nt,nt->n", fitted.residuals[0], fitted.residuals[0])
    return 1 - squares / np.einsum("nt,nt->n", away, away)


def _forecast(fitted: Fit, length: int) -> FloatArray:
    """(Σx)'(X'X)⁻¹(Σx) of every block of the estimation window (1 or N × blocks)."""
    design = np.nan_to_num(fitted.design_estimation[0]).swapaxes(1, 2)
    return quadratic(fitted.inverse[0], block_sums(design, length).swapaxes(1, 2))


def _placebo_p(blocks: FloatArray, size: FloatArray) -> FloatArray:
    size = np.abs(size)
    n = np.isfinite(blocks).sum(axis=1)
    reached = np.count_nonzero(np.abs(blocks) >= size[:, None], axis=1)
    return np.where((n > 0) & np.isfinite(size), (1 + reached) / (n + 1), np.nan)


def _bhar(raw: FloatArray, abnormal: FloatArray, member: NDArray[np.bool_]) -> FloatArray:
    inside = raw[:, member]
    expected = inside - abnormal[:, member]
    return np.prod(1 + np.nan_to_num(inside), axis=1) - np.prod(1 + np.nan_to_num(expected), axis=1)
