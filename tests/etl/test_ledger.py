"""The ledger of what was told to whom."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from etl.delivery.ledger import PAUSES, Ledger, delivering, left

NOW = datetime(2026, 7, 31, 21, tzinfo=UTC)


def test_after_the_last_pause_a_message_is_given_up(tmp_path: Path) -> None:
    ledger, now = Ledger(tmp_path / "ledger.sqlite"), NOW
    for pause in PAUSES:
        assert ledger.due(["one"], "webhook", now) == ["one"]
        ledger.begin(["one"], "webhook", now)
        ledger.end(["one"], "webhook", now, "answered 503")
        for again in (False, True):
            assert ledger.due(["one"], "webhook", now + pause / 2, again=again) == []
        now += pause
    ledger.begin(["one"], "webhook", now)
    ledger.end(["one"], "webhook", now, "answered 503")
    assert ledger.due(["one"], "webhook", now + timedelta(days=99)) == []
    assert ledger.due(["one"], "webhook", now, again=True) == ["one"]
    assert ledger.unsettled() == [("one", "webhook", "given up", "answered 503")]


def test_a_message_that_has_left_counts_as_told_even_if_nobody_knows_whether_it_arrived(
    tmp_path: Path,
) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert not ledger.told("one", "webhook")
    ledger.begin(["one"], "webhook", NOW)
    assert ledger.told("one", "webhook")
    assert ledger.due(["one"], "webhook", NOW + timedelta(days=9)) == []
    assert ledger.due(["one"], "webhook", NOW, again=True) == ["one"]
    ledger.end(["one"], "webhook", NOW)
    assert ledger.due(["one"], "webhook", NOW, again=True) == []


def test_a_message_that_is_just_leaving_is_not_taken_for_one_that_was_left(tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite"
    Ledger(place).begin(["one", "other"], "webhook", NOW)
    Ledger(place).end(["other"], "webhook", NOW, "answered 503")
    with delivering(place):
        assert left(place) == []
    assert left(place) == [("one", "webhook")]
