"""Reading and checking what the user hands in.

Everything behind this module works on plain arrays that are known to be sound: sessions strictly rising,
numbers finite or NaN (missing), the market on the firms' sessions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.models import FACTOR_ALIASES, LAG, LEAD, MARKET, RISK_FREE, Model

# A daily standard deviation that no market has as a fraction, and how many times the firms' it is in another unit.
IN_PER_CENT, UNITS_APART = 0.1, 10.0
# A risk-free rate a day (as a fraction: 65% a year) that is none.
HIGHEST_RATE = 0.002
FloatArray = NDArray[np.float64]
MARKET_ALONE = Model(MARKET, "", (MARKET,))
Market: TypeAlias = pd.Series | pd.DataFrame | None


@dataclass(frozen=True)
class Panel:
    """Checked input on S sessions: `returns` (N firms × S), `factors` (S × p), `subtract` (S,).

    `subtract` is what the model takes off a firm's return before the regression: the risk-free rate, the
    market's return (market-adjusted model) or zero.
    """

    sessions: pd.DatetimeIndex
    firms: pd.Index
    returns: FloatArray
    factors: FloatArray
    subtract: FloatArray
    notes: tuple[str, ...]


def read_panel(returns: pd.DataFrame, market: Market, model: Model) -> Panel:
    """Check the user's frames and lay them out as arrays.

    Args:
        returns: sessions × firms, simple returns, NaN where missing.
        market: return of the benchmark, or a frame of factors; None for a model that needs none.
        model: decides which columns of `market` are read.

    Raises:
        EventStudyError: names the fault: index without dates, with a time zone, unsorted or with
            duplicates, text or infinite values, two columns of one name, factors missing, no session in
            common.
    """
    if not isinstance(returns, pd.DataFrame):
        raise EventStudyError("The returns must be a DataFrame: one row a session, one column a firm.")
    if returns.shape[0] == 0 or returns.shape[1] == 0:
        raise EventStudyError("The returns are empty: there is no session or no firm in them.")
    if not returns.columns.is_unique:
        twice = returns.columns[returns.columns.duplicated()][0]
        raise EventStudyError(f"Two columns of the returns are both called {twice!r}.")
    sessions = read_sessions(returns.index, "returns")
    values = _numbers(returns, "returns", sessions)
    factors, subtract, notes = _read_market(market, model, returns.index, sessions, values)
    if (values < -1).any():
        notes.append("Some returns are below -100%: if they are in per cent, BHAR has no meaning.")
    return Panel(sessions, returns.columns, values.T, factors, subtract, tuple(notes))


def read_sessions(index: pd.Index, what: str) -> pd.DatetimeIndex:
    """The index as dates without a time zone, strictly rising; raises EventStudyError otherwise."""
    if not isinstance(index, pd.DatetimeIndex):
        if isinstance(index, pd.MultiIndex) or pd.api.types.is_numeric_dtype(index.dtype):
            raise EventStudyError(f"The index of the {what} must hold dates, not {index.dtype} values.")
        try:
            index = pd.DatetimeIndex(index)
        except (ValueError, TypeError) as error:
            raise EventStudyError(f"The index of the {what} must hold dates: {error}.") from error
    if index.tz is not None:
        raise EventStudyError(
            f"The index of the {what} has the time zone {index.tz}; sessions are dates without one "
            "(use .tz_localize(None))."
        )
    if index.hasnans:
        raise EventStudyError(f"The index of the {what} has an empty date.")
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise EventStudyError(f"The {what} have the date {twice:%Y-%m-%d} twice.")
    if not index.is_monotonic_increasing:
        raise EventStudyError(f"The dates of the {what} are not sorted from old to new (use .sort_index()).")
    if not index.is_normalized:
        raise EventStudyError(f"The index of the {what} holds times of day; sessions are dates.")
    return index


def _numbers(frame: pd.DataFrame, what: str, sessions: pd.DatetimeIndex) -> FloatArray:
    values = frame.to_numpy()
    if values.dtype != np.float64:
        for name, dtype in frame.dtypes.items():
            if getattr(dtype, "kind", "O") not in "fiu":
                raise EventStudyError(f"The column {name!r} of the {what} holds {dtype} values, not numbers.")
        values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.isinf(values)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise EventStudyError(
            f"The {what} have an infinite value: {frame.columns[column]!r} on {sessions[row]:%Y-%m-%d}."
        )
    return values


def _read_market(
    market: Market, model: Model, index: pd.Index, sessions: pd.DatetimeIndex, returns: FloatArray
) -> tuple[FloatArray, FloatArray, list[str]]:
    nothing = np.zeros(len(sessions))
    if not model.needs_market:
        return np.empty((len(sessions), 0)), nothing, []
    if market is None:
        raise EventStudyError(f"The model {model.name!r} needs the market's returns, and none were given.")
    frame = _market_frame(market, model)
    same = frame.index is index or frame.index.equals(index)
    market_sessions = sessions if same else read_sessions(frame.index, "market returns")
    values = _numbers(frame, "market returns", market_sessions)
    notes: list[str] = []
    if not same:
        values, notes = _align(values, market_sessions, sessions)
    values, units = _same_unit(values, list(frame.columns), returns)
    notes += units
    read = dict(zip(frame.columns, values.T, strict=True))
    subtract = read[MARKET] if model.subtract_market else read[RISK_FREE] if model.excess else nothing
    columns = [read[name] for name in model.factors]
    factors = np.column_stack(columns) if columns else np.empty((len(sessions), 0))
    return factors, subtract, notes


def _same_unit(values: FloatArray, names: list[str], returns: FloatArray) -> tuple[FloatArray, list[str]]:
    """The factors in the unit of the returns: French publishes them in per cent, the firms' returns are fractions.

    Raises:
        EventStudyError: one is in per cent and the other in fractions, and which cannot be mended.
    """
    leading = values[:, 0] if names[0] != RISK_FREE else values[:, -1]
    market, firms = _spread(leading), float(np.median([_spread(column) for column in returns.T[:9]]))
    if not firms > 0 or not market > 0:
        return values, []
    if market > IN_PER_CENT and market > UNITS_APART * firms:
        if RISK_FREE not in names:
            raise EventStudyError(
                "The market's returns look like per cent and the firms' like fractions: divide the market's by 100."
            )
        return values / 100, [
            "The factors are in per cent, as French publishes them: they were divided by 100."
        ]
    if firms > IN_PER_CENT and firms > UNITS_APART * 3 * market:
        raise EventStudyError(
            "The firms' returns look like per cent and the market's like fractions: divide the firms' by 100."
        )
    if RISK_FREE in names:
        rate = values[:, names.index(RISK_FREE)]
        if market <= IN_PER_CENT and np.nanmean(np.abs(rate)) > HIGHEST_RATE:
            raise EventStudyError(
                "The risk-free rate looks like per cent and the factors like fractions: divide it by 100."
            )
    return values, []


def _spread(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) > 1 else 0.0


def _align(
    values: FloatArray, given: pd.DatetimeIndex, sessions: pd.DatetimeIndex
) -> tuple[FloatArray, list[str]]:
    """The market's values on the firms' sessions, NaN where it has none."""
    place = given.get_indexer(sessions)
    found = place >= 0
    if not found.any():
        raise EventStudyError(
            f"The firms ({sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}) and the market "
            f"({given[0]:%Y-%m-%d} to {given[-1]:%Y-%m-%d}) have no session in common."
        )
    notes = []
    if not found.all():
        notes.append(f"The market has no return on {(~found).sum()} of the firms' {len(found)} sessions.")
    extra = int(((given >= sessions[0]) & (given <= sessions[-1])).sum()) - int(found.sum())
    if extra:
        notes.append(f"{extra} sessions of the market are not among those of the firms and are not counted.")
    return np.where(found[:, None], values[place], np.nan), notes


def _market_frame(market: pd.Series | pd.DataFrame, model: Model) -> pd.DataFrame:
    """The columns the model reads, under their own names."""
    wanted = (
        model.factors + ((RISK_FREE,) if model.excess else ()) + ((MARKET,) if model.subtract_market else ())
    )
    if LAG in wanted:
        daily = _market_frame(market, MARKET_ALONE)[MARKET]
        return pd.DataFrame({MARKET: daily, LAG: daily.shift(1), LEAD: daily.shift(-1)})
    if isinstance(market, pd.Series):
        if wanted != (MARKET,):
            raise EventStudyError(
                f"The model {model.name!r} needs a DataFrame with the columns {', '.join(wanted)}; "
                "a single series was given."
            )
        return market.to_frame(MARKET)
    if not isinstance(market, pd.DataFrame):
        raise EventStudyError("The market must be a Series of returns or a DataFrame of factors.")
    if wanted == (MARKET,) and market.shape[1] == 1:
        return market.set_axis([MARKET], axis=1)
    found = {name: _find_column(market.columns, name) for name in FACTOR_ALIASES}
    if (
        MARKET in wanted
        and found[MARKET] is None
        and found["Mkt-RF"] is not None
        and found[RISK_FREE] is not None
    ):
        return (market[found["Mkt-RF"]] + market[found[RISK_FREE]]).to_frame(MARKET)
    missing = [name for name in wanted if found[name] is None]
    if missing:
        raise EventStudyError(
            f"The model {model.name!r} needs the columns {', '.join(wanted)} of the factors; "
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."
        )
    return pd.DataFrame({name: market[found[name]] for name in wanted})


def _find_column(columns: Sequence[Any] | pd.Index, name: str) -> Any:
    for column in columns:
        if str(column).strip().lower() in FACTOR_ALIASES[name]:
            return column
    return None
