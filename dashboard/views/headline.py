"""The sentence and the figures at the top of an event's story."""

from dataclasses import dataclass

import pandas as pd

from dashboard.charts import words
from dashboard.views.story import RIVALS, Story


@dataclass(frozen=True)
class Figure:
    """One of the figures at the top of the page: label, value in words, what it means, and as of when."""

    label: str
    value: str
    detail: str
    definition: str


def headline(story: Story) -> str:
    """What happened, in one sentence with computed figures."""
    top = _lead(story)
    day = words.day(top["on"].date())
    if pd.isna(top["value_change"]):
        moved = f"{'fell' if top['change'] < 0 else 'rose'} {words.percent(abs(top['change']), plus=False)}"
        return f"{top['name']} {moved} on {day}."
    verb = "lost" if top["value_change"] < 0 else "gained"
    first = _first_at_top(story)
    tail = (
        f", the session after {first['app']} reached no. 1 on Apple’s US App Store"
        if first is not None
        else ""
    )
    return f"{top['name']} {verb} {words.billions(abs(top['value_change']))} of market value on {day}{tail}."


def _lead(story: Story) -> pd.Series:
    """The AI company that moved most: in dollars, or in percent where no dollars are known."""
    dollars = story.ai["value_change"].abs()
    return story.ai.loc[(story.ai["change"].abs() if dollars.isna().all() else dollars).idxmax()]


def _first_at_top(story: Story) -> pd.Series | None:
    top = story.ranks[(story.ranks["rank"] == 1) & (story.ranks["app"] == RIVALS[0])]
    session = pd.Timestamp(story.event.market_session)
    near = top[
        (top["moment"] < session + pd.Timedelta(hours=16)) & (top["moment"] > session - pd.Timedelta(days=4))
    ]
    return None if near.empty else near.iloc[0]


def figures(story: Story) -> list[Figure]:
    """The figures at the top of the page, each with its definition and its date."""
    return [
        *_lead_figures(story),
        *_total_figures(story),
        *_benchmark_figures(story),
        *_rank_figures(story),
        _back(story),
    ]


def _lead_figures(story: Story) -> list[Figure]:
    top = _lead(story)
    day = words.day(top["on"].date())
    share = Figure(
        f"{top['name']} shares",
        words.percent(top["change"], 2),
        f"{words.price(top['close_before'], top['currency'])} → "
        f"{words.price(top['close'], top['currency'])}, {day}",
        f"Change of the closing price with dividends, from {words.day(top['before'].date())} to {day}.",
    )
    if pd.isna(top["value_change"]):
        return [share]
    counted = words.day(top["shares_as_of"].date(), weekday=False)
    value = Figure(
        f"{top['name']} value",
        words.compact(top["value_change"]),
        f"{top['shares'] / 1e6:,.0f} million shares, {counted}",
        f"Change of the close times the shares outstanding by the latest count known on the day ({top['basis']}, "
        f"{counted}). Other counts give slightly other sums.",
    )
    return [share, value]


def _total_figures(story: Story) -> list[Figure]:
    both = story.totals
    if not both.losers + both.gainers:
        return []
    return [
        Figure(
            "AI companies lost",
            words.compact(both.lost),
            f"{both.losers} fell; {both.gainers} rose by {words.compact(both.gained)}",
            f"The sum of the falls in market value of {both.losers} AI companies on "
            f"{words.day(story.event.market_session)}; on balance with the winners {words.billions(both.net)}. "
            f"{both.unknown} without a share count are left out.",
        )
    ]


def _benchmark_figures(story: Story) -> list[Figure]:
    rows = story.changes[(story.changes["ticker"] == "QQQ") & story.changes["change"].notna()]
    return [
        Figure(
            "Nasdaq-100 (QQQ)",
            words.percent(row.change, 2),
            words.day(row.on.date()),
            "Change of the QQQ fund’s closing price with dividends. The AI companies weigh heavily in it, so it "
            "fell because of the event itself and is no neutral yardstick.",
        )
        for row in rows.itertuples()
    ]


def _rank_figures(story: Story) -> list[Figure]:
    first = _first_at_top(story)
    if first is None:
        return []
    return [
        Figure(
            f"{first['app']}’s rank",
            f"no. {first['rank']}",
            f"US App Store, {words.day(first['moment'].date())}, {first['evidence']}",
            f"Rank among Apple’s top free iPhone apps in the US, {first['evidence']} by {first['source']}. "
            f"{first['note']}",
        )
    ]


def _back(story: Story) -> Figure:
    top = _lead(story)
    rows = story.recoveries[story.recoveries["ticker"] == top["ticker"]]
    definition = (
        "Sessions until the first close, with dividends, at or above the last close before the event."
    )
    if rows.empty:
        return Figure("Sessions to recover", "0", f"{top['name']} did not fall", definition)
    row = rows.iloc[0]
    if pd.isna(row["recovered"]):
        gap = words.percent(row["last_change"])
        return Figure(
            "Sessions to recover", "not yet", f"{gap} at {words.day(row['last'].date())}", definition
        )
    return Figure(
        "Sessions to recover",
        str(row["sessions"]),
        f"{top['name']} was back on {words.day(row['recovered'].date())}",
        definition,
    )
