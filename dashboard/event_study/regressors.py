"""`--regressor FILE`: figures of one's own on each firm, for the cross-section to explain returns by."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from etl.errors import UsageError

TICKER = "ticker"


def read_regressors(path: Path, firms: Sequence[str], taken: Collection[str] = ()) -> pd.DataFrame:
    """The figures in a CSV file with a column `ticker` and one or more of numbers, named by their headers.

    Every firm must be in it; an empty cell says that the figure is not known. Other tickers do not count.

    Returns:
        `firms` × the file's columns, NaN where not known.

    Raises:
        UsageError: the file cannot be read, a firm is missing or given twice, a cell holds no number, or a column has
            a name that is `taken`; the message says which.
    """
    try:
        table = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False, na_values=[""])
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError:
        raise UsageError(
            f"{path} is not a CSV file in UTF-8 with a column {TICKER} and one of numbers."
        ) from None
    table = table.rename(columns=str.strip).dropna(axis=1, how="all")
    if TICKER not in table or len(table.columns) < 2:
        raise UsageError(f"{path} needs a column {TICKER} and one of numbers; its header is its name.")
    if known := sorted(set(table) & set(taken)):
        raise UsageError(
            f"{path} has a column {known[0]!r}, which the cross-section has already: name it otherwise."
        )
    table[TICKER] = table[TICKER].str.strip().str.upper()
    table = table[table[TICKER].isin(firms)]
    if twice := sorted(set(table.loc[table[TICKER].duplicated(), TICKER])):
        raise UsageError(f"{path} has two rows for {', '.join(twice)}: keep one of each.")
    if gone := [firm for firm in firms if firm not in set(table[TICKER])]:
        raise UsageError(
            f"{path} has no row for {', '.join(gone)}: add one, left empty where the figure is not known."
        )
    text = table.set_index(TICKER).reindex(firms)
    numbers = text.apply(pd.to_numeric, errors="coerce").astype(float)
    for name, firm in zip(*np.nonzero((text.notna() & ~np.isfinite(numbers)).to_numpy().T), strict=True):
        raise UsageError(
            f"{path} has no number for {firms[firm]} under {text.columns[name]!r}: {text.iat[firm, name]!r}."
        )
    return numbers
