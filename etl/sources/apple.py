"""Charts of Apple's App Store, from its public feeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import httpx
import pandas as pd

from etl.network import (
    ConfigurationError,
    Fault,
    FetchError,
    explain,
    explain_status,
    retrying,
    share_authorities,
)
from etl.settings import settings
from etl.sources.apple_feed import DEVICE, GENRES, LEGACY_CHARTS, Capture, Chart, parse
from etl.sources.base import Batch, Request, Task

V2_HOSTS = ("rss.marketingtools.apple.com", "rss.applemarketingtools.com")
LEGACY_HOST = "itunes.apple.com"
STALE = timedelta(hours=36)
SKEW = timedelta(minutes=10)


class AppleCharts:
    """The charts that ``AIMI_RANKING_COUNTRIES`` and ``AIMI_RANKING_CHARTS`` name, as captures of a moment."""

    name = "apple"
    tables = ("ranking_capture", "app_ranking")
    patience = 3

    def __init__(self) -> None:
        """Open a client that keeps to Apple's hosts."""
        share_authorities()
        self._client = httpx.Client(
            timeout=settings().timeout,
            follow_redirects=True,
            headers={"User-Agent": "ai-market-impact", "Accept": "application/json"},
            event_hooks={"request": [_keep_to_apple]},
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
        charts = chosen_charts()
        return [Task(f"{chart.country} {chart.name}", detail=chart) for chart in charts]

    def fetch(self, task: Task) -> Batch:
        """The chart as it stands, from the first of the feeds that has it."""
        failures: list[FetchError] = []
        for address in _addresses(task.detail):
            try:
                capture = self._capture(address, task.detail)
            except FetchError as error:
                failures.append(error)
                continue
            notes = [f"{error} (another feed was used)" for error in failures]
            return _batch(task.detail, capture, address, notes)
        raise failures[0]

    def follow_up(self, con: duckdb.DuckDBPyConnection, tasks: dict[Task, Batch]) -> list[Task]:
        """None: a chart comes whole."""
        return []

    def _capture(self, address: str, chart: Chart) -> Capture:
        try:
            answer = retrying(lambda: self._client.get(address))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise explain(error, "Apple") from error
        if answer.status_code >= 400:
            raise explain_status(answer.status_code, "Apple")
        capture = parse(answer.text)
        if capture.country and capture.country != chart.country:
            raise FetchError(Fault.SPOILED, f"Apple sent the chart of {capture.country[:20]!r}")
        return capture


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
            raise ConfigurationError(f"AIMI_RANKING_COUNTRIES: {chart.country!r} is no two-letter country")
        if chart.kind not in LEGACY_CHARTS or (chart.genre and chart.genre not in GENRES):
            known = f"{', '.join(LEGACY_CHARTS)}, each also with /{', /'.join(GENRES)}"
            raise ConfigurationError(f"AIMI_RANKING_CHARTS: {chart.name!r} is none of {known}")
    return charts


def _addresses(chart: Chart) -> Iterator[str]:
    depth = settings().ranking_depth
    if not chart.genre and chart.kind != "top-grossing":
        for host in V2_HOSTS:
            yield f"https://{host}/api/v2/{chart.country}/apps/{chart.kind}/{depth}/apps.json"
    genre = f"/genre={GENRES[chart.genre]}" if chart.genre else ""
    yield f"https://{LEGACY_HOST}/{chart.country}/rss/{LEGACY_CHARTS[chart.kind]}/limit={depth}{genre}/json"


def _batch(chart: Chart, capture: Capture, address: str, notes: list[str]) -> Batch:
    captured_at, remark = _captured_at(capture, datetime.now(UTC))
    count, asked = len(capture.entries), settings().ranking_depth
    if count < asked:
        notes = [*notes, f"{count} entries of the {asked} asked for"]
    return Batch(
        chart_rows(chart, capture.entries, captured_at, AppleCharts.name, address), count, notes + remark
    )


def chart_rows(
    chart: Chart, entries: pd.DataFrame, captured_at: datetime, source: str, address: str
) -> dict[str, pd.DataFrame]:
    """The entries of a capture as rows of ``ranking_capture`` and ``app_ranking``."""
    common = {
        "captured_at": captured_at,
        "store": "apple",
        "country": chart.country,
        "chart": chart.name,
        "device": DEVICE,
        "evidence": "measured",
        "source": source,
        "source_url": address,
    }
    return {
        "ranking_capture": pd.DataFrame([{**common, "depth": int(entries["rank"].max())}]),
        "app_ranking": entries.assign(**common),
    }


def _captured_at(capture: Capture, now: datetime) -> tuple[datetime, list[str]]:
    """The moment of the feed's own stamp, unless it has none or one that has not come yet."""
    if capture.updated is None:
        return now, ["the feed has no time of its own; the time of the request is kept"]
    if capture.updated > now + SKEW:
        return now, [
            f"the feed is stamped {capture.updated:%Y-%m-%d %H:%M%z}, in the future: is the clock right?"
        ]
    age = now - capture.updated
    return capture.updated.astimezone(UTC), (
        [f"the feed was last updated {age.days} days ago"] if age > STALE else []
    )


def _keep_to_apple(request: httpx.Request) -> None:
    host = request.url.host
    if not (host.endswith((".apple.com", ".applemarketingtools.com"))):
        raise FetchError(Fault.SPOILED, f"Apple sent us to another host, {host[:100]}")
