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


def test_two_new_rows_of_one_key_are_an_error(con):
    with pytest.raises(duckdb.ConstraintException):
        merge(con, [BAR | {"ticker": "NVDA"}] * 2)
