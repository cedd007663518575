"""The statistics of an event study once more, slowly: loops over firms and days, straight from the definitions.

Regressions by statsmodels, ranks and distributions by scipy, correlations by pandas. Nothing of the package is used.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations, combinations_with_replacement

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats


@dataclass
class Firm:
    residuals: pd.Series
    abnormal: pd.Series
    sigma: float
    n: int
    k: int
    design: pd.DataFrame
    inverse: np.ndarray

    def variance_factor(self, start: int, end: int) -> float:
        rows = self.design.loc[start:end].to_numpy()
        return len(rows) + sum(float(a @ self.inverse @ b) for a in rows for b in rows)

    def car(self, start: int, end: int) -> float:
        return float(self.abnormal.loc[start:end].sum(skipna=False))

    def scar(self, start: int, end: int) -> float:
        return self.car(start, end) / (self.sigma * np.sqrt(self.variance_factor(start, end)))


def cut(series, position: int, first: int, last: int):
    part = series.iloc[position + first : position + last + 1]
    return part.set_axis(range(first, last + 1))


def fit_firm(returns, regressors: pd.DataFrame, position, estimation, event_window) -> Firm:
    """OLS of one firm on a constant and the regressors over the days where both exist."""
    y = cut(returns, position, *estimation)
    x = sm.add_constant(cut(regressors, position, *estimation), has_constant="add")
    there = y.notna() & x.notna().all(axis=1)
    result = sm.OLS(y[there], x[there]).fit()
    design = sm.add_constant(cut(regressors, position, *event_window), has_constant="add")
    abnormal = cut(returns, position, *event_window) - design @ result.params
    inverse = np.linalg.inv(x[there].T @ x[there])
    return Firm(
        result.resid.reindex(y.index),
        abnormal,
        np.sqrt(result.scale),
        int(there.sum()),
        x.shape[1],
        design,
        inverse,
    )


class Oracle:
    def __init__(self, returns, regressors, position, estimation, event_window):
        self.args = (position, estimation, event_window)
        self.firms = {name: fit_firm(returns[name], regressors, *self.args) for name in returns}
        self.design_before = sm.add_constant(
            cut(regressors, position, *estimation), has_constant="add"
        ).to_numpy()
        self.residuals = pd.DataFrame({name: firm.residuals for name, firm in self.firms.items()})
        self.abnormal = pd.DataFrame({name: firm.abnormal for name, firm in self.firms.items()})
        self.r_mean = self.mean_correlation(list(self.firms))

    def complete(self, start, end):
        return [f for f in self.firms.values() if np.isfinite(f.car(start, end))]

    def mean_correlation(self, names):
        """Mean over the pairs of scipy's correlation on the days that both firms have."""
        pairs = []
        for a, b in combinations(names, 2):
            both = self.residuals[[a, b]].dropna()
            pairs.append(stats.pearsonr(both[a], both[b]).statistic)
        return float(np.mean(pairs))

    def names(self, start, end):
        """The firms that have the whole window."""
        return [name for name, f in self.firms.items() if np.isfinite(f.car(start, end))]

    @cache  # noqa: B019
    def mean_of_set(self, names):
        return self.mean_correlation(names)

    def r_of(self, start, end):
        return self.mean_of_set(tuple(self.names(start, end)))

    def caar(self, start, end):
        return float(self.abnormal.mean(axis=1).loc[start:end].sum(skipna=False))

    def cross_sectional(self, start, end):
        cars = np.array([f.car(start, end) for f in self.complete(start, end)])
        return cars.mean() / (cars.std(ddof=1) / np.sqrt(len(cars)))

    def crude_dependence(self, start, end):
        return self.caar(start, end) / (self.residuals.mean(axis=1).std() * np.sqrt(end - start + 1))

    @cached_property
    def covariances(self):
        """Covariance of every two firms' residuals over the days that both have, less k degrees of freedom."""
        found = {}
        for a, b in combinations_with_replacement(self.firms, 2):
            shared = (self.residuals[a] * self.residuals[b]).dropna()
            found[a, b] = found[b, a] = float(shared.sum()) / (len(shared) - self.firms[a].k)
        return found

    def day_variance(self, there):
        """Variance of the mean of the firms that are there."""
        return sum(self.covariances[a, b] for a in there for b in there) / len(there) ** 2

    def history(self):
        """Mean residual of each estimation day, and the variance of the firms of that day."""
        means = self.residuals.mean(axis=1)
        there = [tuple(row.dropna().index) for _, row in self.residuals.iterrows()]
        known = {names: self.day_variance(names) for names in set(there)}
        return means.to_numpy(), np.array([known[names] for names in there])

    def portfolio_error(self, start, end):
        days = range(start, end + 1)
        variances = [self.day_variance(list(self.abnormal.loc[day].dropna().index)) for day in days]
        factors = [f.variance_factor(start, end) for f in self.firms.values()]
        return np.sqrt(np.mean(variances) * np.mean(factors))

    def portfolio_regression(self, start, end):
        return self.caar(start, end) / self.portfolio_error(start, end)

    def patell(self, start, end):
        firms = self.complete(start, end)
        if start == end:
            q = sum((f.n - f.k) / (f.n - f.k - 2) for f in firms)
            return sum(f.scar(start, end) for f in firms) / np.sqrt(q)
        days = range(start, end + 1)
        total = 0.0
        for f in firms:
            variance = len(days) * (f.n - f.k) / (f.n - f.k - 2)
            total += sum(f.scar(day, day) for day in days) / np.sqrt(variance)
        return total / np.sqrt(len(firms))

    def patell_adjusted(self, start, end):
        n, r = len(self.complete(start, end)), self.r_of(start, end)
        return self.patell(start, end) / np.sqrt(1 + (n - 1) * r)

    def bmp(self, start, end):
        scars = np.array([f.scar(start, end) for f in self.complete(start, end)])
        return scars.mean() * np.sqrt(len(scars)) / scars.std(ddof=1)

    def kolari_pynnonen(self, start, end):
        n, r = len(self.complete(start, end)), self.r_of(start, end)
        return self.bmp(start, end) * np.sqrt((1 - r) / (1 + (n - 1) * r))

    def sign(self, start, end):
        cars = np.array([f.car(start, end) for f in self.complete(start, end)])
        return ((cars > 0).sum() - 0.5 * len(cars)) / np.sqrt(0.25 * len(cars))

    def generalized_sign(self, start, end):
        firms = self.complete(start, end)
        p = np.mean([(f.residuals.dropna() > 0).mean() for f in firms])
        positive = sum(f.car(start, end) > 0 for f in firms)
        return (positive - len(firms) * p) / np.sqrt(len(firms) * p * (1 - p))

    def wilcoxon(self, start, end):
        cars = np.array([f.car(start, end) for f in self.complete(start, end)])
        return stats.rankdata(np.abs(cars))[cars > 0].sum()

    @cache  # noqa: B019
    def _ranked(self, start, end):
        event = self.abnormal if start == end else self.abnormal.loc[start:end]
        return pd.concat([self.residuals, event]).rank()

    @cache  # noqa: B019
    def _uniform(self, start, end):
        """U of Corrado and Zivney: each firm's ranks over its own number of days plus one, less a half."""
        ranks = self._ranked(start, end)
        return pd.DataFrame(
            {name: column / (column.notna().sum() + 1) - 0.5 for name, column in ranks.items()}
        )

    def corrado_rank(self, start, end):
        daily = self._uniform(start, end).mean(axis=1).dropna()
        event = daily.loc[start:end]
        return np.sqrt(len(event)) * event.mean() / np.sqrt(sum(d * d for d in daily) / len(daily))

    def corrado_zivney(self, start, end):
        uniform = self._uniform(start, end)
        z = uniform.sum(axis=1) / np.sqrt(uniform.count(axis=1))
        scale = np.sqrt((z**2).sum() / len(z))
        return np.sqrt(end - start + 1) * z.loc[start:end].mean() / scale

    def grank_t(self, start, end):
        names = self.names(start, end)
        scar = pd.Series({name: self.firms[name].scar(start, end) for name in names})
        standardised = self.residuals[names] / pd.Series({name: self.firms[name].sigma for name in names})
        standardised.loc[999] = scar / scar.std() * np.sqrt(1 - self.r_of(start, end))
        uniform = standardised.rank() / (standardised.count() + 1) - 0.5
        n_t = uniform.count(axis=1)
        days = int((n_t > 0).sum())
        mean = uniform.sum(axis=1) / n_t
        z = mean[999] / np.sqrt((n_t / len(names) * mean**2).sum() / days)
        return z * np.sqrt((days - 2) / (days - 1 - z**2))

    @cache  # noqa: B019
    def blocks(self, length):
        """Overlapping sums of the history over their standard deviation, by the projection off the regressors."""
        means, variances = self.history()
        design = self.design_before
        inverse = np.mean([f.inverse for f in self.firms.values()], axis=0)
        off = np.eye(len(design)) - design @ inverse @ design.T
        sums = []
        for i in range(len(means) - length + 1):
            inside = slice(i, i + length)
            deviation = np.sqrt(variances[inside].mean() * off[inside, inside].sum())
            sums.append(means[inside].sum() / deviation)
        return np.array(sums)

    def placebo_p(self, start, end):
        size = abs(self.portfolio_regression(start, end))
        blocks = np.abs(self.blocks(end - start + 1))
        return (1 + (blocks >= size).sum()) / (len(blocks) + 1)
