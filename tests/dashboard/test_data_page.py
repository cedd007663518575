"""The Data page: what is there, how complete, how it came, and all of it to download."""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.analysis.coverage import completeness, coverage, suitable_period
from dashboard.data import status
from dashboard.refresh import PAUSE_SECONDS, Refresh
from dashboard.views.coverage import coverage_chart
from dashboard.views.holdings import TABLE_WORDS
from dashboard.views.request import NothingToShow, Request
from etl.settings import PROJECT_ROOT
from etl.warehouse.files import FileWarehouse

APP = str(PROJECT_ROOT / "dashboard" / "app.py")


def open_data_page() -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60).run()
    app.switch_page("app_pages/data.py").run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return "\n".join(part.value for part in [*app.markdown, *app.caption]).replace("\\", "")


def one(path: Path, sql: str) -> object:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()[0][0]


def test_the_figures_are_those_of_the_warehouse(on_bundled_data: Path) -> None:
    app = open_data_page()
    (figures,) = [part.proto.body for part in app.get("html") if 'class="figures"' in part.proto.body]
    shown = dict(re.findall(r'<dt>([^<]+)<.*?<dd class="value">([^<]+)</dd>', figures))
    with_prices = one(on_bundled_data, "SELECT count(DISTINCT ticker) FROM price_daily")
    assert shown["Sessions held"] == f"{one(on_bundled_data, 'SELECT count(*) FROM price_daily'):,}"
    assert shown["With prices"] == f"{with_prices} of {one(on_bundled_data, 'SELECT count(*) FROM company')}"
    assert shown["App-store ranks"] == str(one(on_bundled_data, "SELECT count(*) FROM app_ranking"))
    assert shown["Rows refused"] == "0"
    assert app.title[0].value.replace("\\", "").startswith(f"Prices of {with_prices} companies and funds")


def test_every_table_can_be_taken_away_and_none_is_left_out(on_bundled_data: Path) -> None:
    with duckdb.connect(str(on_bundled_data), read_only=True) as con:
        there = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert set(status.TABLES) == set(TABLE_WORDS) == there - {"schema_migration"}
    page = texts(open_data_page())
    for name in status.TABLES:
        rows = one(on_bundled_data, f"SELECT count(*) FROM {name}")
        assert (
            f"(`{name}`) | {rows:,} | [CSV](/table/{name}.csv) · [Parquet](/table/{name}.parquet) |" in page
        )


def test_what_a_refresh_revised_and_refused_is_shown_as_text(
    own_database: Path, use_database: Callable[[Path], None]
) -> None:
    with FileWarehouse(own_database).writing() as con:
        con.execute(
            "INSERT INTO etl_run BY NAME SELECT 'r9' AS run_id, 'yahoo' AS source, 'part' AS status, "
            "now() AS started_at, now() AS finished_at, 3 AS rows_received, 1 AS rows_inserted, "
            "1 AS rows_updated, 1 AS rows_rejected, 'half of it' AS message"
        )
        con.execute(
            "INSERT INTO etl_run_item BY NAME SELECT 'r9' AS run_id, 'yahoo' AS source, 'NVDA' AS item, "
            "'failed' AS status, 'no answer' AS message"
        )
        con.execute(
            "INSERT INTO revision VALUES ('r9', 'price_daily', 'NVDA 2025-01-27', 'close', '118.42', '118.58')"
        )
        con.execute(
            "INSERT INTO quarantine (run_id, source, item, reason, row_json) VALUES ("
            "'r9', 'yahoo', '<b>X</b>', 'close is negative', '{\"close\": -1}')"
        )
    use_database(own_database)
    app = open_data_page()
    tables = [table.value for table in app.dataframe]
    assert tables[0].iloc[0][["source", "outcome", "refused", "message"]].tolist() == [
        *("yahoo", "part came", 1, "half of it")
    ]
    assert tables[1].iloc[0].tolist() == ["yahoo", "NVDA", "failed", "no answer"]
    assert tables[2].iloc[0][["row", "before", "since"]].tolist() == ["NVDA 2025-01-27", "118.42", "118.58"]
    assert tables[3].iloc[0][["item", "reason"]].tolist() == ["<b>X</b>", "close is negative"]
    assert "Revised so far: 1 figure." in texts(app)
    assert "Kept out of the figures: 1 row that failed a check." in texts(app)


def test_an_empty_warehouse_says_what_to_do(
    tmp_path: Path, use_database: Callable[[Path], None], operator: Callable[[str], None]
) -> None:
    operator("1")
    with FileWarehouse(tmp_path / "market.duckdb").writing():
        pass
    use_database(tmp_path / "market.duckdb")
    app = open_data_page()
    assert app.title[0].value == "No prices yet"
    assert "Run `python -m etl load-bundled`" in app.info[0].value


def test_a_table_is_sent_only_once_it_is_asked_for(on_bundled_data: Path) -> None:
    app = open_data_page()
    assert len(app.dataframe) == 1  # the runs; not the numbers behind the closed part of the chart


def cells(**held: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A company in New York for each keyword, with a price on each of the days named."""
    days = {ticker: pd.to_datetime(text.split()) for ticker, text in held.items()}
    reach = pd.DataFrame(
        {
            "ticker": list(days),
            "exchange": "XNYS",
            "first": [found[0] for found in days.values()],
            "last": [found[-1] for found in days.values()],
            "sessions": [len(found) for found in days.values()],
        }
    )
    rows = [
        {"ticker": ticker, "period": day, "held": 1, "bars": 0}
        for ticker, found in days.items()
        for day in found
    ]
    return reach, pd.DataFrame(rows)


def test_a_session_that_the_exchange_held_is_missing_and_a_holiday_is_not() -> None:
    reach, held = cells(
        A="2025-01-07 2025-01-08 2025-01-10", B="2025-01-08 2025-01-10", C="2025-01-07 2025-01-08"
    )
    companies = completeness(reach).set_index("ticker")
    assert companies["expected"].to_dict() == {"A": 3, "B": 2, "C": 3}  # 9 January: a day of mourning
    assert companies["missing"].to_dict() == {"A": 0, "B": 0, "C": 1}
    table = coverage(held, completeness(reach), "day")
    missing = table[table["held"] < table["expected"]]
    assert missing[["ticker", "period"]].to_numpy().tolist() == [["C", pd.Timestamp("2025-01-10")]]


def test_longer_spans_are_counted_by_week_and_month() -> None:
    reach, held = cells(A="2025-01-06 2025-01-07 2025-01-10 2025-01-13")
    weekly = held.assign(period=held["period"].dt.to_period("W-SUN").dt.start_time)
    weekly = weekly.groupby(["ticker", "period"], as_index=False).sum()
    table = coverage(weekly, completeness(reach), "week")
    assert table[["expected", "held"]].to_numpy().tolist() == [[4, 3], [1, 1]]
    day = pd.Timestamp
    assert suitable_period(day("2024-01-02").date(), day("2025-03-14").date()) == "day"
    assert suitable_period(day("2015-01-02").date(), day("2025-03-14").date()) == "week"
    assert suitable_period(day("1995-01-02").date(), day("2025-03-14").date()) == "month"


def test_the_coverage_chart_names_what_is_missing(own_database: Path) -> None:
    with FileWarehouse(own_database).writing() as con:
        con.execute("DELETE FROM price_daily WHERE date > '2026-07-07' OR ticker LIKE '%.KS'")
        con.execute("DELETE FROM price_daily WHERE ticker = 'NVDA' AND date IN ('2025-01-27', '2025-01-28')")
    with FileWarehouse(own_database).reading() as con:
        chart = coverage_chart(con, Request())
        assert chart.title == "2 sessions missing, in 1 of 70 companies and funds"
        assert "Most are missing from NVDA 2." in chart.alt
        table = chart.table.set_index("ticker")
        assert table.loc["NVDA", "sessions missing"] == 2
        assert coverage_chart(con, Request(tickers=("MSFT",))).table["ticker"].tolist() == ["MSFT"]
        with pytest.raises(NothingToShow):
            coverage_chart(con, Request(tickers=("'; DROP TABLE company; --",)))


def wait_for(refresh: Refresh, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while refresh.running:
        assert time.monotonic() < end
        time.sleep(0.02)


def saying(code: int, *lines: str) -> Refresh:
    program = "import sys, time\n" + "".join(f"print({line!r}, flush=True)\n" for line in lines)
    return Refresh((sys.executable, "-c", f"{program}time.sleep(0.3); sys.exit({code})"))


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        (0, "Everything came"),
        (1, "Part of it came"),
        (2, "Nothing came"),
        (3, "not configured"),
        (9, "code 9"),
    ],
)
def test_a_refresh_tells_its_lines_and_how_it_ended(code: int, ending: str) -> None:
    refresh = saying(code, "yahoo: ok", "<b>apple</b>: failed")
    assert refresh.start()
    assert not refresh.ending
    wait_for(refresh)
    assert list(refresh.lines) == ["yahoo: ok", "<b>apple</b>: failed"]
    assert ending in refresh.ending


def test_a_refresh_that_cannot_start_says_so() -> None:
    refresh = Refresh(("/nonexistent/python",))
    assert not refresh.start()
    assert "could not be started: No such file" in refresh.lines[0]
    assert not refresh.running


def test_one_refresh_runs_at_a_time_and_another_may_follow_after_a_pause() -> None:
    refresh = saying(0)
    assert refresh.start()
    assert not refresh.start()
    wait_for(refresh)
    assert 0 < refresh.pause <= PAUSE_SECONDS
    assert not refresh.start()
    refresh.ended = time.monotonic() - PAUSE_SECONDS
    assert refresh.start()
    wait_for(refresh)


@pytest.mark.usefixtures("on_bundled_data")
def test_the_commands_and_the_refresh_button_are_the_operators(operator: Callable[[str], None]) -> None:
    page = open_data_page()
    assert "Refresh now" not in [button.label for button in page.button]
    assert not [text.value for text in (*page.markdown, *page.caption) if "python -m" in text.value]
    operator("1")
    page = open_data_page()
    assert "Refresh now" in [button.label for button in page.button]
    assert [text.value for text in page.markdown if "python -m etl refresh" in text.value]
