"""Names from outside in files for people: a spreadsheet runs none of them, and a program reads them as they are."""

import csv
import io
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from dashboard.data.spreadsheet import csv_text
from dashboard.data.status import write_table
from etl.warehouse.files import FileWarehouse

RUN = ["=HYPERLINK(1)", "+1", "-2+3", "@SUM(A1)", "\tx", "\r=1"]


@pytest.mark.parametrize("cell", RUN)
def test_a_text_that_a_spreadsheet_would_run_is_quoted_as_text(cell: str) -> None:
    text = csv_text(pd.DataFrame({"name": [cell, "NVIDIA", None], "change": [-0.5, 1.0, None]}))
    _, *rows = csv.reader(io.StringIO(text, newline=""))
    assert rows == [["'" + cell.replace("\r", " "), "-0.5"], ["NVIDIA", "1.0"], ["", ""]]


def test_a_table_of_the_warehouse_is_made_harmless_as_csv_and_left_alone_as_parquet(tmp_path: Path) -> None:
    warehouse = FileWarehouse(tmp_path / "market.duckdb")
    with warehouse.writing() as con:
        con.execute("INSERT INTO rule VALUES ('=1+1', 'plain')")
    with warehouse.reading() as con:
        write_table(con, "rule", tmp_path / "rule.csv")
        write_table(con, "rule", tmp_path / "rule.parquet")
    with (tmp_path / "rule.csv").open(encoding="utf-8", newline="") as file:
        assert ["'=1+1", "plain"] in list(csv.reader(file))
    assert duckdb.sql(f"SELECT name FROM '{tmp_path}/rule.parquet'").fetchall() == [("=1+1",)]
