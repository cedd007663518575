"""What can be asked of a chart, whatever the chart."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import duckdb

from dashboard.charts.chart import Chart

DEFAULT_EVENT = "deepseek-selloff"


class NothingToShow(Exception):
    """The warehouse has nothing for what was asked; the message says so and names the next step."""


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


Maker = Callable[[duckdb.DuckDBPyConnection, Request], Chart]
