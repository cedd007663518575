"""An S3-speaking server in memory: objects read whole or by range, written whole or in parts, listed and deleted."""

from __future__ import annotations

import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class S3:
    """The server, at ``endpoint`` from ``with`` on; ``objects`` maps "bucket/key" to bytes."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.unsigned = 0
        self._parts: dict[str, dict[int, bytes]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> S3:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def listed(self, bucket: str, prefix: str) -> str:
        """The answer to a ListObjectsV2."""
        found = "".join(
            f"<Contents><Key>{escape(name.removeprefix(f'{bucket}/'))}</Key><Size>{len(body)}</Size>"
            '<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"x"</ETag></Contents>'
            for name, body in sorted(self.objects.items())
            if name.startswith(f"{bucket}/{prefix}")
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"

    def began(self) -> str:
        """The answer to the beginning of an upload in parts."""
        number = uuid.uuid4().hex
        self._parts[number] = {}
        return f"<InitiateMultipartUploadResult><UploadId>{number}</UploadId></InitiateMultipartUploadResult>"

    def part(self, upload: str, number: int, body: bytes) -> None:
        """Take one part of an upload."""
        self._parts[upload][number] = body

    def completed(self, name: str, upload: str) -> str:
        """The answer to the end of an upload in parts."""
        parts = self._parts.pop(upload)
        self.objects[name] = b"".join(parts[number] for number in sorted(parts))
        return "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        class Handler(_Handler):
            store = self

        return Handler


class _Handler(BaseHTTPRequestHandler):
    store: S3
    protocol_version = "HTTP/1.1"

    def _asked(self) -> tuple[str, dict[str, str], bytes]:
        address = urlsplit(self.path)
        if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256"):
            self.store.unsigned += 1
        words = {key: values[0] for key, values in parse_qs(address.query, keep_blank_values=True).items()}
        return (
            unquote(address.path).lstrip("/"),
            words,
            self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )

    def _answer(self, status: int, body: bytes | str = b"", **headers: str) -> None:
        content = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), "ETag": '"x"', **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self) -> None:
        name, words, _ = self._asked()
        if "list-type" in words:
            self._answer(200, self.store.listed(name.split("/")[0], words.get("prefix", "")))
        elif name not in self.store.objects:
            self._answer(404, "<Error><Code>NoSuchKey</Code></Error>")
        else:
            body, wanted = self.store.objects[name], self.headers.get("Range")
            if wanted is None:
                self._answer(200, body, Accept_Ranges="bytes")
                return
            first, last = wanted.removeprefix("bytes=").split("-")
            start = int(first) if first else max(0, len(body) - int(last))
            end = min(int(last), len(body) - 1) if first and last else len(body) - 1
            self._answer(206, body[start : end + 1], Content_Range=f"bytes {start}-{end}/{len(body)}")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        name, words, body = self._asked()
        if "partNumber" in words:
            self.store.part(words["uploadId"], int(words["partNumber"]), body)
        else:
            self.store.objects[name] = body
        self._answer(200)

    def do_POST(self) -> None:
        name, words, _ = self._asked()
        if "uploads" in words:
            self._answer(200, self.store.began())
        elif "uploadId" in words:
            self._answer(200, self.store.completed(name, words["uploadId"]))
        else:
            self._answer(400)

    def do_DELETE(self) -> None:
        name, _, _ = self._asked()
        self.store.objects.pop(name, None)
        self._answer(204)

    def log_message(self, *words: Any) -> None:
        """Say nothing."""
