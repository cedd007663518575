"""What was refused is listed once, and an operator's word about it is kept."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from tests.etl.conftest import again, messages
from tests.loopback.yahoo import sessions

CRASH = date(2025, 3, 12)


@pytest.fixture
def amd(loaded):
    """AMD, which is not yet known to have fallen by half on a day like any other."""
    one = loaded.yahoo.listings["AMD"]
    one.rescale(0.5)
    one.rescale(2, before=CRASH)
    return one


def listed(operator, *words: str) -> list[dict]:
    return json.loads(operator.run("quarantine", "list", "--json", *words).stdout)


def closes(operator) -> dict[date, float]:
    return dict(operator.rows("SELECT date, close FROM price_daily WHERE ticker = 'AMD'"))


def test_nothing_waits_where_nothing_was_refused(loaded):
    done = loaded.run("quarantine", "list")
    assert (done.returncode, done.stdout) == (0, "Nothing in quarantine is waiting for a decision.\n")


def test_a_row_refused_by_every_refresh_is_listed_once(loaded, amd):
    for _ in range(3):
        loaded.yahoo.listings["NVDA"].bars[
            CRASH
        ].volume += 1  # a run that changes nothing leaves no state behind
        assert again(loaded).exit_code == 1
    rows = listed(loaded)
    assert [(row["key"], row["times"], row["settled"]) for row in rows] == [
        (f"AMD {day}", 3, None) for day in sessions(CRASH, date(2025, 3, 14))
    ]
    assert rows[0]["first_seen"] < rows[0]["last_seen"]
    shown = loaded.run("quarantine", "list").stdout
    assert "price_daily AMD 2025-03-12" in shown
    assert "after a jump that looks like an unadjusted split" in shown


def test_accepted_rows_are_merged_at_once_and_not_refused_again(loaded, amd):
    again(loaded)
    done = loaded.run(
        "quarantine", "accept", "--ticker", "amd", "--reason", "a profit warning", "--by", "Ada"
    )
    assert (done.returncode, done.stdout) == (0, "3 rows accepted: 0 inserted, 3 updated.\n")
    assert closes(loaded) == {day: pytest.approx(bar.close) for day, bar in amd.bars.items()}
    assert again(loaded).exit_code == 0
    assert messages(loaded)["AMD"] == ""
    assert listed(loaded) == []
    row = listed(loaded, "--all")[0]
    assert (row["settled"], row["decided_by"], row["decided_for"]) == ("accepted", "Ada", "a profit warning")
    query = "SELECT verdict, decided_by, reason, refused_for[:18] FROM quarantine_decision LIMIT 1"
    assert loaded.rows(query) == [("accepted", "Ada", "a profit warning", "after a jump that ")]
    assert loaded.rows("SELECT status, message FROM etl_run WHERE source = 'quarantine'") == [
        ("ok", "3 refused rows accepted by Ada: a profit warning")
    ]
    revised = loaded.rows(
        "SELECT count(*) FROM revision WHERE key = 'AMD 2025-03-12' AND column_name = 'close'"
    )
    assert revised == [(1,)]


def test_an_accepted_row_with_another_figure_is_another_row(loaded, amd):
    again(loaded)
    loaded.run("quarantine", "accept", "--ticker", "AMD", "--reason", "real")
    loaded.refresh("prices")
    amd.bars[CRASH].close *= 40
    amd.bars[CRASH].high *= 40
    assert loaded.refresh("prices").exit_code == 1
    (row,) = listed(loaded)
    assert (row["key"], row["decided_for"]) == ("AMD 2025-03-12", None)


def test_dropped_rows_stay_out_and_are_not_told_of_again(loaded, amd):
    before = closes(loaded)
    again(loaded)
    done = loaded.run("quarantine", "drop", "--ticker", "AMD", "--reason", "a misprint")
    assert (done.returncode, done.stdout) == (0, "3 rows dropped.\n")
    assert again(loaded).exit_code == 0
    assert messages(loaded)["AMD"] == ""
    assert closes(loaded) == before
    assert listed(loaded) == []
    assert "Rows in quarantine: 0." in loaded.run("status").stdout


def test_a_dropped_row_can_be_accepted_by_its_name(loaded, amd):
    again(loaded)
    loaded.run("quarantine", "drop", "--ticker", "AMD", "--reason", "a misprint")
    names = [row["number"] for row in listed(loaded, "--all")]
    assert loaded.run("quarantine", "drop", *names, "--reason", "again").returncode == 2
    assert loaded.run("quarantine", "accept", "--ticker", "AMD", "--reason", "no").returncode == 2
    assert loaded.run("quarantine", "accept", *names, "--reason", "it was real").returncode == 0
    assert closes(loaded) == {day: pytest.approx(bar.close) for day, bar in amd.bars.items()}
    assert again(loaded).exit_code == 0


def test_rows_are_chosen_by_ticker_run_day_and_name(loaded, amd):
    loaded.yahoo.listings["NVDA"].bars[CRASH].close = -1
    again(loaded)
    rows = listed(loaded)
    assert {row["item"] for row in rows} == {"AMD", "NVDA"}
    assert {row["item"] for row in listed(loaded, "--ticker", "nvda")} == {"NVDA"}
    assert listed(loaded, "--run", rows[0]["run_id"]) == rows
    assert listed(loaded, "--run", "19990101") == []
    assert listed(loaded, "--since", "2025-01-01") == rows
    assert listed(loaded, "--since", min(row["last_seen"] for row in rows)[:10]) == rows
    assert listed(loaded, "--since", "2999-01-01") == []
    (name,) = [row["number"] for row in rows if row["key"] == f"AMD {CRASH}"]
    assert loaded.run("quarantine", "accept", name, "--reason", "real").returncode == 0
    assert len(listed(loaded)) == len(rows) - 1


def test_what_no_operator_can_make_good_is_named_and_stays(loaded):
    loaded.yahoo.listings["AMD"].bars[CRASH].close = -5.0
    loaded.yahoo.listings["AMD"].bars[date(2025, 3, 13)].close = 500.0
    again(loaded)
    done = loaded.run("quarantine", "accept", "--ticker", "AMD", "--reason", "I want it")
    assert (done.returncode, done.stdout) == (1, "1 row accepted: 0 inserted, 1 updated.\n")
    assert done.stderr == "It cannot be accepted, AMD: the close is not positive\n"
    assert [row["figure"] for row in listed(loaded)] == [-5.0]
    assert loaded.rows("SELECT figure FROM quarantine_decision") == [(500.0,)]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["accept", "--reason", "x"], 3, "Say which rows to accept"),
        (["drop", "--ticker", "AMD"], 3, "--reason"),
        (["drop", "--ticker", "AMD", "--reason", " "], 3, "Say why with --reason"),
        (["drop", "--ticker", "AMD", "--reason", "x"], 2, "No open row in quarantine matches"),
        (["accept", "deadbeef", "--reason", "x"], 2, "No open row in quarantine matches"),
        (["list", "--since", "soon"], 3, "'soon' is not a date"),
        (["forget"], 3, "forget"),
    ],
)
def test_wrong_usage_is_one_line(loaded, words, code, sentence):
    done = loaded.run("quarantine", *words)
    assert done.returncode == code
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_accepted_dividend_moves_the_adjusted_closes(loaded):
    one = loaded.yahoo.listings["AMD"]
    one.dividends[CRASH] = 15.0
    again(loaded)
    (row,) = listed(loaded)
    assert row["reason"] == "the close did not fall by so large a dividend"
    done = loaded.run("quarantine", "accept", row["number"], "--reason", "a spin-off")
    assert (done.returncode, loaded.rows("SELECT amount FROM dividend")) == (0, [(15.0,)])
    one.reinvest()
    assert dict(loaded.rows("SELECT date, adj_close FROM price_daily WHERE ticker = 'AMD'")) == {
        day: pytest.approx(bar.adjusted) for day, bar in one.bars.items()
    }
    assert again(loaded).exit_code == 0


def test_what_its_source_mends_is_no_longer_open(loaded):
    one = loaded.yahoo.listings["AMD"]
    right = one.bars[CRASH].close
    one.bars[CRASH].close = -5.0
    again(loaded)
    assert len(listed(loaded)) == 1
    one.bars[CRASH].close = right
    again(loaded)
    assert listed(loaded) == []
    assert [row["settled"] for row in listed(loaded, "--all")] == ["mended"]
    one.bars[CRASH].close = -5.0
    again(loaded)
    assert len(listed(loaded)) == 1
    assert re.search(r"Rows in quarantine: 1\.", loaded.run("status").stdout)


def test_the_help_names_the_commands_and_their_filters(loaded):
    shown = loaded.run("quarantine", "--help").stdout
    assert all(word in shown for word in ("list", "accept", "drop"))
    assert all(
        word in loaded.run("quarantine", "drop", "--help").stdout for word in ("--ticker", "--run", "--since")
    )


def test_rows_refused_before_quarantine_had_names_are_still_listed(loaded):
    with loaded.warehouse.writing() as con:
        con.execute(
            "INSERT INTO quarantine (run_id, source, item, reason, row_json, times) "
            "VALUES ('1', 'yahoo', 'AMD', 'no close', '{}', 1)"
        )
    assert loaded.run("quarantine", "list").returncode == 0
    assert [row["reason"] for row in listed(loaded)] == ["no close"]
