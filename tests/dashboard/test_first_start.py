"""A host that runs nothing but the dashboard still gets its data."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dashboard import metrics, warm
from dashboard.warm import warmed
from etl.product import variable
from etl.warehouse import StateGoneError


def test_a_start_without_a_warehouse_builds_it_where_the_operator_says_so(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("dashboard.warm.leave", lambda: None)  # the process of the tests goes on
    database = tmp_path / "market.duckdb"
    monkeypatch.setenv(variable("database"), str(database))
    start()
    assert not database.exists()
    monkeypatch.setenv(variable("load_bundled"), "1")
    start()
    assert database.exists()


def test_a_warehouse_that_goes_while_it_is_read_ahead_is_one_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(_: str) -> None:
        raise StateGoneError.of("market@7")

    monkeypatch.setattr(warm, "_state", lambda: "market@7")
    monkeypatch.setattr(warm, "warm", gone)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: asyncio.run(warm._warm_unless("market@6"))).result() == "market@6"
    (line,) = caplog.records
    assert line.getMessage() == f"Nothing could be read ahead: {StateGoneError.of('market@7')}"
    assert line.exc_info is None


def start() -> None:
    """In a thread of its own, since a test's browser may hold the loop of this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(_started())).result()


async def _started() -> None:
    async with warmed(None):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize(("seconds", "read_ahead_after"), [(0.0, 0.2), (0.6, 0.8), (60.0, 2.0)])
def test_what_no_reader_asked_for_is_read_when_none_has_waited_for_a_moment_and_at_last_in_any_case(
    seconds: float, read_ahead_after: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(pause: float) -> None:
        waits.append(pause)
        if sum(waits) >= 2.0:
            raise TimeoutError

    monkeypatch.setattr(warm, "LOOK", 0.1)
    monkeypatch.setattr(warm, "QUIET_LOOKS", 2)
    monkeypatch.setattr(metrics, "pages_running", lambda: sum(waits) <= seconds)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(warm._quiet())).result()
    assert sum(waits) == pytest.approx(read_ahead_after)
