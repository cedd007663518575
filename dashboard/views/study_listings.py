"""The firms of a study by name: what they are called together, who is missing, whose shares are at home elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import pandas as pd

from dashboard.charts import words
from etl.calendars import calendar

# Firms that are named one by one.
MOST_NAMED = 3


def named(title: str, studied: Sequence[str], names: Mapping[str, str]) -> str:
    """What is studied: the group's `title`, or the firms where they were chosen ("") or one alone is left of it."""
    if title and len(studied) > 1:
        return title
    chosen = [names.get(ticker, ticker) for ticker in studied]
    return words.listed(chosen) if len(chosen) <= MOST_NAMED else f"{len(chosen)} chosen companies"


def missed(
    title: str, chosen: Sequence[str], studied: Sequence[str], left_out: int, names: Mapping[str, str]
) -> list[str]:
    """A sentence on the firms that were asked for and are not in the study, where its name does not tell.

    `title` is the group's, "" where the firms were `chosen`; `left_out` is the number of its firms outside the study.
    """
    gone = [names.get(ticker, ticker) for ticker in chosen if ticker not in studied]
    if gone:
        return [f"Chosen, but not in the study (“Firms left out” says why): {words.listed(gone)}."]
    if not title or not left_out or len(studied) > 1:
        return []
    return [f"Of “{title}” only {names[studied[0]]} is in the study (“Firms left out” says why)."]


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
