"""The companies' page: any set compared, and one in detail, by the names that pages and exports use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pandas as pd

from dashboard.analysis.comparison import MEASURES, by_week, measured
from dashboard.analysis.periods import is_long, period
from dashboard.analysis.recovery import recoveries
from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.company import candles, worst_days
from dashboard.charts.company_recovery import company_recovery
from dashboard.charts.comparison import LOG_MEASURES, Comparison, comparison
from dashboard.data import companies as data
from dashboard.data import market
from dashboard.data.events import Event, events
from dashboard.views.request import Heeds, Maker, NothingToShow, Request, asked_event

DEFAULT_COMPANIES = ("NVDA", "AVGO", "TSM", "MSFT", "META", "IBM", "QQQ")
DEFAULT_COMPANY = "NVDA"
MOST_COMPANIES = 10
WORST_DAYS = 10
BEFORE = timedelta(days=14)
SESSIONS_AFTER_RECOVERY = 10
EXCHANGES = {
    "XNAS": "Nasdaq",
    "XNYS": "New York Stock Exchange",
    "ARCX": "NYSE Arca",
    "XKRX": "Korea Exchange",
    "XTKS": "Tokyo Stock Exchange",
    "XHKG": "Hong Kong Stock Exchange",
}


@dataclass(frozen=True)
class Asked:
    """What a request comes to in a state of the warehouse: event, companies that have prices, and days.

    `held` has the rows of `dashboard.data.companies.coverage` of the companies asked for, in the order of asking;
    `without` names those that have no prices yet.
    """

    event: Event
    held: pd.DataFrame
    without: tuple[str, ...]
    start: date
    end: date

    @property
    def tickers(self) -> list[str]:
        """The tickers that have prices."""
        return [str(ticker) for ticker in self.held["ticker"]]


def _asked(con: duckdb.DuckDBPyConnection, request: Request, default: Sequence[str]) -> Asked:
    event = asked_event(con, request.event_id)
    covered = data.coverage(con, [*request.tickers, *default]).set_index("ticker", drop=False)
    wanted = [ticker for ticker in dict.fromkeys(request.tickers) if ticker in covered.index]
    wanted = (wanted or [ticker for ticker in default if ticker in covered.index])[:MOST_COMPANIES]
    rows = covered.loc[wanted]
    held = rows[rows["sessions"] > 0]
    without = tuple(rows.loc[rows["sessions"] == 0, "name"])
    if held.empty:
        raise no_prices(list(without))
    first, last = held["first"].min().date(), held["last"].max().date()
    start, end = period("event", first, last, event.market_session)
    start, end = request.start or start, request.end or end
    start, end = max(min(start, end), first), min(max(start, end), last)
    if start >= end:
        raise NothingToShow(
            f"The prices of {words.listed(list(held['name']))} reach from {words.day(first)} to {words.day(last)}: "
            "choose days in that time.",
            "`python -m etl refresh --since` brings in others.",
        )
    return Asked(event, held, without, start, end)


def _marks(con: duckdb.DuckDBPyConnection, asked: Asked) -> list[Event]:
    """All events, with the day that was asked for where that is none of them."""
    known = events(con)
    return known if asked.event in known else sorted([*known, asked.event], key=lambda one: one.occurred_at)


def no_prices(names: list[str]) -> NothingToShow:
    """What to say and do about companies without prices."""
    who = words.listed(names) if names else "these companies"
    return NothingToShow(f"There are no prices of {who} yet.", "`python -m etl refresh` brings them in.")


def profile(company: pd.Series) -> str:
    """A company's segment and exchange, and how far its prices reach; a row of the coverage that has prices."""
    exchange = EXCHANGES.get(company["exchange"], company["exchange"])
    first, last = (words.day(company[edge].date(), weekday=False) for edge in ("first", "last"))
    count = words.number(company["sessions"])
    return f"{company['segment']} · {exchange} · {count} sessions in the data, {first} to {last}"


def _source(con: duckdb.DuckDBPyConnection, asked: Asked, last: pd.Timestamp) -> str:
    named = words.listed(data.sources(con, asked.tickers, asked.start, asked.end))
    return f"Source: {named}; prices to the close of {words.day(last.date())}"


def _compare(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
    options = dict(request.options)
    measure = options.get("measure", "rebased")
    asked = _asked(con, request, DEFAULT_COMPANIES)
    weekly = is_long(asked.start, asked.end)
    paths = data.paths(
        con, asked.tickers, asked.start, asked.end, weekly=weekly, lowest=weekly and measure == "drawdown"
    )
    session = asked.event.market_session
    around = asked.start < session <= asked.end and options.get("base") != "start"
    own = {row.ticker: asked.event.session_on(row.exchange) for row in asked.held.itertuples()}
    bases = data.bases(con, asked.tickers, asked.start, asked.end, own if around else None)
    values = measured(paths, measure, bases)
    if values.empty:
        raise NothingToShow(
            f"The data hold no {measure} of {words.listed(list(asked.held['name']))} between "
            f"{words.day(asked.start)} and {words.day(asked.end)}: choose other days or another measure."
        )
    shown = Comparison(
        values=values,
        companies=asked.held[["ticker", "name", "role", "exchange"]],
        measure=measure,
        start=asked.start,
        end=asked.end,
        weekly=weekly,
        log=options.get("log") == "true" and measure in LOG_MEASURES,
        base_days={ticker: day.date() for ticker, day in bases["date"].items()}
        if measure == "rebased"
        else {},
    )
    note = _missing(asked, shown)
    source = _source(con, asked, values["date"].max())
    return comparison(shown, _marks(con, asked), asked.event, source, note, request.theme)


def _missing(asked: Asked, shown: Comparison) -> str:
    """Which companies are not drawn, or not all the way, and why."""
    drawn = set(shown.values["ticker"])
    absent = [name for ticker, name in shown.names().items() if ticker not in drawn]
    parts = [f"No prices yet: {words.listed(list(asked.without))}."] if asked.without else []
    if absent:
        what = {
            "rebased": "price on which to rebase",
            "volume": "volume",
            "volatility": "21 sessions in a row",
        }
        parts.append(f"No {what.get(shown.measure, 'price')} in this time: {words.listed(absent)}.")
    if shown.measure == "volume":
        first, last = shown.values["date"].min().date(), shown.values["date"].max().date()
        if (first - asked.start).days > 10 or (asked.end - last).days > 10:
            parts.append(f"Volume is in the data from {words.day(first)} to {words.day(last)} only.")
    bases = sorted(shown.base_days.values())
    if bases and bases[0] != bases[-1]:
        parts.append(
            f"Each company’s own session is 100, from {words.day(bases[0])} to {words.day(bases[-1])}."
        )
    return " ".join(parts)


def _candles(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
    asked = _asked(con, request, (DEFAULT_COMPANY,))
    row = asked.held.iloc[0]
    weekly = is_long(asked.start, asked.end)
    bars = data.bars(con, row["ticker"], asked.start, asked.end, weekly=weekly)
    if bars.empty:
        raise NothingToShow(
            f"{row['name']} has no session between {words.day(asked.start)} and {words.day(asked.end)}: "
            "choose more days."
        )
    return candles(
        bars,
        row["name"],
        row["ticker"],
        row["currency"],
        row["exchange"],
        _marks(con, asked),
        asked.event,
        _source(con, asked, bars["date"].max()),
        weekly=weekly,
        theme=request.theme,
    )


def _whole(request: Request) -> Request:
    """The request for all days in the data."""
    return Request(request.event_id, request.tickers, date.min, date.max, request.theme, request.options)


def _worst_days(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
    asked = _asked(con, _whole(request), (DEFAULT_COMPANY,))
    row = asked.held.iloc[0]
    session = asked.event.session_on(row["exchange"])
    days = data.worst_days(con, row["ticker"], session, WORST_DAYS)
    if days.empty:
        raise NothingToShow(f"{row['name']} has a single session in the data: a fall needs two.")
    source = _source(con, asked, row["last"])
    return worst_days(days, row["name"], asked.event, row["last"].date(), source, request.theme)


def _recovery(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
    asked = _asked(con, _whole(request), (DEFAULT_COMPANY,))
    row = asked.held.iloc[0]
    session = asked.event.session_on(row["exchange"])
    prices = market.daily_prices(con, max(session - BEFORE, asked.start), asked.end, [row["ticker"]])
    base = prices[prices["date"] < pd.Timestamp(session)].tail(1)
    after = prices[prices["date"] >= pd.Timestamp(session)]
    if base.empty or after.empty:
        raise NothingToShow(
            f"{row['name']} has no prices on both sides of {words.day(session)}: choose another event."
        )
    table = recoveries(prices, session)
    found = None if table.empty else table.iloc[0]
    path = pd.concat([base, _until_back(after, found)])
    path = path.assign(change=path["adj_close"] / float(base["adj_close"].iloc[0]) - 1)
    weekly = is_long(path["date"].iloc[0].date(), path["date"].iloc[-1].date())
    return company_recovery(
        pd.concat([path.head(1), by_week(path.iloc[1:])]) if weekly else path,
        found,
        row["name"],
        row["exchange"],
        _source(con, asked, path["date"].iloc[-1]),
        weekly=weekly,
        theme=request.theme,
    )


def _until_back(after: pd.DataFrame, found: pd.Series | None) -> pd.DataFrame:
    """The sessions up to two weeks behind the recovery, at least four weeks; all where there is none yet."""
    if found is not None and pd.isna(found["sessions"]):
        return after
    count = 1 if found is None else int(found["sessions"])
    return after.head(max(count + SESSIONS_AFTER_RECOVERY, 20))


CHARTS: dict[str, Maker] = {
    "companies-compare": _compare,
    "company-candles": _candles,
    "company-worst-days": _worst_days,
    "company-recovery": _recovery,
}

HEEDS: dict[str, Heeds] = {
    "companies-compare": Heeds(
        days=True,
        options={"measure": tuple(MEASURES), "base": ("event", "start"), "log": ("true", "false")},
    ),
    "company-candles": Heeds(days=True),
    "company-worst-days": Heeds(),
    "company-recovery": Heeds(),
}
