"""Claims about how much was lost or gained in the session, by a company or by several together."""

from collections.abc import Iterable

import pandas as pd

from dashboard.analysis.record_book import Records
from dashboard.charts import words
from dashboard.data.claims import Claim
from dashboard.views.story import Story
from dashboard.views.verdicts import FAILS, HOLDS, IN_PART, UNKNOWN, Outcome

ROUNDING, NEAR = 0.015, 0.05
POINT = 0.0005


def company(story: Story, ticker: str) -> pd.Series | None:
    """The row of `Story.changes` of a company whose dollars are known."""
    rows = story.changes[(story.changes["ticker"] == ticker) & story.changes["value_change"].notna()]
    return None if rows.empty else rows.iloc[0]


def not_held(ticker: str) -> Outcome:
    """The outcome where a company's dollars are not known."""
    return UNKNOWN, "–", f"The warehouse has no price or share count of {ticker} around the day."


def moved(value: float) -> str:
    """A change of market value as a figure: "lost $592.7 billion"."""
    return f"{'lost' if value < 0 else 'gained'} {words.billions(abs(value))}"


def computed(row: pd.Series) -> str:
    """How a company's change of market value comes about."""
    second, first = sorted((float(row["close_before"]), float(row["close"])))
    return (
        f"({words.price(first, row['currency'])} − {words.price(second, row['currency'])}) × "
        f"{row['shares'] / 1e6:,.0f} million shares ({row['basis']}, "
        f"{words.day(row['shares_as_of'].date(), weekday=False)})."
    )


def amount(claim: Claim, story: Story, records: Records) -> Outcome:
    """A company's loss or gain, or the several amounts that were given for it."""
    row = company(story, claim.ticker)
    if row is None:
        return not_held(claim.ticker)
    ours = float(row["value_change"])
    sizes = sorted(abs(value) for value in claim.values)
    per_share = abs(float(row["close_before"]) - float(row["close"]))
    if len(sizes) > 1:
        takes = [
            f"{size / 1e9:,.0f} billion takes {size / per_share / 1e6:,.0f} million shares" for size in sizes
        ]
        how = (
            f"One fall in the price, several share counts: {words.listed(takes)}. The latest report known on the "
            f"day says {row['shares'] / 1e6:,.0f} million. {computed(row)}"
        )
    else:
        how = f"{computed(row)} The difference is {words.percent(sizes[0] / abs(ours) - 1)}."
    return _near(ours, claim.values), moved(ours), how


def _near(ours: float, claimed: Iterable[float]) -> str:
    sizes = sorted(abs(value) for value in claimed)
    same_way = all((value < 0) == (ours < 0) for value in claimed)
    for verdict, room in ((HOLDS, ROUNDING), (IN_PART, NEAR)):
        if same_way and sizes[0] * (1 - room) <= abs(ours) <= sizes[-1] * (1 + room):
            return verdict
    return FAILS


def more_than(claim: Claim, story: Story, records: Records) -> Outcome:
    """A company's loss or gain beyond an amount."""
    row = company(story, claim.ticker)
    if row is None:
        return not_held(claim.ticker)
    ours, claimed = float(row["value_change"]), claim.values[0]
    holds = ours < claimed if claimed < 0 else ours > claimed
    return HOLDS if holds else FAILS, moved(ours), computed(row)


def together(claim: Claim, story: Story, records: Records) -> Outcome:
    """What named companies lost or gained together."""
    rows = [company(story, ticker) for ticker in claim.tickers]
    missing = [ticker for ticker, row in zip(claim.tickers, rows, strict=True) if row is None]
    if missing:
        return not_held(words.listed(missing))
    known = [row for row in rows if row is not None]
    ours = float(sum(row["value_change"] for row in known))
    parts = [f"{row['name']} {words.billions(row['value_change'], plus=True)}" for row in known]
    return _near(ours, claim.values), moved(ours), f"{words.listed(parts)}."


def together_more_than(claim: Claim, story: Story, records: Records) -> Outcome:
    """What the named companies, or else the AI companies that fell (or rose), came to, beyond an amount."""
    if claim.tickers:
        verdict, figure, how = together(claim, story, records)
        ours = sum(float(story.value_of(ticker)) for ticker in claim.tickers)
        beyond = ours < claim.values[0] < 0 or ours > claim.values[0] > 0
        return (verdict if verdict == UNKNOWN else HOLDS if beyond else FAILS), figure, how
    both, falls = story.totals, claim.values[0] < 0
    ours = both.lost if falls else both.gained
    count, others = (both.losers, both.gainers) if falls else (both.gainers, both.losers)
    how = (
        f"Sum over the {count} AI companies that {'fell' if falls else 'rose'}; with the {others} that "
        f"{'rose' if falls else 'fell'}, {words.billions(both.net, plus=True)} on balance. The claim speaks of the "
        "whole market, the figure of the AI companies in the warehouse."
    )
    return HOLDS if abs(ours) > abs(claim.values[0]) else FAILS, moved(ours), how


def percent(claim: Claim, story: Story, records: Records) -> Outcome:
    """A change in percent at the close."""
    rows = story.changes[(story.changes["ticker"] == claim.ticker) & story.changes["change"].notna()]
    if rows.empty:
        return not_held(claim.ticker)
    row = rows.iloc[0]
    ours = float(row["close"]) / float(row["close_before"]) - 1
    how = (
        f"{words.price(row['close_before'], row['currency'])} → {words.price(row['close'], row['currency'])}, closing "
        f"prices of {words.day(row['before'].date(), weekday=False)} and {words.day(row['on'].date(), weekday=False)}."
    )
    return HOLDS if abs(ours - claim.change) <= POINT else FAILS, words.percent(ours, 2), how
