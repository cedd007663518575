"""Claims about the ranks of apps."""

import pandas as pd

from dashboard.analysis.record_book import Records
from dashboard.charts import words
from dashboard.data.claims import Claim
from dashboard.views.story import Story
from dashboard.views.verdicts import FAILS, HOLDS, IN_PART, UNKNOWN, Outcome


def _points(story: Story, app: str) -> pd.DataFrame:
    return story.ranks[story.ranks["app"] == app].sort_values("moment")


def overtook(claim: Claim, story: Story, records: Records) -> Outcome:
    """Whether an app took no. 1 from a rival."""
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


def coincided(claim: Claim, story: Story, records: Records) -> Outcome:
    """Whether the first no. 1 of an app fell on the session."""
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
        "Dates alone cannot tell whether one caused the other."
    )
    return HOLDS if between else FAILS, figure, how


def still_first(claim: Claim, story: Story, records: Records) -> Outcome:
    """Whether an app was still no. 1 days later."""
    points = _points(story, claim.app)
    later = points[points["moment"] >= pd.Timestamp(story.event.market_session) + pd.Timedelta(days=2)]
    if later.empty:
        return UNKNOWN, "–", f"No capture or report of {claim.app} from two days after the session or later."
    first = later[later["rank"] == 1]
    if first.empty:
        return FAILS, _spell(later.iloc[0]), "The first rank found after the session is not no. 1."
    last = first.iloc[-1]
    how = f"The latest no. 1 found, by {last['source']}. Nothing is known of days in between that nobody measured."
    return HOLDS, _spell(last), how
