"""The charts of all events on one yardstick, by the names that pages and exports use."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from dashboard.analysis.league import CONFOUNDER
from dashboard.analysis.placebo import placebo_range
from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.events_biggest import biggest
from dashboard.charts.events_compare import compare
from dashboard.charts.events_days import days
from dashboard.charts.events_league import SHARED, league
from dashboard.charts.events_segments import segments
from dashboard.data.naming import UnknownName, resolve
from dashboard.data.study_inputs import ALL_AI
from dashboard.views.league import LEVEL, League, cumulative, in_own_order, read_league
from dashboard.views.request import DEFAULT_EVENT, Heeds, Maker, NothingToShow, Request

BIGGEST = 25
MOST_ROWS = 30
MOST_COMPARED = 6
USUAL_COMPARED = (DEFAULT_EVENT, "nvidia-q1-fy2024", "chip-rout-2024")
ALL = "all"
KINDS = {
    "release": "Releases",
    "earnings": "Earnings",
    "investment": "Investments",
    "policy": "Rules and export controls",
    "market": "Market days",
    "claim": "Claims and reports",
    "people": "People",
    "app-store": "App stores",
}
SORTS = {
    "abnormal": "Abnormal return",
    "date": "Date",
    "change": "AI mean",
    "two-days": "Abnormal, 0 to +1",
    "dollars": "Dollars",
    "lead": "Lead’s move",
    "recovery": "Sessions to recover",
    "unusual": "How unusual",
    "kind": "Kind",
}
_SORTED_BY = {
    "abnormal": ("abnormal", "the largest first, up or down"),
    "date": ("session", "the newest first"),
    "change": ("mean_change", "the largest first, up or down"),
    "two-days": ("abnormal_0_1", "the largest first, up or down"),
    "dollars": ("value_change", "the largest first, lost or gained"),
    "lead": ("lead_change", "the largest first, up or down"),
    "recovery": ("recovered", "the longest first"),
    "unusual": ("p", "the most unusual first"),
    "kind": ("kind", "in alphabetical order"),
}
OTHERS = (
    "Tariffs, rates and other causes that moved AI shares: measured like the events above, and never ranked."
)


@dataclass(frozen=True)
class Choice:
    """What a reader chose: filters of the events ("all": none), the order, the measure, and what is compared.

    `segment` and `company` keep the events whose lead is that segment or one of its companies, or that company.
    """

    kind: str = ALL
    year: str = ALL
    segment: str = ALL
    company: str = ALL
    sort: str = "abnormal"
    by: str = "abnormal"
    of: str = ALL_AI
    compared: tuple[str, ...] = USUAL_COMPARED


def choice_of(request: Request) -> Choice:
    """The choice in a chart's request."""
    given = dict(request.options)
    compared = tuple(part.strip() for part in given.pop("compared", "").split(",") if part.strip())
    return Choice(**given, compared=compared or USUAL_COMPARED)


def chosen(told: League, choice: Choice) -> pd.DataFrame:
    """The rows of the league that the filters keep, confounders included, in the order chosen.

    Raises
    ------
    NothingToShow
        When the league has no such year, segment or company; the message says which is nearest.
    """
    table = told.table
    keep = pd.Series(True, index=table.index)
    if choice.kind != ALL:
        keep &= table["kind"] == choice.kind
    if choice.year != ALL:
        years = table["session"].dt.year.astype(str)
        keep &= years == _known("year", choice.year, years.unique())
    if choice.segment != ALL:
        title = told.segments[_known("segment", choice.segment, told.segments)]
        inside = set(told.companies.loc[told.companies["segment"] == title, "ticker"]) | {title}
        keep &= table["lead"].isin(inside)
    if choice.company != ALL:
        keep &= table["lead"] == _known(
            "company {} that leads an event", choice.company, table["lead"].dropna().unique()
        )
    return ordered(table[keep], choice.sort)


def _known(kind: str, wanted: str, names: Iterable[str]) -> str:
    try:
        return resolve(kind, wanted, list(names))
    except UnknownName as unknown:
        raise NothingToShow(str(unknown)) from None


def ordered(table: pd.DataFrame, sort: str) -> pd.DataFrame:
    """The rows in one of the orders of `SORTS`; those without the figure last."""
    column = _SORTED_BY[sort][0]
    rows = in_own_order(table)
    if sort in ("date", "kind", "unusual"):
        return rows.sort_values(column, ascending=sort != "date", kind="stable")
    size = rows[column].abs()
    return rows.loc[size.sort_values(ascending=False, na_position="last", kind="stable").index]


def finding(told: League) -> str:
    """Which events moved the market, which only made headlines, and how DeepSeek ranks, in one sentence."""
    sessions = in_own_order(told.ranked.dropna(subset=["p"])).drop_duplicates("session")
    out = int((sessions["p_bh"] < LEVEL).sum())
    text = (
        f"{out or 'none'} of {len(sessions)} sessions with AI events moved AI shares further than chance "
        f"explains; the "
        "others made headlines"
    )
    if DEFAULT_EVENT not in told.ranked.index:
        return f"{text[0].upper()}{text[1:]}"
    own = abs(told.ranked.at[DEFAULT_EVENT, "abnormal"])
    place = 1 + int((sessions["abnormal"].abs() > own).sum())
    return f"DeepSeek ranks {'first' if place == 1 else f'no. {place}'}: {text}"


def standing(told: League) -> str:
    """How many events stand out by each count, in plain words."""
    ranked = told.ranked.dropna(subset=["p"])
    counts = [int((ranked[name] < LEVEL).sum()) for name in ("p", "p_bh", "p_holm")]
    return (
        f"Looked at one by one, {counts[0]} of {len(ranked)} events stand out at the 5% level, where chance "
        f"alone gives "
        f"about {LEVEL * len(ranked):.0f}. Allowing for all of them, {counts[1]} remain at a false discovery "
        f"rate of 5% "
        f"(Benjamini and Hochberg) and {counts[2]} by Holm’s stricter count. What does not stand out may still have "
        "mattered: the test cannot see moves within the ordinary noise."
    )


def _note(told: League, rows: pd.DataFrame) -> str:
    parts = (
        [f"Only the first of the {len(rows)} events are drawn; all are in the data."]
        if len(rows) > MOST_ROWS
        else []
    )
    if rows.head(MOST_ROWS)["same_session"].map(bool).any():
        parts.append(f"{SHARED} shares its session with another event, and so its figures.")
    return " ".join(parts)


TOO_SHORT = (
    "The AI mean is of every AI company that traded in New York; an abnormal return is of those with half of the 250 "
    "earlier sessions that it is measured against, and leaves out the others by name."
)
NO_CELL = "Without a figure: no company of the segment that trades in New York had enough earlier sessions."


def _league_note(told: League, rows: pd.DataFrame) -> str:
    short = TOO_SHORT if rows["left_out"].map(bool).any() else ""
    return f"{_note(told, rows)} {short}".strip()


def _segments_note(told: League, rows: pd.DataFrame) -> str:
    drawn = told.cells["event_id"].isin(rows.head(MOST_ROWS).index)
    empty = NO_CELL if told.cells.loc[drawn, "abnormal"].isna().any() else ""
    return f"{_note(told, rows)} {empty}".strip()


def ranked(told: League, choice: Choice) -> pd.DataFrame:
    """The rows that the filters keep, without confounders; raises `NothingToShow` where none is left."""
    rows = chosen(told, choice)
    rows = rows[rows["kind"] != CONFOUNDER]
    if rows.empty:
        raise NothingToShow(
            "No event of the list fits these filters: choose another kind, year, segment or company."
        )
    return rows


def _league(told: League, choice: Choice, theme: str) -> Chart:
    rows = ranked(told, choice)
    return league(
        rows.head(MOST_ROWS),
        told.paths,
        _furthest(rows),
        order_of(choice),
        _league_note(told, rows),
        told.source,
        theme,
    )


def _furthest(rows: pd.DataFrame) -> str:
    known = rows.dropna(subset=["abnormal"])
    if known.empty:
        return "No event has an abnormal return"
    top = in_own_order(known).loc[lambda table: table["abnormal"].abs().idxmax()]
    title, moved = words.cut(top["title"]), f"{words.percent(top['abnormal'])} beyond the market"
    if len(rows) == 1:
        return f"{title}: AI shares moved {moved}"
    return f"{title} moved AI shares furthest of {len(rows)} events: {moved}"


def order_of(choice: Choice) -> str:
    """By what the rows are sorted, in words."""
    return f"Sorted by {SORTS[choice.sort].lower()}, {_SORTED_BY[choice.sort][1]}"


def _days(told: League, choice: Choice, theme: str) -> Chart:
    return days(told.days, told.source, theme)


def largest(told: League, measure: str) -> pd.DataFrame:
    """The largest falls and rises of the AI mean, by a measure of `League.days`."""
    known = told.days.dropna(subset=[measure])
    return pd.concat([known.nsmallest(BIGGEST, measure), known.nlargest(BIGGEST, measure)]).drop_duplicates(
        "date"
    )


def _biggest(told: League, choice: Choice, theme: str) -> Chart:
    measure = "change" if choice.by == "change" else "abnormal"
    return biggest(largest(told, measure), measure, told.source, theme)


def _segments(told: League, choice: Choice, theme: str) -> Chart:
    rows = ranked(told, choice)
    drawn = rows.head(MOST_ROWS)
    return segments(told.cells, drawn, told.segments, _segments_note(told, rows), told.source, theme)


def _compare(told: League, choice: Choice, theme: str) -> Chart:
    group = _known("group", choice.of, told.group_names)
    ids = _compared(told, choice)
    around = told.around(group, ids)
    paths = cumulative(around).set_axis(pd.Index(ids, name="event_id"), axis=0)
    paths = paths[paths[0].notna()]
    if paths.empty:
        raise NothingToShow(
            f"There is no abnormal return of {told.group_names[group]} around these events: it takes 60 sessions "
            "before each. Choose later events or another group."
        )
    bands = [
        placebo_range(pd.Series(row[np.isfinite(row)]), paths.columns.max() + 1) for row in around.residuals
    ]
    band = pd.concat(bands).groupby("length", as_index=False)[["low", "high"]].mean()
    return compare(paths, band, told.table, told.group_names[group], told.source, theme)


def _compared(told: League, choice: Choice) -> list[str]:
    titles = told.table["title"].to_dict()
    if choice.compared == USUAL_COMPARED:
        return [event_id for event_id in USUAL_COMPARED if event_id in titles] or list(titles)[-2:]
    ids = list(dict.fromkeys(_known("event", event_id, titles) for event_id in choice.compared))
    if len(ids) > MOST_COMPARED:
        raise NothingToShow(
            f"At most {MOST_COMPARED} events can be compared at once; {len(ids)} were asked for."
        )
    return ids


_DRAW: dict[str, Callable[[League, Choice, str], Chart]] = {
    "events-league": _league,
    "events-days": _days,
    "events-biggest": _biggest,
    "events-segments": _segments,
    "events-compare": _compare,
}


def draw(told: League, name: str, choice: Choice, theme: str) -> Chart:
    """The chart called `name` of a league that has been read."""
    return _DRAW[name](told, choice, theme)


def _maker(name: str) -> Maker:
    def make(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
        return draw(read_league(con), name, choice_of(request), request.theme)

    return make


def request_of(name: str, choice: Choice, theme: str) -> Request:
    """The request of one of the charts, with the choices that it heeds and that are not the usual ones."""
    usual = Choice()
    chosen = [
        (option, getattr(choice, option))
        for option in _OPTIONS.get(name, {})
        if getattr(choice, option) != getattr(usual, option)
    ]
    options = [(option, value if isinstance(value, str) else ",".join(value)) for option, value in chosen]
    return Request(theme=theme, options=tuple(options))


CHARTS: dict[str, Maker] = {name: _maker(name) for name in _DRAW}
_FILTERS = {"kind": (ALL, *KINDS), "year": (), "segment": (), "company": (), "sort": tuple(SORTS)}
_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "events-league": _FILTERS,
    "events-biggest": {"by": ("abnormal", "change")},
    "events-segments": _FILTERS,
    "events-compare": {"of": (), "compared": ()},
}
HEEDS: dict[str, Heeds] = {
    name: Heeds(event=False, tickers="", options=_OPTIONS.get(name, {})) for name in CHARTS
}
