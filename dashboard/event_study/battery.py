"""Every test on every day and window, for one study or for many placebo dates at once."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashboard.event_study import cross_section, time_series
from dashboard.event_study.correlation import mean_correlation
from dashboard.event_study.outcome import Outcome
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.rank_tests import rank_tests
from dashboard.event_study.regression import Cumulated, Fit, Sample, cumulate, fit
from dashboard.event_study.windows import Scopes


@dataclass(frozen=True)
class Battery:
    """The tests of B samples over D scopes, and what they were made from.

    `aar_estimation` is B × T, `aar` B × W, `caar` and `n_firms` B × D, `r_mean` (B,).
    """

    outcomes: dict[str, Outcome]
    sums: Cumulated
    portfolio: Fit
    aar_estimation: FloatArray
    aar: FloatArray
    caar: FloatArray
    n_firms: NDArray[np.int64]
    r_mean: FloatArray


def run_battery(sample: Sample, fitted: Fit, scopes: Scopes, *, constant: bool) -> Battery:
    """Run all tests of the catalogue."""
    sums = cumulate(fitted, scopes)
    scar = sums.scar
    n_firms = np.isfinite(scar).sum(axis=1)
    r_mean = mean_correlation(fitted.residuals, fitted.valid)
    estimation, aar = time_series.average_abnormal(fitted)
    caar = aar @ scopes.member if not np.isnan(aar).any() else _sum_days(aar, scopes)
    shared = fitted.complete and fitted.span is None
    portfolio = average_fit(fitted) if shared else fit(portfolio_of(sample), constant=constant)
    lengths = scopes.lengths
    patell = cross_section.patell(_sar_sums(fitted, sums, scopes), fitted.df, lengths)
    bmp = cross_section.cross_sectional(scar)
    ranks = rank_tests(fitted, sums, scopes)
    outcomes = {
        "cross_sectional": cross_section.cross_sectional(sums.car),
        "crude_dependence": time_series.crude_dependence(estimation, caar, lengths),
        "portfolio_regression": time_series.portfolio_regression(portfolio, scopes),
        "patell": patell,
        "patell_adjusted": cross_section.patell_adjusted(patell, n_firms, r_mean),
        "bmp": bmp,
        "kolari_pynnonen": cross_section.kolari_pynnonen(bmp, n_firms, r_mean),
        "corrado_rank": ranks.corrado_rank,
        "corrado_zivney": ranks.corrado_zivney,
        "grank_t": ranks.grank_t,
        "generalized_sign": cross_section.generalized_sign(sums.car, positive_share(fitted)),
        "sign": cross_section.sign(sums.car),
        "wilcoxon": cross_section.wilcoxon(sums.car),
        "placebo": time_series.placebo(estimation, caar, lengths),
    }
    return Battery(outcomes, sums, portfolio, estimation, aar, caar, n_firms, r_mean)


def portfolio_of(sample: Sample) -> Sample:
    """The equal-weight portfolio of the firms that have a return, day by day, as a sample of one firm."""
    known = np.isfinite(sample.returns)
    mean = time_series.average(sample.returns, None if known.all() else known)
    factors = sample.factors
    if (
        factors.shape[1] > 1
    ):  # after gaps each firm has its own multi-day factors: the portfolio takes their mean
        weight = known[..., None]
        with np.errstate(invalid="ignore"):
            summed = np.where(weight, factors, 0.0).sum(axis=1, keepdims=True)
            factors = summed / weight.sum(axis=1, keepdims=True)
    return Sample(mean[:, None, :], factors, sample.estimation_days)


def average_fit(fitted: Fit) -> Fit:
    """The portfolio's regression from the firms' own: on complete data least squares commutes with the mean."""
    residuals = fitted.residuals.mean(axis=1, keepdims=True)
    df = fitted.df[:, :1]
    squares = np.einsum("bnt,bnt->bn", residuals, residuals)
    if not fitted.inverse.shape[-1]:
        squares = squares - residuals.sum(axis=-1) ** 2 / residuals.shape[-1]
    return replace(
        fitted,
        coefficients=fitted.coefficients.mean(axis=1, keepdims=True),
        residuals=residuals,
        abnormal=fitted.abnormal.mean(axis=1, keepdims=True),
        n_obs=fitted.n_obs[:, :1],
        df=df,
        sigma=np.sqrt(squares / df),
    )


def positive_share(fitted: Fit) -> FloatArray:
    """Each firm's share of estimation days with a positive residual (B × N)."""
    positive = (fitted.residuals > 0).view(np.uint8).sum(axis=-1, dtype=np.int32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return positive / fitted.n_obs


def _sum_days(aar: FloatArray, scopes: Scopes) -> FloatArray:
    missing = np.isnan(aar)
    sums = np.where(missing, 0.0, aar) @ scopes.member
    sums[(missing @ scopes.member) > 0] = np.nan
    return sums


def _sar_sums(fitted: Fit, sums: Cumulated, scopes: Scopes) -> FloatArray:
    """Sum of the daily SARs over each scope (B × N × D), NaN where the CAR is."""
    design = np.nan_to_num(fitted.design)
    factor = ((design @ fitted.inverse) * design).sum(axis=-1)
    factor = factor + (1.0 if fitted.span is None else fitted.span)
    sar = fitted.abnormal / (fitted.sigma[..., None] * np.sqrt(factor))
    total = np.nan_to_num(sar) @ scopes.member
    return np.where(np.isfinite(sums.car), total, np.nan)
