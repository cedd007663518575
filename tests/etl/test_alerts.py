"""What fails or grows stale is told once, and once when it is over."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from etl import alerts
from etl.product import NAME, variable
from tests.etl.conftest import Operator


@pytest.fixture
def told(operator: Operator, tmp_path: Path) -> Path:
    """The file to which the operator's command adds what it is told."""
    log = tmp_path / "told.txt"
    operator.set(variable("cache_dir"), str(tmp_path / "cache"))
    operator.set(variable("ranking_charts"), "none")
    program = f"import sys; open({str(log)!r}, 'a').write(sys.stdin.read())"
    operator.set(variable("alert_command"), f'{sys.executable} -c "{program}"')
    return log


class Desk(ThreadingHTTPServer):
    """Somebody whom Apprise tells by its JSON form; refuses while ``status`` says so."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.got: list[dict[str, str]] = []
        self.status = 200
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"json://ada:hush-hush@127.0.0.1:{self.server_address[1]}/desk"

    @property
    def lines(self) -> list[str]:
        return [line for one in self.got for line in one["message"].splitlines()]


class _Post(BaseHTTPRequestHandler):
    server: Desk

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.server.status == 200:
            self.server.got.append(content)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def desks(operator: Operator, told: Path) -> Iterator[tuple[Desk, Desk]]:
    """Two that are told by addresses, and nobody by a command."""
    both = Desk(), Desk()
    operator.set(variable("alert_command"), "")
    operator.set(variable("alert_urls"), " ".join(desk.url for desk in both))
    yield both
    for desk in both:
        desk.shutdown()
        desk.server_close()


def lines(told: Path) -> list[str]:
    return told.read_text().splitlines() if told.exists() else []


def test_trouble_and_recovery_are_told_once_each(operator: Operator, told: Path) -> None:
    operator.refresh("prices")
    for _ in range(3):
        alerts.tell(operator.warehouse, {"job prices XNAS": "no answer"})
    (job, stale) = lines(told)
    assert job == "Trouble: job prices XNAS: no answer"
    assert stale.startswith("Trouble: prices of 4 of 4 companies lack closed sessions")
    for _ in range(3):
        alerts.tell(operator.warehouse, {"job rates": None})
    assert len(lines(told)) == 2
    for _ in range(3):
        alerts.tell(operator.warehouse, {"job prices XNAS": None})
    assert lines(told)[2:] == ["Recovered: no answer"]


def test_a_failed_run_is_told_by_the_command_line_and_its_recovery_too(
    operator: Operator, told: Path
) -> None:
    operator.refresh("prices")
    operator.run("alert")
    operator.run("refresh", "--source", "prices", HTTPS_PROXY="http://127.0.0.1:9")
    assert "Trouble: the last run of yahoo failed" in operator.run("alert").stdout
    assert operator.run("alert").stdout == ""
    operator.refresh("prices")
    assert "Recovered: the last run of yahoo failed" in operator.run("alert").stdout


def test_what_could_not_be_told_is_told_the_next_time(operator: Operator, told: Path) -> None:
    command = operator.variables[variable("alert_command")]
    operator.set(variable("alert_command"), "/no/such/command")
    assert "There is no warehouse" in alerts.tell(operator.warehouse)[0]
    operator.set(variable("alert_command"), command)
    alerts.tell(operator.warehouse)
    assert len(lines(told)) == 1


def test_without_anybody_to_tell_nothing_is_done(operator: Operator) -> None:
    assert alerts.tell(operator.warehouse) == []


def test_addresses_are_told_of_trouble_and_recovery_once_each(
    operator: Operator, desks: tuple[Desk, Desk]
) -> None:
    said = "no answer from <b>Yahoo</b> & others"
    operator.refresh("prices")
    for _ in range(2):
        alerts.tell(operator.warehouse, {"job prices XNAS": said})
    for _ in range(2):
        alerts.tell(operator.warehouse, {"job prices XNAS": None})
    for desk in desks:
        (job, stale, over) = desk.lines
        assert job == f"Trouble: job prices XNAS: {said}"
        assert stale.startswith("Trouble: prices of 4 of 4 companies lack closed sessions")
        assert over == f"Recovered: {said}"
        assert {one["title"] for one in desk.got} == {NAME}


def test_an_address_that_fails_costs_the_others_no_repetition_and_gets_later_what_it_missed(
    operator: Operator, desks: tuple[Desk, Desk], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    heard, missed = desks
    missed.status = 500
    operator.refresh("prices")
    with caplog.at_level(logging.WARNING, logger="etl"):
        for _ in range(2):
            alerts.tell(operator.warehouse, {"job rates": "no answer"})
    assert len(heard.lines) == 2
    assert f"One of {variable('alert_urls')} did not take the alert." in caplog.messages
    missed.status = 200
    alerts.tell(operator.warehouse, {"job rates": None})
    assert heard.lines[2:] == ["Recovered: no answer"]
    assert missed.lines == heard.lines
    kept = (tmp_path / "cache" / "alerts.json").read_text()
    assert "hush-hush" not in kept + "".join(one.getMessage() for one in caplog.records if one.name == "etl")


def test_an_address_that_is_none_is_named_by_its_setting(
    operator: Operator, desks: tuple[Desk, Desk], caplog: pytest.LogCaptureFixture
) -> None:
    operator.set(variable("alert_urls"), "nobody-knows://hush-hush")
    assert alerts.tell(operator.warehouse)
    assert f"One of {variable('alert_urls')} did not take the alert." in caplog.messages
    operator.set(variable("alert_urls"), desks[0].url)
    alerts.tell(operator.warehouse)
    assert len(desks[0].lines) == 1


def test_a_trouble_of_which_only_the_figures_change_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(hours: int) -> set[str]:
        stale = [
            f"prices of {hours} of 50 companies lack sessions (AMD {hours})",
            f"captured {hours} hours ago",
        ]
        monkeypatch.setattr(alerts, "read_status", lambda warehouse: SimpleNamespace(stale=stale))
        return set(alerts._of_the_status(SimpleNamespace()))

    assert known(37) == known(1_038)
    assert len(known(37)) == 2
