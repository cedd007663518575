"""Fama and French's daily factors as the warehouse holds them."""

import duckdb
import pandas as pd

NAMES = {
    "mkt_rf": "Mkt-RF",
    "smb": "SMB",
    "hml": "HML",
    "rmw": "RMW",
    "cma": "CMA",
    "umd": "Mom",
    "rf": "RF",
}


def factors(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Sessions × Mkt-RF, SMB, HML, RMW, CMA, Mom and RF in fractions a day; empty where none are held."""
    frame = con.execute(f"SELECT date, {', '.join(NAMES)} FROM factor_daily ORDER BY date").df()  # noqa: S608
    return frame.set_index(pd.DatetimeIndex(frame.pop("date"), name="date")).rename(columns=NAMES)
