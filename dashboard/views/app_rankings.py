"""The page of the app stores: ranks over time, the first ten, the first day at no. 1 in each country."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import duckdb
import pandas as pd
from babel import Locale

from dashboard.analysis.captures import MOST_CAPTURES, column_step, earliest, placed
from dashboard.charts import rank_words, words
from dashboard.charts.bump import bump
from dashboard.charts.chart import Chart
from dashboard.charts.first_days import first_days
from dashboard.charts.rank_history import rank_history
from dashboard.data import captures as data
from dashboard.data.captures import Ranking
from dashboard.data.events import Event, events
from dashboard.data.naming import UnknownName, resolve
from dashboard.views.request import Heeds, Maker, NothingToShow, Request, asked_event
from dashboard.views.story import RIVALS

MOST_APPS = 8
DEFAULT = Ranking()
REFRESHED_BY = {"apple": "rankings", "google": "google"}


@dataclass(frozen=True)
class Asked:
    """What a request comes to in a state of the warehouse: chart, apps (id to name), event and days."""

    ranking: Ranking
    words: str
    apps: dict[str, str]
    event: Event
    start: date
    end: date


def country_name(code: str) -> str:
    """The English name of a country's two-letter code, or the code."""
    return str(Locale("en").territories.get(code.upper(), code.upper()))


def ranking_words(ranking: Ranking, *, everywhere: bool = False) -> str:
    """A chart as it is named in a sentence; `everywhere` leaves its country out."""
    owner = "Apple" if ranking.store == "apple" else rank_words.store_name(ranking.store)
    device = "" if ranking.device == "phone" else f"{rank_words.device_name(ranking.device)} "
    text = f"{owner}’s {rank_words.chart_name(ranking.chart)} {device}apps"
    if everywhere:
        return text
    return f"{text} in {rank_words.with_article(country_name(ranking.country))}"


def default_ranking(known: pd.DataFrame) -> Ranking:
    """The chart that is shown unless another is chosen: Apple's top free iPhone apps in the US where it is known."""
    rows = [Ranking(row.store, row.country, row.chart, row.device) for row in known.itertuples()]
    return DEFAULT if DEFAULT in rows else rows[0]


def choices(known: pd.DataFrame, field: str, usual: str, spell: Callable[[str], str]) -> dict[str, str]:
    """The values of a field of the known charts and what they are called, the usual one first, then by name."""
    names = {str(value): spell(str(value)) for value in known[field].unique()}
    return dict(sorted(names.items(), key=lambda pair: (pair[0] != usual, pair[1].casefold())))


def captured_elsewhere(known: pd.DataFrame, ranking: Ranking) -> list[tuple[str, dict[str, str]]]:
    """The charts with captures where the one that is shown has none: words and address, those with the most first."""
    shown = known.merge(pd.DataFrame([ranking.parameters()]))
    if shown.empty or shown["captures"].iloc[0]:
        return []
    found = []
    for row in (
        known[known["captures"] > 0].sort_values("captures", ascending=False, kind="stable").itertuples()
    ):
        one = Ranking(row.store, row.country, row.chart, row.device)
        days = f"{words.day(row.first.date(), weekday=False)} to {words.day(row.last.date(), weekday=False)}"
        found.append((f"{ranking_words(one)} ({row.captures}, {days})", one.parameters()))
    return found


def default_apps(apps: pd.DataFrame) -> list[str]:
    """The rivals of the story where the chart has them, else the three apps with the best ranks."""
    found = [
        str(row.app)
        for rival in RIVALS
        for row in apps.itertuples()
        if row.name.casefold().startswith(rival.casefold())
    ]
    return found[:MOST_APPS] or [str(app) for app in apps["app"].head(3)]


def bring(store: str = DEFAULT.store) -> str:
    """The next step where there is no capture of a store's charts; a store that nobody asks is imported."""
    source = REFRESHED_BY.get(store)
    if source is None:
        return "`python -m etl import-rankings FILE` takes its charts from a file."
    return f"`python -m etl refresh --source {source}` captures the charts as they stand."


def no_rankings() -> NothingToShow:
    """What to say and do where the warehouse knows no chart."""
    step = f"{bring()} `python -m etl load-bundled` brings the reported ranks."
    return NothingToShow("There are no app-store ranks yet.", step)


def _asked(con: duckdb.DuckDBPyConnection, request: Request) -> Asked:
    known = data.rankings(con)
    if known.empty:
        raise no_rankings()
    event = asked_event(con, request.event_id)
    usual, options = default_ranking(known), dict(request.options)
    ranking = Ranking(*(options.get(field, getattr(usual, field)) for field in usual.parameters()))
    here = known[
        (known["store"] == ranking.store)
        & (known["country"] == ranking.country)
        & (known["chart"] == ranking.chart)
        & (known["device"] == ranking.device)
    ]
    if here.empty:
        raise NothingToShow(f"Nothing is known of {ranking_words(ranking)} yet.", bring(ranking.store))
    first, last = here["first"].iloc[0].date(), here["last"].iloc[0].date()
    apps = data.apps(con, ranking)
    names = dict(zip(apps["app"], apps["name"], strict=True))
    chosen = _named_apps(request.tickers, names) or default_apps(apps)
    start, end = request.start or first, request.end or last
    return Asked(
        ranking,
        ranking_words(ranking),
        {app: names[app] for app in chosen[:MOST_APPS]},
        event,
        max(min(start, end), first),
        min(max(start, end), last),
    )


def _named_apps(wanted: tuple[str, ...], known: dict[str, str]) -> list[str]:
    try:
        return list(dict.fromkeys(resolve("app", app, known, "choose one of this chart") for app in wanted))
    except UnknownName as unknown:
        raise NothingToShow(str(unknown)) from None


def _source(points: pd.DataFrame) -> str:
    """The source line: who measured, how many reported, and as of when."""
    measured = points[points["evidence"] == "measured"]
    makers = [rank_words.SOURCES.get(name, name) for name in sorted(measured["source"].unique())]
    if (points["evidence"] != "measured").any():
        makers.append("publications named on each point")
    last = placed(points)["moment"].max()
    return f"Source: {words.listed(makers)}; ranks to {words.day(last.date())}"


def _history(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
    asked = _asked(con, request)
    daily = data.captured(con, asked.ranking, asked.start, asked.end) > MOST_CAPTURES
    points = data.history(con, asked.ranking, list(asked.apps), asked.start, asked.end, daily=daily)
    if points.empty:
        raise NothingToShow(
            f"Nothing is known of {words.listed(list(asked.apps.values()))} in {asked.words} between "
            f"{words.day(asked.start)} and {words.day(asked.end)}: choose other apps or another time."
        )
    gaps = data.pauses(con, asked.ranking, asked.start, asked.end)
    ranking = asked.ranking
    leaders = data.first_at_top(con, ranking.store, ranking.chart, ranking.device, date.min, date.max)
    here = earliest(leaders[leaders["country"] == ranking.country])
    for column in ("since", "until"):
        gaps[column] = pd.to_datetime(gaps[column], utc=True).dt.tz_localize(None)
    return rank_history(
        placed(points),
        asked.apps,
        asked.words,
        gaps,
        events(con),
        asked.event,
        _source(points),
        firsts=dict(zip(here["app"], here["moment"], strict=True)),
        daily=daily,
        theme=request.theme,
    )


def _bump(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
    asked = _asked(con, request)
    count = data.captured(con, asked.ranking, asked.start, asked.end)
    step = column_step(count, asked.start, asked.end)
    points = data.top(con, asked.ranking, asked.start, asked.end, step=step)
    if points.empty:
        raise NothingToShow(
            f"No capture of {asked.words} between {words.day(asked.start)} and {words.day(asked.end)}, only single "
            "reported ranks, which do not make a top 10.",
            bring(asked.ranking.store),
        )
    points = placed(points.assign(evidence="measured"))
    return bump(points, list(asked.apps), asked.words, _source(points), step=step, theme=request.theme)


def _first_days(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
    asked = _asked(con, request)
    ranking = asked.ranking
    firsts = data.first_at_top(con, ranking.store, ranking.chart, ranking.device, date.min, date.max)
    where = ranking_words(ranking, everywhere=True)
    if firsts.empty:
        raise NothingToShow(f"No app is known as no. 1 of {where}.")
    countries = {code: country_name(code) for code in firsts["country"].unique()}
    return first_days(
        firsts, earliest(firsts), countries, list(asked.apps), where, _source(firsts), request.theme
    )


CHARTS: dict[str, Maker] = {
    "rank-history": _history,
    "rank-bump": _bump,
    "rank-first-days": _first_days,
}

_OPTIONS: dict[str, tuple[str, ...]] = dict.fromkeys(DEFAULT.parameters(), ())
HEEDS: dict[str, Heeds] = {
    name: Heeds(tickers="app", days=name != "rank-first-days", options=_OPTIONS) for name in CHARTS
}
