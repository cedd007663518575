"""The claims, checked: each sentence of the coverage beside the computed figure, how it came about, and a verdict."""

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pandas as pd

from dashboard.charts import words
from dashboard.data import market
from dashboard.data.claims import Claim
from dashboard.views.story import Story

HOLDS = "Holds"
IN_PART = "Holds in part"
FAILS = "Does not hold"
UNKNOWN = "Cannot be told from the data"
ROUNDING = 0.01


@dataclass(frozen=True)
class Checked:
    """A claim with our figure, how it was computed, and the verdict (one of the four above)."""

    claim: Claim
    verdict: str
    figure: str
    how: str


@dataclass(frozen=True)
class LargestLosses:
    """The largest one-day losses in the warehouse, and how many company-days were compared since when."""

    rows: pd.DataFrame
    compared: int
    since: str


def read_largest_losses(con: duckdb.DuckDBPyConnection) -> LargestLosses:
    """The largest losses in the warehouse, and what they were compared with."""
    rows, compared = market.largest_losses(con)
    first = market.span(con)
    return LargestLosses(rows, compared, words.day(first[0], weekday=False) if first else "")


def check(claim: Claim, story: Story, losses: LargestLosses) -> Checked:
    """Put one claim to the test on the figures of a story."""
    verdict, figure, how = _CHECKS.get(claim.check, _no_such_check)(claim, story, losses)
    return Checked(claim, verdict, figure, how)


Outcome = tuple[str, str, str]


def _no_such_check(claim: Claim, story: Story, losses: LargestLosses) -> Outcome:
    return UNKNOWN, "–", f"There is no check called “{claim.check[:40]}”."


def _company(claim: Claim, story: Story) -> pd.Series | None:
    rows = story.changes[(story.changes["ticker"] == claim.ticker) & story.changes["value_change"].notna()]
    return None if rows.empty else rows.iloc[0]


def _company_lost(claim: Claim, story: Story, losses: LargestLosses) -> Outcome:
    row = _company(claim, story)
    if row is None:
        return UNKNOWN, "–", f"The warehouse has no price or share count of {claim.ticker} around the day."
    lost = -float(row["value_change"])
    how = (
        f"({words.price(row['close_before'], row['currency'])} − {words.price(row['close'], row['currency'])}) × "
        f"{row['shares'] / 1e6:,.0f} million shares ({row['basis']}, "
        f"{words.day(row['shares_as_of'].date(), weekday=False)})."
    )
    return HOLDS if lost > claim.threshold else FAILS, words.billions(lost), how


def _lost_amount(claim: Claim, story: Story, losses: LargestLosses) -> Outcome:
    row = _company(claim, story)
    if row is None:
        return UNKNOWN, "–", f"The warehouse has no price or share count of {claim.ticker} around the day."
    lost = -float(row["value_change"])
    implied = claim.threshold / (float(row["close_before"]) - float(row["close"]))
    gap = claim.threshold / lost - 1
    how = (
        f"The same fall of the price with another number of shares: {words.billions(claim.threshold)} takes "
        f"{implied / 1e6:,.0f} million, the latest report before the day says {row['shares'] / 1e6:,.0f} million. "
        f"The difference is {words.percent(gap, 1)}."
    )
    return HOLDS if abs(gap) <= ROUNDING else IN_PART, words.billions(lost), how


def _group_lost(claim: Claim, story: Story, losses: LargestLosses) -> Outcome:
    both = story.totals
    how = (
        f"Sum over the {both.losers} AI companies that fell; with the {both.gainers} that rose, "
        f"{words.billions(both.net)} on balance. {both.unknown} without a share count are left out."
    )
    return HOLDS if -both.lost > claim.threshold else FAILS, words.billions(-both.lost), how


def _points(story: Story, app: str) -> pd.DataFrame:
    return story.ranks[story.ranks["app"] == app].sort_values("moment")


def _overtook(claim: Claim, story: Story, losses: LargestLosses) -> Outcome:
    ours, theirs = _points(story, claim.app), _points(story, claim.rival)
    top = ours[ours["rank"] == 1]
    if top.empty or theirs.empty:
        return UNKNOWN, "–", f"No capture or report of both {claim.app} and {claim.rival} around the day."
    first = top.iloc[0]
    after, before = theirs[theirs["moment"] >= first["moment"]], theirs[theirs["moment"] < first["moment"]]
    figure = "; ".join(_spell(row) for row in (first, *(frame.iloc[0] for frame in (after,) if len(frame))))
    passed = bool(len(after)) and int(after.iloc[0]["rank"]) > 1
    held = bool(len(before)) and int(before.iloc[-1]["rank"]) == 1
    last = f"the last rank of {claim.rival} before it is {_spell(before.iloc[-1])}" if len(before) else ""
    if passed and held:
        return HOLDS, figure, f"{claim.rival} stood at no. 1 before and below {claim.app} after."
    if passed:
        return (
            IN_PART,
            figure,
            f"{claim.app} stood above {claim.rival}. That {claim.rival} held no. 1 until then is in no rank here: "
            f"{last or 'there is none from before'}.",
        )
    return FAILS if len(after) else UNKNOWN, figure, f"No rank of {claim.rival} below {claim.app} was found."


def _spell(row: pd.Series) -> str:
    return f"{row['app']} no. {row['rank']} on {words.day(row['moment'].date())} ({row['evidence']})"


def _coincided(claim: Claim, story: Story, losses: LargestLosses) -> Outcome:
    top = _points(story, claim.app)
    top = top[top["rank"] == 1]
    benchmark = story.ai.dropna(subset=["change"])
    if top.empty or benchmark.empty:
        return UNKNOWN, "–", f"No capture or report of {claim.app} at no. 1 around the day."
    first = top.iloc[0]
    previous, session = benchmark["before"].mode().max(), pd.Timestamp(story.event.market_session)
    close = session + pd.Timedelta(hours=16)
    between = previous + pd.Timedelta(hours=16) <= first["moment"] <= close
    figure = f"no. 1 first on {words.day(first['moment'].date())}; fall on {words.day(session.date())}"
    how = (
        f"The first rank at no. 1 ({first['evidence']}) lies "
        f"{'between the close before and the close of' if between else 'outside the time around'} the session. "
        "That one caused the other cannot be told from dates alone."
    )
    return HOLDS if between else FAILS, figure, how


def _still_first(claim: Claim, story: Story, losses: LargestLosses) -> Outcome:
    points = _points(story, claim.app)
    later = points[points["moment"] >= pd.Timestamp(story.event.market_session) + pd.Timedelta(days=2)]
    if later.empty:
        return UNKNOWN, "–", f"No capture or report of {claim.app} from two days after the session or later."
    first = later[later["rank"] == 1]
    if first.empty:
        return FAILS, _spell(later.iloc[0]), "The first rank found after the session is not no. 1."
    last = first.iloc[-1]
    how = f"The latest no. 1 that was found, by {last['source']}. Days in between that nobody measured are open."
    return HOLDS, _spell(last), how


def _largest(claim: Claim, story: Story, losses: LargestLosses) -> Outcome:
    row = _company(claim, story)
    if row is None or losses.rows.empty:
        return UNKNOWN, "–", "The warehouse has no dollar losses to compare."
    top = losses.rows.iloc[0]
    ours = top["ticker"] == claim.ticker and top["date"] == row["on"]
    following = [
        f"{other['name']}, {words.day(other['date'].date(), weekday=False)}: {words.billions(-other['value_change'])}"
        for _, other in losses.rows.iloc[1:2].iterrows()
    ]
    how = (
        f"Compared with {losses.compared:,} company-days in the warehouse since {losses.since}; "
        f"next is {words.listed(following)}. Earlier years and other companies are not in the data."
    )
    if ours:
        return IN_PART, words.billions(-float(row["value_change"])), how
    figure = f"{top['name']}, {words.day(top['date'].date(), weekday=False)}: {words.billions(-top['value_change'])}"
    return FAILS, figure, f"A larger loss is in the warehouse. {how}"


_CHECKS: dict[str, Callable[[Claim, Story, LargestLosses], Outcome]] = {
    "company-lost-more-than": _company_lost,
    "lost-amount": _lost_amount,
    "group-lost-more-than": _group_lost,
    "overtook": _overtook,
    "coincided": _coincided,
    "still-first": _still_first,
    "largest-loss": _largest,
}
