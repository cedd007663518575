"""What the server answers beside the pages: its health, each chart as an image, each table as a file."""

import logging
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore

import duckdb
import streamlit as st
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboard import metrics
from dashboard.data.status import TABLES, write_table
from dashboard.serving import base_path
from dashboard.views.request import NothingToShow
from dashboard.views.request import Request as ChartRequest
from etl.warehouse import WarehouseError, connect_read_only, open_warehouse, published_version

FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
PROBE = "shock-losses-percent"
NOT_KEPT = {"Cache-Control": "no-store"}
_writing = BoundedSemaphore(2)

logger = logging.getLogger(__name__)


def explain(error: Exception) -> bool:
    """Tell a reader in one sentence that a page could not be drawn; Streamlit has logged why."""
    from dashboard.app_pages.audience import say_unreadable

    if isinstance(error, WarehouseError):
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
    except (WarehouseError, NothingToShow, duckdb.Error) as error:
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
    with suppress(WarehouseError, duckdb.Error, OSError):
        metrics.STATES_KEPT.set(len(open_warehouse().versions()))
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)


def chart(request: Request) -> Response:
    """A chart as an image; see `dashboard.images`."""
    from dashboard.images import answer

    return answer(request, refuse)


def table(request: Request) -> Response:
    """A table of the published state as a file, written to disk first, so that its size does not matter."""
    name, form = request.path_params["name"], request.path_params["form"]
    if name not in TABLES or form not in FORMATS:
        return refuse(404, f"There are the tables {', '.join(TABLES)}, each as .csv and .parquet.")
    if not _writing.acquire(blocking=False):
        return refuse(503, "Two files are being written already: try again in a minute.")
    try:
        with tempfile.NamedTemporaryFile(suffix=f".{form}", delete=False) as place:
            path = Path(place.name)
        with connect_read_only(version=published_version()) as con:
            write_table(con, name, path)
    except (WarehouseError, duckdb.Error) as error:
        path.unlink(missing_ok=True)
        logger.warning("%s", error)
        return refuse(503, "The data cannot be read at the moment: try again in a minute.")
    finally:
        _writing.release()
    return FileResponse(
        path,
        media_type=FORMATS[form],
        filename=f"{name}.{form}",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )
