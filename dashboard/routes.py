"""What the server answers beside the pages: its health, each chart as an image, each table as a file."""

import logging
import shutil
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

import duckdb
import streamlit as st
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboard import metrics
from dashboard.data.status import TABLES, write_table
from dashboard.serving import base_path
from dashboard.views.request import Request as ChartRequest
from etl.errors import ProductError
from etl.settings import settings as warehouse_settings
from etl.temporary import own_folder
from etl.warehouse import connect_read_only, open_warehouse, published_version

FEEDS = {"atom": "application/atom+xml; charset=utf-8", "json": "application/feed+json; charset=utf-8"}
FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
PROBE = "shock-losses-percent"
NOT_KEPT = {"Cache-Control": "no-store"}
KEPT_STATES = 2
"""Those who are still reading the file of the state before keep it."""
FAULTS = (ProductError, duckdb.Error, OSError)
"""What keeps the warehouse from being read: the log has the message, which readers are not told."""

logger = logging.getLogger(__name__)


def explain(error: Exception) -> bool:
    """Tell a reader in one sentence that a page could not be drawn; Streamlit has logged why."""
    from dashboard.app_pages.audience import say_unreadable

    if isinstance(error, ProductError):
        say_unreadable(error)
    else:
        st.error(
            "This page could not be drawn, and the reason is in the server’s log: reload it, or choose another page.",
            icon=":material/error:",
        )
    return True


def routes() -> list[Route]:
    """The addresses, below the path that the server is set to."""
    base = base_path()
    return [
        Route(f"{base}/healthz", health),
        Route(f"{base}/readyz", ready),
        Route(f"{base}/metrics", told_metrics),
        Route(f"{base}/published", published),
        Route(f"{base}/chart/{{name}}.png", chart),
        Route(f"{base}/feed.{{form}}", feed),
        Route(f"{base}/table/{{name}}.{{form}}", table),
    ]


def refuse(status: int, sentence: str) -> Response:
    """One sentence of plain text."""
    return PlainTextResponse(f"{sentence}\n", status, headers=NOT_KEPT)


def health(request: Request) -> Response:
    """200: the server answers. Whether it has anything to show is what `/readyz` says."""
    return JSONResponse({"status": "alive"}, headers=NOT_KEPT)


def ready(request: Request) -> Response:
    """200 once a chart of the newest state can be drawn, with the state and the age of its prices; else 503."""
    from dashboard.app_pages.shared import price_freshness

    try:
        state = published_version()
        age = price_freshness(state)
        _draw_one(state)
    except FAULTS as error:
        logger.warning("not ready: %s", error)
        return refuse(503, "No chart of the newest data can be drawn: the reason is in the server’s log.")
    told: dict[str, str | int] = {"status": "ready", "state": state}
    if age is not None:
        told |= {
            "latest_session": age.session.isoformat(),
            "sessions_behind": age.behind,
            "freshness": age.level.value,
        }
    return JSONResponse(told, headers=NOT_KEPT)


@lru_cache(maxsize=2)
def _draw_one(state: str) -> None:
    """Draw the first chart of the default story, once for each state; what cannot be drawn is tried again."""
    from dashboard.views.registry import CHARTS

    with connect_read_only(version=state) as con:
        CHARTS[PROBE](con, ChartRequest())


def published(request: Request) -> Response:
    """What an open page asks for: the published state and the age of its prices; 503 while they cannot be told."""
    from dashboard.app_pages.shared import published_now
    from dashboard.views.coverage import dateline_words

    shown, age = published_now()
    if shown is None or shown.away:
        return refuse(503, "The data cannot be read at the moment.")
    return JSONResponse({"state": shown.name, "prices": dateline_words(age)}, headers=NOT_KEPT)


def told_metrics(request: Request) -> Response:
    """The figures of this process in the form that Prometheus reads."""
    from dashboard.app_pages.shared import published_now

    shown, age = published_now()
    metrics.WAREHOUSE_UP.set(shown is not None and not shown.away)
    if age is not None:
        metrics.SESSIONS_BEHIND.set(age.behind)
    with suppress(*FAULTS):
        metrics.STATES_KEPT.set(len(open_warehouse().versions()))
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)


def feed(request: Request) -> Response:
    """The signals as a feed; it changes with the published state."""
    form = request.path_params["form"]
    if form not in FEEDS:
        return refuse(404, f"There are the feeds {', '.join(f'feed.{name}' for name in FEEDS)}.")
    address = warehouse_settings().dashboard_url or f"{request.base_url}".rstrip("/") + base_path()
    try:
        state = published_version()
        content = _feed(state, form, address.rstrip("/"))
    except FAULTS as error:
        logger.warning("%s", error)
        return refuse(503, "The data cannot be read at the moment: try again in a minute.")
    tag = f'"{sha256(f"{state} {address}".encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=60"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=FEEDS[form], headers=headers)


@lru_cache(maxsize=8)
def _feed(state: str, form: str, address: str) -> bytes:
    from dashboard.views.feed import atom, json_feed, read_entries

    with connect_read_only(version=state) as con:
        entries = read_entries(con)
    return (atom if form == "atom" else json_feed)(entries, address)


async def chart(request: Request) -> Response:
    """A chart as an image; see `dashboard.images`."""
    from dashboard.images import answer

    return await answer(request, refuse)


def table(request: Request) -> Response:
    """A table of the published state as a file, with ranges; written to disk once for each state."""
    name, form = request.path_params["name"], request.path_params["form"]
    if name not in TABLES or form not in FORMATS:
        return refuse(404, f"There are the tables {', '.join(TABLES)}, each as .csv and .parquet.")
    try:
        path = _files.path(name, form, published_version())
    except FAULTS as error:
        logger.warning("%s", error)
        return refuse(503, "The data cannot be read at the moment: try again in a minute.")
    return FileResponse(path, media_type=FORMATS[form], filename=f"{name}.{form}")


class TableFiles:
    """Tables as files of this process, one for each state, table and form; those of older states go."""

    def __init__(self) -> None:
        """Nothing is written yet."""
        self._folder: Path | None = None
        self._states: list[str] = []
        self._lock = Lock()

    def path(self, name: str, form: str, state: str) -> Path:
        """The file of a table in a state, written if it is not there yet; one is written at a time."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(mkdtemp(dir=own_folder("tables")))
            if state not in self._states:
                self._states.append(state)
                for old in self._states[:-KEPT_STATES]:
                    shutil.rmtree(self._home(old), ignore_errors=True)
                self._states = self._states[-KEPT_STATES:]
            home = self._home(state)
            home.mkdir(exist_ok=True)
            path = home / f"{name}.{form}"
            if not path.exists():
                draft = path.with_name(f"draft.{form}")
                with connect_read_only(version=state) as con:
                    write_table(con, name, draft)
                draft.replace(path)
            return path

    def _home(self, state: str) -> Path:
        assert self._folder is not None  # noqa: S101 - `path` makes it
        return self._folder / sha256(state.encode()).hexdigest()[:16]


_files = TableFiles()
