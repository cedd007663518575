"""Reads the two forms of Apple's chart feed: the v2 feed of its marketing tools and the older iTunes RSS."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pandas as pd

from etl.network import Fault, FetchError

DEVICE = "iphone"
GENRES = {
    "business": "6000",
    "social": "6005",
    "productivity": "6007",
    "games": "6014",
    "finance": "6015",
    "entertainment": "6016",
    "shopping": "6024",
}
LEGACY_CHARTS = {
    "top-free": "topfreeapplications",
    "top-paid": "toppaidapplications",
    "top-grossing": "topgrossingapplications",
}
LEAST_OF_GENRE = 0.5
"""In a genre's chart most apps have it as their own; in the chart of all apps few do."""


@dataclass(frozen=True)
class Chart:
    """A chart in a country's store, such as ``top-free`` or ``top-free/productivity`` in ``us``."""

    country: str
    name: str

    @property
    def kind(self) -> str:
        """``top-free``, ``top-paid`` or ``top-grossing``."""
        return self.name.partition("/")[0]

    @property
    def genre(self) -> str:
        """The genre's name, or nothing for all apps."""
        return self.name.partition("/")[2]


@dataclass(frozen=True)
class Capture:
    """A chart as it was at ``updated``: entries from rank 1 on, with ``app_id``, ``app_name``, ``publisher``.

    ``country``, ``kind`` and ``genre`` are what the answer says of itself, as far as it does: ``genre`` is the number
    of one, ``""`` for all apps or None. ``genres`` holds the numbers of each entry's own genres.
    """

    updated: datetime | None
    country: str
    entries: pd.DataFrame
    kind: str = ""
    genre: str | None = None
    genres: tuple[frozenset[str], ...] = ()


def parse(text: str) -> Capture:
    """A feed in either form.

    Raises
    ------
    FetchError
        When the text is not such a feed, or one without entries.
    """
    try:
        feed = json.loads(text)["feed"]
        capture = _v2(feed) if "results" in feed else _legacy(feed)
    except json.JSONDecodeError:
        shape = "HTML" if text.lstrip()[:1] == "<" else "broken JSON"
        raise FetchError(Fault.SPOILED, f"Apple answered with {shape} instead of a feed") from None
    except (KeyError, TypeError, AttributeError, IndexError):
        raise FetchError(Fault.SPOILED, "Apple answered in an unknown form") from None
    if capture.entries.empty:
        raise FetchError(Fault.MISSING, "Apple's feed is empty")
    return capture


def check(capture: Capture, chart: Chart) -> None:
    """Whether an answer is the chart that was asked for.

    Apple's v2 feed ignores a genre, and the archive has feeds of one country under the address of another.

    Raises
    ------
    FetchError
        When it is of another country, of another kind or of another genre.
    """
    if capture.country and capture.country != chart.country:
        raise FetchError(Fault.SPOILED, f"Apple sent the chart of {capture.country[:20]!r}")
    if capture.kind and capture.kind != chart.kind:
        raise FetchError(
            Fault.SPOILED, f"Apple sent the chart {capture.kind[:20]!r} instead of {chart.kind!r}"
        )
    wanted = GENRES[chart.genre] if chart.genre else ""
    if capture.genre is not None and capture.genre != wanted:
        sent = f"of genre {capture.genre}" if capture.genre else "of all apps"
        raise FetchError(Fault.SPOILED, f"Apple sent the chart {sent} instead of {chart.name!r}")
    told = [genres for genres in capture.genres if genres]
    if wanted and told and sum(wanted in genres for genres in told) < LEAST_OF_GENRE * len(told):
        raise FetchError(Fault.SPOILED, f"Apple sent apps of other genres instead of {chart.name!r}")


def _v2(feed: dict[str, Any]) -> Capture:
    listed = feed["results"]
    entries = [(one.get("id"), one.get("name"), one.get("artistName")) for one in listed]
    own = [str(feed.get("id", "")), *(str(link.get("self", "")) for link in feed.get("links", []))]
    kind = next((kind for kind in LEGACY_CHARTS if any(f"/{kind}/" in address for address in own)), "")
    genres = tuple(
        frozenset(str(genre.get("genreId") or genre.get("id") or "") for genre in one.get("genres") or [])
        for one in listed
    )
    country = str(feed.get("country", "")).lower()
    return Capture(_moment(feed.get("updated")), country, ranked(entries), kind, "", genres)


def _legacy(feed: dict[str, Any]) -> Capture:
    entry = feed.get("entry", [])
    listed = entry if isinstance(entry, list) else [entry]
    entries = [
        (
            one.get("id", {}).get("attributes", {}).get("im:id"),
            one.get("im:name", {}).get("label"),
            one.get("im:artist", {}).get("label"),
        )
        for one in listed
    ]
    genres = tuple(
        frozenset(filter(None, [one.get("category", {}).get("attributes", {}).get("im:id")]))
        for one in listed
    )
    own = [_address(link) for link in [feed.get("id", {}), *_as_list(feed.get("link"))]]
    named = [address for address in own if "applications" in address.lower()]
    kind = next(
        (kind for kind, name in LEGACY_CHARTS.items() if any(name in address for address in named)), ""
    )
    found = re.search(r"genre=(\d+)", " ".join(named))
    genre = (found[1] if found else "") if named else None
    country = _country([*own, *(_address(link) for one in listed for link in _as_list(one.get("link")))])
    return Capture(
        _moment(feed.get("updated", {}).get("label")), country, ranked(entries), kind, genre, genres
    )


def _as_list(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else [value] if value else []


def _address(link: dict[str, Any]) -> str:
    return str(link.get("label") or link.get("attributes", {}).get("href", ""))


def _country(addresses: list[str]) -> str:
    """The country that the first of Apple's addresses with one names; of the apps' own, the most frequent."""
    named = [found for address in addresses if (found := country_of(address))]
    feeds = [found for address in addresses if "/rss/" in address and (found := country_of(address))]
    return feeds[0] if feeds else Counter(named).most_common(1)[0][0] if named else ""


def country_of(address: str) -> str:
    """The country in the path of one of Apple's addresses, or nothing."""
    found = re.match(r"https?://(?:itunes|apps)\.apple\.com/([a-zA-Z]{2})/", address)
    return found[1].lower() if found else ""


def ranked(entries: list[tuple[Any, Any, Any]]) -> pd.DataFrame:
    """Entries (id, name, publisher) in the order of their rank, as a frame with ``rank`` from 1 on."""
    frame = pd.DataFrame(entries, columns=["app_id", "app_name", "publisher"], dtype=object)
    frame = frame.map(_clean)
    frame.insert(0, "rank", range(1, len(frame) + 1))
    return frame


def _clean(value: Any) -> str | None:
    """The text without control characters and halves of characters; markup stays what it is, text."""
    text = "" if value is None else str(value)
    return "".join(sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cs")).strip() or None


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
    return moment if moment.tzinfo else None
