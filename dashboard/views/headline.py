"""The one engine for a story's words: its lead, its direction, the sentence, the figures and the section names.

Everything here follows from the sign of what was computed, so that a gain is never told as a loss.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache

import pandas as pd

from dashboard.analysis.losses import totals
from dashboard.analysis.ranks import NEW_YORK
from dashboard.charts import words
from dashboard.views.story import Story
from etl.calendars import session_of

HARDLY, HARDLY_LEAD = 0.01, 0.03
"""Below these the mean and the lead company have hardly moved (fractions)."""
EVERYBODY = "AI companies"
ABOUT_THE_MARKET = ("market", "date", "signal", "confounder")
"""Kinds of events that name nobody and are about whoever moved; a release is not about whoever moved most that day."""
DECISIVE = 0.2
"""From this share of the dollars lost, or gained, on a company decides the day."""
FUND = "RSP"
FUND_NAMES = {"RSP": "the average US share (RSP)", "SPY": "the S&P 500 (SPY)", "QQQ": "the Nasdaq-100 (QQQ)"}


@dataclass(frozen=True)
class Figure:
    """One of the figures at the top of the page: label, value in words, what it means, and as of when."""

    label: str
    value: str
    detail: str
    definition: str


@dataclass(frozen=True)
class Lead:
    """What a story is about: a company, or a group of them; `quiet` where hardly anything moved.

    `change` is a fraction (of a group its mean); `value_change` is in US dollars, NaN where it is not known;
    `company` is the company's row of `Story.changes`, None for a group.
    """

    name: str
    change: float
    value_change: float
    company: pd.Series | None
    quiet: bool = False

    @property
    def falls(self) -> bool:
        """Whether it fell: in dollars, or in percent where no dollars are known."""
        return (self.change if pd.isna(self.value_change) else self.value_change) < 0

    @property
    def ticker(self) -> str:
        """The company's ticker; "" for a segment."""
        return "" if self.company is None else str(self.company["ticker"])


def lead(story: Story) -> Lead:
    """The company or segment that the event names, else the AI company that decided the day, else all of them."""
    named = story.event.lead
    changes = story.changes.dropna(subset=["change"])
    company = changes[changes["ticker"] == named]
    if not company.empty:
        return _company(company.iloc[0])
    segment = story.ai[(story.ai["segment"] == named)].dropna(subset=["change"])
    if not segment.empty:
        value = segment["value_change"].sum(min_count=1)
        return Lead(group_name(named), float(segment["change"].mean()), float(value), None)
    dollars = story.ai["value_change"].abs()
    largest = story.ai.loc[(story.ai["change"].abs() if dollars.isna().all() else dollars).idxmax()]
    quiet = abs(story.mean) < HARDLY and abs(float(largest["change"])) < HARDLY_LEAD
    both = totals(story.changes)
    whole = both.lost if story.mean < 0 else both.gained
    decided = dollars.isna().all() or float(largest["value_change"]) / (whole or 1.0) >= DECISIVE
    if decided and not quiet and story.event.kind in ABOUT_THE_MARKET:
        return _company(largest)
    return Lead(EVERYBODY, story.mean, float("nan") if dollars.isna().all() else whole, None, quiet)


def _company(row: pd.Series) -> Lead:
    return Lead(str(row["name"]), float(row["change"]), float(row["value_change"]), row)


GROUPS = {
    "AI chips": "AI chip companies",
    "Devices": "Device companies",
    "Neoclouds": "Neocloud companies",
    "China and Asia": "Companies in China and Asia",
}
"""Segments whose name does not stand well before "companies"."""


def group_name(segment: str) -> str:
    """The companies of a segment: "AI chips" → "AI chip companies"."""
    return GROUPS.get(segment, f"{segment} companies")


def headline(story: Story) -> str:
    """What happened, in one sentence with computed figures."""
    top, session = lead(story), story.event.market_session
    if story.event.kind == "signal" and not story.event.lead:
        return f"{story.event.title}."
    if top.name == EVERYBODY:
        return _of_everybody(story, top)
    day = words.day(session if top.company is None else top.company["on"].date())
    if pd.isna(top.value_change):
        moved = f"{'fell' if top.falls else 'rose'} {words.percent(abs(top.change), plus=False)}"
        return f"{top.name} {moved} on {day}{_tail(story, top)}."
    verb = "lost" if top.falls else "gained"
    return f"{top.name} {verb} {words.billions(abs(top.value_change))} of market value on {day}{_tail(story, top)}."


def _of_everybody(story: Story, top: Lead) -> str:
    day, mean = words.day(story.event.market_session), words.percent(abs(story.mean), plus=False)
    if abs(story.mean) < HARDLY:
        text = f"AI shares hardly moved on average on {day} ({words.percent(story.mean)})"
    else:
        text = f"AI shares {'fell' if story.mean < 0 else 'rose'} {mean} on average on {day}"
    largest = story.ai.loc[story.ai["value_change"].abs().idxmax()] if pd.notna(top.value_change) else None
    if top.quiet or largest is None:
        return f"{text}."
    lost = largest["value_change"] < 0
    sum_ = f"{'lost' if lost else 'gained'} {words.billions(abs(largest['value_change']))}"
    if abs(story.mean) < HARDLY or lost != (story.mean < 0):
        return f"{text}, though {largest['name']} {sum_}."
    return f"{text}; {largest['name']} {sum_}, the most."


def _tail(story: Story, top: Lead) -> str:
    first = story.first_at_top
    if first is not None and _first_to_react(first["moment"]) == story.event.market_session:
        return f", the session after {first['app']} first reached no.\u00a01 on Apple’s US App Store"
    if story.event.kind == "earnings" and story.event.lead and story.event.lead == top.ticker:
        before = story.event.occurred_at.date() < story.event.market_session
        return ", the session after its results" if before else ", the day of its results"
    return ""


def _first_to_react(moment: pd.Timestamp) -> date:
    """New York's first session that could react to a moment on its clock; a half day closes at its own hour."""
    return session_of(moment.tz_localize(NEW_YORK, ambiguous=True, nonexistent="shift_forward"))


def standing(story: Story) -> str:
    """The name of the part on who lost and who gained."""
    falls, both = story.mean < 0, totals(story.changes)
    in_dollars = both.net < 0 if both.losers + both.gainers else falls
    if in_dollars != falls or (lead(story).falls != falls and not lead(story).quiet):
        return "Who gained, who lost"
    return "Who lost" if falls else "Who gained"


def drop_title(story: Story) -> str:
    """The name of the part on the days around the session."""
    top = lead(story)
    if top.quiet or (top.name == EVERYBODY and abs(story.mean) < HARDLY):
        return "The weeks around it"
    return "The drop" if story.mean < 0 else "The rise"


def figures(story: Story) -> list[Figure]:
    """The three figures at the top of the page, each with its definition and its date."""
    return [_lead_figure(story), _total_figure(story), _breadth_figure(story)]


def _lead_figure(story: Story) -> Figure:
    top = lead(story)
    if top.company is None:
        return Figure(
            f"{top.name}, on average",
            words.percent(top.change, 2),
            "each company counted alike",
            f"The mean change of the closing prices with dividends on {words.day(story.event.market_session)}.",
        )
    row = top.company
    day, before = words.day(row["on"].date()), words.day(row["before"].date())
    return Figure(
        f"{top.name} shares",
        words.percent(top.change, 2),
        f"{words.price(row['close_before'], row['currency'])} → {words.price(row['close'], row['currency'])}",
        f"Change of the closing price with dividends, from {before} to {day}.",
    )


def _total_figure(story: Story) -> Figure:
    both, falls = totals(story.changes), story.mean < 0
    rose, fell = story.rose, story.fell
    moved = f"{fell} of {story.changed} fell" if falls else f"{rose} of {story.changed} rose"
    main, other = (both.lost, both.gained) if falls else (both.gained, both.lost)
    if not both.losers + both.gainers:
        return Figure(
            "AI companies",
            moved,
            f"{words.percent(story.mean)} on average",
            "How many of the AI companies moved; no share counts are known from before this session.",
        )
    counter = f"{rose} rose" if falls else f"{fell} fell"
    others = f"; {counter}, {'gaining' if falls else 'losing'} {words.compact(abs(other))}" if other else ""
    missing = (
        f" {both.unknown} more have a price and no share count or exchange rate: they count among the "
        f"{story.changed}, and not in dollars."
        if both.unknown
        else ""
    )
    return Figure(
        f"{'Lost' if falls else 'Gained'} by AI companies",
        words.compact(abs(main)),
        f"{moved}{others}",
        f"The sum of the {'falls' if falls else 'gains'} in market value of "
        f"{both.losers if falls else both.gainers} AI companies; on balance "
        f"{words.billions(both.net, plus=True)}.{missing}",
    )


def _breadth_figure(story: Story) -> Figure:
    row = fund(story)
    compared = (
        f"AI companies {words.percent(story.mean)} on average: {words.points(story.mean - story.market)} against it"
        if row is not None and row["ticker"] != FUND
        else f"AI companies {words.percent(story.mean)} on average"
    )
    if row is None:
        return Figure(
            "AI companies, on average",
            words.percent(story.mean, 2),
            f"{story.traded} companies, each counted alike",
            "The mean change of the closing prices with dividends of the AI companies that traded that day."
            + _elsewhere(story),
        )
    name = FUND_NAMES.get(str(row["ticker"]), str(row["name"]))
    weighting = (
        "It counts 500 US companies alike, so that the largest do not decide it."
        if row["ticker"] == FUND
        else "The AI companies are part of it, so the event itself moved it."
    )
    return Figure(
        name[:1].upper() + name[1:],
        words.percent(float(row["change"]), 2),
        compared,
        f"Change of the fund’s closing price with dividends on {words.day(row['on'].date())}. {weighting}"
        + _elsewhere(story),
    )


def _elsewhere(story: Story) -> str:
    """Why the average is of fewer companies than those that rose or fell."""
    others = story.ai[story.ai["change"].notna() & ~story.on_the_day]
    if others.empty:
        return ""
    return (
        f" The average is of the {story.traded} AI companies that traded in New York’s session; "
        f"{words.listed(sorted(others['name'], key=str.casefold))} count among the {story.changed} with the first "
        f"session of {'its' if len(others) == 1 else 'their'} own exchange."
    )


def fund(story: Story) -> pd.Series | None:
    """The fund that stands for the average share of the day: the equal-weighted one where it has a price."""
    rows = story.changes.dropna(subset=["change"]).set_index("ticker", drop=False)
    return next((rows.loc[ticker] for ticker in FUND_NAMES if ticker in rows.index), None)


@cache
def kind_words(kind: str) -> str:
    """What kind of event it is, as it stands above a headline."""
    return {
        "release": "Release",
        "market": "Market",
        "earnings": "Results",
        "policy": "Policy",
        "investment": "Investment",
        "date": "A day",
        "signal": "Noticed",
        "confounder": "Not an AI event",
    }.get(kind, kind.capitalize())


def kicker(story: Story) -> str:
    """What stands above the headline: kind, name and moment of the event."""
    event = story.event
    if event.kind in ("date", "signal"):
        return f"{kind_words(event.kind)} · {words.day(event.market_session)}"
    moment = words.day(event.occurred_at.date())
    if event.time_known:
        moment += f", {event.occurred_at:%H:%M} in New York"
    return f"{kind_words(event.kind)} · {event.title} · {moment}"
