"""What the charts of all app stores share: which ones are wanted, who asks for them, and their rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import duckdb
import httpx
import pandas as pd

from etl.errors import ConfigurationError
from etl.network import share_authorities
from etl.product import SLUG, variable
from etl.settings import settings
from etl.sources.apple_feed import DEVICE, GENRES, LEGACY_CHARTS, Chart
from etl.sources.base import Batch, Request, Task


class StoreCharts:
    """The charts that the settings `ranking_countries` and `ranking_charts` name, as captures of a moment."""

    tables = ("ranking_capture", "app_ranking")
    patience = 3

    def __init__(self, refuse: Callable[[httpx.Request], None]) -> None:
        """Open a client that follows redirects, unless ``refuse`` raises a fault for where they lead."""
        share_authorities()
        self._client = httpx.Client(
            timeout=settings().timeout,
            follow_redirects=True,
            headers={"User-Agent": SLUG, "Accept": "application/json"},
            event_hooks={"request": [refuse]},
        )

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def plan(self, con: duckdb.DuckDBPyConnection | None, request: Request) -> list[Task]:
        """One task for each country and chart.

        Raises
        ------
        ConfigurationError
            When a country or chart is none.
        """
        return [Task(f"{chart.country} {chart.name}", detail=chart) for chart in chosen_charts()]

    def follow_up(self, con: duckdb.DuckDBPyConnection, tasks: dict[Task, Batch]) -> list[Task]:
        """None: a chart comes whole."""
        return []


def chosen_charts() -> list[Chart]:
    """The charts that the settings name.

    Raises
    ------
    ConfigurationError
        When a country or chart is none.
    """
    options = settings()
    charts = [
        Chart(country, name) for country in options.ranking_countries for name in options.ranking_charts
    ]
    for chart in charts:
        if not re.fullmatch("[a-z]{2}", chart.country):
            raise ConfigurationError(
                f"{variable('ranking_countries')}: {chart.country!r} is not a two-letter country"
            )
        if chart.kind not in LEGACY_CHARTS or (chart.genre and chart.genre not in GENRES):
            known = f"{', '.join(LEGACY_CHARTS)}, each also with /{', /'.join(GENRES)}"
            raise ConfigurationError(f"{variable('ranking_charts')}: {chart.name!r} is none of {known}")
    return charts


def depth(ranks: pd.Series) -> int | None:
    """How many entries a capture holds when it holds every rank from 1 on; else None: an absent app tells nothing."""
    return len(ranks) if sorted(ranks) == list(range(1, len(ranks) + 1)) else None


def chart_rows(
    chart: Chart,
    entries: pd.DataFrame,
    captured_at: datetime,
    source: str,
    address: str,
    *,
    store: str = "apple",
    device: str = DEVICE,
) -> dict[str, pd.DataFrame]:
    """The entries of a capture as rows of ``ranking_capture`` and ``app_ranking``."""
    common = {
        "captured_at": captured_at,
        "store": store,
        "country": chart.country,
        "chart": chart.name,
        "device": device,
        "evidence": "measured",
        "source": source,
        "source_url": address,
    }
    return {
        "ranking_capture": pd.DataFrame([{**common, "depth": depth(entries["rank"])}]),
        "app_ranking": entries.assign(**common),
    }
