"""The Internet Archive's Wayback Machine: which charts it has saved, and what it saved."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from etl.network import Fault, FetchError, explain, share_authorities
from etl.product import SLUG
from etl.settings import settings
from etl.sources.apple import LEGACY_HOST, V2_HOSTS
from etl.sources.apple_feed import GENRES, LEGACY_CHARTS, Chart

PAGE_HOST = "apps.apple.com"
logger = logging.getLogger("etl")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Saved:
    """A capture that the archive holds."""

    chart: Chart
    taken_at: datetime
    original: str

    @property
    def address(self) -> str:
        """Where the archive shows what it saved, as it was."""
        return f"https://web.archive.org/web/{self.taken_at:%Y%m%d%H%M%S}id_/{self.original}"


class Archive:
    """Asks the archive slowly: the client keeps to its limits, and a 429 is waited out or ends the run."""

    def __init__(self, session: Any = None) -> None:
        """Open a session; the one that is given has its own limits."""
        share_authorities()
        import wayback

        options = settings()
        self._wayback = wayback
        self._client = wayback.WaybackClient(
            session
            or wayback.WaybackSession(retries=options.attempts - 1, timeout=options.timeout, user_agent=SLUG)
        )
        self._folder = options.cache_dir / "wayback"

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def search(self, chart: Chart, first: date, last: date) -> Iterator[Saved]:
        """What the archive holds of a chart in those days, one capture an hour for each address."""
        start = datetime(first.year, first.month, first.day, tzinfo=UTC)
        end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
        for address in _addresses(chart):
            found = self._ask(
                lambda address=address: list(  # type: ignore[misc]
                    self._client.search(
                        address,
                        match_type="prefix",
                        from_date=start,
                        to_date=end,
                        filter_field="statuscode:200",
                        collapse="timestamp:10",
                    )
                )
            )
            for record in found:
                if start <= record.timestamp < end and _shows(record.original, chart):
                    yield Saved(chart, record.timestamp, record.original)

    def body(self, saved: Saved) -> str:
        """What was saved, from the disk when it was fetched before."""
        name = hashlib.sha256(saved.original.encode()).hexdigest()[:16]
        kept = self._folder / f"{saved.taken_at:%Y%m%d%H%M%S}-{name}"
        if kept.is_file():
            return kept.read_text(encoding="utf-8")
        memento = self._ask(
            lambda: self._client.get_memento(
                saved.original, timestamp=saved.taken_at, mode=self._wayback.Mode.original
            )
        )
        text = memento.text
        memento.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = kept.with_suffix(".part")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(kept)
        return text

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        for _ in range(settings().attempts):
            try:
                return call()
            except self._wayback.exceptions.RateLimitError as error:
                pause = float(error.retry_after or settings().max_wait)
                if pause > settings().max_wait:
                    break
                logger.info("the archive asks for a pause of %g seconds", pause)
                time.sleep(pause)
            except self._wayback.exceptions.WaybackRetryError as error:
                raise explain(error.cause, "the archive") from error
            except self._wayback.exceptions.WaybackException as error:
                raise FetchError(
                    Fault.MISSING, f"the archive cannot show it ({type(error).__name__})"
                ) from error
            except OSError as error:
                raise explain(error, "the archive") from error
        raise FetchError(Fault.LIMITED, "the archive asks for fewer requests (HTTP 429); run it again later")


def _addresses(chart: Chart) -> Iterator[str]:
    legacy = f"{LEGACY_HOST}/{chart.country}/rss/{LEGACY_CHARTS[chart.kind]}/"
    yield legacy
    yield f"{PAGE_HOST}/{chart.country}/charts/iphone"
    if not chart.genre:
        for host in V2_HOSTS:
            yield f"{host}/api/v2/{chart.country}/apps/{chart.kind}/"


def _shows(address: str, chart: Chart) -> bool:
    """Whether the address, found by its beginning, is that of the chart."""
    genre = GENRES[chart.genre] if chart.genre else "36"
    parts = urlsplit(address)
    path = [part for part in parts.path.split("/") if part]
    if PAGE_HOST in address:
        kind = parse_qs(parts.query).get("chart", [chart.kind])[0]
        named = path[-2] if len(path) > 1 and path[-2] in {f"{kind}-apps" for kind in LEGACY_CHARTS} else ""
        if kind != chart.kind or (named and named != f"{chart.kind}-apps"):
            return False
        return path[-1] == genre if path[-1].isdigit() else (not chart.genre and path[-1] == "iphone")
    if path[-1] not in ("json", "apps.json"):
        return False
    genres = [part for part in path if part.startswith("genre=")]
    return genres[0] == f"genre={genre}" if genres else not chart.genre
