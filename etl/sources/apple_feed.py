"""Reads the two forms of Apple's chart feed: the v2 feed of its marketing tools and the older iTunes RSS."""

from __future__ import annotations

import json
import unicodedata
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
    """A chart as it was at ``updated``: entries from rank 1 on, with ``app_id``, ``app_name``, ``publisher``."""

    updated: datetime | None
    country: str
    entries: pd.DataFrame


def parse(text: str) -> Capture:
    """A feed in either form.

    Raises
    ------
    FetchError
        When the text is no such feed, or one without entries.
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


def _v2(feed: dict[str, Any]) -> Capture:
    entries = [(one.get("id"), one.get("name"), one.get("artistName")) for one in feed["results"]]
    return Capture(_moment(feed.get("updated")), str(feed.get("country", "")).lower(), ranked(entries))


def _legacy(feed: dict[str, Any]) -> Capture:
    listed = feed.get("entry", [])
    entries = [
        (
            one.get("id", {}).get("attributes", {}).get("im:id"),
            one.get("im:name", {}).get("label"),
            one.get("im:artist", {}).get("label"),
        )
        for one in (listed if isinstance(listed, list) else [listed])
    ]
    return Capture(_moment(feed.get("updated", {}).get("label")), _legacy_country(feed), ranked(entries))


def _legacy_country(feed: dict[str, Any]) -> str:
    links = feed.get("link", [])
    for link in [feed.get("id", {}), *(links if isinstance(links, list) else [links])]:
        address = link.get("label") or link.get("attributes", {}).get("href", "")
        parts = str(address).split("/")
        if len(parts) > 4 and parts[2].endswith("apple.com") and len(parts[3]) == 2:
            return parts[3].lower()
    return ""


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
