"""An HTTPS proxy that leads every known host to one TLS server, which speaks for all of them.

``with World(tmp_path, [site, …]) as world`` and then run a program with ``world.environment()``.
"""

from __future__ import annotations

import contextlib
import gzip
import select
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import trustme

AUTHORITY_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Reply:
    """What to answer, and how to go wrong on the way."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0.0
    reset: bool = False
    keep: int | None = None
    """Send only so many bytes of the body, then close."""


class Site(Protocol):
    """Somebody who answers for some hosts."""

    hosts: tuple[str, ...]

    def reply(self, asked: Asked) -> Reply: ...


class World:
    """The proxy, the server behind it, and the certificates of both."""

    def __init__(self, folder: Path, sites: list[Site], *, certified: tuple[str, ...] = ()) -> None:
        self.sites = {host: site for site in sites for host in site.hosts}
        self.asked: list[Asked] = []
        self.connected: list[str] = []
        self.faults: list[Callable[[Asked], Reply | None]] = []
        self._folder = folder
        self._authority = trustme.CA()
        self._certified = certified or tuple(self.sites)
        self.authority_file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.authority_file))

    def __enter__(self) -> World:
        self._server = _Server(self)
        self._proxy = _Proxy(self, self._server.server_address[1])
        for server in (self._server, self._proxy):
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._proxy, self._server):
            server.shutdown()
            server.server_close()

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self._proxy.server_address[1]}"

    def environment(self, *, authorities: tuple[str, ...] = AUTHORITY_VARIABLES) -> dict[str, str]:
        """The variables that lead a program into this world."""
        return {"HTTPS_PROXY": self.proxy, **dict.fromkeys(authorities, str(self.authority_file))}

    def tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(*self._certified).configure_cert(context)
        return context

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        for fault in list(self.faults):
            reply = fault(asked)
            if reply:
                return reply
        return self.sites[asked.host].reply(asked)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        self.request.settimeout(60)
        with contextlib.suppress(OSError):
            self.request.do_handshake()
        super().setup()

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(address.query).items()}
        host = self.headers.get("Host", "").partition(":")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.server.world.answer(Asked(host, address.path, query, dict(self.headers), body))
        if reply.hang:
            time.sleep(reply.hang)
        if reply.reset:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.request.close()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: reply.keep])
        if reply.keep is not None:
            self.close_connection = True

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing: the requests are in ``World.asked``."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, world: World) -> None:
        self.world = world
        super().__init__(("127.0.0.1", 0), _Handler)
        self.socket = world.tls().wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_: object) -> None:
        """Nothing: clients that give up are part of the tests."""


class _Tunnel(socketserver.StreamRequestHandler):
    server: _Proxy

    def handle(self) -> None:
        method, target, *_ = self.rfile.readline().decode().split()
        while self.rfile.readline().strip():
            pass
        host = target.partition(":")[0]
        self.server.world.connected.append(host)
        if method != "CONNECT" or host not in self.server.world.sites:
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.server.upstream)) as upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _pump(self.connection, upstream)


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, world: World, upstream: int) -> None:
        self.world = world
        self.upstream = upstream
        super().__init__(("127.0.0.1", 0), _Tunnel)

    def handle_error(self, *_: object) -> None:
        """Nothing: clients that give up are part of the tests."""


def _pump(one: socket.socket, other: socket.socket) -> None:
    while True:
        ready, _, _ = select.select([one, other], [], [], 60)
        if not ready:
            return
        for end in ready:
            try:
                data = end.recv(65536)
            except ConnectionResetError:
                for side in (one, other):
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if not data:
                return
            (other if end is one else one).sendall(data)


def zipped(body: bytes) -> Reply:
    """The body compressed, as most sites send it."""
    return Reply(
        gzip.compress(body), headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}
    )
