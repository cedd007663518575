"""The signals in the static edition: a page of all of them, and a page for each, which the feeds lead to."""

from dataclasses import dataclass
from typing import Any

import duckdb

from dashboard.charts import words
from dashboard.data.events import Event, find_event
from dashboard.data.signals import signals
from dashboard.export import html

FOLDER = "signals/"
PAGE = f"/{FOLDER}{{}}.html"
"""The path of a signal's page, as the feeds are told it."""


@dataclass(frozen=True)
class Noticed:
    """A signal, told as the session that it is of, and how unusual it is."""

    event: Event
    day: str
    detail: str
    known: str


def read_noticed(con: duckdb.DuckDBPyConnection) -> list[Noticed]:
    """The signals that hold, the newest first."""
    found = []
    for row in signals(con).itertuples():
        event = find_event(con, str(row.signal_id))
        if event is not None:
            found.append(Noticed(event, words.day(event.market_session), str(row.detail), str(row.event)))
    return found


def pages(told: list[Noticed], shared: dict[str, Any]) -> dict[str, bytes]:
    """Each page's place in the site and its content; `shared` is what all templates are given."""
    one, every = (html.environment.get_template(f"{name}.html.j2") for name in ("signal", "signals"))
    content = {f"{FOLDER}index.html": every.render(told=told, **shared).encode()}
    for signal in told:
        content[f"{FOLDER}{signal.event.event_id}.html"] = one.render(signal=signal, **shared).encode()
    return content
