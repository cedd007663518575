"""Reads a saved chart page of apps.apple.com: its embedded JSON, or else its list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup, Tag

from etl.network import Fault, FetchError
from etl.sources.apple_feed import GENRES, Capture, Chart, ranked

_APP = re.compile(r"/id(\d+)")
_LISTS = (
    (".chart li", ".we-lockup__rank", ".we-lockup__title", ".we-lockup__subtitle"),  # until autumn 2025
    (".shelf .grid li", ".ordinal", "h3", "h4"),  # from November 2025
)


def parse_page(text: str, chart: Chart) -> Capture:
    """The entries of ``chart`` in a saved page, which may hold other charts too.

    Raises
    ------
    FetchError
        When the page does not hold that chart.
    """
    page = BeautifulSoup(text, "html.parser")
    entries = list(_embedded(page, chart)) or list(_listed(page))
    if not entries:
        raise FetchError(Fault.SPOILED, f"the page holds no chart {chart.name}")
    frame = ranked([entry[1:] for entry in entries])
    frame["rank"] = [entry[0] for entry in entries]
    return Capture(None, chart.country, frame)


Entry = tuple[int, str | None, str | None, str | None]
"""Rank, id, name, publisher."""


def _embedded(page: BeautifulSoup, chart: Chart) -> Iterator[Entry]:
    genre = int(GENRES[chart.genre]) if chart.genre else 36
    for script in page.find_all("script"):
        for found in _charts(_decoded(script.get_text())):
            if found.get("chart") != chart.kind:
                continue
            for place, app in enumerate(found["data"], start=1):
                about = app.get("attributes", {})
                position = about.get("chartPositions", {}).get("appStore", {})
                if position.get("genre", genre) == genre:
                    yield (
                        position.get("position", place),
                        app.get("id"),
                        about.get("name"),
                        about.get("artistName"),
                    )


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def _charts(value: Any) -> Iterator[dict[str, Any]]:
    """Every chart in the JSON, whose values may be JSON in turn."""
    if isinstance(value, str) and value.startswith("{"):
        yield from _charts(_decoded(value))
    elif isinstance(value, list):
        for one in value:
            yield from _charts(one)
    elif isinstance(value, dict):
        if isinstance(value.get("data"), list) and "chart" in value:
            yield value
            return
        for one in value.values():
            yield from _charts(one)


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
