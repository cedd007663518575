"""The statistics of an event study once more, slowly: loops over firms and days, straight from the definitions.

Regressions by statsmodels, ranks and distributions by scipy, correlations by pandas. Nothing of the package is used.
"""

from dataclasses import dataclass

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
        self.residuals = pd.DataFrame({name: firm.residuals for name, firm in self.firms.items()})
        self.abnormal = pd.DataFrame({name: firm.abnormal for name, firm in self.firms.items()})
        self.portfolio = fit_firm(returns.mean(axis=1), regressors, *self.args)
        correlations = self.residuals.corr().to_numpy()
        self.r_mean = float(np.nanmean(correlations[np.triu_indices_from(correlations, 1)]))

    def complete(self, start, end):
        return [f for f in self.firms.values() if np.isfinite(f.car(start, end))]

    def caar(self, start, end):
        return float(self.abnormal.mean(axis=1).loc[start:end].sum(skipna=False))

    def cross_sectional(self, start, end):
        cars = np.array([f.car(start, end) for f in self.complete(start, end)])
        return cars.mean() / (cars.std(ddof=1) / np.sqrt(len(cars)))

    def crude_dependence(self, start, end):
        return self.caar(start, end) / (self.residuals.mean(axis=1).std() * np.sqrt(end - start + 1))

    def portfolio_regression(self, start, end):
        return self.portfolio.scar(start, end)

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
        n = len(self.complete(start, end))
        return self.patell(start, end) / np.sqrt(1 + (n - 1) * self.r_mean)

    def bmp(self, start, end):
        scars = np.array([f.scar(start, end) for f in self.complete(start, end)])
        return scars.mean() * np.sqrt(len(scars)) / scars.std(ddof=1)

    def kolari_pynnonen(self, start, end):
        n = len(self.complete(start, end))
        return self.bmp(start, end) * np.sqrt((1 - self.r_mean) / (1 + (n - 1) * self.r_mean))

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

    def _ranked(self, start, end):
        event = self.abnormal if start == end else self.abnormal.loc[start:end]
        return pd.concat([self.residuals, event]).rank()

    def corrado_rank(self, start, end):
        ranks = self._ranked(start, end)
        deviation = (ranks - (ranks.count() + 1) / 2).mean(axis=1)
        scale = np.sqrt((deviation**2).sum() / ranks.count().mean())
        return np.sqrt(end - start + 1) * deviation.loc[start:end].mean() / scale

    def corrado_zivney(self, start, end):
        ranks = self._ranked(start, end)
        uniform = ranks / (ranks.count() + 1) - 0.5
        z = uniform.sum(axis=1) / np.sqrt(uniform.count(axis=1))
        scale = np.sqrt((z**2).sum() / ranks.count().mean())
        return np.sqrt(end - start + 1) * z.loc[start:end].mean() / scale

    def grank_t(self, start, end):
        names = [name for name, f in self.firms.items() if np.isfinite(f.car(start, end))]
        scar = pd.Series({name: self.firms[name].scar(start, end) for name in names})
        standardised = self.residuals[names] / pd.Series({name: self.firms[name].sigma for name in names})
        standardised.loc[999] = scar / scar.std()
        uniform = standardised.rank() / (standardised.count() + 1) - 0.5
        n_t = uniform.count(axis=1)
        days = int((n_t > 0).sum())
        mean = uniform.sum(axis=1) / n_t
        z = mean[999] / np.sqrt((n_t / len(names) * mean**2).sum() / days)
        return z * np.sqrt((days - 2) / (days - 1 - z**2))

    def placebo_p(self, start, end):
        history = self.residuals.mean(axis=1).to_numpy()
        length = end - start + 1
        blocks = [abs(history[i : i + length].sum()) for i in range(len(history) - length + 1)]
        return (1 + sum(b >= abs(self.caar(start, end)) for b in blocks)) / (len(blocks) + 1)
