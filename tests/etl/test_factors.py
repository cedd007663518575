"""Factor returns from Kenneth French's library: joined, turned into fractions, and every other form named."""

from __future__ import annotations

from datetime import date

import pytest

from etl.replay import replay
from tests.loopback.french import FIVE, French
from tests.loopback.world import World


@pytest.fixture
def library(operator, tmp_path):
    """The library, in a world of its own that the operator enters."""
    site = French()
    folder = tmp_path / "library"
    folder.mkdir()
    with World(folder, [site]) as world:
        operator.enter(world)
        yield site


def test_both_files_arrive_as_fractions_under_one_day(operator, library):
    first = operator.refresh("factors")
    assert (first.exit_code, first.logs[0].total("inserted")) == (0, 2)
    rows = operator.rows("SELECT date, mkt_rf, hml, umd, rf, source FROM factor_daily ORDER BY date")
    assert [row[0] for row in rows] == [date(2025, 1, 24), date(2025, 1, 27)]
    assert rows[1][1:5] == pytest.approx((-0.0167, 0.019, -0.049, 0.00017))
    assert rows[1][5] == "french"
    assert operator.refresh("factors").logs[0].total("inserted") == 0


def test_a_revision_of_the_library_is_taken(operator, library):
    operator.refresh("factors")
    library.days[date(2025, 1, 27)] = (-1.7, *library.days[date(2025, 1, 27)][1:])
    assert operator.refresh("factors").logs[0].total("updated") == 1
    assert operator.rows("SELECT mkt_rf FROM factor_daily ORDER BY date DESC LIMIT 1")[0][0] == pytest.approx(
        -0.017
    )


def test_a_replay_takes_no_revision_of_the_library_back(operator, library):
    older = operator.refresh("factors", since=date(2025, 1, 20)).run_id
    library.days[date(2025, 1, 27)] = (-1.7, *library.days[date(2025, 1, 27)][1:])
    newer = operator.refresh("factors").run_id
    query = "SELECT date, mkt_rf, umd, rf FROM factor_daily ORDER BY date"
    before = operator.rows(query)
    outcome = replay(operator.warehouse, older)
    assert (outcome.exit_code, operator.rows(query)) == (0, before)
    assert outcome.logs[0].items[0].message.startswith("asked for again since, from ")
    with operator.warehouse.writing() as con:
        con.execute("DELETE FROM factor_daily")
    assert (replay(operator.warehouse, newer).exit_code, operator.rows(query)) == (0, before)


@pytest.mark.parametrize("content", [b"<html>moved</html>", b"PK\x03\x04damaged", b""])
def test_an_answer_of_another_form_is_a_failure_with_its_cause(operator, library, content):
    library.files[FIVE] = content
    outcome = operator.refresh("factors")
    assert outcome.exit_code == 2
    (said,) = [item.message for item in outcome.logs[0].items if item.message]
    assert said.startswith("Kenneth French's library sent")
    assert not operator.warehouse.path.exists()


def test_a_market_in_per_cent_of_per_cent_goes_to_quarantine(operator, library):
    library.days[date(2025, 1, 28)] = (92.0, *library.days[date(2025, 1, 27)][1:])
    operator.refresh("factors")
    assert operator.rows("SELECT count(*) FROM factor_daily") == [(2,)]
