"""Rank tests: each firm's event-day abnormal return among its own estimation-window residuals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.event_study.correlation import ALIKE
from dashboard.event_study.cross_section import moments
from dashboard.event_study.outcome import Outcome, normal, student
from dashboard.event_study.panel import FloatArray
from dashboard.event_study.ranking import average_ranks, ordinal_ranks
from dashboard.event_study.regression import Cumulated, Fit
from dashboard.event_study.windows import Scopes

# Firms counted at once: their number fits in one byte.
BLOCK = 250


@dataclass(frozen=True)
class RankOutcomes:
    """The three rank tests, each B samples × D scopes."""

    corrado_rank: Outcome
    corrado_zivney: Outcome
    grank_t: Outcome


def rank_tests(fitted: Fit, sums: Cumulated, r_mean: FloatArray, scopes: Scopes) -> RankOutcomes:
    """Corrado (1989), Corrado and Zivney (1992) and GRANK-T (Kolari and Pynnönen 2011).

    Corrado: K_it is the rank of the firm's abnormal return in its own sample of M_i days, U_it = K_it/(M_i +
    1) - 1/2, Ū_t the mean over the firms of a day, T = √L·Ū/√(Σ_t Ū_t²/M) with M the number of days (Corrado
    1989, Corrado and Zivney 1992; Cowan 1992 for L > 1 days). On complete data this is Corrado's statistic.
    With gaps the R package estudy2 divides by the mean of the M_i instead, which makes the statistic too
    small. The sample of a DAY is the estimation window and the whole event window, that of a WINDOW the
    estimation window and the window's own days, both as in estudy2; a sample of the estimation window and
    one day gives slightly other values.

    Corrado-Zivney: Z_t = N_t^-1/2·Σ_i U_it in the place of Ū_t, for missing returns of independent firms; the
    abnormal returns are not divided by their cross-sectional deviation first (estudy2 does not either). On
    complete data it equals Corrado's test.

    GRANK-T: the estimation window's e_it/S_i and one more value, SCAR_i·√(1 - r̄) over the cross-sectional
    deviation of the SCARs, are ranked together, U = rank/(T + 1) - 1/2, Z = Ū_0/√(Σ_t (n_t/n)·Ū_t²/T) with T
    the estimation days and the event, and t = Z·√((T - 2)/(T - 1 - Z²)) with T - 2 degrees of freedom (Kolari
    and Pynnönen 2011, Journal of Empirical Finance 18, 953-971, with the correction for cross-correlation of
    their footnote 6: firms that move together spread less on any one day). r̄ is B × D.

    Ranks are over days that are not missing, ties share their mean rank.
    """
    thresholds = _grank_thresholds(sums, r_mean)
    if fitted.complete and np.isfinite(thresholds).all():
        outcomes = _complete(fitted, thresholds, scopes)
        if outcomes is not None:
            return outcomes
    residuals = fitted.residuals if fitted.valid is None else np.where(fitted.valid, fitted.residuals, np.nan)
    corrado, zivney = _corrado_gaps(residuals, fitted.abnormal, scopes)
    return RankOutcomes(corrado, zivney, _grank_gaps(residuals, fitted, thresholds))


def _complete(fitted: Fit, thresholds: FloatArray, scopes: Scopes) -> RankOutcomes | None:
    """The tests from the ranks of residuals, abnormal returns and GRANK's event values together; None with ties.

    The rank sums of a smaller sample follow from counting, for each value that it leaves out, the firms in which
    that value ranks below.
    """
    days, event_days = fitted.residuals.shape[-1], len(scopes.days)
    single = bool((scopes.lengths == 1).all())
    ranks, inner, tied = ordinal_ranks(
        fitted.residuals, fitted.abnormal, thresholds, within=days if single else 0
    )
    if tied:
        return None
    kept = days + event_days
    total = _sum_firms(ranks[:, :, :kept])
    above = _below(ranks, range(kept, ranks.shape[2]), kept)
    total -= above.sum(axis=1)
    if single:
        below = np.empty((len(ranks), event_days, 0))
        estimation = _sum_firms(inner[:, :, :days])
    else:
        below = _below(ranks, range(days, kept), kept)
        estimation = total[:, :days] - below[:, :, :days].sum(axis=1)
    firms = ranks.shape[1]
    corrado = _corrado_complete(total, below, firms, scopes)
    return RankOutcomes(corrado, corrado, _grank_complete(estimation, above[:, :, :days], firms))


def _sum_firms(ranks: NDArray[np.int16]) -> FloatArray:
    return ranks.sum(axis=1, dtype=np.int32).astype(np.float64)


def _below(ranks: NDArray[np.int16], columns: range, kept: int) -> FloatArray:
    """In how many firms each of the columns ranks below each of the first `kept` ones (B × columns × kept)."""
    below = np.zeros((ranks.shape[0], len(columns), kept))
    for start in range(0, ranks.shape[1], BLOCK):
        block = ranks[:, start : start + BLOCK]
        flags = np.empty((*block.shape[:2], kept), dtype=bool)
        bits = flags.view(np.uint8)
        for place, column in enumerate(columns):
            np.less(block[:, :, column, None], block[:, :, :kept], out=flags)
            below[:, place] += bits.sum(axis=1, dtype=np.uint8)
    return below


def _corrado_complete(total: FloatArray, below: FloatArray, firms: int, scopes: Scopes) -> Outcome:
    days = total.shape[1] - below.shape[1]
    statistic = np.empty((len(total), len(scopes)))
    single = scopes.lengths == 1
    size = total.shape[1]
    deviation = total / firms - (size + 1) / 2
    scale = np.sqrt((deviation**2).sum(axis=1, keepdims=True) / size)
    statistic[:, single] = deviation[:, days:] @ scopes.member[:, single] / scale
    for scope in np.flatnonzero(~single):
        inside = scopes.member[:, scope] > 0
        size = days + int(inside.sum())
        sums = total - below[:, ~inside].sum(axis=1)
        deviation = sums / firms - (size + 1) / 2
        event = deviation[:, days:][:, inside]
        statistic[:, scope] = _standardise(np.concatenate([deviation[:, :days], event], axis=1), event, size)
    return normal(statistic)


def _standardise(series: FloatArray, event: FloatArray, days: FloatArray | int) -> FloatArray:
    """√L·mean of the event days over √(Σ series²/days); NaN in the series marks days without a firm."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(np.nansum(series**2, axis=1) / days)
        return np.sqrt(event.shape[1]) * event.mean(axis=1) / scale


def _corrado_gaps(residuals: FloatArray, abnormal: FloatArray, scopes: Scopes) -> tuple[Outcome, Outcome]:
    corrado = np.empty((len(residuals), len(scopes)))
    zivney = np.empty_like(corrado)
    days = residuals.shape[-1]
    whole: tuple[FloatArray, FloatArray, FloatArray] | None = None
    for scope, member in enumerate(scopes.member.T > 0):
        if scopes.lengths[scope] == 1:
            whole = whole or _rank_series(np.concatenate([residuals, abnormal], axis=-1))
            series, event = whole, np.flatnonzero(member) + days
        else:
            series = _rank_series(np.concatenate([residuals, abnormal[..., member]], axis=-1))
            event = np.arange(scopes.lengths[scope]) + days
        corrado[:, scope] = _standardise(series[0], series[0][:, event], series[2])
        zivney[:, scope] = _standardise(series[1], series[1][:, event], series[2])
    return normal(corrado), normal(zivney)


def _rank_series(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ū_t and Z_t of each day (B × M), NaN on days without a firm, and the number of days with one (B,)."""
    ranks = average_ranks(values)
    known = np.isfinite(ranks)
    observations = known.sum(axis=-1, keepdims=True)
    n = known.sum(axis=1)
    total = np.where(known, ranks / (observations + 1) - 0.5, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / n, total / np.sqrt(n), (n > 0).sum(axis=-1)


def _grank_thresholds(sums: Cumulated, r_mean: FloatArray) -> FloatArray:
    """The event values in units of the residuals: S_i·SCAR_i·√(1 - r̄)/s(SCAR) (B × N × D)."""
    scar = sums.scar
    _, _, spread = moments(scar)
    with np.errstate(invalid="ignore"):
        scale = np.sqrt(np.where(1 - r_mean > ALIKE, 1 - r_mean, np.nan)) / spread
        return sums.sigma[..., None] * scar * scale[:, None]


def _grank_complete(estimation: FloatArray, above: FloatArray, firms: int) -> Outcome:
    """GRANK-T from sums over the firms.

    Args:
        estimation: of the rank among the estimation days alone (B × T).
        above: firms whose residual is above the event value (B × D × T).
        firms: their number.
    """
    days = estimation.shape[1]
    share = firms * (days + 2)
    uniform = (estimation[:, None] + above) / share - 0.5
    event = (firms * (days + 1) - above.sum(axis=-1)) / share - 0.5
    z = event / np.sqrt((np.einsum("bdt,bdt->bd", uniform, uniform) + event**2) / (days + 1))
    return _grank_student(z, np.full(z.shape, days + 1.0))


def _grank_gaps(residuals: FloatArray, fitted: Fit, thresholds: FloatArray) -> Outcome:
    ranks = average_ranks(residuals)
    known = np.isfinite(residuals)
    total = fitted.n_obs + 2
    z = np.empty((len(residuals), thresholds.shape[-1]))
    count = np.empty_like(z)
    for scope in range(z.shape[1]):
        value = thresholds[:, :, scope, None]
        used = np.isfinite(value[..., 0])
        weight = np.where(used, 1 / total, 0.0)[:, None, :]
        step = (residuals > value) + 0.5 * (residuals == value)
        here = known & used[..., None]
        n_t = here.sum(axis=1)
        n = used.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            raised = (weight @ (np.where(here, ranks, 0.0) + np.where(here, step, 0.0)))[:, 0]
            uniform = raised / n_t - 0.5
            event_rank = 1 + fitted.n_obs - np.where(here, step, 0.0).sum(axis=-1)
            event = np.where(used, event_rank / total - 0.5, 0.0).sum(axis=1) / n
            square = np.where(n_t > 0, n_t / n[:, None] * uniform**2, 0.0).sum(axis=-1) + event**2
            count[:, scope] = (n_t > 0).sum(axis=-1) + 1
            z[:, scope] = event / np.sqrt(square / count[:, scope])
    return _grank_student(z, count)


def _grank_student(z: FloatArray, days: FloatArray) -> Outcome:
    with np.errstate(invalid="ignore"):
        return student(z * np.sqrt((days - 2) / (days - 1 - z**2)), days - 2)
