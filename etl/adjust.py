"""Back-adjustment of closing prices for dividends."""

from __future__ import annotations

import pandas as pd


def back_adjusted(closes: pd.Series, dividends: pd.Series) -> pd.Series:
    """Closes with the dividends paid later taken out, as CRSP and Yahoo Finance do it.

    On each ex-date every earlier close is multiplied by ``1 - D / C``, where ``D`` is the dividend and
    ``C`` the close of the session before the ex-date (CRSP, "Adjusting for splits and dividends": the
    price factor of a cash distribution). The newest close stays as it is.

    Parameters
    ----------
    closes:
        Split-adjusted closes indexed by session (dates in ascending order), in the currency of the listing.
    dividends:
        Split-adjusted amounts per share indexed by ex-date, in the same currency. Ex-dates outside the
        closes, after the last or up to the first, change nothing.

    Returns
    -------
    The adjusted closes, with the index of ``closes``.
    """
    factors = pd.Series(1.0, index=closes.index)
    for ex_date, amount in dividends.items():
        before = int(closes.index.searchsorted(pd.Timestamp(str(ex_date))))
        if 0 < before < len(closes):
            factors.iloc[before - 1] *= 1.0 - amount / closes.iloc[before - 1]
    return closes * factors[::-1].cumprod()[::-1]
