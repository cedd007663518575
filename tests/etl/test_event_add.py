"""`python -m etl event add`: a signal becomes an event, in the form of the file."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.catalogue import load, load_events
from etl.cli import app
from etl.product import variable
from etl.settings import PROJECT_ROOT, settings

WORDS = {
    "--title": 'Chips "rout" \\ again',
    "--source": "The Paper",
    "--source-url": "https://paper.example/chips",
    "--description": "Memory shares fell — heavily.",
}


@pytest.fixture
def folder(tmp_path: Path, bundled_database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("companies.toml", "events.toml"):
        shutil.copyfile(PROJECT_ROOT / "data" / name, tmp_path / name)
    monkeypatch.setenv(variable("data_dir"), str(tmp_path))
    monkeypatch.setenv(variable("database"), str(bundled_database))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def add(**more: str) -> tuple[int, str]:
    words = WORDS | {f"--{name.replace('_', '-')}": value for name, value in more.items()}
    done = CliRunner().invoke(app, ["event", "add", *(part for pair in words.items() for part in pair)])
    return done.exit_code, done.output + str(done.exception or "")


def test_a_signal_becomes_an_event_with_its_session_and_its_lead(folder: Path) -> None:
    before = (folder / "events.toml").read_text(encoding="utf-8")
    code, told = add(from_signal="signal-2025-01-27-nvda-loss")
    assert code == 0, told
    after = (folder / "events.toml").read_text(encoding="utf-8")
    assert after.startswith(before.rstrip())
    added = load(folder).events[-1]
    assert (added.event_id, added.lead, added.kind) == ("chips-rout-again", "NVDA", "market")
    assert (str(added.occurred_at.date()), added.time_known) == ("2025-01-27", False)
    assert added.title == WORDS["--title"]
    assert added.description == WORDS["--description"]
    assert "load-bundled" in told


@pytest.mark.parametrize(
    ("title", "event_id"),
    [
        ('"""\nid = "evil"\n[[event]]\ntitle = \'x', "id-evil-event-title-x"),
        ("芯片股暴跌", "event-2026-06-05"),
        ("A title of so many words that no address in the world would like to hold it", None),
        ("Tab\tbell\x07 and \x7f \\u0041 \U0001f4c9", None),
        ("'single' = [1, 2] # no comment", None),
    ],
)
def test_a_title_of_any_kind_is_a_text_and_nothing_else(
    folder: Path, title: str, event_id: str | None
) -> None:
    known = len(load_events(folder / "events.toml"))
    code, told = add(title=title, from_signal="signal-2026-06-05-ai")
    assert code == 0, told
    after = load_events(folder / "events.toml")
    assert len(after) == known + 1
    assert after[-1].title == " ".join(title.split())
    assert event_id in (None, after[-1].event_id)
    assert len(after[-1].event_id) <= 40
    assert after[-1].lead == ""


def test_a_second_signal_of_the_day_is_a_second_event_with_its_own_lead(folder: Path) -> None:
    for title, signal in (
        ("All of them", "signal-2025-01-27-ai"),
        ("Just one", "signal-2025-01-27-avgo-loss"),
    ):
        assert add(title=title, from_signal=signal)[0] == 0
    first, second = load_events(folder / "events.toml")[-2:]
    assert (first.event_id, first.lead, second.event_id, second.lead) == (
        "all-of-them",
        "",
        "just-one",
        "AVGO",
    )
    assert first.occurred_at.date() == second.occurred_at.date() == date(2025, 1, 27)
    code, told = add(title="Just one", from_signal="signal-2025-01-27-nvda-loss")
    assert code != 0
    assert "more than once" in told


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"from_signal": "signal-2025-01-27-nvda-los"}, "the nearest is signal-2025-01-27-nvda-loss"),
        ({"occurred_at": "2025-01-27#09:30:00-05:00"}, "is not a day or a time"),
        ({"occurred_at": "2025-01-27", "zone": "Mars/Base"}, "Mars/Base"),
        ({"occurred_at": "20250127"}, "is not a day or a time"),
        ({"occurred_at": "2025-01-27", "title": "\udcff"}, "is not in UTF-8"),
        ({"occurred_at": "yesterday"}, "is not a day or a time: write it as 2025-01-27"),
        ({"occurred_at": "2025-01-27", "lead": "NVDAA"}, "the nearest is NVDA"),
        ({"occurred_at": "2025-01-27", "source_url": "javascript:alert(1)"}, "begins with https://"),
        ({"occurred_at": "2025-01-27", "kind": "marked"}, "market"),
        ({"occurred_at": "2025-01-27", "id": "deepseek-selloff"}, "more than once"),
        ({}, "Give --occurred-at, or --from-signal"),
    ],
)
def test_what_cannot_be_an_event_is_refused_and_the_file_left_as_it_was(
    folder: Path, more: dict[str, str], why: str
) -> None:
    before = (folder / "events.toml").read_bytes()
    code, told = add(**more)
    assert code != 0
    assert why in " ".join(told.replace("│", " ").split())
    assert (folder / "events.toml").read_bytes() == before
    assert load_events(folder / "events.toml")
