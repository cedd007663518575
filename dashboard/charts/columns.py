"""What the columns of charts' tables are called, where several charts have them."""

import pandas as pd

HEADS = {
    "before": "session before",
    "close_before": "close before",
    "on": "session",
    "abnormal": "abnormal return, fraction",
    "companies": "companies in the mean",
    "event_id": "event",
}


def headed(table: pd.DataFrame, **own: str) -> pd.DataFrame:
    """A table with its columns renamed for readers: those of `HEADS`, and the chart's `own`."""
    return table.rename(columns=HEADS | own)
