"""The parts of a month's report: each a finding in a sentence, a table of words for readers, its numbers and source."""

from dataclasses import dataclass, field

import pandas as pd

from dashboard.analysis.league import CONFOUNDER
from dashboard.charts import words
from dashboard.charts.events_days import label_of

SHOWN = 8
LEAGUE = "New in the league of AI events"
LEAGUE_COLUMNS = [
    *(
        "title",
        "kind",
        "session",
        "mean_change",
        "abnormal",
        "abnormal_0_1",
        "value_change",
        "p",
        "place",
        "source",
    ),
    "source_url",
]
RETURNS = "closing prices with dividends; each company counted alike"
DOLLARS = "change of market value: closing prices times the share counts known on the day"
MODEL = "market model on the S&P 500 fund (SPY), sessions −260 to −11 before each day"


@dataclass(frozen=True)
class Linked:
    """A text and where it leads to."""

    text: str
    address: str


@dataclass(frozen=True)
class Part:
    """A part of the report: `rows` of text under the `heads`, the first of each naming it; `numbers` as a file."""

    name: str
    title: str
    finding: str
    heads: list[str]
    rows: list[list[str | Linked]] = field(repr=False)
    numbers: pd.DataFrame = field(repr=False)
    source: str


def moved(ai: pd.DataFrame, month: str) -> Part:
    """The companies that fell and rose furthest; `ai` is sorted by its change."""
    few = len(ai) <= 2 * SHOWN
    shown = ai if few else pd.concat([ai.head(SHOWN), ai.tail(SHOWN)])
    worst, best = ai.iloc[0], ai.iloc[-1]
    finding = (
        f"{best['name']} did best of {len(ai)} AI companies in {month}, {words.percent(best['change'])}; "
        f"{worst['name']} did worst, {words.percent(worst['change'])}."
    )
    if not few:
        finding += f" Shown are the {SHOWN} at either end; the file has all."
    rows = [
        [
            str(row.name),
            row.segment,
            words.percent(row.change),
            _dollars(row.value_change),
            f"{words.percent(row.largest)} on {words.day(row.on.date(), weekday=False, year=False)}",
        ]
        for row in shown.iloc[::-1].itertuples(index=False)
    ]
    heads = ["Company", "Segment", "Change", "Market value", "Largest session"]
    return Part("moved", "What moved", finding, heads, rows, ai, f"Source: {RETURNS}; {DOLLARS}")


def segments(table: pd.DataFrame) -> Part | None:
    """The segments by their mean change."""
    if len(table) < 2:
        return None
    best, worst = table.iloc[0], table.iloc[-1]
    finding = (
        f"{best['segment']} led, {words.percent(best['change'])} on average; {worst['segment']} came last, "
        f"{words.percent(worst['change'])}."
    )
    rows = [
        [row.segment, str(row.companies), words.percent(row.change), _dollars(row.value_change)]
        for row in table.itertuples()
    ]
    heads = ["Segment", "Companies", "Mean change", "Market value"]
    return Part("segments", "By segment", finding, heads, rows, table, f"Source: {RETURNS}; {DOLLARS}")


def days(sessions: pd.DataFrame) -> Part | None:
    """The month's sessions with the largest abnormal returns; all are in the file."""
    if sessions.empty or sessions["change"].isna().all():
        return None
    by = "abnormal" if sessions["abnormal"].notna().any() else "change"
    top = sessions.loc[sessions[by].abs().nlargest(SHOWN).index]
    first = top.iloc[0]
    moved = f"{words.percent(first['change'])} on average"
    if by == "abnormal":
        moved += f", {words.percent(first['abnormal'])} beyond the market"
    finding = (
        f"The largest of {len(sessions)} sessions was {words.day(first['date'].date())}: AI shares {moved}."
    )
    rows = [
        [
            words.day(row.date.date()),
            words.percent(row.change),
            "–" if pd.isna(row.abnormal) else words.percent(row.abnormal),
            Linked(row.note_source, row.note_url)
            if row.explanation and not row.title
            else label_of(pd.Series(row._asdict())),
        ]
        for row in top.itertuples(index=False)
    ]
    heads = ["Session", "AI companies", "Abnormal return", "On record"]
    numbers = sessions[
        ["date", "change", "companies", "abnormal", "event_id", "title", "cause", "explanation"]
    ]
    return Part(
        "sessions",
        "The sessions that stood out",
        finding,
        heads,
        rows,
        numbers,
        f"Source: {RETURNS}; {MODEL}",
    )


def rows_of_the_league(events: pd.DataFrame, ranked: int) -> Part:
    """The events of the month, the furthest first, with their place among all until then."""
    heads = ["Event", "Session", "Abnormal return", "AI companies", "Place in the league", "Reported by"]
    if events.empty:
        return Part(
            "league",
            LEAGUE,
            "No event of this month is on record.",
            heads,
            [],
            events,
            "",
        )
    size = events["abnormal"].abs()
    own = events.loc[size.sort_values(ascending=False, na_position="last", kind="stable").index]
    rows: list[list[str | Linked]] = [
        [
            row.title,
            words.day(row.session.date()),
            "–" if pd.isna(row.abnormal) else words.percent(row.abnormal),
            "–" if pd.isna(row.mean_change) else words.percent(row.mean_change),
            _place(row.kind, row.place, ranked),
            Linked(row.source, row.source_url),
        ]
        for row in own.itertuples()
    ]
    numbers = own[LEAGUE_COLUMNS].reset_index()
    source = f"Source: {RETURNS}; {MODEL}"
    return Part("league", LEAGUE, _new_rows(own, ranked), heads, rows, numbers, source)


def _place(kind: str, place: float, ranked: int) -> str:
    return "no AI event" if kind == CONFOUNDER else "–" if pd.isna(place) else f"{place:.0f} of {ranked}"


def _new_rows(own: pd.DataFrame, ranked: int) -> str:
    count, placed = f"{len(own)} event{'s are' if len(own) > 1 else ' is'} new", own.dropna(subset=["place"])
    if placed.empty:
        return f"{count}."
    top = placed.iloc[0]
    return (
        f"{count}; “{top['title']}” comes highest, no. {top['place']:.0f} of {ranked} by the size of the abnormal "
        "return. Events of one session share its figures."
    )


def records(book: pd.DataFrame) -> Part:
    """The days that are in the record book at the month's end."""
    heads = ["Company", "Session", "Market value", "Place at the end", "By whom"]
    rows = [
        [
            row.name,
            words.day(pd.Timestamp(row.date).date()),
            words.billions(row.value_change, plus=True),
            f"no. {row.place} of the one-day {'losses' if row.falls else 'gains'}",
            Linked(row.source, row.source_url) if row.evidence == "reported" else "computed",
        ]
        for row in book.itertuples(index=False)
    ]
    count = len(rows)
    finding = (
        f"{count} day{'s' if count > 1 else ''} of this month {'are' if count > 1 else 'is'} among the ten largest "
        "one-day losses, or gains, of market value on record."
        if count
        else "No day of this month is among the ten largest one-day losses, or gains, of market value on record."
    )
    return Part(
        "records", "The record book", finding, heads, rows, book, f"Source: {DOLLARS}; moves as reported"
    )


def ranks(leaders: pd.DataFrame) -> Part:
    """Who led the followed charts of the app stores."""
    heads = ["Chart", "Captures", "No. 1 at the end", "Also at no. 1"]
    rows = [
        [row.words, words.number(row.captures), row.last_app, ", ".join(row.others) or "nobody else"]
        for row in leaders.itertuples()
    ]
    if rows:
        finding = (
            f"{leaders.iloc[0]['last_app']} led {leaders.iloc[0]['words']} at the last capture of the month."
        )
    else:
        finding = "No chart of the app stores was captured in this month, so who led them was not measured."
    source = (
        "Source: captures of the stores’ public charts; between two captures nothing is known" if rows else ""
    )
    return Part("ranks", "The app stores", finding, heads, rows, leaders, source)


def signals(found: pd.DataFrame) -> Part:
    """What was noticed in the figures alone."""
    heads = ["Signal", "How unusual", "On record"]
    rows = [[row.title, row.detail, row.event or "No cause on record yet"] for row in found.itertuples()]
    finding = (
        f"{len(rows)} signal{'s' if len(rows) > 1 else ''}: what hardly ever happens, without a claim of its cause."
        if rows
        else "Nothing so unusual happened that it was signalled."
    )
    columns = [
        "signal_id",
        "kind",
        "session",
        "name",
        "measure",
        "size",
        "unusual",
        "earlier",
        "place",
        "title",
        "event",
    ]
    return Part(
        "signals",
        "Noticed, not explained",
        finding,
        heads,
        rows,
        found[columns],
        "Source: own calculation; each on what was known at its close" if rows else "",
    )


def _dollars(value: float) -> str:
    return "–" if pd.isna(value) else words.compact(value, plus=True)
