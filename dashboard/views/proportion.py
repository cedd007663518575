"""The story's loss or gain in proportion: what it is compared with, and in which words."""

import pandas as pd

from dashboard.analysis.proportion import worth_as_much
from dashboard.analysis.record_book import Records
from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.proportion import Moved, proportion
from dashboard.views.headline import group_name, lead
from dashboard.views.request import NothingToShow
from dashboard.views.story import Story


def in_proportion(story: Story, records: Records | None, theme: str) -> Chart:
    """The chart of the lead's loss or gain beside whole companies.

    Raises
    ------
    NothingToShow
        When no dollars are known, or no companies here were worth about as much.
    """
    top = lead(story)
    amount = abs(top.value_change)
    if top.quiet or pd.isna(amount) or not amount:
        raise NothingToShow(
            "Hardly anything moved in this session, so there is nothing to put in proportion."
        )
    valued = story.changes[~story.changes["is_benchmark"] & story.changes["value_before"].notna()]
    inside = _members(story, top.ticker, top.name)
    others = valued[~valued["ticker"].isin(inside["ticker"])].set_index("ticker", drop=False)
    own = [] if top.company is None else others.index[others["segment"] == top.company["segment"]]
    group = worth_as_much(others["value_before"], amount, list(own))
    if not group:
        raise NothingToShow(
            f"No companies in the data were worth about {words.billions(amount)} together before this session."
        )
    moved = Moved(
        name=top.name,
        value_change=top.value_change,
        value_before=float(inside["value_before"].sum()),
        day=story.event.market_session if top.company is None else top.company["on"].date(),
        before=others.loc[group[0], "before"].date(),
    )
    sentences = [_share(moved), _smaller(others, amount), _back_to(top.ticker, moved, records)]
    return proportion(
        moved, others.loc[group], [text for text in sentences if text], story.source_with_counts, theme
    )


def _members(story: Story, ticker: str, name: str) -> pd.DataFrame:
    valued = story.ai[story.ai["value_change"].notna()]
    if ticker:
        return story.changes[story.changes["ticker"] == ticker]
    segment = valued[valued["segment"].map(group_name) == name]
    return segment if len(segment) else valued


def _share(moved: Moved) -> str:
    share = abs(moved.value_change) / moved.value_before
    what = "loss" if moved.value_change < 0 else "gain"
    return (
        f"The {what} was {words.percent(share, plus=False)} of the {words.billions(moved.value_before)} that "
        f"{moved.name} {'were' if moved.name.endswith('companies') else 'was'} worth the day before."
    )


def _smaller(others: pd.DataFrame, amount: float) -> str:
    smaller = int((others["value_before"] < amount).sum())
    return (
        f"{smaller} of the {len(others)} other companies in the data {'was' if smaller == 1 else 'were'} worth less "
        "than it."
    )


def _back_to(ticker: str, moved: Moved, records: Records | None) -> str:
    """The last day on which the company had been worth as little as after the fall."""
    if records is None or not ticker or moved.value_change > 0:
        return ""
    own = records.moves[
        (records.moves["ticker"] == ticker) & (records.moves["date"] < pd.Timestamp(moved.day))
    ]
    worth = own["value_before"] + own["value_change"]
    earlier = own.loc[worth <= moved.value_before + moved.value_change, "date"]
    if earlier.empty:
        return ""
    return f"It had last been worth as little on {words.day(earlier.iloc[-1].date(), weekday=False)}."
