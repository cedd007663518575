"""How often does each test cry wolf? Rejection rates on dates when nothing is known to have happened."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.event_study.battery import run_battery
from dashboard.event_study.catalogue import TESTS
from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.models import find_model
from dashboard.event_study.panel import FloatArray, Market, Panel, read_panel
from dashboard.event_study.regression import Sample, fit
from dashboard.event_study.sampling import count_observations, default_minimum
from dashboard.event_study.study import ESTIMATION, EVENT_WINDOW
from dashboard.event_study.windows import Scopes, Window, check_windows, make_scopes, read_date

LEVELS = (0.01, 0.05, 0.10)
# How far from 5% a rate may lie, beside two standard errors, before the test does not hold here.
FAR = 0.02
# Returns held at once: enough to make the loop over chunks cheap, few enough for a processor's cache.
CHUNK_VALUES = 500_000


def run_size_check(
    returns: pd.DataFrame,
    market: Market,
    model: str = "market",
    estimation: Window = ESTIMATION,
    event_window: Window = EVENT_WINDOW,
    windows: Sequence[Window] = ((0, 0),),
    min_observations: int | None = None,
    *,
    dates: int = 1000,
    seed: int = 0,
    exclude: Iterable[object] = (),
) -> pd.DataFrame:
    """Run every test on placebo dates of the group's own history (Brown and Warner 1980, 1985).

    Args: as in `run_study`; `dates` placebo dates are drawn without replacement (all there are when the
    history holds fewer) with the seed `seed`, none whose event window holds one of the real event dates
    `exclude`.

    Returns:
        One row a window and test: start, end, test, dates (placebo dates on which the test could be
        computed), independent_dates (those whose windows do not overlap), rejected_1pct, rejected_5pct,
        rejected_10pct (shares), standard_error_5pct (of a test with the true size 5%, on the independent
        dates), valid_with_common_date: whether the test allows for firms that move together and rejects near
        5% here, not further from it than two standard errors and two percentage points.

    Raises:
        EventStudyError: as in `run_study`, or no session has a whole estimation and event window around it.
    """
    chosen = find_model(model)
    checked = check_windows(estimation, event_window, windows)
    if isinstance(dates, bool) or not isinstance(dates, int | np.integer) or dates < 1:
        raise EventStudyError("The number of placebo dates must be a whole number of at least 1.")
    panel = read_panel(returns, market, chosen)
    minimum = default_minimum(estimation, min_observations, chosen)
    positions = _draw(panel, estimation, event_window, dates, seed, exclude)
    scopes = make_scopes(event_window, checked, days=False)
    net = panel.returns - panel.subtract
    firms = len(panel.firms)
    span = estimation[1] - estimation[0] + event_window[1] - event_window[0] + 2
    size = max(1, CHUNK_VALUES // (firms * span))
    p_values: dict[str, list[FloatArray]] = {name: [] for name in TESTS}
    for start in range(0, len(positions), size):
        sample = _take(panel, net, positions[start : start + size], estimation, event_window, minimum)
        for name, p_value in _p_values(sample, scopes, chosen.constant).items():
            p_values[name].append(p_value)
    return _rates({name: np.concatenate(parts) for name, parts in p_values.items()}, positions, scopes, firms)


def _draw(
    panel: Panel,
    estimation: Window,
    event_window: Window,
    dates: int,
    seed: int,
    exclude: Iterable[object],
) -> NDArray[np.int64]:
    known = np.isfinite(panel.factors).all(axis=1) & np.isfinite(panel.subtract)
    first, last = -estimation[0], len(panel.sessions) - 1 - event_window[1]
    candidates = np.arange(first, last + 1)
    allowed = np.array(
        [known[c + event_window[0] : c + event_window[1] + 1].all() for c in candidates], dtype=bool
    )
    for date in exclude:
        event = panel.sessions.searchsorted(read_date(date))
        allowed &= (candidates + event_window[0] > event) | (candidates + event_window[1] < event)
    candidates = candidates[allowed]
    if not len(candidates):
        raise EventStudyError(
            f"The data hold {len(panel.sessions)} sessions: none has a whole estimation window and event window "
            "around it, so there is no placebo date to draw."
        )
    if len(candidates) <= dates:
        return candidates
    return np.sort(np.random.default_rng(seed).choice(candidates, size=dates, replace=False))


def _take(
    panel: Panel,
    net: FloatArray,
    positions: NDArray[np.int64],
    estimation: Window,
    event_window: Window,
    minimum: int,
) -> Sample:
    """The windows around each placebo date; `net` are the returns less what the model takes off."""
    days = estimation[1] - estimation[0] + 1
    returns = np.empty((len(positions), len(panel.firms), days + event_window[1] - event_window[0] + 1))
    factors = np.empty((len(positions), 1, returns.shape[2], panel.factors.shape[1]))
    for row, position in enumerate(positions):
        for part, sessions in _pieces(int(position), estimation, event_window):
            returns[row, :, part] = net[:, sessions]
            factors[row, 0, part] = panel.factors[sessions]
    sample = Sample(returns, factors, days)
    if np.isnan(net).any():
        seen, inside = count_observations(sample)
        returns[(seen < minimum) | ~inside] = np.nan
    return sample


def _pieces(position: int, estimation: Window, event_window: Window) -> list[tuple[slice, slice]]:
    """Where the sessions around a date go: one piece when the windows follow each other without a pause."""
    days = estimation[1] - estimation[0] + 1
    first, last = position + estimation[0], position + event_window[1] + 1
    if estimation[1] + 1 == event_window[0]:
        return [(slice(None), slice(first, last))]
    return [
        (slice(None, days), slice(first, first + days)),
        (slice(days, None), slice(position + event_window[0], last)),
    ]


def _p_values(sample: Sample, scopes: Scopes, constant: bool) -> dict[str, FloatArray]:
    fitted = fit(sample, constant=constant)
    idle = fitted.exact & (fitted.n_obs > 0)
    if idle.any():  # a share that did not trade: constant returns
        sample.returns[idle] = np.nan
        fitted = fit(sample, constant=constant)
    return {name: outcome.p_value for name, outcome in run_battery(fitted, scopes).outcomes.items()}


def _rates(
    p_values: dict[str, FloatArray], positions: NDArray[np.int64], scopes: Scopes, firms: int
) -> pd.DataFrame:
    rows = []
    for window, scope in zip(scopes.windows, scopes.rows, strict=True):
        for name, values in p_values.items():
            known = np.isfinite(values[:, scope])
            p_value = values[known, scope]
            apart = _independent(positions[known], window[1] - window[0] + 1)
            shares = [float((p_value < level).mean()) if len(p_value) else np.nan for level in LEVELS]
            error = np.sqrt(0.05 * 0.95 / apart) if apart else np.nan
            near = bool(abs(shares[1] - 0.05) <= FAR + 2 * error)
            allowed = TESTS[name].allows_correlation or firms == 1
            rows.append((*window, name, len(p_value), apart, *shares, error, allowed and near))
    columns = ["start", "end", "test", "dates", "independent_dates"]
    columns += [f"rejected_{level:.0%}".replace("%", "pct") for level in LEVELS]
    return pd.DataFrame(rows, columns=[*columns, "standard_error_5pct", "valid_with_common_date"])


def _independent(positions: NDArray[np.int64], length: int) -> int:
    """The most dates whose windows of `length` sessions do not overlap."""
    count, free = 0, -1
    for position in positions:
        if position >= free:
            count, free = count + 1, int(position) + length
    return count
