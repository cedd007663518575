"""Intraday bars are taken from the files that people have, with their time zone said or asked for."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from etl.imports import ImportRefusedError, PriceOptions, Reading, import_prices
from tests.etl.imported import written

DAY = date(2025, 3, 18)
STORED = (
    "SELECT ticker, minutes, timezone('UTC', starts_at)::VARCHAR, local_time::VARCHAR, session, phase, close "
    "FROM price_intraday ORDER BY ALL"
)
NVDA = ("NVDA", 5, "2025-03-18 13:30:00", "2025-03-18 09:30:00", DAY, "regular", 117.0)


@pytest.fixture
def daily(listed):
    """A warehouse with the daily bars of one session in New York and Seoul."""
    with listed.writing() as con:
        for ticker, day, close, currency in (
            ("NVDA", DAY, 115.43, "USD"),
            ("000660.KS", DAY, 205_000, "KRW"),
            ("NVDA", date(2025, 3, 17), 119.53, "USD"),
        ):
            con.execute(
                "INSERT INTO price_daily (ticker, date, open, high, low, close, adj_close, currency, source, run_id) "
                "VALUES ($1, $2, $3, $3 * 1.03, $3 * 0.97, $3, $3, $4, 'yahoo', 'x')",
                [ticker, day, close, currency],
            )
    return listed


def taken(
    warehouse, tmp_path, text: str, zone: str | None = None, minutes: int = 5, ticker: str | None = "NVDA"
):
    """The report and what is stored of a file."""
    report = import_prices(
        warehouse, written(tmp_path, text), PriceOptions(ticker, None, minutes, zone), Reading()
    )
    with warehouse.reading() as con:
        return report, con.execute(STORED).fetchall()


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Datetime,Open,High,Low,Close,Volume\n2025-03-18 09:30:00-04:00,118,118.2,116.9,117.0,1200\n", None),
        ("Datetime,Close\n2025-03-18T13:30:00Z,117.0\n", None),
        ("timestamp,close\n1742304600,117.0\n", None),
        ("timestamp,close\n1742304600000,117.0\n", None),
        ("Date,Time,Close\n03/18/2025,9:30 AM,117.0\n", "America/New_York"),
        ("<DATE>,<TIME>,<CLOSE>\n20250318,093000,117.0\n", "exchange"),
        ("Date,Time,Close\n2025-03-18,13:30,117.0\n", "UTC"),
        ("Datum;Uhrzeit;Schlusskurs\n18.03.2025;14:30;117,0\n", "Europe/Berlin"),
    ],
)
def test_a_bar_is_read_at_its_moment(daily, tmp_path, text, zone):
    report, rows = taken(daily, tmp_path, text, zone)
    assert (report.refused, rows) == ([], [NVDA])


def test_parquet_with_moments_is_read_as_it_is_typed(daily, tmp_path):
    path = tmp_path / "bars.parquet"
    stamps = pd.DatetimeIndex(["2025-03-18 09:30"], tz="America/New_York")
    pd.DataFrame({"Datetime": stamps, "Close": [117.0]}).to_parquet(path)
    import_prices(daily, path, PriceOptions("NVDA", None, 5))
    with daily.reading() as con:
        assert con.execute(STORED).fetchall() == [NVDA]


def test_times_without_a_zone_are_refused_by_name(daily, tmp_path):
    with pytest.raises(
        ImportRefusedError, match="times without a time zone, such as 2025-03-18 09:30: say --timezone"
    ):
        taken(daily, tmp_path, "Date,Close\n2025-03-18 09:30,117.0\n")


def test_each_exchange_has_its_own_clock(daily, tmp_path):
    text = "ticker,time,close\nNVDA,2025-03-18 09:30,117.0\n000660.KS,2025-03-18 09:00,204000\n"
    _, rows = taken(daily, tmp_path, text, "exchange", ticker=None)
    assert [(row[0], row[2]) for row in rows] == [
        ("000660.KS", "2025-03-18 00:00:00"),
        ("NVDA", "2025-03-18 13:30:00"),
    ]


@pytest.mark.parametrize(
    ("cell", "zone", "told"),
    [
        ("soon 9:30", "UTC", "is not a time"),
        ("2025-03-18", "UTC", "has no time of day"),
        ("2024-11-03 01:30", "America/New_York", "is not a single moment in America/New_York"),
        ("2025-03-09 02:30", "America/New_York", "is not a single moment in America/New_York"),
        ("2025-03-18 03:30", "exchange", "XNAS does not trade at that time"),
        ("2025-03-22 10:30", "exchange", "XNAS does not trade at that time"),
        ("2025-03-18 09:32", "exchange", "it begins between two bars"),
        ("2025-03-14 09:30", "exchange", "no daily close of its session is held"),
    ],
)
def test_a_row_that_is_no_bar_is_refused_with_its_reason(daily, tmp_path, cell, zone, told):
    report, rows = taken(
        daily, tmp_path, f"time,close\n2025-03-18 15:00,117.0\n{cell},117.0\n2025-03-18 15:05,117\n", zone
    )
    assert [told in reason for _, reason in report.refused] == [True]
    assert len(rows) == 2


def test_another_unit_is_refused(daily, tmp_path):
    report, rows = taken(daily, tmp_path, "time,close\n2025-03-18 09:30,11700\n", "exchange")
    assert (report.exit_code, rows) == (2, [])
    assert "far outside the daily bar" in report.refused[0][1]


def test_bars_of_another_length_are_refused_by_name(daily, tmp_path):
    text = "time,close\n" + "".join(f"2025-03-18 {10 + n // 4}:{n % 4 * 15:02},117\n" for n in range(8))
    with pytest.raises(ImportRefusedError, match="are 15 minutes apart, not 5: say --interval 15m"):
        taken(daily, tmp_path, text, "exchange")
    _, rows = taken(daily, tmp_path, text, "exchange", minutes=15)
    assert len(rows) == 8


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--interval", "7m"), "There is no interval '7m'"),
        (
            ("--interval", "5m", "--timezone", "Mars"),
            "'Mars' is not a time zone such as America/New_York, nor exchange",
        ),
        (("--timezone", "UTC"), "--timezone goes with --interval"),
    ],
)
def test_options_that_make_no_sense_are_refused(operator, tmp_path, words, told):
    done = operator.run("import-prices", f"{written(tmp_path, 'time,close')}", *words)
    assert done.returncode == 3
    assert told in done.stderr


def test_an_operator_imports_and_sees_it_in_the_status(loaded, tmp_path):
    (day, close), *_ = loaded.rows(
        "SELECT date, close FROM price_daily WHERE ticker = 'NVDA' ORDER BY date DESC"
    )
    file = written(tmp_path, f"Datetime,Close\n{day} 09:30,{close}\n{day} 09:35,{close}\n")
    words = ("import-prices", f"{file}", "--ticker", "NVDA", "--interval", "5m", "--timezone", "exchange")
    assert loaded.run(*words, "--dry-run").returncode == 0
    assert loaded.rows("SELECT count(*) FROM price_intraday") == [(0,)]
    assert loaded.run(*words).returncode == 0
    assert "5-minute bars of 1 company on 1 session" in loaded.run("status").stdout
