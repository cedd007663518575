"""The record book of a story: where its lead's loss or gain stands among the largest ever."""

import pandas as pd

from dashboard.analysis.record_book import Records, place
from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.record_book import record_book
from dashboard.views.claims_records import ordinal, scope
from dashboard.views.headline import lead
from dashboard.views.request import NothingToShow
from dashboard.views.story import Story

SMALLEST_SHARE = 1e9
"""Moves of less than a billion dollars are in nobody's record book."""


def book(story: Story, records: Records, theme: str) -> Chart:
    """The chart of the largest losses (or gains) with the lead's own in its place.

    Raises
    ------
    NothingToShow
        When no dollars are known of any company.
    """
    top = lead(story)
    day = pd.Timestamp(story.event.market_session)
    falls = top.falls if not top.quiet else story.mean < 0
    ranked = records.ranked(falls=falls, least=SMALLEST_SHARE)
    if ranked.empty:
        raise NothingToShow("No share counts are known, so no day can be compared in dollars.")
    on_the_day = ranked[ranked["date"] == day]
    largest = on_the_day.index[0] if len(on_the_day) else None
    if top.ticker and top.company is not None:
        largest = place(ranked, top.ticker, top.company["on"]) or largest
    return record_book(
        ranked,
        None if largest is None else int(largest),
        day,
        scope(records),
        f"{story.source_with_counts}"
        + ("; moves as reported: publications named on each" if len(records.reported) else ""),
        theme,
        falls=falls,
        title=_title(ranked, largest, records, falls=falls),
    )


def _title(ranked: pd.DataFrame, rank: int | None, records: Records, *, falls: bool) -> str:
    what, until = ("loss" if falls else "gain"), words.day(records.until.date(), weekday=False)
    if rank is None:
        return f"The largest one-day {what}es on record" if falls else "The largest one-day gains on record"
    row = ranked.loc[rank]
    then = int((ranked.loc[:rank, "date"] <= row["date"]).sum())
    whose = words.possessive(row["name"])
    if rank == 1:
        return f"{whose} was the largest one-day {what} of any company; it still is, as of {until}"
    was = f"{whose} was the {ordinal(then)} one-day {what} of any company"
    if then == rank:
        return f"{was}; it still is, as of {until}"
    return f"{was} then, and is the {ordinal(rank)} as of {until}"
