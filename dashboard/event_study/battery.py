"""Every test on every day and window, for one study or for many placebo dates at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.event_study import cross_section, time_series
from dashboard.event_study.correlation import Dependence, dependence
from dashboard.event_study.outcome import Outcome
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.portfolio import Portfolio, portfolio
from dashboard.event_study.rank_tests import rank_tests
from dashboard.event_study.regression import Cumulated, Fit, cumulate
from dashboard.event_study.windows import Scopes


@dataclass(frozen=True)
class Battery:
    """The tests of B samples over D scopes, and what they were made from.

    `n_firms` (B × D) counts the firms with a CAR.
    """

    outcomes: dict[str, Outcome]
    sums: Cumulated
    portfolio: Portfolio
    n_firms: NDArray[np.int64]
    dependence: Dependence


def run_battery(fitted: Fit, scopes: Scopes) -> Battery:
    """Run all tests of the catalogue."""
    sums = cumulate(fitted, scopes)
    scar = sums.scar
    known = np.isfinite(scar)
    n_firms = known.sum(axis=1)
    related = dependence(fitted, known)
    r_mean = related.scopes
    group = portfolio(fitted, scopes)
    lengths = scopes.lengths
    patell = cross_section.patell(_sar_sums(fitted, sums, scopes), fitted.df, lengths)
    bmp = cross_section.cross_sectional(scar)
    ranks = rank_tests(fitted, sums, r_mean, scopes)
    outcomes = {
        "cross_sectional": cross_section.cross_sectional(sums.car),
        "crude_dependence": time_series.crude_dependence(group, scopes),
        "portfolio_regression": time_series.portfolio_regression(group, scopes),
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
        "placebo": time_series.placebo(group, scopes),
    }
    return Battery(outcomes, sums, group, n_firms, related)


def positive_share(fitted: Fit) -> FloatArray:
    """Each firm's share of estimation days with a positive residual (B × N)."""
    positive = (fitted.residuals > 0).view(np.uint8).sum(axis=-1, dtype=np.int32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return positive / fitted.n_obs


def _sar_sums(fitted: Fit, sums: Cumulated, scopes: Scopes) -> FloatArray:
    """Sum of the daily SARs over each scope (B × N × D), NaN where the CAR is."""
    design = np.nan_to_num(fitted.design)
    factor = ((design @ fitted.inverse) * design).sum(axis=-1)
    factor = factor + (1.0 if fitted.span is None else fitted.span)
    sar = fitted.abnormal / (fitted.sigma[..., None] * np.sqrt(factor))
    total = np.nan_to_num(sar) @ scopes.member
    return np.where(np.isfinite(sums.car), total, np.nan)
