"""What coverage of such days leaves out: the breadth, the average share, firms outside AI, the market's part."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import pandas as pd

from dashboard.charts import words
from dashboard.views.headline import FUND
from dashboard.views.request import DEFAULT_EVENT
from dashboard.views.story import Story


@dataclass(frozen=True)
class Row:
    """One line: what it is, the figure, and what it means."""

    label: str
    value: str
    detail: str


def breadth(story: Story) -> list[Row]:
    """The lines that have figures in this session."""
    rows = [_counted(story), _less_the_market(story), _average_share(story), _outside(story)]
    return [row for row in rows if row is not None]


def _counted(story: Story) -> Row:
    still = story.changed - story.rose - story.fell
    unchanged = f", {still} unchanged" if still else ""
    return Row(
        "AI companies that rose",
        f"{story.rose} of {story.changed}",
        f"{story.fell} fell{unchanged}; where an exchange opened later, its next session counts.",
    )


def _less_the_market(story: Story) -> Row | None:
    if pd.isna(story.market):
        return None
    return Row(
        "AI companies less the market",
        words.points(story.mean - story.market),
        f"Mean of the {story.traded} in New York {words.percent(story.mean, 2)}, S&P 500 "
        f"{words.percent(story.market, 2)}.",
    )


def _average_share(story: Story) -> Row | None:
    change = story.change_of(FUND)
    if pd.isna(change):
        return None
    return Row(
        "The average US share",
        words.percent(change, 2),
        "The S&P 500, each company counted alike (RSP).",
    )


def _outside(story: Story) -> Row | None:
    rows = story.changes[(story.changes["role"] == "comparison") & story.changes["change"].notna()]
    if rows.empty:
        return None
    rose = int((rows["change"] > 0).sum())
    return Row(
        "Companies outside AI",
        words.percent(float(rows["change"].mean()), 2),
        f"Mean of {len(rows)} large ones, of which {rose} rose: {words.listed(_largest(rows))} the largest.",
    )


def _largest(rows: pd.DataFrame) -> list[str]:
    order = rows.sort_values("value_before", ascending=False, na_position="last").head(2)
    return [f"{row.name} {words.percent(row.change)}" for row in order.itertuples(index=False)]


def onward(story: Story, pages: Sequence[str]) -> list[tuple[str, str, str]]:
    """Where a reader goes next, for the pages that there are: address, name, what is there."""
    event = story.event
    query = "" if event.event_id == DEFAULT_EVENT else f"?{urlencode({'event': event.event_id})}"
    every = (
        ("events", "This event among all others", "how it ranks, and which days moved AI shares more"),
        (
            "event-study",
            "How unusual it was",
            "the move less what the market explains, and how sure one can be",
        ),
        ("companies", "Company by company", "prices, falls and recoveries of any of them, side by side"),
        ("app-rankings", "The app stores", "who led them, and who says so"),
        ("export", "Take a chart with you", "as a picture, a page and data, with the figures that prove it"),
    )
    return [(f"{path}{query}", name, what) for path, name, what in every if path in pages]
