"""Firms of a study whose shares are at home on another exchange: named, with when that one could react."""

from collections.abc import Callable
from datetime import date

import pandas as pd

from dashboard.charts import words
from etl.calendars import calendar


def listed_elsewhere(companies: pd.DataFrame, session_on: Callable[[str], date], session: date) -> list[str]:
    """One sentence that names them; none where there are none.

    `companies`: name, listing ("" for a share that is at home where it trades), home (the exchange, "" for none);
    `session_on` gives an exchange's first session that could react, `session` is New York's.
    """
    found = []
    for row in companies[companies["listing"] != ""].itertuples(index=False):
        if not row.home:
            found.append(f"{row.name} ({row.listing}, traded nowhere else)")
            continue
        city = calendar(row.home).time_zone.rpartition("/")[2].replace("_", " ")
        first = session_on(row.home)
        when = "the same day" if first == session else words.day(first)
        found.append(f"{row.name} ({row.listing}; {city}’s first session that could react: {when})")
    if not found:
        return []
    return [f"Measured by what trades in New York, not by the shares at home: {words.listed(found)}."]
