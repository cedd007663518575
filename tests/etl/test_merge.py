"""What a merge changes, counts and records; figures that differ by rounding are the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pandas as pd
import pytest

from etl.warehouse.merge import Counts, Merge, Rules
from etl.warehouse.migrate import migrate

BAR = {"ticker": "AMD", "date": "2025-03-11", "open": 100.0, "high": 102.0, "low": 98.0, "close": 101.0}
BAR |= {"adj_close": 101.0, "volume": 1000, "currency": "USD", "source": "yahoo"}
PLACE = {"captured_at": "2025-03-11 12:00:00+00", "store": "apple", "country": "us", "chart": "top-free"}
PLACE |= {"device": "", "evidence": "measured", "source_url": "", "rank": 1, "app_name": "A"}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in memory that holds one bar."""
    with duckdb.connect() as con:
        migrate(con, constraints=True)
        merge(con, [BAR])
        yield con


def merge(con, rows: list[dict[str, Any]], rules: Rules | None = None, table: str = "price_daily") -> Counts:
    frame = pd.DataFrame(rows)
    return Merge(con, f"run {len(con.execute('FROM revision').fetchall())}").rows(table, frame, rules)


def revised(con) -> list[tuple]:
    return con.execute("SELECT column_name, old_value, new_value FROM revision ORDER BY ALL").fetchall()


def stored(con, column: str) -> Any:
    return con.execute(f"SELECT {column} FROM price_daily WHERE ticker = 'AMD'").fetchall()[0][0]


@pytest.mark.parametrize(("share", "updated"), [(1, 0), (1 + 5e-7, 0), (1 + 3e-6, 1), (1.0005, 1)])
def test_figures_that_differ_by_rounding_are_the_same(con, share, updated):
    assert merge(con, [BAR | {"close": 101.0 * share}]) == Counts(updated=updated)
    assert len(revised(con)) == updated


def test_a_figure_that_is_missing_leaves_the_one_that_is_there(con):
    bare = {name: value for name, value in BAR.items() if name not in ("open", "high", "low", "volume")}
    assert merge(con, [bare]) == Counts()
    assert merge(con, [bare | {"close": 102.0}]) == Counts(updated=1)
    assert (stored(con, "open"), stored(con, "volume"), stored(con, "close")) == (100.0, 1000, 102.0)
    assert revised(con) == [("close", "101.0", "102.0")]


def test_what_was_not_known_before_is_no_revision(con):
    con.execute("UPDATE price_daily SET volume = NULL")
    assert merge(con, [BAR]) == Counts(updated=1)
    assert stored(con, "volume") == 1000
    assert revised(con) == []


def test_another_source_of_the_same_figures_is_no_revision(con):
    assert merge(con, [BAR | {"source": "bundled"}]) == Counts(updated=1)
    assert revised(con) == []


def test_a_rule_says_which_rows_may_change_and_which_go(con):
    only_bundled = Rules("target.source = 'bundled'", delete="target.source = 'bundled'")
    assert merge(con, [BAR | {"close": 105.0}], only_bundled) == Counts()
    assert (stored(con, "close"), revised(con)) == (101.0, [])
    con.execute("UPDATE price_daily SET source = 'bundled'")
    assert merge(con, [BAR | {"ticker": "NVDA"}], only_bundled) == Counts(inserted=1, deleted=1)
    assert ("close", "101.0", None) in revised(con)


def test_a_staged_row_is_not_taken_out(con):
    assert merge(con, [BAR], Rules(delete="true")) == Counts()
    assert stored(con, "close") == 101.0


def test_new_rows_beside_known_ones_are_counted_by_item(con):
    done = Merge(con, "r")
    done.rows("price_daily", pd.DataFrame([BAR | {"close": 102.0}, BAR | {"ticker": "NVDA"}]))
    assert done.items == {"AMD": Counts(updated=1), "NVDA": Counts(inserted=1)}
    assert con.execute("SELECT ticker, run_id FROM price_daily ORDER BY 1").fetchall() == [
        ("AMD", "r"),
        ("NVDA", "r"),
    ]


def test_revisions_can_be_left_out(con):
    assert merge(con, [BAR | {"close": 105.0}], Rules(revisions=False)) == Counts(updated=1)
    assert revised(con) == []


def test_what_is_taken_out_without_revisions_leaves_none(con):
    gone = Rules(delete="target.close > 0", revisions=False)
    done = Merge(con, "r")
    assert done.rows("price_daily", pd.DataFrame([BAR | {"ticker": "NVDA"}]), gone).deleted == 1
    assert (done.items["AMD"], revised(con)) == (Counts(deleted=1), [])


def test_a_table_that_people_edit_has_no_revisions(con):
    one = {"ticker": "AMD", "name": "A", "segment": "s", "exchange": "XNAS", "currency": "USD", "role": "AI"}
    for rows, rules in (([one], None), ([one | {"name": "B"}], None), ([one | {"ticker": "X"}], "true")):
        merge(con, rows, Rules(delete=rules) if rules else None, "company")
    assert con.execute("SELECT ticker FROM company").fetchall() == [("X",)]
    assert revised(con) == []


def test_a_note_and_how_well_a_moment_is_known_are_no_figures(con):
    merge(con, [PLACE | {"note": "a", "time_known": True}], table="app_ranking")
    changed = PLACE | {"note": "b", "time_known": False}
    assert merge(con, [changed], table="app_ranking") == Counts(updated=1)
    assert revised(con) == []


def test_a_note_that_was_withdrawn_goes(con):
    merge(con, [PLACE | {"note": "a", "time_known": True}], table="app_ranking")
    assert merge(con, [PLACE | {"note": None}], table="app_ranking") == Counts(updated=1)
    assert con.execute("SELECT note, time_known FROM app_ranking").fetchall() == [(None, True)]


@pytest.mark.parametrize("returns", [True, False], ids=["DuckDB", "as on a lake"])
def test_what_was_done_is_counted_where_the_database_does_not_tell(con, returns):
    bars = [BAR | {"close": 102.0}, BAR | {"ticker": "NVDA"}, BAR | {"date": "2025-03-12"}]
    merge(con, [BAR | {"ticker": "INTC"}])
    done = Merge(con, "r")
    done.returns = returns
    counts = done.rows("price_daily", pd.DataFrame([*bars, BAR | {"ticker": "INTC"}]))
    assert counts == Counts(inserted=2, updated=1)
    assert done.items == {"AMD": Counts(inserted=1, updated=1), "NVDA": Counts(inserted=1)}


def test_rows_may_be_those_of_a_table_by_its_name(con):
    con.execute("CREATE TEMP TABLE arrived AS SELECT * REPLACE (102.0 AS close) FROM price_daily")
    assert Merge(con, "r").rows("price_daily", "arrived") == Counts(updated=1)
    assert stored(con, "close") == 102.0


def test_what_is_taken_out_adds_up_by_item(con):
    merge(con, [BAR | {"date": "2025-03-12"}, BAR | {"ticker": "INTC"}])
    done = Merge(con, "r")
    done.rows("price_daily", pd.DataFrame([BAR | {"ticker": "NVDA"}]), Rules(delete="true"))
    assert done.items == {
        "AMD": Counts(deleted=2),
        "INTC": Counts(deleted=1),
        "NVDA": Counts(inserted=1),
    }


def test_the_merges_of_a_run_add_up_by_item(con):
    done = Merge(con, "r")
    for number in range(2):
        new = BAR | {"date": f"2025-04-0{number + 1}"}
        assert done.rows("price_daily", pd.DataFrame([new, new | {"ticker": "NVDA"}])) == Counts(inserted=2)
        done.rows("price_daily", pd.DataFrame([BAR | {"close": 110.0 + number}]))
    assert done.items == {"AMD": Counts(inserted=2, updated=2), "NVDA": Counts(inserted=2)}


def test_a_price_that_was_missing_is_filled(con):
    con.execute("UPDATE price_daily SET open = NULL, close = NULL")
    assert merge(con, [BAR]) == Counts(updated=1)
    assert (stored(con, "open"), stored(con, "close")) == (100.0, 101.0)


def test_two_new_rows_of_one_key_are_an_error(con):
    with pytest.raises(duckdb.ConstraintException):
        merge(con, [BAR | {"ticker": "NVDA"}] * 2)
