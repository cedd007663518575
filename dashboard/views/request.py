"""What can be asked of a chart, whatever the chart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import duckdb

from dashboard.charts.chart import Chart
from dashboard.data.events import Event
from dashboard.data.naming import UnknownName, event_named, resolve, tickers_named
from etl.errors import ProductError

DEFAULT_EVENT = "deepseek-selloff"


class NothingToShow(ProductError):
    """The warehouse has nothing for what was asked; the message says so to any reader."""


@dataclass(frozen=True)
class Request:
    """The parameters of a chart; each chart heeds those that mean something to it.

    `tickers` are the companies to show or to draw in colour (none: the chart's own choice); `start` and `end` are
    the first and last day (none: the chart's own); `options` are further settings by name, as text.
    """

    event_id: str = DEFAULT_EVENT
    tickers: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    theme: str = "light"
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Heeds:
    """Which parameters mean something to a chart, beside the theme.

    `tickers`: "company" where they name companies, "app" where apps, "" where they change nothing; `options`: the
    settings by name, with the values of each (none listed: whatever the data hold).
    """

    event: bool = True
    tickers: str = "company"
    days: bool = False
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


Maker = Callable[[duckdb.DuckDBPyConnection, Request], Chart]


def named(con: duckdb.DuckDBPyConnection, request: Request, heeds: Heeds) -> Request:
    """The request with its event, companies and settings as the warehouse calls them.

    Raises
    ------
    NothingToShow
        When one of them is not known; the message says which is nearest.
    """
    try:
        if heeds.event:
            event_named(con, request.event_id)
        tickers = tickers_named(con, request.tickers) if heeds.tickers == "company" else request.tickers
        options = tuple(_option(name, value, heeds) for name, value in request.options)
    except UnknownName as unknown:
        raise NothingToShow(str(unknown)) from None
    return replace(request, tickers=tickers, options=options)


def _option(name: str, value: str, heeds: Heeds) -> tuple[str, str]:
    known = resolve("option", name, heeds.options, "" if heeds.options else "this chart has none")
    values = heeds.options[known]
    return known, resolve(known, value, values) if values else value


def asked_event(con: duckdb.DuckDBPyConnection, wanted: str) -> Event:
    """The event, or the session of a day, that is asked for.

    Raises
    ------
    NothingToShow
        When there is none of that name.
    """
    try:
        return event_named(con, wanted)
    except UnknownName as unknown:
        raise NothingToShow(str(unknown)) from None


def heeding(make: Maker, heeds: Heeds) -> Maker:
    """A maker that refuses what it does not know by name."""

    def checked(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
        return make(con, named(con, request, heeds))

    return checked
