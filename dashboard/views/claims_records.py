"""Claims about records: the largest ever, of a company or since a year, and the first above a value."""

import pandas as pd

from dashboard.analysis.record_book import Records, place
from dashboard.charts import words
from dashboard.data.claims import Claim
from dashboard.views.claims_values import company, moved, not_held
from dashboard.views.story import Story
from dashboard.views.verdicts import FAILS, HOLDS, IN_PART, UNKNOWN, Outcome

SPELLED = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
ORDINALS = {1: "largest"} | {rank: f"{word} largest" for rank, word in enumerate(SPELLED, 2)}


def ordinal(rank: int) -> str:
    """A rank among the largest in words: "second largest", "12th largest"."""
    if rank in ORDINALS:
        return ORDINALS[rank]
    ending = "th" if rank % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank:,}{ending} largest"


def _told(row: pd.Series) -> str:
    how = "" if row["evidence"] == "computed" else f", as {row['source']} reported"
    day = words.day(row["date"].date(), weekday=False)
    return f"{row['name']}, {day}: {words.billions(abs(float(row['value_change'])))}{how}"


def scope(records: Records) -> str:
    """What a move is compared with, in one sentence."""
    counted = int((records.reported["value_change"].notna()).sum())
    reported = f", and {counted} moves that the press reported" if counted else ""
    return (
        f"Compared with {records.compared:,} days of {records.companies} companies from "
        f"{words.day(records.since.date(), weekday=False)} to {words.day(records.until.date(), weekday=False)}"
        f"{reported}."
    )


def rank(claim: Claim, story: Story, records: Records) -> Outcome:
    """A place among the largest one-day losses (or gains) of any company, as of the day."""
    row = company(story, claim.ticker)
    if row is None:
        return not_held(claim.ticker)
    ours, day = float(row["value_change"]), row["on"]
    known = records.as_of(day)
    then, book = (each.ranked(falls=ours < 0, least=abs(ours) / 4) for each in (known, records))
    at_the_time, now = place(then, claim.ticker, day), place(book, claim.ticker, day)
    if at_the_time is None or now is None:
        return UNKNOWN, "–", "The day is not among the moves that were compared."
    larger = [_told(each) for _, each in then.iloc[: at_the_time - 1].iterrows()]
    following = [_told(each) for _, each in then.iloc[at_the_time : at_the_time + 1].iterrows()]
    what = "loss" if ours < 0 else "gain"
    parts = [
        f"The {ordinal(at_the_time)} {what} up to that day.",
        f"Larger: {'; '.join(larger[:3])}."
        if larger
        else f"Next: {'; '.join(following)}."
        if following
        else "",
        f"As of {words.day(records.until.date(), weekday=False)} it is the {ordinal(now)}."
        if now != at_the_time
        else f"It still is, as of {words.day(records.until.date(), weekday=False)}.",
        scope(known),
        "" if len(known.reported) else "Companies and years that are not in the data may have larger ones.",
    ]
    verdict = FAILS if at_the_time != claim.rank else HOLDS if len(known.reported) else IN_PART
    return verdict, moved(ours), " ".join(part for part in parts if part)


def own_record(claim: Claim, story: Story, records: Records) -> Outcome:
    """The largest one-day loss (or gain) of the company itself, as of the day."""
    row = company(story, claim.ticker)
    if row is None:
        return not_held(claim.ticker)
    ours = float(row["value_change"])
    own = records.moves[records.moves["ticker"] == claim.ticker].dropna(subset=["value_change"])
    size = own["value_change"] * (-1 if ours < 0 else 1)
    larger = own[size > abs(ours)]
    before, after = larger[larger["date"] < row["on"]], larger[larger["date"] > row["on"]]
    since = words.day(own["date"].min().date(), weekday=False)
    told = [
        f"{words.day(each.date.date(), weekday=False)}: {words.billions(abs(each.value_change))}"
        for each in (before if len(before) else after).itertuples()
    ]
    if len(before):
        return FAILS, moved(ours), f"Larger before: {'; '.join(told[:3])}."
    later = f" Larger since: {'; '.join(told[:3])}." if told else ""
    how = f"The largest of its sessions since {since}, up to that day; earlier ones are not in the data."
    return IN_PART, moved(ours), how + later


def largest_since(claim: Claim, story: Story, records: Records) -> Outcome:
    """The largest fall (or rise) in percent since a year, of a company, a fund or an index."""
    moves = records.moves if (records.moves["ticker"] == claim.ticker).any() else records.indices
    own = moves[moves["ticker"] == claim.ticker].dropna(subset=["change"])
    today = own[own["date"] == pd.Timestamp(story.event.market_session)]
    if today.empty:
        return not_held(claim.ticker)
    ours, day = float(today["change"].iloc[0]), today["date"].iloc[0]
    past = own[(own["date"] < day) & (own["date"].dt.year >= claim.since)]
    larger = past[past["change"] <= ours] if ours < 0 else past[past["change"] >= ours]
    first = own["date"].min()
    what = "fall" if ours < 0 else "rise"
    if len(larger):
        latest = larger.iloc[-1]
        return (
            FAILS,
            words.percent(ours, 2),
            f"A larger {what} came on {words.day(latest['date'].date())}: {words.percent(latest['change'], 2)}.",
        )
    how = f"The largest {what} of {len(past):,} sessions since {words.day(max(first, past['date'].min()).date())}"
    reaches = first.year < claim.since or (first.year == claim.since and first.month == 1)
    if reaches:
        return HOLDS, words.percent(ours, 2), f"{how}."
    return IN_PART, words.percent(ours, 2), f"{how}, where the data begin; {claim.since} is before that."


def first_above(claim: Claim, story: Story, records: Records) -> Outcome:
    """The first close at which any company was worth more than a level."""
    row = company(story, claim.ticker)
    if row is None:
        return not_held(claim.ticker)
    worth = records.moves.assign(value=records.moves["value_before"] + records.moves["value_change"])
    above = worth[worth["value"] > claim.level].sort_values("date")
    ours = float(row["value_before"] + row["value_change"])
    if above.empty or ours <= claim.level:
        return FAILS, words.billions(ours), f"It closed below {words.billions(claim.level)}."
    first = above.iloc[0]
    told = f"{first['name']} on {words.day(first['date'].date())}"
    how = (
        f"The first close above {words.billions(claim.level)} of {records.companies} companies: {told}. "
        f"{row['shares'] / 1e6:,.0f} million shares × {words.price(row['close'], row['currency'])}."
    )
    return (
        HOLDS if first["ticker"] == claim.ticker and first["date"] == row["on"] else FAILS,
        words.billions(ours),
        how,
    )
