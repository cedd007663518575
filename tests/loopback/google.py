"""Google Play's charts on the loopback: the answer to a call as public clients of the store read it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from tests.loopback.apple import App, apps
from tests.loopback.world import Asked, Reply

PACKAGES = {"DeepSeek - AI Assistant": "com.deepseek.chat", "ChatGPT": "com.openai.chatgpt"}
CLUSTERS = ("topselling_free", "topselling_paid", "topgrossing")


class Google:
    """The site; change ``chart`` to change what it shows."""

    hosts = ("play.google.com",)

    def __init__(self) -> None:
        self.chart: list[App] = [
            (PACKAGES.get(title, f"com.app{number}"), title, maker) for number, title, maker in apps(100)
        ]

    def reply(self, asked: Asked) -> Reply:
        """The first of the chart, as many as the form wants, for one of the charts that there are."""
        ((call, wanted, _, _),) = json.loads(parse_qs(asked.body.decode())["f.req"][0])[0]
        _, (depth, *_), (_, cluster, category) = json.loads(wanted)[0]
        if (call, category) != ("vyAe2", "APPLICATION") or cluster not in CLUSTERS:
            return envelope([])
        return envelope([_entry(app) for app in self.chart[: depth[1][1]]])


def envelope(entries: list[Any]) -> Reply:
    """The answer, in the wrapping that keeps a browser from running it."""
    cluster: list[Any] = [None] * 28 + [[entries]]
    payload = json.dumps([[None, [cluster]]])
    parts = [
        ["wrb.fr", "vyAe2", payload, None, None, None, "generic"],
        ["di", 42],
        ["e", 4, None, None, 9000],
    ]
    return Reply(f")]}}'\n\n{json.dumps(parts)}".encode(), headers={"Content-Type": "application/json"})


def _entry(app: App) -> list[Any]:
    package, title, maker = app
    fields: list[Any] = [[package, 7], None, None, title] + [None] * 10 + [maker]
    return [fields]
