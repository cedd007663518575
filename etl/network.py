"""The network as every client here sees it: authorities, retries, and faults in one sentence each."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import tenacity

from etl.errors import ConfigurationError
from etl.settings import settings
from etl.temporary import own_folder

AUTHORITY_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
RETRIED = frozenset({429, 500, 502, 503, 504, 999})

Answer = TypeVar("Answer")


class Fault(Enum):
    """Why something could not be had."""

    UNREACHABLE = "unreachable"
    LIMITED = "rate limit"
    MISSING = "not found"
    SPOILED = "not usable"


class FetchError(Exception):
    """One ticker or chart could not be had; the message is a sentence without secrets."""

    def __init__(self, fault: Fault, message: str) -> None:
        """Keep the kind of fault beside the sentence."""
        super().__init__(message)
        self.fault = fault


def share_authorities() -> None:
    """Make every client trust the authorities that any of the usual variables names.

    httpx reads ``SSL_CERT_FILE``, requests ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE``, curl_cffi all but
    at import time, so this comes first. Where the variables name different files, all are trusted.

    Raises
    ------
    ConfigurationError
        When a variable names a file that is not there.
    """
    named = {name: Path(os.environ[name]) for name in AUTHORITY_VARIABLES if os.environ.get(name)}
    for name, path in named.items():
        if not path.exists():
            raise ConfigurationError(f"{name} names {path}, which does not exist: correct or unset it.")
    files = {path.resolve() for path in named.values() if path.is_file()}
    if files:
        bundle = files.pop() if len(files) == 1 else _joined(files)
        os.environ.update(dict.fromkeys(AUTHORITY_VARIABLES, str(bundle)))


def _joined(files: Iterable[Path]) -> Path:
    bundle = own_folder("authorities") / "bundle.pem"
    bundle.write_bytes(b"\n".join(path.read_bytes() for path in sorted(files)))
    return bundle


class Pace:
    """Lets the requests of all threads pass at no more than a rate; those of a second may pass at once."""

    def __init__(self) -> None:
        """Nothing has been asked yet."""
        self._lock = threading.Lock()
        self._due = 0.0

    def wait(self, rate: float) -> None:
        """Wait for one's turn at so many requests a second."""
        now = time.monotonic()
        with self._lock:
            self._due = max(self._due, now - 1) + 1 / rate
            pause = self._due - now
        if pause > 0:
            time.sleep(pause)


_PACE = Pace()


def retrying(call: Callable[[], Answer]) -> Answer:
    """The answer of ``call``, tried again on a passing fault with growing pauses, or as the server asks.

    An answer is anything with ``status_code`` and ``headers``. The last one is returned, and the last
    exception raised, once the tries are used up or the server asks for a longer pause than is allowed.
    """
    options = settings()

    def paced() -> Answer:
        _PACE.wait(options.requests_per_second)
        return call()

    return tenacity.Retrying(
        stop=lambda state: state.attempt_number >= options.attempts or _asks_for_too_long(state),
        wait=_pause,
        retry=tenacity.retry_if_result(_is_passing) | tenacity.retry_if_exception(_is_passing_error),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        sleep=time.sleep,
    )(paced)


def explain(error: BaseException, source: str) -> FetchError:
    """What went wrong with a request to ``source``, whichever client raised it."""
    if isinstance(error, FetchError):
        return error
    names = {kind.__name__ for kind in type(error).__mro__}
    text = str(error).lower()
    if "certificate" in text or names & {"CertificateVerifyError", "SSLError"}:
        return FetchError(
            Fault.UNREACHABLE,
            f"the certificate of {source} is not valid here; name your authority in SSL_CERT_FILE",
        )
    if names & {"Timeout", "TimeoutException", "TimeoutError"}:
        return FetchError(Fault.UNREACHABLE, f"{source} did not answer within {settings().timeout:g} seconds")
    if names & {"JSONDecodeError", "UnicodeDecodeError"}:
        return FetchError(Fault.SPOILED, f"{source} answered with something that is not JSON")
    if names & {
        "IncompleteRead",
        "ChunkedEncodingError",
        "RemoteProtocolError",
        "DecodingError",
        "ReadError",
    }:
        return FetchError(Fault.SPOILED, f"the answer of {source} broke off")
    if names & {"RequestException", "TransportError", "ConnectionError", "OSError"}:
        return FetchError(Fault.UNREACHABLE, f"{source} cannot be reached ({type(error).__name__})")
    return FetchError(Fault.SPOILED, f"{source} answered in an unknown form ({type(error).__name__})")


def explain_status(status: int, source: str) -> FetchError:
    """What an HTTP status of 400 and above means."""
    if status in (429, 999):  # 999 is Yahoo's own
        return FetchError(Fault.LIMITED, f"{source} asks for fewer requests (HTTP {status}); try again later")
    if status == 401:
        return FetchError(Fault.LIMITED, f"{source} refuses to answer us (HTTP {status}); try again later")
    if status == 404:
        return FetchError(Fault.MISSING, f"{source} does not know it (HTTP 404)")
    return FetchError(Fault.SPOILED, f"{source} answered HTTP {status}")


def _is_passing(answer: Any) -> bool:
    return answer.status_code in RETRIED


def _is_passing_error(error: BaseException) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    settled = {"FetchError", "SSLError", "CertificateVerifyError", "DNSError", "InvalidURL"}
    passing = {"RequestException", "TransportError", "OSError"}
    return bool(names & passing) and not names & settled and "certificate" not in str(error).lower()


def _asked_pause(state: tenacity.RetryCallState) -> float | None:
    if state.outcome is None or state.outcome.failed:
        return None
    value = state.outcome.result().headers.get("Retry-After")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _asks_for_too_long(state: tenacity.RetryCallState) -> bool:
    return (_asked_pause(state) or 0.0) > settings().max_wait


def _pause(state: tenacity.RetryCallState) -> float:
    asked = _asked_pause(state)
    if asked is not None:
        return asked
    return min(settings().max_wait, tenacity.wait_exponential_jitter(initial=1, max=30)(state))
