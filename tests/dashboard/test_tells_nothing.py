"""Whatever is wrong with the warehouse, no page and no route tells readers where it lies or how to mend it."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from starlette.applications import Starlette
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.testing.v1 import AppTest

from dashboard import images, routes, state
from dashboard.app_pages import PAGES
from dashboard.serving import MIDDLEWARE, placeless
from etl.product import PREFIX
from etl.settings import PROJECT_ROOT
from etl.warehouse.files import FileWarehouse
from tests.conftest import SOAK, Tell
from tests.dashboard.hostile import MARKUP

APP = str(PROJECT_ROOT / "dashboard" / "app.py")
HELD = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
ADDRESSES = (
    *("/healthz", "/readyz", "/published", "/metrics", "/feed.atom", "/feed.json", "/feed.x", "/nowhere"),
    *("/table/company.csv", "/table/company.parquet", "/table/nope.csv", "/table/..%2F..%2Fetc%2Fpasswd.csv"),
    *("/chart/shock-map.png", "/chart/nope.png", "/chart/event-study.png", f"/chart/{MARKUP[0]}.png"),
    "/chart/companies-compare.png?tickers=NVDA",
)
SAID = re.compile(
    r"Traceback|File \"|python -m|make run|apt install|_PATH|(?<![\w/.:<])/(?:tmp|home|usr|root|srv|etc|proc)/"
    rf"|{PREFIX}"
    r"|127\.0\.0\.1|54330|[Gg]eheim|[Pp]ostgres|[Dd]ucklake|IO Error|Catalog Error|lock on file|\bPID\b"
)
NOTHING = ("NothingToShow", "NothingToStudyError")
LAKE = "ducklake:postgres:dbname=geheim host=127.0.0.1 port=54330 user=geheimer password=geheimnis"


@pytest.fixture(scope="module")
def two_states(bundled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with a published state and an earlier one."""
    path = tmp_path_factory.mktemp("two") / "market.duckdb"
    shutil.copyfile(bundled_database, path)
    with FileWarehouse(path).writing() as con:
        con.execute("UPDATE company SET name = name || '.' WHERE ticker = 'NVDA'")
    return path


@pytest.fixture
def place(two_states: Path, tmp_path: Path) -> Path:
    """A copy of it, to be broken."""
    shutil.copytree(two_states.parent, tmp_path / "own", symlinks=True)
    return tmp_path / "own" / "market.duckdb"


def pointer_gone(path: Path) -> None:
    path.unlink()


def nothing_there(path: Path) -> None:
    path.unlink()
    shutil.rmtree(path.with_name(path.name + ".versions"))


def file_gone(path: Path) -> None:
    path.resolve().unlink()


def overwritten(path: Path) -> None:
    path.unlink()
    path.write_text("geheim " * 1000)


def cut_off(path: Path) -> None:
    os.truncate(path.resolve(), 300_000)


def somebody_else_s(path: Path) -> None:
    path.unlink()
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE geheim (x INTEGER)")


def a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


FAULTS: tuple[Callable[[Path], None], ...] = (
    *(pointer_gone, nothing_there, file_gone, overwritten, cut_off, somebody_else_s, a_loop, a_folder),
)


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has read nothing yet."""
    monkeypatch.setattr(state, "_last_known", {})
    monkeypatch.setattr(routes, "_files", routes.TableFiles())
    monkeypatch.setattr(images, "pictures", images.Pictures(images.draw))
    for cached in (routes._draw_one, routes._feed):
        cached.cache_clear()


def shown(block: Any) -> Iterator[str]:
    """What is sent of a page, part by part."""
    for part in block.children.values():
        if hasattr(part, "children"):
            yield from shown(part)
        yield str(getattr(part, "proto", ""))


async def asked() -> dict[str, httpx.Response]:
    app = Starlette(routes=routes.routes(), middleware=MIDDLEWARE)
    carried = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=carried, base_url="http://here") as client:
        return {address: await client.get(address) for address in ADDRESSES}


def told_by_routes() -> list[str]:
    """Status, headers and body of every address."""
    with ThreadPoolExecutor(1) as apart:  # a browser of other tests may hold this thread's loop
        answers = apart.submit(asyncio.run, asked()).result()
    for address, answer in answers.items():
        assert answer.status_code != 500, address
    return [f"{address} {one.status_code} {one.headers} {one.text}" for address, one in answers.items()]


def told_by_page(page: str) -> list[str]:
    app = AppTest.from_file(APP, default_timeout=60).run()
    app.switch_page(f"app_pages/{page}.py").run()
    for raised in app.exception:  # the server tells what `explain` says of it
        assert "redacted" in raised.message
    return [*shown(app._tree)]


def leaks(texts: list[str]) -> list[str]:
    return [f"{found.group()}: {text[:400]}" for text in texts for found in [SAID.search(text)] if found]


def look(tell: Tell, *pages: str) -> None:
    """All routes, and the pages that are named, or, in the long form, all."""
    texts = told_by_routes()
    for page in PAGES if SOAK else pages:
        texts += told_by_page(page)
    found = leaks(texts)
    tell("answers over a broken warehouse", len(texts), len(found))
    assert not found


def test_a_browser_is_not_told_where_the_program_lies() -> None:
    said = ForwardMsg()
    said.new_session.main_script_path = "/srv/geheim/dashboard/app.py"
    said.new_session.name = "app"
    there = ForwardMsg.FromString(placeless(said.SerializeToString())).new_session
    assert (there.main_script_path, there.name) == ("app.py", "app")
    other = ForwardMsg()
    other.delta.new_element.markdown.body = "app.py"
    assert placeless(other.SerializeToString()) == other.SerializeToString()


def test_the_next_step_of_what_is_missing_is_kept_for_the_operator() -> None:
    for path in (PROJECT_ROOT / "dashboard").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in NOTHING and node.args:
                assert "`" not in ast.unparse(node.args[0]), f"{path}:{node.lineno}"


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_no_reader_is_told_anything_of_the_operator_s(
    fault: Callable[[Path], None], place: Path, use_database: Callable[[str | Path], None], tell: Tell
) -> None:
    fault(place)
    use_database(place)
    look(tell, *(["data"] if fault is somebody_else_s else []))


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("database", [LAKE, "/proc/geheim/market.duckdb", "md:geheim", "/etc/passwd/geheim"])
def test_nor_where_the_warehouse_cannot_be_reached(
    database: str, use_database: Callable[[str | Path], None], tell: Tell
) -> None:
    use_database(database)
    look(tell)


@pytest.mark.usefixtures("forgotten")
def test_nor_while_another_program_holds_the_file(
    own_database: Path, use_database: Callable[[str | Path], None], tell: Tell
) -> None:
    use_database(own_database)
    words = [sys.executable, "-c", HELD, str(own_database)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        other.stdout.readline()
        look(tell)
        other.communicate("\n")
