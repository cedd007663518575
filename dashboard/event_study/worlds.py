"""Simulated markets in which nothing happens: what the size of every test is measured on.

Seven kinds of residuals, each with unit variance: firms of equal correlation .2; loadings on the common shock
that differ between firms, moderately or by far; blocks of five that move together; Student's t with 4 degrees of
freedom, of each firm by itself or of all on the same days; GARCH(1,1) volatility. The panel is complete, or a
fifth of the firm-days is missing (before the event, or in its window as well), or the firms were listed at any time
in the first half of the estimation window.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from dashboard.event_study.panel import FloatArray
from dashboard.event_study.regression import Sample

PANELS = ("complete", "gaps", "gaps in window", "histories")
MISSING = 0.2
CORRELATION, BLOCK, WITHIN, BETWEEN = 0.2, 5, 0.4, 0.1
FREEDOM = 4
ARCH, GARCH, WARM_UP = 0.08, 0.9, 60


def equal(draw: Generator, draws: int, firms: int, days: int) -> FloatArray:
    """Every pair of firms correlates by .2."""
    return _mix(
        draw.standard_normal((draws, 1, days)), draw.standard_normal((draws, firms, days)), CORRELATION
    )


def loadings(draw: Generator, draws: int, firms: int, days: int) -> FloatArray:
    """Loadings on the common shock between .2 and .7."""
    return _loaded(draw, (draws, firms, days), 0.2, 0.7)


def wide_loadings(draw: Generator, draws: int, firms: int, days: int) -> FloatArray:
    """Loadings on the common shock between .1 and .8."""
    return _loaded(draw, (draws, firms, days), 0.1, 0.8)


def blocks(draw: Generator, draws: int, firms: int, days: int) -> FloatArray:
    """Blocks of five firms: .4 within, .1 between."""
    shared = np.repeat(draw.standard_normal((draws, -(-firms // BLOCK), days)), BLOCK, axis=1)[:, :firms]
    own = _mix(shared, draw.standard_normal((draws, firms, days)), (WITHIN - BETWEEN) / (1 - BETWEEN))
    return _mix(draw.standard_normal((draws, 1, days)), own, BETWEEN)


def fat_tails(draw: Generator, draws: int, firms: int, days: int) -> FloatArray:
    """The common shock and each firm's own are Student's t(4), scaled to unit variance."""
    scale = np.sqrt((FREEDOM - 2) / FREEDOM)
    shared = draw.standard_t(FREEDOM, (draws, 1, days)) * scale
    return _mix(shared, draw.standard_t(FREEDOM, (draws, firms, days)) * scale, CORRELATION)


def stormy_days(draw: Generator, draws: int, firms: int, days: int) -> FloatArray:
    """Multivariate Student's t(4): one volatility a day for all firms, whose correlation is .2 (unit variance)."""
    storm = np.sqrt((FREEDOM - 2) / draw.chisquare(FREEDOM, (draws, 1, days)))
    return equal(draw, draws, firms, days) * storm


def garch(draw: Generator, draws: int, firms: int, days: int) -> FloatArray:
    """The common shock and each firm's own have GARCH(1,1) volatility (Bollerslev 1986), .08 and .90."""
    noise = draw.standard_normal((draws, firms + 1, days + WARM_UP))
    variance = np.ones((draws, firms + 1))
    for day in range(noise.shape[2]):
        noise[..., day] *= np.sqrt(variance)
        variance = 1 - ARCH - GARCH + ARCH * noise[..., day] ** 2 + GARCH * variance
    return _mix(noise[:, :1, WARM_UP:], noise[:, 1:, WARM_UP:], CORRELATION)


WORLDS: dict[str, Callable[[Generator, int, int, int], FloatArray]] = {
    "equal": equal,
    "loadings": loadings,
    "blocks": blocks,
    "fat tails": fat_tails,
    "garch": garch,
    "wide loadings": wide_loadings,
    "stormy days": stormy_days,
}


def simulate(
    draw: Generator, world: str, panel: str, draws: int, firms: int, days: int, event_days: int
) -> Sample:
    """Draw returns of firms whose market model holds on every day: `days` of estimation, then `event_days`."""
    total = days + event_days
    market = draw.normal(0.0004, 0.01, (draws, 1, total, 1))
    residuals = WORLDS[world](draw, draws, firms, total)
    sigma = draw.uniform(0.01, 0.04, (draws, firms, 1))
    beta = draw.normal(1.0, 0.3, (draws, firms, 1))
    returns = beta * market[..., 0] + sigma * residuals
    if panel != "complete":
        returns[_missing(draw, panel, returns.shape, days)] = np.nan
    return Sample(returns, market, days)


def excite(sample: Sample, first: int, last: int, factor: float) -> Sample:
    """The same draw with the firms' returns beside the market `factor` times as large on some event days."""
    returns = sample.returns.copy()
    inside = slice(sample.estimation_days + first, sample.estimation_days + last)
    market = sample.factors[:, :, inside, 0]
    returns[..., inside] = market + factor * (returns[..., inside] - market)
    return Sample(returns, sample.factors, sample.estimation_days)


def _missing(draw: Generator, panel: str, shape: tuple[int, ...], days: int) -> FloatArray:
    if panel == "histories":
        listed = draw.integers(0, days // 2 + 1, (*shape[:2], 1))
        return np.asarray(np.arange(shape[2]) < listed)
    missing = draw.random(shape) < MISSING
    if panel == "gaps":
        missing[..., days:] = False
    return np.asarray(missing)


def _loaded(draw: Generator, shape: tuple[int, int, int], least: float, most: float) -> FloatArray:
    draws, firms, days = shape
    loading = draw.uniform(least, most, (draws, firms, 1))
    return _mix(
        draw.standard_normal((draws, 1, days)), draw.standard_normal((draws, firms, days)), loading**2
    )


def _mix(shared: FloatArray, own: FloatArray, correlation: FloatArray | float) -> FloatArray:
    return np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
