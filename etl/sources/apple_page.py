"""Reads a saved chart page of apps.apple.com: its embedded JSON, or else its list."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bs4 import BeautifulSoup, Tag

from etl.network import Fault, FetchError
from etl.sources.apple_feed import GENRES, Capture, Chart, country_of, ranked

LATEST_STAMP = 4_102_444_800_000  # of the year 2100, in milliseconds
Entry = tuple[int, str | None, str | None, str | None]
"""Rank, id, name, publisher."""
_APP = re.compile(r"/id(\d+)")
_LISTS = (
    (".chart li", ".we-lockup__rank", ".we-lockup__title", ".we-lockup__subtitle"),  # until autumn 2025
    (".shelf .grid li", ".ordinal", "h3", "h4"),  # from November 2025
)


@dataclass(frozen=True)
class _Found:
    """A chart in a page's JSON: its entries, its country, and the moment it was made at."""

    entries: list[Entry]
    country: str
    made_at: datetime | None


def parse_page(text: str, chart: Chart) -> Capture:
    """The entries of ``chart`` in a saved page, which may hold other charts too.

    Raises
    ------
    FetchError
        When the page does not hold that chart, or holds several lists that cannot be told apart.
    """
    page = BeautifulSoup(text, "html.parser")
    found = _embedded(page, chart)
    entries = found.entries if found else list(_listed(page))
    if not entries:
        raise FetchError(Fault.SPOILED, f"the page holds no chart {chart.name}")
    if len({rank for rank, *_ in entries}) < len(entries):
        raise FetchError(Fault.SPOILED, f"the page holds several lists, and none is named {chart.name}")
    frame = ranked([entry[1:] for entry in entries])
    frame["rank"] = [entry[0] for entry in entries]
    own, genre = _own_address(page)
    country = (found.country if found else "") or own
    return Capture(found.made_at if found else None, country, frame, genre=None if found else genre)


def _embedded(page: BeautifulSoup, chart: Chart) -> _Found | None:
    """The chart in the JSON of the page: of those for its genre the first with entries."""
    genre = int(GENRES[chart.genre]) if chart.genre else 36
    for script in page.find_all("script"):
        for found, key, made_at in _charts(_decoded(script.get_text())):
            if found.get("chart") != chart.kind:
                continue
            entries = []
            for place, app in enumerate(found["data"], start=1):
                about = app.get("attributes", {})
                position = about.get("chartPositions", {}).get("appStore", {})
                if position.get("genre", genre) == genre:
                    rank = position.get("position", place)
                    entries.append((rank, app.get("id"), about.get("name"), about.get("artistName")))
            if entries:
                catalog = re.search(r"\.catalog\.([a-z]{2})\.", key)
                return _Found(entries, catalog[1] if catalog else "", made_at)
    return None


def _own_address(page: BeautifulSoup) -> tuple[str, str | None]:
    """The country and the genre of the page's own address; else the country of most of its apps."""
    links = [
        str(tag.get("href") or tag.get("content"))
        for tag in page.select('link[rel="canonical"], meta[property="og:url"]')
    ]
    for link in links:
        found = re.match(r"https?://apps\.apple\.com/([a-z]{2})/charts/\w+(?:/[^/?]+/(\d+))?", link)
        if found:
            return found[1], {None: None, "36": ""}.get(found[2], found[2])
    countries = Counter(filter(None, (country_of(str(tag["href"])) for tag in page.select("a[href]"))))
    return (countries.most_common(1)[0][0] if countries else ""), None


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def _charts(
    value: Any, key: str = "", made_at: datetime | None = None
) -> Iterator[tuple[dict[str, Any], str, datetime | None]]:
    """Every chart in the JSON, whose values may be JSON in turn, with its key and the stamp ``x`` beside it."""
    if isinstance(value, str) and value.startswith("{"):
        yield from _charts(_decoded(value), key, made_at)
    elif isinstance(value, list):
        for one in value:
            yield from _charts(one, key, made_at)
    elif isinstance(value, dict):
        if isinstance(value.get("data"), list) and "chart" in value:
            yield value, key, made_at
            return
        if isinstance(value.get("x"), int) and 0 < value["x"] < LATEST_STAMP:
            made_at = datetime.fromtimestamp(value["x"] / 1000, UTC)
        for name, one in value.items():
            yield from _charts(one, name if "catalog" in name else key, made_at)


def _listed(page: BeautifulSoup) -> Iterator[Entry]:
    for items, rank, title, subtitle in _LISTS:
        found = page.select(items)
        for place, item in enumerate(found, start=1):
            link = item.select_one("a[href]") if item.name != "a" else item
            app = _APP.search(str(link["href"])) if link else None
            number = re.sub(r"\D", "", _text(item, rank))
            name = _text(item, title) or None
            yield int(number or place), app and app[1], name, _text(item, subtitle) or None
        if found:
            return


def _text(item: Tag, selector: str) -> str:
    found = item.select_one(selector)
    return found.get_text(" ", strip=True) if found else ""
