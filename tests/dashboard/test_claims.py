"""The claims of the coverage: their file is checked when it is read, each sentence against the data of its own day."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.analysis.record_book import Records
from dashboard.charts import words
from dashboard.data.claims import NEEDS, claims, read_claims
from dashboard.export.cli import main
from dashboard.views.claims import CHECKS, HOLDS, IN_PART, check
from dashboard.views.records import read_records
from dashboard.views.story import Story, read_story
from etl.console import ExitCode
from etl.entries import EntryError
from etl.product import variable
from etl.settings import PROJECT_ROOT
from etl.warehouse import connect_read_only

Con = duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def con(bundled_database: Path) -> Iterator[Con]:
    with connect_read_only(bundled_database) as opened:
        yield opened


@pytest.fixture(scope="module")
def story(con: Con) -> Story:
    return read_story(con, "deepseek-selloff")


@pytest.fixture(scope="module")
def records(con: Con) -> Records:
    return read_records(con)


def test_the_claims_are_checked_against_the_data(con: Con, story: Story, records: Records) -> None:
    results = {
        claim.claim_id: check(claim, story, records)
        for claim in claims(PROJECT_ROOT / "data", "deepseek-selloff")
    }
    assert results["nvidia-589-to-595"].verdict == HOLDS
    assert results["nvidia-589-to-595"].figure == "lost $592.7 billion"
    assert "589 billion takes 24,339 million shares" in results["nvidia-589-to-595"].how
    assert results["more-than-a-trillion"].verdict == HOLDS
    assert results["dethroned-chatgpt"].verdict == IN_PART
    assert results["coincided"].verdict == HOLDS
    assert results["largest-loss-ever"].verdict == (HOLDS if len(records.reported) else IN_PART)


@pytest.mark.parametrize(
    ("event_id", "claim_id", "verdict", "figure"),
    [
        ("microsoft-357bn", "microsoft-357", HOLDS, "lost $357.4 billion"),
        ("oracle-backlog", "oracle-since-1992", IN_PART, "+35.95%"),
        ("nvidia-5tn", "first-five-trillion", HOLDS, "$5.03 trillion"),
        ("nvidia-q4-fy2025", "nvidia-273", HOLDS, "lost $271.6 billion"),
    ],
)
def test_claims_about_other_events_are_computed(
    con: Con, records: Records, event_id: str, claim_id: str, verdict: str, figure: str
) -> None:
    found = {claim.claim_id: claim for claim in claims(PROJECT_ROOT / "data", event_id)}
    checked = check(found[claim_id], read_story(con, event_id), records)
    assert (checked.verdict, checked.figure) == (verdict, figure)


def test_every_claim_is_about_a_known_event_and_says_who_published_it(con: Con) -> None:
    known = con.execute("SELECT event_id FROM event").fetchall()
    for claim in read_claims(PROJECT_ROOT / "data"):
        assert (claim.event_id,) in known, claim.claim_id
        assert claim.sources, claim.claim_id
        assert all(source.url.startswith("http") and source.publisher for source in claim.sources)


RIGHT = {"id": "x", "event": "y", "text": "z", "check": "rank", "ticker": "NVDA", "rank": 1}


def write_claim(
    folder: Path, source: str = '{ publisher = "P", url = "https://example.org" }', **changed: object
) -> None:
    entry = {key: value for key, value in (RIGHT | changed).items() if value is not None}
    lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    (folder / "claims.toml").write_text("\n".join(["[[claim]]", *lines, f"source = [{source}]"]))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ticker": None, "tikcer": "NVDA"}, "claim x: there is no key “tikcer”; the nearest is ticker"),
        ({"check": "own-recrod"}, "claim x: there is no check “own-recrod”; the nearest is own-record"),
        ({"rank": None}, "claim x, check rank: rank is missing"),
        ({"event": None}, "claim x: event is missing"),
        ({"rank": "2"}, "claim x: rank takes a whole number, not '2'"),
        ({"rank": True}, "claim x: rank takes a whole number, not 'True'"),
        ({"tickers": "NVDA"}, "claim x: tickers takes a list, each text in quotes, not 'NVDA'"),
        ({"source": ""}, "claim x: source is missing"),
        (
            {"source": '{ publisher = "P", ulr = "https://example.org" }'},
            "claim x, source: there is no key “ulr”; the nearest is url",
        ),
        ({"source": '{ publisher = "P" }'}, "claim x, source: url is missing"),
    ],
)
def test_a_claim_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    write_claim(tmp_path)
    assert claims(tmp_path, "y")
    write_claim(tmp_path, **changed)
    with pytest.raises(EntryError, match=re.escape(said)):
        claims(tmp_path, "another event")


def test_a_misspelt_word_above_the_claims_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claims.toml").write_text("[[cliam]]\n")
    with pytest.raises(EntryError, match="there is no key “cliam”; the nearest is claim"):
        claims(tmp_path, "y")


def test_each_check_that_a_claim_may_name_is_there() -> None:
    assert set(CHECKS) == set(NEEDS)


@pytest.mark.parametrize(
    ("event_id", "claim_id", "then", "larger"),
    [
        ("deepseek-selloff", "largest-loss-ever", "The largest loss up to that day.", 0),
        ("microsoft-357bn", "microsoft-second-largest", "The second largest loss up to that day.", 1),
        ("nvidia-279bn", "nvidia-279-record", "The largest loss up to that day.", 0),
    ],
)
def test_a_record_is_one_of_its_own_day(
    con: Con, records: Records, event_id: str, claim_id: str, then: str, larger: int
) -> None:
    [claim] = [claim for claim in claims(PROJECT_ROOT / "data", event_id) if claim.claim_id == claim_id]
    story = read_story(con, event_id)
    day = pd.Timestamp(story.event.market_session)
    checked = check(claim, story, records)
    assert checked.verdict == HOLDS
    assert checked.how.startswith(then)
    assert f"to {words.day(day.date(), weekday=False)}" in checked.how
    [(before,)] = con.execute(
        """SELECT count(*) FROM (
            SELECT date, (close - lag(close) OVER (PARTITION BY ticker ORDER BY date)) * (SELECT s.shares
                FROM shares_outstanding s WHERE s.ticker = p.ticker AND coalesce(s.filed, s.date) <= p.date
                ORDER BY coalesce(s.filed, s.date) DESC LIMIT 1) AS lost
            FROM price_daily p WHERE ticker = 'NVDA' AND date > '2024-07-01'
        ) WHERE date < ? AND lost < ?""",
        [day, story.changes.set_index("ticker").loc[claim.ticker, "value_change"]],
    ).fetchall()
    assert before == larger


@pytest.mark.usefixtures("on_bundled_data")
def test_the_operator_and_the_command_line_get_the_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    operator: Callable[[str], None],
) -> None:
    operator("1")
    write_claim(tmp_path, check="own-recrod")
    monkeypatch.setenv(variable("data_dir"), str(tmp_path))
    said = "claims.toml, claim x: there is no check “own-recrod”; the nearest is own-record"
    page = AppTest.from_file(str(PROJECT_ROOT / "dashboard" / "app.py"), default_timeout=60).run()
    assert not page.exception
    assert said in page.warning[0].value.replace("\\", "")
    assert main(["--site", str(tmp_path / "site")]) == ExitCode.USAGE
    assert said in " ".join(capsys.readouterr().err.split())
