"""Where signals are told: a webhook signed as Standard Webhooks 1.0 says, and the services of Apprise."""

import base64
import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeVar

import apprise
import httpx
from PIL import Image
from pydantic import SecretStr

from etl.delivery.messages import Message, body, subject
from etl.temporary import own_folder

T = TypeVar("T")
TIMEOUT = 15.0
LONGEST_POST, LONGEST_SERVICE = 20.0, 60.0
PICTURE_TIMEOUT = 20.0
SECRET_PREFIX = "whsec_"  # noqa: S105

logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines hold addresses with passwords


class NotDelivered(Exception):
    """A message did not arrive; says why without the address, which may hold a password."""


class Target(Protocol):
    """One place to tell signals to."""

    @property
    def name(self) -> str:
        """What the log and the ledger call it."""

    @property
    def together(self) -> bool:
        """Whether it takes all that is new as one message."""

    def send(self, told: Sequence[Message], now: datetime, leaving: Callable[[], None]) -> None:
        """Send messages, calling `leaving` at the last moment before they leave; raises `NotDelivered`."""


@dataclass(frozen=True)
class Webhook:
    """An address that gets one POST a message. ``secret`` is ``whsec_`` and the key in base64."""

    name: str
    url: SecretStr
    secret: SecretStr
    dashboard: str
    together = False

    def send(self, told: Sequence[Message], now: datetime, leaving: Callable[[], None]) -> None:
        """POST each message; the identity stays the same when it is tried again."""
        for message in told:
            content = json.dumps(message.payload(self.dashboard), ensure_ascii=False).encode()
            stamp = str(int(now.timestamp()))
            headers = {
                "content-type": "application/json",
                "webhook-id": message.message_id,
                "webhook-timestamp": stamp,
                "webhook-signature": sign(self.secret.get_secret_value(), message.message_id, stamp, content),
            }
            leaving()
            status = _within(LONGEST_POST, partial(self._post, content, headers))
            if not 200 <= status < 300:
                raise NotDelivered(f"answered {status}")

    def _post(self, content: bytes, headers: dict[str, str]) -> int:
        url = self.url.get_secret_value()
        try:
            with httpx.stream("POST", url, content=content, headers=headers, timeout=TIMEOUT) as answer:
                return answer.status_code  # what it says besides may be without an end
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotDelivered(f"no answer: {type(error).__name__}") from None


def _within(seconds: float, work: Callable[[], T]) -> T:
    """What some work returns or raises; `NotDelivered` where it takes longer, and its thread is left behind."""
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as failure:
            done.set_exception(failure)

    threading.Thread(target=run, daemon=True).start()
    try:
        return done.result(timeout=seconds)
    except TimeoutError:
        raise NotDelivered(f"no answer within {seconds:g} seconds") from None


def sign(secret: str, message_id: str, stamp: str, content: bytes) -> str:
    """The signature of Standard Webhooks 1.0: HMAC-SHA256 of ``id.timestamp.body``.

    Raises
    ------
    ValueError
        When the secret is not base64.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    signed = hmac.new(key, f"{message_id}.{stamp}.".encode() + content, hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def words_of(picture: Path) -> str:
    """Title and alt text that a picture of ours carries; "" where it carries none."""
    try:
        with Image.open(picture) as image:
            words = [str(image.info.get(name, "")).strip() for name in ("Title", "Description")]
    except (OSError, ValueError):
        return ""
    return " ".join(f"{one.rstrip('.')}." for one in words if one)


@dataclass(frozen=True)
class Service:
    """A service that Apprise knows, such as mail, Slack or Teams: one message for all that is new, with a picture."""

    name: str
    url: SecretStr
    dashboard: str
    together = True

    def send(self, told: Sequence[Message], now: datetime, leaving: Callable[[], None]) -> None:
        """Send one message; without a dashboard's address, or where it does not answer, without a picture."""
        with ExitStack() as stack:
            notifier = apprise.Apprise()
            if not notifier.add(self.url.get_secret_value()):
                raise NotDelivered("Apprise knows no service with such an address")
            folder = Path(stack.enter_context(TemporaryDirectory(dir=own_folder("pictures"))))
            taken = all(service.attachment_support for service in notifier)
            picture = self._picture(told[0], folder) if taken else None
            leaving()
            done = _within(
                LONGEST_SERVICE,
                lambda: notifier.notify(
                    title=subject(told),
                    body=body(told, self.dashboard, words_of(picture) if picture else ""),
                    body_format=apprise.NotifyFormat.TEXT,
                    attach=str(picture) if picture else None,
                ),
            )
        if not done:
            raise NotDelivered("the service refused it or could not be reached")

    def _picture(self, message: Message, folder: Path) -> Path | None:
        if not self.dashboard:
            return None
        parameters = {"event": message.signal["signal_id"], "preset": "article"}
        try:
            answer = httpx.get(
                f"{self.dashboard.rstrip('/')}/chart/shock-losses-percent.png",
                params=parameters,
                timeout=PICTURE_TIMEOUT,
            )
        except (httpx.HTTPError, httpx.InvalidURL):
            return None
        if not answer.is_success or answer.headers.get("content-type") != "image/png":
            return None
        path = folder / f"{message.first_id}.png"
        path.write_bytes(answer.content)
        return path
