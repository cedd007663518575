"""The answers of the last refreshes are kept, so that a gate that was mended can judge them again."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta

import pandas as pd
import pytest

from etl import answers
from etl.product import variable
from etl.quality import GATES
from etl.quality.gates import Gate
from etl.replay import _not_asked_since, replay
from etl.runlog import ItemLog, RunLog
from etl.sources.base import Batch, Task
from etl.warehouse.lake import LakeWarehouse
from etl.warehouse.runs import RETRIEVED
from tests.etl.conftest import STORED, again, messages, nothing_lost
from tests.loopback.yahoo import listing

DAY = date(2025, 3, 11)
DATA = {
    "price_daily": "ticker, date, open, high, low, close, adj_close, volume, currency, source",
    "dividend": "ticker, ex_date, amount, currency, source",
    "split": "ticker, date, ratio, source",
    "shares_outstanding": "COLUMNS(name -> name <> 'run_id')",
    "exchange_rate": "COLUMNS(name -> name <> 'run_id')",
    "ranking_capture": "COLUMNS(name -> name <> 'run_id')",
    "app_ranking": "COLUMNS(name -> name <> 'run_id')",
    "quarantine": "* EXCLUDE (run_id, last_seen, times)",
    "revision": "COLUMNS(name -> name <> 'run_id')",
    "absent_session": "*",
    "signal": "*",
}


def contents(operator) -> dict[str, list[tuple]]:
    return {
        name: operator.rows(f"SELECT {columns} FROM {name} ORDER BY ALL") for name, columns in DATA.items()
    }


def kept(operator) -> list[str]:
    return sorted(one.name for one in answers.place(operator.warehouse).glob("*"))


def spoil(patch: pytest.MonkeyPatch, table: str, condition: str) -> None:
    patch.setitem(GATES, table, (Gate("'a gate that is wrong'", condition), *GATES[table]))


def cut_off(operator) -> None:
    """Forget what was asked so far; nobody answers any more."""
    operator.world.asked.clear()
    operator.world.connected.clear()
    operator.yahoo.listings.clear()


def nobody_was_asked(operator) -> bool:
    return (operator.world.asked, operator.world.connected) == ([], [])


def test_rows_that_a_wrong_gate_refused_arrive_once_it_is_mended(loaded, monkeypatch):
    loaded.yahoo.listings["AMD"].bars[DAY].close *= 1.001
    new = loaded.yahoo.listings["AMD"].bars[DAY].close
    with monkeypatch.context() as patch:
        spoil(patch, "price_daily", f"ticker = 'AMD' AND date = DATE '{DAY}'")
        assert again(loaded).exit_code == 1
    assert "1 × a gate that is wrong" in messages(loaded)["AMD"]
    refused = loaded.last.run_id
    assert nothing_lost(loaded)
    cut_off(loaded)
    done = loaded.run("refresh", "--replay", "--json")
    assert done.returncode == 0, done.stderr
    assert nobody_was_asked(loaded)
    assert loaded.rows(f"SELECT close FROM price_daily WHERE ticker = 'AMD' AND date = '{DAY}'") == [
        (pytest.approx(new),)
    ]
    assert loaded.rows("SELECT DISTINCT settled FROM quarantine") == [("mended",)]
    told = json.loads(done.stdout)
    assert told["run_id"] > refused
    (log,) = told["sources"]
    assert (log["source"], log["rows_updated"]) == ("replay-yahoo", 1)
    assert log["message"].startswith(f"the answers of {refused} again")
    query = "SELECT source, status FROM etl_run ORDER BY run_id DESC LIMIT 1"
    assert loaded.rows(query) == [("replay-yahoo", "ok")]
    came = f"SELECT retrieved FROM ({RETRIEVED}) WHERE run_id = '{told['run_id']}'"
    assert loaded.rows(came) == loaded.rows(f"SELECT finished_at FROM etl_run WHERE run_id = '{refused}'")


def test_a_chart_that_was_refused_is_not_lost_though_it_cannot_be_had_again(loaded, monkeypatch):
    with monkeypatch.context() as patch:
        spoil(patch, "app_ranking", "true")
        assert loaded.refresh("rankings").exit_code == 2
    refused, before = loaded.last.run_id, loaded.rows("SELECT count(*) FROM app_ranking")[0][0]
    loaded.apple.updated += timedelta(minutes=1)
    assert loaded.refresh("rankings").exit_code == 0
    assert loaded.run("refresh", "--replay", refused[:8]).returncode == 0
    assert loaded.rows("SELECT count(*) FROM app_ranking") == [(before + 200,)]


def test_the_same_answers_again_change_nothing(operator):
    nvidia = operator.yahoo.listings["NVDA"]
    nvidia.dividends[date(2025, 2, 10)] = 1.0
    nvidia.reinvest()
    nvidia.bars[DAY].close = -1
    assert operator.refresh("prices", "rankings").exit_code == 1
    before, version = contents(operator), operator.warehouse.version()
    assert before["quarantine"]
    assert before["dividend"]
    cut_off(operator)
    for _ in range(2):
        assert replay(operator.warehouse).exit_code == 1
        assert contents(operator) == before
        assert operator.warehouse.version() == version
    assert nobody_was_asked(operator)


def test_a_replay_fills_a_warehouse_that_was_lost(operator):
    rates = listing("KRWUSD=X", date(2025, 1, 2), date(2025, 1, 10), start=0.0007)
    operator.yahoo.listings["KRWUSD=X"] = rates
    operator.yahoo.listings["NVDA"].shares = {date(2025, 2, 21): 24_400_000_000}
    groups = ("prices", "rankings", "shares", "rates", "google")
    assert operator.refresh(*groups).exit_code == 1  # the others have no share counts
    before = contents(operator)
    assert before["shares_outstanding"]
    assert before["exchange_rate"]
    operator.warehouse.path.unlink()
    shutil.rmtree(operator.warehouse.folder)
    cut_off(operator)
    assert replay(operator.warehouse).exit_code == 0
    assert contents(operator) == before
    assert nobody_was_asked(operator)


def test_the_answers_of_a_lake_are_kept_in_the_cache_without_its_password(operator, tmp_path):
    operator.set(variable("cache_dir"), str(tmp_path / "cache"))
    lake = LakeWarehouse("ducklake:postgres:dbname=market host=db password=hush")
    assert answers.place(lake).parent == tmp_path / "cache"
    assert "hush" not in answers.place(lake).name


def test_an_older_answer_does_not_take_the_place_of_a_newer_one(loaded):
    again(loaded)
    older = loaded.last.run_id
    for bar in loaded.yahoo.listings["AMD"].bars.values():
        bar.volume += 7
    loaded.yahoo.listings["AMD"].bars[DAY].close *= 1.001
    again(loaded)
    before = contents(loaded)
    outcome = replay(loaded.warehouse, older)
    assert contents(loaded) == before
    told = {item.item: item.message for item in outcome.logs[0].items}
    assert told["AMD"] == "asked for again since, from 2025-01-02 on"


def test_of_an_older_answer_the_days_that_no_later_one_has_are_judged(loaded, monkeypatch):
    early = date(2025, 1, 15)
    loaded.yahoo.listings["AMD"].bars[early].volume += 7
    loaded.yahoo.listings["AMD"].bars[DAY].volume += 7
    with monkeypatch.context() as patch:
        spoil(patch, "price_daily", "ticker = 'AMD'")
        again(loaded)
    older = loaded.last.run_id
    volume = loaded.yahoo.listings["AMD"].bars
    volume[DAY].volume += 70
    assert loaded.refresh("prices").exit_code == 0
    assert replay(loaded.warehouse, older).exit_code == 0
    query = (
        f"SELECT volume FROM price_daily WHERE ticker = 'AMD' AND date IN ('{early}', '{DAY}') ORDER BY date"
    )
    assert loaded.rows(query) == [(volume[early].volume,), (volume[DAY].volume,)]


@pytest.mark.parametrize("end", [7, None])
@pytest.mark.parametrize(
    ("first", "last", "left"), [(1, 2, 7), (1, 3, None), (4, 4, 3), (7, 9, 6), (1, 9, None)]
)
def test_the_days_from_the_first_that_was_asked_for_again_are_left_to_the_later_answer(
    end, first, last, left
):
    days = pd.to_datetime([f"2025-03-{day:02}" for day in range(3, 8)])
    task = Task("AMD", date(2025, 3, 3), end and date(2025, 3, end))
    batch = Batch({"price_daily": pd.DataFrame({"ticker": "AMD", "date": days})}, 5)
    asked = {"AMD": [(date(2025, 3, first), date(2025, 3, last))]}
    found = _not_asked_since({task: batch}, asked, RunLog("1", "yahoo", items=[ItemLog("AMD")]))
    kept = [batch.rows["price_daily"]["date"].max().day for batch in found.values()]
    assert kept == ([left] if left else [])


def test_answers_are_judged_as_of_the_moment_at_which_they_came(loaded, monkeypatch):
    again(loaded)
    path = answers.place(loaded.warehouse) / loaded.last.run_id / answers.INDEX
    asked = json.loads(path.read_text())
    asked["asked_at"] = "2025-03-14T15:00:00+00:00"  # New York's session had not closed
    path.write_text(json.dumps(asked))
    outcome = replay(loaded.warehouse)
    assert outcome.exit_code == 1
    assert {item.item: item.rejected for item in outcome.logs[0].items}["AMD"] == 1


def test_a_history_that_changed_meanwhile_takes_a_refresh(loaded):
    loaded.refresh("prices", tickers=["AMD"])
    with loaded.warehouse.writing() as con:  # an import has the split that the answer does not know of
        con.execute("UPDATE price_daily SET close = close / 4 WHERE ticker = 'AMD'")
    before = loaded.rows(STORED)
    outcome = replay(loaded.warehouse)
    (item,) = outcome.logs[0].items
    assert (item.status, outcome.exit_code) == ("failed", 2)
    assert "takes a refresh" in item.message
    assert loaded.rows(STORED) == before


def test_only_the_last_refreshes_of_each_source_are_kept(loaded):
    loaded.set(variable("keep_answers"), "2")
    again(loaded)
    prices = loaded.last.run_id
    runs = []
    for _ in range(3):
        loaded.apple.updated += timedelta(minutes=1)
        loaded.refresh("rankings")
        runs.append(loaded.last.run_id)
    assert kept(loaded) == [prices, *runs[-2:]]
    loaded.set(variable("keep_answers"), "0")
    again(loaded)
    assert kept(loaded) == []
    done = loaded.run("refresh", "--replay")
    assert (done.returncode, done.stderr) == (
        3,
        f"No answers are kept: those of the next refreshes will be, see {variable('keep_answers')}.\n",
    )


def test_the_kept_answers_take_no_more_room_than_they_may(loaded, monkeypatch, caplog):
    again(loaded)
    size = sum(file.stat().st_size for file in answers.place(loaded.warehouse).rglob("*.*") if file.is_file())
    monkeypatch.setattr(answers, "MEGABYTE", size * 3 // 2 / 200)
    monkeypatch.setattr(answers, "_size", lambda sources: 0)
    again(loaded)
    assert kept(loaded) == [loaded.last.run_id]
    monkeypatch.setattr(answers, "_size", lambda sources: size * 2)
    assert again(loaded).exit_code == 0
    assert "too large to be kept for a replay" in caplog.text
    assert loaded.last.run_id not in kept(loaded)


def test_a_refresh_succeeds_though_its_answers_cannot_be_kept(loaded, caplog):
    answers.place(loaded.warehouse).write_text("in the way")
    loaded.yahoo.listings["AMD"].bars[DAY].volume += 7
    assert again(loaded).exit_code == 0
    assert loaded.last.logs[0].total("updated") == 1
    assert "cannot be kept for a replay" in caplog.text


def test_the_answers_of_a_refresh_that_a_gate_broke_are_kept(loaded, monkeypatch):
    with monkeypatch.context() as patch:
        spoil(patch, "price_daily", "no_such_column")
        with pytest.raises(Exception, match="no_such_column"):
            again(loaded)
    assert len(kept(loaded)) == 1
    assert replay(loaded.warehouse).exit_code == 0


def test_the_newest_run_is_the_refresh_and_not_the_bars_within_the_day_that_it_brought(tmp_path):
    for run, source in (("r1", "yahoo"), ("r2", "yahoo-intraday")):
        (tmp_path / run).mkdir()
        (tmp_path / run / answers.INDEX).touch()
        (tmp_path / run / f"{source}.rows.parquet").touch()
    assert answers._choose(tmp_path, "").name == "r1"
    assert answers._choose(tmp_path, "r2").name == "r2"
    shutil.rmtree(tmp_path / "r1")
    assert answers._choose(tmp_path, "").name == "r2"


def test_a_company_that_is_not_followed_any_more_is_named(loaded):
    again(loaded)
    loaded.follow(("NVDA", "XNAS", "USD"))
    outcome = replay(loaded.warehouse)
    assert outcome.exit_code == 1
    told = {item.item: item.message for item in outcome.logs[0].items}
    assert told["AMD"] == "it is not in companies.toml any more"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--replay", "--since", "2025-01-02"), "leave out --since."),
        (("--replay", "--tickers", "AMD", "--source", "prices"), "leave out --source, --tickers."),
        (("r0000001",), "'r0000001' names a run, which goes with --replay only."),
    ],
)
def test_what_does_not_go_with_a_replay_is_refused(loaded, words, told):
    done = loaded.run("refresh", *words)
    assert done.returncode == 3
    assert done.stderr.endswith(f"{told}\n")
    assert done.stderr.count("\n") == 1


def test_a_run_that_is_not_kept_is_refused_with_those_that_are(loaded):
    again(loaded)
    done = loaded.run("refresh", "--replay", "r7777777")
    assert done.returncode == 3
    assert done.stderr == f"No answers are kept of a run 'r7777777'; kept are {loaded.last.run_id} (yahoo).\n"


def test_spoiled_answers_end_in_a_sentence(loaded):
    again(loaded)
    next(answers.place(loaded.warehouse).glob("*/yahoo.price_daily.parquet")).write_bytes(b"PAR1")
    done = loaded.run("refresh", "--replay")
    assert done.returncode == 2
    assert f"The kept answers of run {loaded.last.run_id} cannot be read" in done.stderr
    assert done.stderr.count("\n") == 1
