from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from etl.imports import ImportRefusedError, import_prices, import_rankings

DEFAULTS = {
    "country": "us",
    "chart": "top-free",
    "store": "apple",
    "device": "iphone",
    "evidence": "measured",
}


def rows(warehouse, query: str) -> list[tuple]:
    with warehouse.reading() as con:
        return con.execute(query).fetchall()


def written(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_prices_are_found_by_the_names_of_their_columns(bundled, tmp_path):
    path = written(
        tmp_path,
        "\ufeffSymbol,Session,Close/Last,Adj Close,Vol\nCIEN,2025-03-17,104.5,104.0,12\nCIEN,2025-03-18,103.5,103,13\n",
    )
    report = import_prices(bundled, path)
    assert report.exit_code == 0
    assert report.columns["close"] == "Close/Last"
    assert rows(
        bundled,
        "SELECT date, close, adj_close, volume, open, currency, source FROM price_daily "
        "WHERE ticker = 'CIEN' AND date > '2025-03-16' ORDER BY date",
    ) == [
        (date(2025, 3, 17), 104.5, 104.5, 12, None, "USD", "import"),
        (date(2025, 3, 18), 103.5, 103.5, 13, None, "USD", "import"),
    ]  # AMD pays no dividends: whatever the file says, its adjusted closes are its closes


def test_refused_rows_are_named_with_their_reason_and_the_rest_is_taken(bundled, tmp_path):
    path = written(
        tmp_path,
        "ticker,date,close\nCIEN,2025-03-17,104.5\nCIEN,2025-03-16,104.5\nCIEN,2025-03-18,-1\nNOBODY,2025-03-18,3\n"
        "CIEN,soon,3\nCIEN,2025-03-19,a lot\nCIEN,2025-03-20,101\nCIEN,2025-03-20,102\nCIEN,2025-03-21,103\n"
        "CIEN,2025-03-24,104\nCIEN,2025-03-25,105\nCIEN,2025-03-26,105\n",
    )
    report = import_prices(bundled, path)
    assert report.exit_code == 1
    assert report.refused == [
        (2, "XNYS held no such session"),
        (3, "the close is not positive"),
        (4, "no company of that ticker"),
        (5, "no date"),
        (6, "no close"),
        (8, "a second bar of its session"),
    ]
    assert rows(bundled, "SELECT count(*) FROM price_daily WHERE source = 'import'") == [(6,)]
    assert rows(bundled, "SELECT count(*) FROM quarantine") == [(6,)]


def test_a_parquet_file_is_taken_too_and_importing_twice_changes_nothing(bundled, tmp_path):
    frame = pd.DataFrame({"ticker": ["CIEN"], "date": [pd.Timestamp("2025-03-17")], "close": [104.5]})
    frame.to_parquet(tmp_path / "bars.parquet")
    assert import_prices(bundled, tmp_path / "bars.parquet").log.total("inserted") == 1
    again = import_prices(bundled, tmp_path / "bars.parquet")
    assert (again.log.total("inserted"), again.log.total("updated"), again.exit_code) == (0, 0, 0)


def test_ranks_are_found_by_name_and_dated_in_their_zone(bundled, tmp_path):
    path = written(
        tmp_path,
        "Date,Position,App ID,App,Developer\n"
        "2025-01-27 08:00,1,6737597349,DeepSeek,DeepSeek\n2025-01-27 08:00,2,6448311069,ChatGPT,OpenAI\n"
        "2025-01-28T12:00:00Z,7,6737597349,DeepSeek,DeepSeek\n",
    )
    report = import_rankings(bundled, path, defaults=DEFAULTS, zone="America/New_York")
    assert report.exit_code == 0
    query = "SELECT captured_at, depth FROM ranking_capture WHERE source = 'import' ORDER BY 1"
    assert rows(bundled, query) == [
        (datetime(2025, 1, 27, 13, tzinfo=UTC), 2),  # a whole chart: what is not in it was not in the chart
        (datetime(2025, 1, 28, 12, tzinfo=UTC), None),  # a single point: nothing is known about other ranks
    ]
    assert rows(bundled, "SELECT count(*) FROM app_ranking WHERE source = 'import'") == [(3,)]


def test_not_in_the_chart_and_not_fetched_stay_apart(bundled, tmp_path):
    path = written(
        tmp_path,
        "date,rank,depth,id,name\n2025-01-25,3,200,1,A\n2025-01-26,,200,1,A\n2025-01-27,,,1,A\n2025-01-28,900,200,1,A\n",
    )
    report = import_rankings(bundled, path, defaults=DEFAULTS)
    assert report.refused == [(3, "no rank"), (4, "the rank is outside 1 to 200")]
    captures = "SELECT captured_at::DATE, depth FROM ranking_capture WHERE source = 'import' ORDER BY 1"
    assert (date(2025, 1, 26), 200) in rows(bundled, captures)
    assert rows(bundled, "SELECT rank FROM app_ranking WHERE source = 'import'") == [(3,)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "not readable|holds no rows"),
        ("ticker,date,close\n", "holds no rows"),
        ("a,b\n1,2\n", "no column for ticker, date, close; it has a, b"),
        ("ticker,date,close\nAMD,2025-01-02\n", "not readable as a table"),
    ],
)
def test_a_file_of_another_form_is_refused_in_a_sentence(bundled, tmp_path, text, sentence):
    with pytest.raises(ImportRefusedError, match=sentence):
        import_prices(bundled, written(tmp_path, text))


@pytest.mark.parametrize("name", ["no-such.csv", "*.csv", ".", "https://example.org/x.csv", "x.parquet"])
def test_an_import_reads_nothing_but_the_file_that_it_is_given(bundled, tmp_path, name):
    written(tmp_path, "ticker,date,close\nAMD,2025-03-17,104.5\n")
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(ImportRefusedError, match=r"is no file|not readable"):
        import_prices(bundled, tmp_path / name)


def test_the_command_reports_row_by_row(operator, tmp_path):
    operator.run("refresh", "--source", "prices", "--tickers", "AMD")
    done = operator.run(
        "import-prices", str(written(tmp_path, "ticker,date,close\nAMD,2025-03-17,51\nAMD,x,51\n"))
    )
    assert done.returncode == 1
    assert "2 rows read, 1 inserted, 0 updated, 1 refused" in done.stdout
    assert done.stderr == "Row 2: no date\n"
    assert operator.run("import-rankings", str(tmp_path / "none.csv")).returncode == 3
    assert operator.run("import-rankings", str(tmp_path / "file.csv"), "--zone", "Mars").returncode == 3
