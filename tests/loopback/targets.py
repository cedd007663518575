"""Where signals are told: a webhook's receiver and a mail server on the loopback."""

import threading
import time
from collections import Counter
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer


class Receiver(ThreadingHTTPServer):
    """A webhook's receiver: keeps what it gets, and answers with ``status`` after ``wait`` seconds.

    As a dashboard it has one ``picture``, whatever is asked for.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status, self.wait, self.drips = 204, 0.0, False
        self.picture = b""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://user:hush@127.0.0.1:{self.server_address[1]}/hook?key=hush"

    def ids(self) -> Counter[str]:
        return Counter(headers["webhook-id"] for headers, _ in self.got)


class _Post(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, content))
        time.sleep(self.server.wait)
        self.send_response(self.server.status)
        while self.server.drips:
            self.wfile.write(b"x-more: and more\r\n")
            time.sleep(0.1)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "image/png")
        self.end_headers()
        self.wfile.write(self.server.picture)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class MailServer(ThreadingTCPServer):
    """An SMTP server that takes mail, or refuses everything."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.mails: list[Mail] = []
        self.refuses = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.server_address[1]}/?from=desk@example.org&to=you@example.org"


class _Smtp(StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        def say(line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        say("220 loopback")
        for raw in self.rfile:
            verb = raw.strip().upper()[:4]
            if verb == b"DATA":
                say("354 go on")
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line)
                self.server.mails.append(message_from_bytes(b"".join(lines)))
                say("250 taken")
            elif verb == b"QUIT":
                say("221 bye")
                return
            else:
                say("554 refused" if self.server.refuses and verb == b"MAIL" else "250 fine")
