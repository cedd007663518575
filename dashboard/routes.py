"""What the server answers beside the pages: its health, each chart as an image, each table as a file."""

import tempfile
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore

import duckdb
import streamlit as st
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboard.data.market import span
from dashboard.data.status import TABLES, write_table
from etl.warehouse import WarehouseError, connect_read_only, published_version

FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_writing = BoundedSemaphore(2)


def explain(error: Exception) -> bool:
    """Tell a reader in one sentence that a page could not be drawn; Streamlit has logged why."""
    if isinstance(error, WarehouseError):
        st.warning(str(error), icon=":material/database:")
    else:
        st.error(
            "This page could not be drawn, and the reason is in the server’s log: reload it, or choose another page.",
            icon=":material/error:",
        )
    return True


def routes() -> list[Route]:
    """The addresses, below the path that the server is set to."""
    base = "/" + str(st.get_option("server.baseUrlPath") or "").strip("/")
    base = base.rstrip("/")
    return [
        Route(f"{base}/healthz", health),
        Route(f"{base}/published", published),
        Route(f"{base}/chart/{{name}}.png", chart),
        Route(f"{base}/table/{{name}}.{{form}}", table),
    ]


def refuse(status: int, sentence: str) -> Response:
    """One sentence of plain text."""
    return PlainTextResponse(f"{sentence}\n", status, headers={"X-Content-Type-Options": "nosniff"})


def health(request: Request) -> Response:
    """200 with the published state and its latest session, or 503 with a sentence."""
    try:
        state = published_version()
        return JSONResponse({"status": "ok", "state": state, "latest_session": _latest_session(state)})
    except (WarehouseError, duckdb.Error) as error:
        return refuse(503, str(error).splitlines()[0])


def published(request: Request) -> Response:
    """What an open page asks for: the published state and the age of its prices, or null where there is none."""
    from dashboard.app_pages.shared import published_now
    from dashboard.views.coverage import dateline_words

    state, age = published_now()
    told = {"state": state, "prices": dateline_words(age)}
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


@lru_cache(maxsize=4)
def _latest_session(state: str) -> str | None:
    with connect_read_only(version=state) as con:
        found = span(con)
    return found[1].isoformat() if found else None


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
    except WarehouseError as error:
        path.unlink(missing_ok=True)
        return refuse(503, str(error))
    finally:
        _writing.release()
    return FileResponse(
        path,
        media_type=FORMATS[form],
        filename=f"{name}.{form}",
        background=BackgroundTask(path.unlink, missing_ok=True),
    )
