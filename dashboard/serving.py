"""How the server meets the outside: headers on every answer, readers counted, enough file handles."""

import re
import shutil
from base64 import b64encode
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard import metrics
from dashboard.settings import settings

SCRIPT = "app.py"
LONGEST_GREETING = 65_536
LONGEST_ADDRESS = 65_536
SELF = ("localhost", "127.0.0.1")
"""Hosts whose pages Streamlit takes for its own, as those of a browser on this machine."""
POLICY_VIOLATION = 1008
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def base_path() -> str:
    """The path that the server is set to, "" for the root; addresses of its own begin with it."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


@lru_cache(maxsize=1)
def security_headers() -> dict[str, str]:
    """The headers of every answer.

    The policy allows what Streamlit's own page needs: modules made from blobs, styles set by scripts, and the one
    script inside the page, by its hash.
    """
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    inline = " ".join(f"'sha256-{_digest(script)}'" for script in _INLINE.findall(page))
    policy = {
        "default-src": "'self'",
        "script-src": f"'self' blob: 'wasm-unsafe-eval' {inline}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' ws: wss: blob: data:",
        "worker-src": "'self' blob:",
        "frame-src": "'self' blob: data:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": settings().frame_ancestors,
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _digest(script: str) -> str:
    return b64encode(sha256(script.encode()).digest()).decode()


class SecurityHeaders:
    """Puts the headers on every answer that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in security_headers().items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class CountReaders:
    """Counts the open pages: each holds one WebSocket."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        with metrics.READERS.track_inprogress():
            await self._app(scope, receive, send)


class ShortAddress:
    """Refuses an address of more than 64 kB, which the server itself refuses only where it comes in pieces."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and len(scope["path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
            await PlainTextResponse("The address is too long.", 414)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class OwnOrigin:
    """Refuses pages of other sites that open a WebSocket.

    Streamlit refuses them too, but first asks a foreign host for the address of this machine, and answers nobody while
    it waits: ten of them would stop the server for twenty seconds where nothing leads out.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "websocket":
            headers = Headers(scope=scope)
            if not own_origin(headers.get("origin"), headers.get("host")):
                await WebSocketClose(POLICY_VIOLATION)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def own_origin(origin: str | None, host: str | None) -> bool:
    """Whether a WebSocket comes from a page of this server, from one that the settings allow, or from no page."""
    if origin is None or not st.get_option("server.enableCORS"):
        return True
    try:
        asking = urlsplit(origin)
        allowed = {urlsplit(str(one)).hostname for one in st.get_option("server.corsAllowedOrigins") or ()}
    except ValueError:
        return False
    if asking.netloc == host:
        return True
    return asking.hostname is not None and asking.hostname in {
        *SELF,
        *allowed,
        st.get_option("browser.serverAddress"),
    }


class KeepPlace:
    """Keeps to itself where the program lies, which Streamlit tells each reader's browser."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def without_place(message: Message) -> None:
            data = message.get("bytes")
            if data and len(data) < LONGEST_GREETING and SCRIPT.encode() in data:
                message = {**message, "bytes": placeless(data)}
            await send(message)

        await self._app(scope, receive, without_place if scope["type"] == "websocket" else send)


def placeless(data: bytes) -> bytes:
    """A message of Streamlit's with the script's name in place of its path; the browser does no more than hash it."""
    told = ForwardMsg.FromString(data)
    if told.WhichOneof("type") != "new_session":
        return data
    told.new_session.main_script_path = SCRIPT
    return bytes(told.SerializeToString())


MIDDLEWARE = [
    Middleware(ShortAddress),
    Middleware(OwnOrigin),
    Middleware(CountReaders),
    Middleware(KeepPlace),
    Middleware(SecurityHeaders),
]


def raise_file_limit() -> int | None:
    """Allow this process as many open files as the system grants it; returns how many (None where it has no limit).

    A reader takes four: a connection, and three of the event loop that Streamlit keeps for the session.
    """
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return None if hard == resource.RLIM_INFINITY else hard


def clear_old_pages(folder: Path) -> None:
    """Remove the compiled files that an upgrade leaves in `pages/`, where the pages of version 0.1 were.

    While that folder exists Streamlit takes it for the pages, and tells the first reader who opens a page by its
    address that there is no such page. A folder with anything else in it is left alone.
    """
    with suppress(OSError):
        shutil.rmtree(folder / "pages" / "__pycache__", ignore_errors=True)
        (folder / "pages").rmdir()
