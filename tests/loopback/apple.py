"""Apple's chart feeds, v2 and the older RSS, on the loopback."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from tests.loopback.world import Asked, Reply

App = tuple[str, str, str]
"""Id, name and publisher."""


def apps(count: int) -> list[App]:
    first: list[App] = [
        ("6737597349", "DeepSeek - AI Assistant", "DeepSeek"),
        ("6448311069", "ChatGPT", "OpenAI"),
    ]
    return (first + [(str(1000 + n), f"App {n}", f"Publisher {n}") for n in range(count)])[:count]


class Apple:
    """The site; change ``chart`` and ``updated`` to change what it shows."""

    hosts = ("rss.marketingtools.apple.com", "rss.applemarketingtools.com", "itunes.apple.com")

    def __init__(self, chart: list[App] | None = None) -> None:
        self.chart = apps(100) if chart is None else chart
        self.updated = datetime.now(UTC).replace(microsecond=0)

    def reply(self, asked: Asked) -> Reply:
        country = asked.path.split("/")[3 if asked.path.startswith("/api/") else 1]
        genre = asked.path.partition("/genre=")[2].partition("/")[0]
        feed = self.v2(country) if asked.path.startswith("/api/v2/") else self.legacy(country, genre)
        return Reply(json.dumps({"feed": feed}).encode(), headers={"Content-Type": "application/json"})

    def v2(self, country: str) -> dict[str, Any]:
        return {
            "title": "Top Free Apps",
            "country": country,
            "updated": format_datetime(self.updated),
            "results": [
                {"id": app, "name": name, "artistName": publisher, "kind": "apps", "genres": []}
                for app, name, publisher in self.chart
            ],
        }

    def legacy(self, country: str, genre: str = "") -> dict[str, Any]:
        own = f"https://itunes.apple.com/{country}/rss/topfreeapplications/limit=100"
        of_genre = {"category": {"attributes": {"im:id": genre}}} if genre else {}
        return {
            "updated": {"label": self.updated.isoformat()},
            "id": {"label": f"{own}/genre={genre}/json" if genre else f"{own}/json"},
            "entry": [
                {
                    "im:name": {"label": name},
                    "im:artist": {"label": publisher},
                    "id": {"label": "", "attributes": {"im:id": app}},
                    **of_genre,
                }
                for app, name, publisher in self.chart
            ],
        }
