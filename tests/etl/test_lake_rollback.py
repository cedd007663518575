"""A rollback on a lake brings back every table, the small ones too, and what is written after it still fits."""

from __future__ import annotations

import pytest

from etl.warehouse.errors import NoSuchStateError
from etl.warehouse.lake import LakeWarehouse

pytest.importorskip("duckdb_extension_ducklake", reason="needs DuckDB's extension as a package")


def test_a_rollback_keeps_small_tables_and_the_newest_columns(tmp_path):
    lake = LakeWarehouse(f"ducklake:{tmp_path / 'catalog.ducklake'}", str(tmp_path / "lake"))

    def rows(query: str) -> list[tuple]:
        with lake.reading() as con:
            return con.execute(query).fetchall()

    with lake.writing() as con:
        con.execute("INSERT INTO company (ticker, name) VALUES ('A', 'a'), ('B', 'b')")
        con.execute(
            "INSERT INTO price_daily (ticker, date, close) SELECT 'A', '2025-01-02', 1 FROM range(50)"
        )
        con.execute("INSERT INTO dividend (ticker, ex_date, amount) VALUES ('A', '2025-01-02', 1)")
    migrations, first = rows("SELECT number FROM schema_migration ORDER BY 1"), lake.versions()[-1]
    with lake.writing() as con:
        con.execute(
            "ALTER TABLE company ADD COLUMN later VARCHAR; UPDATE company SET name = 'c', later = 'd'"
        )
        con.execute("CREATE TABLE younger (number INTEGER); INSERT INTO younger VALUES (1)")
        con.execute(
            "UPDATE price_daily SET close = 2; INSERT INTO schema_migration VALUES (99, 'later', now())"
        )
        con.execute("UPDATE dividend SET amount = 2; INSERT INTO etl_run (run_id) VALUES ('later')")
    lake.rollback(first)
    assert rows("SELECT amount FROM dividend") == [(1.0,)]
    assert rows("SELECT run_id FROM etl_run") == [("later",)]
    assert rows("SELECT ticker, name, later FROM company ORDER BY 1") == [("A", "a", None), ("B", "b", None)]
    assert rows("SELECT count(*), max(close) FROM price_daily") == [(50, 1.0)]
    assert rows("FROM younger") == []
    assert rows("SELECT number FROM schema_migration ORDER BY 1") == [*migrations, (99,)]
    with lake.writing() as con:
        con.execute("DELETE FROM company")
    assert rows("FROM company") == []


def test_a_second_rollback_goes_one_further_back_and_never_to_a_half_made_lake(tmp_path):
    lake = LakeWarehouse(f"ducklake:{tmp_path / 'catalog.ducklake'}", str(tmp_path / "lake"))

    def store(amount: int) -> None:
        with lake.writing() as con:
            con.begin()
            con.execute("DELETE FROM dividend")
            con.execute("INSERT INTO dividend (ticker, amount) VALUES ('A', ?)", [amount])
            con.commit()

    def rolled_back() -> float:
        lake.rollback()
        with lake.reading() as con:
            return con.execute("SELECT amount FROM dividend").fetchall()[0][0]

    store(1)
    with pytest.raises(NoSuchStateError, match="no earlier state"):
        lake.rollback()
    store(2)
    store(3)
    assert [rolled_back(), rolled_back()] == [2, 1]
    with pytest.raises(NoSuchStateError, match="no earlier state"):
        lake.rollback()
    store(4)
    assert rolled_back() == 1
