"""The month's report: what moved, the league's new rows, records, ranks and signals, with nothing from after the month.

Figures and sentences only: `dashboard.edition.report` writes them as a page and a PDF.
"""

import calendar
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import pandas as pd

from dashboard.analysis.months import by_segment, month_changes
from dashboard.charts import rank_words, words
from dashboard.charts.chart import Chart
from dashboard.data import market
from dashboard.data.rankings import leaders
from dashboard.data.records import index_changes
from dashboard.data.signals import signals
from dashboard.data.until import only_until
from dashboard.views import report_tables as tables
from dashboard.views.app_rankings import country_name
from dashboard.views.events import in_own_order
from dashboard.views.headline import Figure
from dashboard.views.league import League, read_league
from dashboard.views.records import read_records
from dashboard.views.registry import CHARTS
from dashboard.views.report_tables import Part
from dashboard.views.request import NothingToShow, Request
from etl import calendars

MARKET = "SPY"
FUNDS = {"SPY": "S&P 500 (SPY)", "RSP": "S&P 500, equal weight (RSP)"}
DRAWN = 5
BOOK = 10


class NoSuchMonth(NothingToShow):
    """The data hold no report of that month; the message says which months they hold."""

    exit_code = 3


@dataclass(frozen=True)
class Month:
    """A month and how far the data reach in it; `running` where sessions of it are still to come."""

    first: date
    last: date
    through: date
    running: bool

    @property
    def name(self) -> str:
        """Such as "June 2026"."""
        return f"{self.first:%B %Y}"

    @property
    def in_full(self) -> str:
        """Such as "October 2026, to 2 October" where the month has not ended in the data."""
        return f"{self.name}, to {self.through.day} {self.through:%B}" if self.running else self.name


@dataclass(frozen=True)
class Report:
    """A month's report: headline, lead and figures, the charts, and the parts in their order."""

    month: Month
    headline: str
    lead: str
    figures: list[Figure]
    charts: list[Chart] = field(repr=False)
    parts: list[Part] = field(repr=False)
    source: str


def month_named(con: duckdb.DuckDBPyConnection, wanted: str) -> Month:
    """The month that a text such as "2026-06" names, and how far the data reach in it.

    Raises
    ------
    NoSuchMonth
        When it names none, or one of which the data hold no session, or none before it to compare with.
    """
    sessions, span = index_changes(con, [MARKET])["date"].dt.date, market.span(con)
    if span is None or sessions.empty:
        raise NoSuchMonth(
            f"There are no prices of {MARKET}, whose sessions a report follows.",
            "`python -m etl refresh` brings them in.",
        )
    whole, end = _next_month(span[0]), sessions.iloc[-1]
    held = f"There are reports from {_written(whole)} to {_written(end)}"
    year, _, number = wanted.strip().partition("-")
    try:
        if len(year) != 4 or len(number) != 2:
            raise ValueError
        first = date(int(year), int(number), 1)
    except ValueError:
        quoted = " ".join(wanted[:40].split())
        raise NoSuchMonth(f"“{quoted}” is not a month: write it as 2026-06. {held}.") from None
    last = date(first.year, first.month, calendar.monthrange(first.year, first.month)[1])
    inside = [day for day in sessions if first <= day <= last]
    if not inside or first < whole:
        raise NoSuchMonth(f"The data hold no report of {first:%B %Y}. {held}.")
    expected = calendars.sessions(calendars.HOME, first, last)
    return Month(first, last, inside[-1], bool(expected) and inside[-1] < expected[-1])


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _written(day: date) -> str:
    return f"{day:%B %Y} ({day:%Y-%m})"


def read_report(con: duckdb.DuckDBPyConnection, month: Month, theme: str) -> Report:
    """Read and compute the report of a month; the connection sees nothing of later days from then on.

    Raises
    ------
    NothingToShow
        When no AI company has a price on both sides of the month's beginning.
    """
    only_until(con, month.through if month.running else month.last)
    moves = market.value_moves(con, month.first, month.last)
    changes = month_changes(moves, month.first, month.through)
    ai = changes[changes["is_ai"]].sort_values("change", ignore_index=True)
    if ai.empty:
        raise NothingToShow(f"No AI company has prices before and at the end of {month.name}.")
    own = moves[moves["is_ai"]]
    funds = _funds(con, month)
    league = _league(con)
    parts = [
        tables.moved(ai, month.name),
        tables.segments(by_segment(ai)),
        tables.days(_sessions(league, month)),
        tables.rows_of_the_league(_events(league, month), len(league.ranked) if league else 0),
        tables.records(_records(con, month)),
        tables.ranks(_ranks(con, month)),
        tables.signals(_signals(con, month)),
    ]
    sources = words.listed(market.price_sources(con, month.first, month.through))
    source = (
        f"Source: {sources}; share counts: company reports; own calculation on prices to the close of "
        f"{words.day(month.through)}"
    )
    lead = (
        f"What {len(ai)} AI companies did in {month.in_full}, on prices to the close of {words.day(month.through)}. "
        f"Nothing from after that day is in a figure.{_left_out(own, ai)}"
    )
    headline = _headline(ai, own, month)
    charts = _charts(con, month, ai, own, theme)
    return Report(
        month, headline, lead, _figures(ai, funds), charts, [part for part in parts if part], source
    )


def _left_out(own: pd.DataFrame, ai: pd.DataFrame) -> str:
    missing = own["ticker"].nunique() - int(own["ticker"].drop_duplicates().isin(ai["ticker"]).sum())
    if not missing:
        return ""
    return f" Left out: {missing} that {'have' if missing > 1 else 'has'} no price at its beginning or at its end."


def _headline(ai: pd.DataFrame, own: pd.DataFrame, month: Month) -> str:
    mean = float(ai["change"].mean())
    text = f"AI shares {_verb(mean)} {words.percent(abs(mean), plus=False)} on average in {month.in_full}"
    known = own.dropna(subset=["value_change"])
    if known.empty:
        return text
    top = known.loc[known["value_change"].abs().idxmax()]
    what = "lost" if top["value_change"] < 0 else "gained"
    day = top["date"]
    return (
        f"{text}; {top['name']} {what} {words.billions(abs(top['value_change']))} on {day.day} {day:%B}, the largest "
        "one-day move among them"
    )


def _verb(change: float) -> str:
    return "fell" if change < 0 else "rose"


def _figures(ai: pd.DataFrame, funds: pd.DataFrame) -> list[Figure]:
    fell, rose = int((ai["change"] < 0).sum()), int((ai["change"] > 0).sum())
    found = [
        Figure(
            "AI companies, on average",
            words.percent(float(ai["change"].mean()), 2),
            f"{rose} rose, {fell} fell",
            "Each company’s change from its last close before the month, with dividends, counted alike.",
        )
    ]
    for row in funds.itertuples():
        found.append(Figure(row.name, words.percent(row.change, 2), "the fund’s price with dividends", ""))
    known = ai.dropna(subset=["value_change"])
    if len(known):
        net = float(known["value_change"].sum())
        found.append(
            Figure(
                f"{'Lost' if net < 0 else 'Gained'} by AI companies",
                words.compact(abs(net)),
                f"market value on balance, {len(known)} companies",
                "The sum of the sessions’ changes in market value, each by the share count known on the day.",
            )
        )
    return found


def _funds(con: duckdb.DuckDBPyConnection, month: Month) -> pd.DataFrame:
    days = index_changes(con, list(FUNDS))
    days = days[days["date"] >= pd.Timestamp(month.first)]
    change = days["change"].add(1).groupby(days["ticker"]).prod() - 1
    return pd.DataFrame(
        {
            "name": [FUNDS[name] for name in FUNDS if name in change],
            "change": change.reindex(list(FUNDS)).dropna().values,
        }
    )


def _league(con: duckdb.DuckDBPyConnection) -> League | None:
    try:
        return read_league(con)
    except NothingToShow:
        return None


def _sessions(league: League | None, month: Month) -> pd.DataFrame:
    if league is None:
        return pd.DataFrame()
    days = league.days
    return days[days["date"] >= pd.Timestamp(month.first)]


def _events(league: League | None, month: Month) -> pd.DataFrame:
    """The month's rows of the league with their place among all that were in it by then."""
    if league is None:
        return pd.DataFrame()
    ranked = in_own_order(league.ranked)
    place = ranked["abnormal"].abs().rank(ascending=False, method="min")
    sources = {event.event_id: (event.source, event.source_url) for event in league.events}
    rows = in_own_order(league.table).assign(place=place)
    for column, name in enumerate(("source", "source_url")):
        rows[name] = [sources[event_id][column] for event_id in rows.index]
    return rows[rows["session"] >= pd.Timestamp(month.first)]


def _records(con: duckdb.DuckDBPyConnection, month: Month) -> pd.DataFrame:
    """The month's days among the ten largest losses, and gains, known at its end."""
    book = read_records(con)
    parts = []
    for falls in (True, False):
        ranked = book.ranked(falls=falls).head(BOOK)
        parts.append(ranked.assign(place=ranked.index, falls=falls))
    rows = pd.concat(parts, ignore_index=True)
    return rows[pd.to_datetime(rows["date"]) >= pd.Timestamp(month.first)]


def _ranks(con: duckdb.DuckDBPyConnection, month: Month) -> pd.DataFrame:
    rows = leaders(con, month.first, month.last)
    charts = [
        f"{rank_words.store_name(row.store)}, {rank_words.chart_name(row.chart)}, {country_name(row.country)}"
        for row in rows.itertuples()
    ]
    return rows.assign(words=charts)


def _signals(con: duckdb.DuckDBPyConnection, month: Month) -> pd.DataFrame:
    rows = signals(con, 1000)
    return rows[rows["session"] >= pd.Timestamp(month.first)].sort_values(["session", "signal_id"])


def _charts(
    con: duckdb.DuckDBPyConnection, month: Month, ai: pd.DataFrame, own: pd.DataFrame, theme: str
) -> list[Chart]:
    """The companies whose value changed most through the month, and who moved in its largest session."""
    size = ai["value_change"].abs().fillna(0)
    largest = tuple(ai.loc[size.nlargest(DRAWN).index, "ticker"])
    mean = own.groupby("date")["change"].mean()
    sessions = index_changes(con, [MARKET])["date"]
    before = sessions[sessions < pd.Timestamp(month.first)].max().date()
    day = mean.abs().idxmax().date().isoformat()
    asked = {
        "companies-compare": Request(
            day,
            (*largest, MARKET),
            before,
            month.through,
            theme,
            (("base", "start"),),
        ),
        "shock-losses": Request(day, theme=theme),
    }
    found = []
    for name, request in asked.items():
        try:
            found.append(CHARTS[name](con, request))
        except NothingToShow:
            continue
    return found
