"""What fails or grows stale is told once, and once when it is over."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from etl import alerts
from tests.etl.conftest import Operator


@pytest.fixture
def told(operator: Operator, tmp_path: Path) -> Path:
    """The file to which the operator's command adds what it is told."""
    log = tmp_path / "told.txt"
    operator.set("AIMI_CACHE_DIR", str(tmp_path / "cache"))
    operator.set("AIMI_RANKING_CHARTS", "none")
    program = f"import sys; open({str(log)!r}, 'a').write(sys.stdin.read())"
    operator.set("AIMI_ALERT_COMMAND", f'{sys.executable} -c "{program}"')
    return log


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
    command = operator.variables["AIMI_ALERT_COMMAND"]
    operator.set("AIMI_ALERT_COMMAND", "/no/such/command")
    assert "There is no warehouse" in alerts.tell(operator.warehouse)[0]
    operator.set("AIMI_ALERT_COMMAND", command)
    alerts.tell(operator.warehouse)
    assert len(lines(told)) == 1


def test_without_anybody_to_tell_nothing_is_done(operator: Operator) -> None:
    assert alerts.tell(operator.warehouse) == []
