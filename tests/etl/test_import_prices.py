"""Prices are taken from the files that people have, as they are, or refused in a sentence."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from etl.imports import ImportRefusedError, PriceOptions, Reading, import_prices
from tests.etl.imported import rows, stored, written

NVDA = PriceOptions(ticker="NVDA")
MONDAY, TUESDAY = date(2025, 3, 17), date(2025, 3, 18)


NASDAQ = "Date,Close/Last,Volume,Open,High,Low\n03/18/2025,$115.43,299686900,$118.00,$119.02,$114.54\n"
NASDAQ += "03/17/2025,$119.53,255501500,$122.74,$122.89,$118.03\n"
YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume\n2025-03-17,122.74,122.89,118.03,119.53,119.52,255501500\n"
YAHOO += "2025-03-18,118.00,119.02,114.54,115.43,115.42,299686900\n"
INVESTING_US = (
    '"Date","Price","Open","High","Low","Vol.","Change %"\n'
    '"03/18/2025","115.43","118.00","119.02","114.54","299.69M","-3.43%"\n'
    '"03/17/2025","119.53","122.74","122.89","118.03","255.50M","-1.76%"\n'
)
INVESTING_DE = (
    '"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"\n'
    '"18.03.2025","115,43","118,00","119,02","114,54","299,69M","-3,43%"\n'
    '"17.03.2025","119,53","122,74","122,89","118,03","255,50M","-1,76%"\n'
)
INVESTING_FR = (
    '"Date","Dernier","Ouv."," Plus Haut","Plus Bas","Vol.","Variation %"\n'
    '"18/03/2025","115,43","118,00","119,02","114,54","299,69M","-3,43%"\n'
    '"17/03/2025","119,53","122,74","122,89","118,03","255,50M","-1,76%"\n'
)
GERMAN = "Datum;Eröffnung;Hoch;Tief;Schlusskurs;Volumen\n17.03.2025;122,74;122,89;118,03;119,53;255.501.500\n"
GERMAN += "18.03.2025;118,00;119,02;114,54;115,43;299.686.900\n"
BLOOMBERG = (
    "Security,NVDA US Equity\nStart Date,3/17/2025\nPeriod,D\nCurrency,USD\n\n"
    "Date,PX_LAST,PX_OPEN,PX_HIGH,PX_LOW,PX_VOLUME\n"
    "3/17/2025,119.53,122.74,122.89,118.03,255501500\n3/18/2025,115.43,118.00,119.02,114.54,299686900\n"
    "\nSource: Bloomberg\n"
)
SPREADSHEET = (
    "sep=;\r\nNVIDIA, weekly note;;;\r\nfor internal use;;;\r\n\r\nTicker;Date;Close;Comment\r\n"
    'NVDA;17-Mar-25;$ 119.53;"first\r\nline"\r\nNVDA;18-Mar-25;$ 115.43;\r\nTotal;;234.96;\r\n'
)
STOOQ = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
STOOQ += "NVDA.US,D,20250317,000000,122.74,122.89,118.03,119.53,255501500,0\n"
STOOQ += "NVDA.US,D,20250318,000000,118.00,119.02,114.54,115.43,299686900,0\n"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param(NASDAQ, NVDA, id="nasdaq"),
        pytest.param(YAHOO, NVDA, id="yahoo"),
        pytest.param(INVESTING_US, NVDA, id="investing.com, American"),
        pytest.param(INVESTING_DE, NVDA, id="investing.com, German"),
        pytest.param(INVESTING_FR, NVDA, id="investing.com, French"),
        pytest.param(GERMAN, NVDA, id="a German spreadsheet"),
        pytest.param(BLOOMBERG, None, id="bloomberg"),
        pytest.param(SPREADSHEET, None, id="an American spreadsheet with a total"),
        pytest.param(STOOQ, None, id="stooq"),
    ],
)
def test_the_files_of_vendors_are_read_as_they_come(listed, tmp_path, text, options):
    report = import_prices(listed, written(tmp_path, text), options)
    assert (report.exit_code, report.refused) == (0, [])
    assert stored(listed) == [("NVDA", MONDAY, 119.53), ("NVDA", TUESDAY, 115.43)]
    if "volume" in report.columns:
        [monday, tuesday] = stored(listed, "open, high, low, volume")
        assert monday[:3] == (122.74, 122.89, 118.03)
        assert monday[3] == pytest.approx(255_501_500, rel=1e-5)
        assert tuesday[3] == pytest.approx(299_686_900, rel=2e-5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,234.50", 1234.5),
        ("1'234.50", 1234.5),
        ("1 234.50", 1234.5),
        ("1\u202f234.50", 1234.5),
        ("US$1,234.50", 1234.5),
        ("1234.5 USD", 1234.5),
        ("1.2345e3", 1234.5),
    ],
)
def test_a_price_is_read_with_its_groups_and_signs(listed, tmp_path, text, expected):
    path = written(tmp_path, f'ticker;date;close\nNVDA;2025-03-17;"{text}"\n')
    assert import_prices(listed, path).exit_code == 0
    assert stored(listed) == [("NVDA", MONDAY, expected)]


def test_volumes_in_thousands_millions_and_billions_are_whole(listed, tmp_path):
    path = written(
        tmp_path,
        "ticker,date,close,volume\nNVDA,2025-03-17,119.53,255.50M\nAMD,2025-03-17,103.5,25.3K\n"
        "SPY,2025-03-17,567.15,1.2B\nIBM,2025-03-17,250,-\n",
    )
    assert import_prices(listed, path).exit_code == 0
    assert stored(listed, "ticker, volume") == [
        ("AMD", 25_300),
        ("IBM", None),
        ("NVDA", 255_500_000),
        ("SPY", 1_200_000_000),
    ]


UNREADABLE = {
    "NVDA,2025-03-17,119.53,a lot,": 'the volume "a lot" is not a number',
    "NVDA,2025-03-18,about 119,1,": 'the close "about 119" is not a number',
    "NVDA,2025-03-27,118.42*,1,": 'the close "118.42*" is not a number: take the mark "*" out',
    "NVDA,2025-03-28,(1.2),1,": 'the close "(1.2)" is negative, which is what parentheses mean',
    "NVDA,2025-03-19,NaN,1,": 'the close "NaN" is not a number',
    "NVDA,2025-03-20,-inf,1,": 'the close "-inf" is not a number',
    "NVDA,2025-03-21,1e23,1,": 'the close "1e23" is too large',
    "NVDA,2025-03-24,119.53,1,nan": 'the adjusted close "nan" is not a number',
    "NVDA,2025-03-25,119.53,1,Infinity": 'the adjusted close "Infinity" is not a number',
    "NVDA,0001-01-01,119.53,1,": '"0001-01-01" is not a date',
    "NVDA,9999-12-31,119.53,1,": '"9999-12-31" is not a date',
    "NVDA,epoch,119.53,1,": '"epoch" is not a date',
    "NVDA,today,119.53,1,": '"today" is not a date',
    "NVDA,infinity,119.53,1,": '"infinity" is not a date',
    "NVDA,2025-02-30,119.53,1,": '"2025-02-30" is not a date',
    "NVDA,,119.53,1,": "no date",
    "NVDA,2025-03-26,,1,": "no close",
    "NVDA,2025-03-16,119.53,1,": "XNAS held no such session",
    "NOBODY,2025-03-27,119.53,1,": "no company of that ticker",
    "NVDA.DE,2025-03-28,119.53,1,": "no company of that ticker",
}


def test_a_row_that_cannot_be_read_is_named_with_its_value_and_kept_in_quarantine(listed, tmp_path):
    lines = "\n".join(["ticker,date,close,volume,adj close", *UNREADABLE, "AMD,2025-03-18,103.5,1,103"])
    report = import_prices(listed, written(tmp_path, lines))
    assert report.exit_code == 1
    assert report.refused == list(enumerate(UNREADABLE.values(), start=1))
    assert stored(listed) == [("AMD", TUESDAY, 103.5)]
    kept = {reason for (reason,) in rows(listed, "SELECT reason FROM quarantine")}
    assert kept == set(UNREADABLE.values())


def test_not_a_number_in_a_parquet_column_is_refused_too(listed, tmp_path):
    frame = pd.DataFrame(
        {"ticker": ["NVDA", "AMD"], "date": [MONDAY] * 2, "close": [119.53, 103.5], "adj_close": [1.0, 103.5]}
    )
    table = pa.Table.from_pandas(frame).set_column(3, "adj_close", pa.array([float("nan"), 103.5]))
    pyarrow.parquet.write_table(table, tmp_path / "bars.parquet")
    report = import_prices(listed, tmp_path / "bars.parquet")
    assert report.refused == [(1, 'the adjusted close "nan" is not a number')]
    assert stored(listed, "ticker") == [("AMD",)]


def test_dates_with_a_time_zone_are_the_exchanges_own(listed, tmp_path):
    days = pd.DatetimeIndex([MONDAY, TUESDAY])
    for ticker, zone in (("000660.KS", "Asia/Seoul"), ("NVDA", "America/New_York"), ("9984.T", "Asia/Tokyo")):
        frame = pd.DataFrame({"ticker": ticker, "date": days.tz_localize(zone), "close": [200.0, 201.0]})
        frame.to_parquet(tmp_path / f"{ticker}.parquet")
        frame.assign(date=frame["date"].astype(str)).to_csv(tmp_path / f"{ticker}.csv")
        for suffix in ("parquet", "csv"):
            assert import_prices(listed, tmp_path / f"{ticker}.{suffix}").exit_code == 0
    assert {day for _, day, _ in stored(listed)} == {MONDAY, TUESDAY}
    assert len(stored(listed)) == 6


@pytest.mark.parametrize(
    ("ticker", "text"),
    [
        ("NVDA", "2025-03-17T00:00:00.000Z"),  # a day's label
        ("NVDA", "2025-03-17T04:00:00Z"),  # New York's midnight
        ("NVDA", "2025-03-17T20:00:00+00:00"),  # New York's close
        ("NVDA", "1742184000"),  # the same midnight in seconds
        ("NVDA", "1742242800000"),  # the close in milliseconds
        ("000660.KS", "2025-03-16T15:00:00Z"),  # Seoul's midnight
        ("000660.KS", "2025-03-17 15:30:00+09:00"),
        ("0700.HK", "2025-03-16 16:00 UTC"),
    ],
)
def test_a_day_is_read_in_whatever_form_it_has(listed, tmp_path, ticker, text):
    path = written(tmp_path, f'ticker,date,close\n{ticker},"{text}",119.53\n')
    assert import_prices(listed, path).refused == []
    assert stored(listed) == [(ticker, MONDAY, 119.53)]


def test_a_day_that_may_be_a_month_needs_an_option_that_the_refusal_names(listed, tmp_path):
    path = written(tmp_path, "ticker,date,close\nNVDA,03/04/2025,100\nNVDA,04/04/2025,101\n")
    with pytest.raises(ImportRefusedError, match=r"such as 03/04/2025.*--day-first or --month-first"):
        import_prices(listed, path)
    assert import_prices(listed, path, reading=Reading(day_first=True)).exit_code == 0
    assert [day for _, day, _ in stored(listed)] == [date(2025, 4, 3), date(2025, 4, 4)]
    both = written(tmp_path, "ticker,date,close\nNVDA,17/03/2025,100\nNVDA,03/18/2025,101\n")
    with pytest.raises(ImportRefusedError, match="--day-first or --month-first"):
        import_prices(listed, both)
    report = import_prices(listed, both, reading=Reading(day_first=True))
    assert report.refused == [(2, '"03/18/2025" is not a date')]


def test_one_date_that_tells_the_order_tells_it_for_the_file(listed, tmp_path):
    path = written(tmp_path, "ticker,date,close\nNVDA,03/04/2025,100\nNVDA,13/03/2025,101\n")
    assert import_prices(listed, path).exit_code == 0
    assert [day for _, day, _ in stored(listed)] == [date(2025, 3, 13), date(2025, 4, 3)]


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        (("1,234", "1,235"), "such as 1,234 that may be thousands or decimals"),
        (("1.234", "1.235"), "such as 1.234 that may be thousands or decimals"),
        (("1,5", "1.5", "7,5*"), "a decimal comma and numbers with a decimal point"),
    ],
)
def test_a_number_that_may_be_two_needs_an_option_that_the_refusal_names(listed, tmp_path, figures, sentence):
    rows = [f"NVDA;2025-03-{day};{figure}\n" for day, figure in enumerate(figures, start=17)]
    path = written(tmp_path, "ticker;date;close\n" + "".join(rows))
    with pytest.raises(ImportRefusedError, match=f"{sentence}.*--decimal-comma or --decimal-point"):
        import_prices(listed, path)
    report = import_prices(listed, path, reading=Reading(decimal_comma=True))
    if figures[0] == "1,234":
        assert [close for *_, close in stored(listed)] == [1.234, 1.235]
    elif figures[0] == "1.234":
        assert [close for *_, close in stored(listed)] == [1234, 1235]
    else:
        marked = 'the close "7,5*" is not a number: take the mark "*" out'
        assert report.refused == [(2, 'the close "1.5" is not a number'), (3, marked)]


def test_an_empty_currency_is_the_listings_and_another_is_refused(listed, tmp_path):
    path = written(
        tmp_path,
        "ticker,date,close,currency\nNVDA,2025-03-17,119.53,\nAMD,2025-03-17,103.5,usd\nIBM,2025-03-17,250,US$\n"
        "SPY,2025-03-17,520,EUR\n000660.KS,2025-03-17,200000,₩\n0700.HK,2025-03-17,500,HK$\n",
    )
    report = import_prices(listed, path)
    assert report.refused == [(4, "the currency is EUR, not USD")]
    assert stored(listed, "ticker, currency") == [
        ("000660.KS", "KRW"),
        ("0700.HK", "HKD"),
        ("AMD", "USD"),
        ("IBM", "USD"),
        ("NVDA", "USD"),
    ]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("date;close\n2025-03-17;109,90 €\n", NVDA),
        ("date;Close (EUR)\n2025-03-17;109,90\n", NVDA),
        ("date;close\n2025-03-17;109,90\n", PriceOptions("NVDA", "EUR")),
        ("date;close\n2025-03-17;$109.90\n", PriceOptions("000660.KS")),
    ],
)
def test_a_price_in_another_currency_than_the_listings_is_refused(listed, tmp_path, text, options):
    [(_, reason)] = import_prices(listed, written(tmp_path, text), options).refused
    assert "the currency is" in reason
    assert stored(listed) == []


@pytest.mark.parametrize(
    "symbol",
    ["NVDA", "nvda", "NVDA.US", "NASDAQ:NVDA", "NVDA US Equity", "NVDA UW Equity", "NVDA.OQ", " NVDA "],
)
def test_a_symbol_is_read_in_the_spelling_of_its_vendor(listed, tmp_path, symbol):
    assert (
        import_prices(listed, written(tmp_path, f"Symbol,Date,Close\n{symbol},2025-03-17,119.53\n")).exit_code
        == 0
    )
    assert stored(listed) == [("NVDA", MONDAY, 119.53)]


@pytest.mark.parametrize("symbol", ["000660.KS", "KRX:000660", "000660 KS Equity", "660 KS"])
def test_a_symbol_of_another_market_is_found_by_it(listed, tmp_path, symbol):
    path = written(tmp_path, f"Symbol,Date,Close\n{symbol},2025-03-17,204500\n")
    assert import_prices(listed, path).exit_code == 0
    assert stored(listed) == [("000660.KS", MONDAY, 204500)]


def test_the_ticker_of_the_option_may_not_contradict_the_file(listed, tmp_path):
    path = written(tmp_path, "Symbol,Date,Close\nNVDA,2025-03-17,119.53\n")
    assert import_prices(listed, path, NVDA).exit_code == 0
    with pytest.raises(ImportRefusedError, match=r"--ticker says AMD, but .* has prices of NVDA"):
        import_prices(listed, path, PriceOptions("AMD"))
    with pytest.raises(ImportRefusedError, match="the nearest is NVDA"):
        import_prices(listed, path, PriceOptions("NVDX"))
    with pytest.raises(ImportRefusedError, match="'XYZ' is not a currency"):
        import_prices(listed, path, PriceOptions("NVDA", "XYZ"))


def test_a_bare_close_keeps_the_adjusted_close_that_is_known(listed, tmp_path):
    full = "ticker,date,close,adj_close\nIBM,2025-03-17,250,240\nIBM,2025-03-18,251,241\n"
    import_prices(listed, written(tmp_path, full))
    before = stored(listed, "date, close, adj_close")
    assert import_prices(listed, written(tmp_path, "ticker,date,close\nIBM,2025-03-17,250\n")).exit_code == 0
    assert stored(listed, "date, close, adj_close") == before


def test_a_bare_close_before_a_known_dividend_is_adjusted_for_it(listed, tmp_path):
    with listed.writing() as con:
        con.execute("INSERT INTO dividend VALUES ('IBM', '2025-03-19', 2.5, 'USD', 'yahoo', 'r')")
    path = written(
        tmp_path, "ticker,date,close\nIBM,2025-03-17,240\nIBM,2025-03-18,250\nIBM,2025-03-19,248\n"
    )
    assert import_prices(listed, path).exit_code == 0
    assert [adjusted for (adjusted,) in stored(listed, "adj_close")] == pytest.approx(
        [240 * 0.99, 250 * 0.99, 248]
    )


def test_who_the_figures_are_from_is_kept_and_the_bundle_is_nobody(listed, tmp_path):
    path = written(tmp_path, "ticker,date,close,source\nNVDA,2025-03-17,119.53,LSEG\nAMD,2025-03-17,103.5,\n")
    import_prices(listed, path, reading=Reading(source="stooq"))
    assert stored(listed, "ticker, source") == [("AMD", "stooq"), ("NVDA", "LSEG")]
    with pytest.raises(ImportRefusedError, match="bundled"):
        import_prices(listed, path, reading=Reading(source="Bundled"))


def test_without_companies_there_is_nobody_to_have_prices(warehouse, tmp_path):
    with pytest.raises(ImportRefusedError, match="load-bundled"):
        import_prices(warehouse, written(tmp_path, YAHOO), NVDA)


def test_the_command_reports_row_by_row(operator, tmp_path):
    operator.run("refresh", "--source", "prices", "--tickers", "AMD")
    path = str(written(tmp_path, "ticker,date,close,P/E\nAMD,2025-03-17,51,4\nAMD,x,51,4\n"))
    done = operator.run("import-prices", path, "--dry-run")
    assert done.returncode == 1
    assert "2 rows read, 1 inserted, 0 updated, 1 refused" in done.stdout
    assert "Not used: 'P/E'" in done.stdout
    assert done.stderr == 'Row 2: "x" is not a date\n'
    refused = operator.run(
        "import-prices", str(written(tmp_path, "ticker,date,close,close\nAMD,2025-03-17,51,4\n"))
    )
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
    assert "twice" in refused.stderr


def test_an_import_brings_nothing_from_before_a_companys_own_history(bundled, tmp_path):
    path = written(
        tmp_path, "ticker,date,close\nOKLO,2024-05-09,18.2\nOKLO,2026-08-21,57.1\nOKLO,2026-08-24,57\n"
    )
    report = import_prices(bundled, path)
    assert [reason for _, reason in report.refused] == ["from before the company's own history, 2024-05-10"]


@pytest.mark.parametrize(
    ("heading", "text", "volume"),
    [
        ("Volume (M)", "255.5", 255_500_000),
        ("Volume (thousands)", "255501", 255_501_000),
        ("Vol. (000s)", "255501", 255_501_000),
        ("Volume (shares)", "255501", 255_501),
    ],
)
def test_a_volume_counts_in_what_its_heading_says(listed, tmp_path, heading, text, volume):
    path = written(tmp_path, f"ticker,date,close,{heading}\nNVDA,2025-03-17,119.53,{text}\n")
    assert import_prices(listed, path).exit_code == 0
    assert stored(listed, "volume") == [(volume,)]


def test_adjusted_closes_that_do_not_follow_from_known_dividends_are_told_of(listed, tmp_path):
    """Nothing is known of a dividend: the closes are stored for adjusted ones, and the file's figures are a finding."""
    text = "ticker,date,close,adj_close\nIBM,2025-03-17,250,240\nIBM,2025-03-18,251,251\n"
    report = import_prices(listed, written(tmp_path, text))
    assert report.remarks == [
        "IBM: 1 adjusted closes differ from those that follow from closes and dividends, by up to 4.00%; "
        "the latter are stored"
    ]
    assert report.item.message == report.remarks[0]
