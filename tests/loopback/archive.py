"""The Internet Archive's Wayback Machine on the loopback: its index, and what it saved."""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import format_datetime

from tests.loopback.apple import App
from tests.loopback.world import Asked, Reply


class WaybackMachine:
    """The site; ``saved`` holds, for each address, the bodies by the time of their capture (UTC)."""

    hosts = ("web.archive.org",)

    def __init__(self, saved: dict[str, dict[datetime, str]]) -> None:
        self.saved = saved

    def reply(self, asked: Asked) -> Reply:
        if asked.path == "/cdx/search/cdx":
            return Reply("\n".join(self._index(asked.query)).encode())
        stamp, _, address = asked.path.removeprefix("/web/").partition("id_/")
        address = address.replace(":/", "://", 1) if "://" not in address else address
        taken_at = datetime.strptime(f"{stamp}+0000", "%Y%m%d%H%M%S%z")
        body = self.saved[address][taken_at]
        return Reply(
            body.encode(),
            headers={
                "Memento-Datetime": format_datetime(taken_at.astimezone(), usegmt=False),
                "Link": f'<{address}>; rel="original"',
                "Content-Type": "text/html; charset=utf-8",
            },
        )

    def _index(self, query: dict[str, str]) -> list[str]:
        return [
            f"key {taken_at:%Y%m%d%H%M%S} {address} text/html 200 DIGEST{number} 1000"
            for address, bodies in self.saved.items()
            for number, taken_at in enumerate(sorted(bodies))
            if address.partition("://")[2].startswith(query["url"])
            and query["from"] <= f"{taken_at:%Y%m%d%H%M%S}" <= query["to"]
        ]


def page_with_json(apps: list[App], made_at: datetime, genre: int = 36, country: str = "us") -> str:
    """A chart page as saved until autumn 2025: the list is in JSON within JSON, beside the moment it was made at."""
    data = [
        {
            "id": app,
            "type": "apps",
            "attributes": {
                "name": name,
                "artistName": publisher,
                "chartPositions": {"appStore": {"position": rank, "genre": genre, "chart": "top-free"}},
            },
        }
        for rank, (app, name, publisher) in enumerate(apps, start=1)
    ]
    chart = {
        "x": int(made_at.timestamp() * 1000),
        "d": {"apps": [{"chart": "top-free", "name": "Top Free Apps", "data": data}]},
    }
    key = f".v1.catalog.{country}.charts.types.apps.platform.iphone.genre.{genre}.chart.top-free.limit.100.l.en-us"
    cache = json.dumps({key: json.dumps(chart)})
    return f'<html><script type="fastboot/shoebox" id="shoebox-media-api-cache-apps">{cache}</script></html>'


def page_with_list(apps: list[App], country: str = "us") -> str:
    """A chart page whose JSON was not saved."""
    items = "".join(
        f'<li><a class="we-lockup" href="https://apps.apple.com/{country}/app/x/id{app}">'
        f'<p class="we-lockup__rank">{rank}</p>'
        f'<p class="we-lockup__title">{name}</p><p class="we-lockup__subtitle">{publisher}</p></a></li>'
        for rank, (app, name, publisher) in enumerate(apps, start=1)
    )
    return f'<html><ol class="chart">{items}</ol></html>'


def page_of_november_2025(apps: list[App]) -> str:
    """A chart page in the form of November 2025."""
    items = "".join(
        f'<li><a href="https://apps.apple.com/us/app/x/id{app}"><p class="ordinal">{rank}</p><h3>{name}</h3>'
        f"<h4>{publisher}</h4></a></li>"
        for rank, (app, name, publisher) in enumerate(apps, start=1)
    )
    return f'<html><div class="shelf"><ul class="grid">{items}</ul></div></html>'
