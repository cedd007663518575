"""Charts of Apple's App Store, from its public feeds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx

from etl.network import Fault, FetchError, explain, explain_status, retrying
from etl.settings import settings
from etl.sources.apple_feed import GENRES, LEGACY_CHARTS, Capture, Chart, check, parse
from etl.sources.base import Batch, Task
from etl.sources.charts import StoreCharts, chart_rows

V2_HOSTS = ("rss.marketingtools.apple.com", "rss.applemarketingtools.com")
LEGACY_HOST = "itunes.apple.com"
STALE = timedelta(hours=36)
SKEW = timedelta(minutes=10)


class AppleCharts(StoreCharts):
    """The charts of Apple's App Store."""

    name = "apple"

    def __init__(self) -> None:
        """Open a client that keeps to Apple's hosts."""
        super().__init__(_refuse_others)

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

    def _capture(self, address: str, chart: Chart) -> Capture:
        try:
            answer = retrying(lambda: self._client.get(address))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise explain(error, "Apple") from error
        if answer.status_code >= 400:
            raise explain_status(answer.status_code, "Apple")
        capture = parse(answer.text)
        check(capture, chart)
        return capture


def _addresses(chart: Chart) -> Iterator[str]:
    """The feeds that have the chart; the v2 feed ignores a genre, and has no top-grossing chart."""
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


def _refuse_others(request: httpx.Request) -> None:
    host = request.url.host
    if not (host.endswith((".apple.com", ".applemarketingtools.com"))):
        raise FetchError(Fault.SPOILED, f"Apple sent us to another host, {host[:100]}")
