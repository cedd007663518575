"""Pictures at an address: one drawing for equal requests, the last good one meanwhile, a limit for each request."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from dashboard import images, routes
from dashboard.export.spec import Spec
from tests.conftest import free_port

MAP = "/chart/shock-map.png"
DISTINCT = [f"{MAP}?scale={1 + number / 100}" for number in range(40)]


class Slow:
    """A drawer that notes what it drew, and waits until it is let go."""

    def __init__(self) -> None:
        self.drawn: list[tuple[str, str]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, spec: Spec, state: str) -> bytes:
        self.drawn.append((spec.theme, state))
        self.go.wait(20)
        return f"{spec} of {state}".encode()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    drawer = Slow()
    monkeypatch.setattr(images, "pictures", images.Pictures(drawer))
    monkeypatch.setattr(images, "published_version", lambda: "state-1")
    return drawer


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    chart = Route("/chart/{name}.png", routes.chart)
    table = Route("/table/{name}.{form}", routes.table)
    port = free_port()
    app = Starlette(routes=[chart, table])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as opened:
        yield opened
    server.should_exit = True
    thread.join()


def asked(client: httpx.Client, *addresses: str) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(addresses)) as pool:
        return list(pool.map(client.get, addresses))


def test_twenty_readers_of_one_cold_picture_wait_for_one_drawing(slow: Slow, client: httpx.Client) -> None:
    found = asked(client, *[MAP] * 20)
    assert {answer.status_code for answer in found} == {200}
    assert len({answer.content for answer in found}) == 1
    assert slow.drawn == [("light", "state-1")]


def test_many_distinct_pictures_wait_their_turn(slow: Slow, client: httpx.Client) -> None:
    found = asked(client, *DISTINCT)
    assert {answer.status_code for answer in found} == {200}
    assert len(slow.drawn) == len(DISTINCT)


def test_a_refusal_says_when_its_picture_will_be_there_and_then_it_is(
    slow: Slow, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(images, "MOST_WAITING", len(DISTINCT))
    slow.go.clear()
    refused = asked(client, *DISTINCT)
    assert {answer.status_code for answer in refused} == {503}
    seconds = sorted(int(answer.headers["retry-after"]) for answer in refused)
    assert (seconds[0], seconds[-1]) == (images.LEAST_RETRY, len(DISTINCT))
    assert client.get(f"{MAP}?theme=dark").headers["retry-after"] == f"{len(DISTINCT)}"
    monkeypatch.setattr(images, "WAIT_SECONDS", 20)
    slow.go.set()
    assert {answer.status_code for answer in asked(client, *DISTINCT)} == {200}
    assert len(slow.drawn) == len(DISTINCT)


def test_the_wait_follows_the_pace_of_the_last_drawings_and_is_one_a_reader_can_use(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 100, 16))
    monkeypatch.setattr(images, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    # Two at once: a drawing of 16 seconds is a pace of 8, which counts an eighth beside the 1 of before.
    images.pictures._paced(Spec("shock-map"), "state-1")
    assert images.pictures._pace == pytest.approx(1 + 7 / 8)
    assert [images.Busy(wait).seconds for wait in (0, 7.2, 9999)] == [5, 8, 600]


def test_the_last_good_picture_is_served_while_a_new_one_is_drawn(
    slow: Slow, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = client.get(MAP)
    monkeypatch.setattr(images, "published_version", lambda: "state-2")
    slow.go.clear()
    during = client.get(MAP)
    assert (during.status_code, during.content) == (200, old.content)
    assert during.headers["cache-control"] == "public, max-age=5"
    slow.go.set()
    end = time.monotonic() + 5
    while client.get(MAP).content == old.content and time.monotonic() < end:
        time.sleep(0.01)
    assert b"state-2" in client.get(MAP).content


def test_a_picture_that_is_there_needs_no_place_in_the_queue(
    slow: Slow, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get(MAP)
    monkeypatch.setattr(images, "MOST_WAITING", 0)
    assert client.get(MAP).status_code == 200
    assert client.get(f"{MAP}?theme=dark").status_code == 503


@pytest.mark.tried("pictures that no address may ask for")
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("size=4000x4000&scale=3", "at most 12: choose a smaller size or scale"),
        ("start=2025-01-20", "shock-map has no first day"),
        ("option.log=true", "shock-map has no settings"),
        ("v=1", "There is no parameter"),
    ],
)
def test_what_an_address_may_not_ask_for_is_refused_before_anything_is_drawn(
    slow: Slow, client: httpx.Client, query: str, sentence: str
) -> None:
    answer = client.get(f"{MAP}?{query}")
    assert answer.status_code == 400
    assert sentence in answer.text
    assert slow.drawn == []


def test_a_setting_is_named_with_the_nearest(slow: Slow, client: httpx.Client) -> None:
    answer = client.get("/chart/companies-compare.png?option.mesure=close")
    assert answer.status_code == 400
    assert "the nearest is measure" in answer.text


@pytest.mark.tried("malformed ranges of a table")
def test_a_table_is_written_once_for_each_state_whatever_ranges_are_asked_for(
    on_bundled_data: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = routes.TableFiles()
    monkeypatch.setattr(routes, "_files", files)
    whole = client.get("/table/company.csv")
    for range_ in ("bytes=0-9", "bytes=-10", "bytes=9-0", "bytes=x", "lines=1-2", "bytes=99999999-"):
        answer = client.get("/table/company.csv", headers={"Range": range_})
        assert answer.status_code in (200, 206, 400, 416)
        if answer.status_code == 206 and range_ == "bytes=0-9":
            assert answer.content == whole.content[:10]
    assert files._folder is not None
    assert len([path for path in files._folder.rglob("*") if path.is_file()]) == 1
    for state in ("a", "b", "c"):
        monkeypatch.setattr(routes, "connect_read_only", lambda **_: nullcontext())
        monkeypatch.setattr(routes, "write_table", lambda con, name, path: path.write_text("x"))
        files.path("company", "csv", state)
    assert len(list(files._folder.iterdir())) == routes.KEPT_STATES
