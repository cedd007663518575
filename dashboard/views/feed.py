"""The signals as feeds that readers and newsrooms subscribe to: Atom (RFC 4287) and JSON Feed 1.1."""

import json
import re
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import duckdb
import pandas as pd
from feedgen.feed import FeedGenerator

from dashboard.data.signals import signals
from etl.product import NAME

TITLE = f"{NAME}: signals"
ABOUT = "Abnormal moves, records of market value and rises in the app stores. Figures, not explanations."
MOST = 50
EPOCH = datetime(2021, 10, 1, tzinfo=UTC)


def read_entries(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The newest signals, as `dashboard.data.signals.signals` returns them."""
    return signals(con, MOST)


def atom(entries: pd.DataFrame, address: str, page: str = "/?event={}") -> bytes:
    """The feed as Atom; `address` is where readers open the dashboard, `page` the path of a signal's page."""
    feed = FeedGenerator()
    feed.id(_identity(address, "signals"))
    feed.title(TITLE)
    feed.subtitle(ABOUT)
    feed.author(name=NAME)
    feed.link(href=f"{address}/", rel="alternate")
    feed.link(href=f"{address}/feed.atom", rel="self")
    feed.language("en")
    feed.updated(_newest(entries))
    for row in entries.itertuples():
        entry = feed.add_entry(order="append")
        entry.id(_identity(address, str(row.signal_id)))
        entry.title(_as_xml_holds(row.title))
        entry.link(href=_page(address, page, str(row.signal_id)))
        entry.published(row.first_seen.to_pydatetime())
        entry.updated(row.updated.to_pydatetime())
        entry.summary(_as_xml_holds(_summary(row.detail, row.event)))
        entry.category(term=row.kind)
    found: bytes = feed.atom_str(pretty=True)
    return found


def json_feed(entries: pd.DataFrame, address: str, page: str = "/?event={}") -> bytes:
    """The same as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    items = [
        {
            "id": _identity(address, str(row.signal_id)),
            "url": _page(address, page, str(row.signal_id)),
            "title": row.title,
            "content_text": _summary(row.detail, row.event),
            "date_published": _stamp(row.first_seen),
            "date_modified": _stamp(row.updated),
            "tags": [row.kind],
        }
        for row in entries.itertuples()
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": TITLE,
        "description": ABOUT,
        "home_page_url": f"{address}/",
        "feed_url": f"{address}/feed.json",
        "language": "en",
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def _summary(detail: str, event: str) -> str:
    known = f"On record for this session: {event}." if event else "No cause is on record yet."
    return f"{detail[:1].upper()}{detail[1:]}. {known}"


def _as_xml_holds(text: str) -> str:
    """A text without the characters that XML 1.0 has no place for: an editor may write any into an event's title."""
    return "".join(sign for sign in text if unicodedata.category(sign) != "Cc" and sign not in "\ufffe\uffff")


def _page(address: str, page: str, signal_id: str) -> str:
    return address + page.format(quote(signal_id))


def _identity(address: str, name: str) -> str:
    """A tag URI (RFC 4151), the same wherever the feed moves on its host."""
    host = urlsplit(address).hostname or ""
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    name_of_host = re.sub("[^A-Za-z0-9.-]+", "-", host).strip("-.") or "localhost"  # an IPv6 address is none
    return f"tag:{name_of_host},{EPOCH:%Y-%m-%d}:{quote(name)}"


def _newest(entries: pd.DataFrame) -> datetime:
    return EPOCH if entries.empty else max(moment.to_pydatetime() for moment in entries["updated"])


def _stamp(moment: pd.Timestamp) -> str:
    return moment.tz_convert("UTC").isoformat()
