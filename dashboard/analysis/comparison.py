"""What is compared of several companies: one figure a session, in the unit that is drawn."""

import pandas as pd

MEASURES = ("rebased", "price", "drawdown", "volatility", "volume")


def measured(paths: pd.DataFrame, measure: str, bases: pd.DataFrame) -> pd.DataFrame:
    """`paths` with `value`, the figure that `measure` asks for; rows without one are left out.

    "rebased": adj_close in percent of that at the ticker's base session; "price": the close in its currency;
    "drawdown" and "volatility": percent; "volume": million shares. `paths` is as `dashboard.data.companies.paths`
    returns it; `bases` has the index ticker and the column adj_close.
    """
    value = {
        "rebased": lambda: 100 * paths["adj_close"] / paths["ticker"].map(bases["adj_close"]),
        "price": lambda: paths["close"],
        "drawdown": lambda: 100 * paths["drawdown"],
        "volatility": lambda: 100 * paths["volatility"],
        "volume": lambda: paths["volume"] / 1e6,
    }[measure]()
    return paths.assign(value=value).dropna(subset=["value"]).reset_index(drop=True)


def by_week(path: pd.DataFrame) -> pd.DataFrame:
    """The last row of each week of one ticker's rows (column `date`, ascending)."""
    return path.groupby(path["date"].dt.to_period("W"), sort=False).tail(1)
