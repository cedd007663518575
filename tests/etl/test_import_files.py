"""Files are opened whatever they are packed or written in, and what is not of the table is told from it."""

from __future__ import annotations

import bz2
import gzip
import io
import shutil
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from etl.imports import ImportRefusedError, PriceOptions, Reading, import_prices
from tests.etl.imported import rows, stored, written

NVDA = PriceOptions(ticker="NVDA")
MONDAY, TUESDAY = date(2025, 3, 17), date(2025, 3, 18)
YAHOO = (
    "Date,Open,High,Low,Close,Adj Close,Volume\n2025-03-17,122.74,122.89,118.03,119.53,119.52,255501500\n"
    "2025-03-18,118.00,119.02,114.54,115.43,115.42,299686900\n"
)
GERMAN = (
    "Datum;Eröffnung;Hoch;Tief;Schlusskurs;Volumen\n17.03.2025;122,74;122,89;118,03;119,53;255.501.500\n"
    "18.03.2025;118,00;119,02;114,54;115,43;299.686.900\n"
)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
def test_any_encoding_is_read(listed, tmp_path, encoding):
    path = written(tmp_path, GERMAN.encode(encoding))
    assert import_prices(listed, path, NVDA).exit_code == 0
    assert stored(listed, "open, volume") == [(122.74, 255_501_500), (118.0, 299_686_900)]


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("prices/file.csv", content)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, zipped])
def test_a_packed_file_is_unpacked_whatever_its_name(listed, tmp_path, pack):
    assert import_prices(listed, written(tmp_path, pack(YAHOO.encode())), NVDA).exit_code == 0
    assert len(stored(listed)) == 2


def workbook(path: Path, *sheets: list[list]) -> Path:
    book = openpyxl.Workbook()
    for number, lines in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        for line in lines:
            sheet.append(line)
    book.save(path)
    return path


@pytest.mark.parametrize("second", [datetime(2025, 3, 18), (TUESDAY - date(1904, 1, 1)).days])
def test_a_workbook_that_counts_its_days_from_1904_is_read_by_its_own_calendar(listed, tmp_path, second):
    """Old Macs made them: 45734 is there another day than elsewhere, and only a format tells that it is one."""
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    for line in (["Date", "Close"], [datetime(2025, 3, 17), 119.53], [second, 115.43]):
        book.active.append(line)
    book.save(tmp_path / "mac.xlsx")
    if isinstance(second, int):
        with pytest.raises(ImportRefusedError, match="counts its days from 1904"):
            import_prices(listed, tmp_path / "mac.xlsx", NVDA)
    else:
        assert import_prices(listed, tmp_path / "mac.xlsx", NVDA).exit_code == 0
        assert stored(listed) == [("NVDA", MONDAY, 119.53), ("NVDA", TUESDAY, 115.43)]


def test_a_workbook_is_read_from_the_sheet_that_has_the_columns(listed, tmp_path):
    path = workbook(
        tmp_path / "book.xlsx",
        [["About"], ["Prices of NVIDIA"]],
        [
            ["NVIDIA", None, None, None],
            [],
            ["Date", "Close", "Volume", "Remark"],
            [datetime(2025, 3, 17), 119.531, 255501500, None],
            [45734, 115.43, 299686900, "a serial number"],
            ["Average", 117.48, None, None],
        ],
    )
    report = import_prices(listed, path, NVDA)
    assert (report.exit_code, report.ignored, report.aside[0][0]) == (0, ["Remark"], 3)
    assert stored(listed, "date, close, volume") == [
        (MONDAY, 119.531, 255501500),
        (TUESDAY, 115.43, 299686900),
    ]
    assert any("'Sheet'" in said for said in report.read_as)
    with pytest.raises(ImportRefusedError, match="has no sheet 'Prices'; it has Sheet, Sheet1"):
        import_prices(listed, path, NVDA, Reading(sheet="Prices"))


def test_columns_that_nothing_is_taken_from_are_named(listed, tmp_path):
    path = written(tmp_path, "ticker,date,close,P/E,Change %,,Price\nNVDA,2025-03-17,119.53,40,1%,,3\n")
    report = import_prices(listed, path)
    assert report.ignored == ["P/E", "Change %", "Price"]
    assert report.columns == {"ticker": "ticker", "date": "date", "close": "close"}


@pytest.mark.parametrize(
    "headings", ["ticker,date,close,close", "ticker,date,close,Close ", "date,ticker,close,DATE"]
)
def test_a_column_twice_is_refused_in_a_sentence(listed, tmp_path, headings):
    with pytest.raises(ImportRefusedError, match=r"has the column .* twice"):
        import_prices(listed, written(tmp_path, f"{headings}\nNVDA,2025-03-17,119.53,999\n"))


@pytest.mark.parametrize("between", [" ", "   "])
def test_columns_that_only_spaces_part_are_refused_with_the_next_step(listed, tmp_path, between):
    text = "Prices as of close\nDate Open Close Volume\n2025-03-17 122.74 119.53 999\n".replace(" ", between)
    with pytest.raises(ImportRefusedError, match=r"only spaces between .* in line 2, .* commas or tabs"):
        import_prices(listed, written(tmp_path, text))


def test_a_dry_run_tells_everything_and_keeps_nothing(warehouse, listed_database, tmp_path):
    listed = warehouse
    shutil.copyfile(listed_database, listed.path)
    before = listed.version()
    path = written(tmp_path, "ticker,date,close\nNVDA,2025-03-17,119.53\nNVDA,2025-03-18,x\n")
    report = import_prices(listed, path, reading=Reading(dry_run=True))
    assert (report.item.inserted, report.refused) == (1, [(2, 'the close "x" is not a number')])
    assert listed.version() == before
    assert (stored(listed), rows(listed, "FROM quarantine"), rows(listed, "FROM etl_run")) == ([], [], [])


def test_lines_below_the_table_are_passed_over_and_named(listed, tmp_path):
    path = written(
        tmp_path,
        "ticker,date,close\nNVDA,2025-03-17,119.53\n,,\nticker,date,close\nNVDA,2025-03-18,115.43\n"
        'Average,,117.48\n"All prices in US dollars, without warranty"\n',
    )
    report = import_prices(listed, path)
    assert (report.exit_code, report.item.received) == (0, 2)
    assert report.aside == [
        (3, "ticker date close"),
        (5, "Average 117.48"),
        (6, "All prices in US dollars, without warranty"),
    ]
    assert len(stored(listed)) == 2


def test_a_second_table_below_the_first_is_not_taken_for_it(listed, tmp_path):
    path = written(
        tmp_path,
        "ticker,date,close,volume\nNVDA,2025-03-17,119.53,1\n\nticker,date,volume,close\nNVDA,2025-03-18,2,115.43\n",
    )
    report = import_prices(listed, path)
    assert report.exit_code == 1
    assert "below the headings of another table" in report.refused[0][1]
    assert stored(listed) == [("NVDA", MONDAY, 119.53)]


def test_a_row_with_more_cells_than_headings_is_not_cut(listed, tmp_path):
    path = written(tmp_path, "ticker,date,close\nNVDA,2025-03-17,119,53\nNVDA,2025-03-18,115.43,,\n")
    report = import_prices(listed, path)
    assert report.refused == [(1, "it has more cells than there are headings")]
    assert stored(listed) == [("NVDA", TUESDAY, 115.43)]


def test_a_quotation_mark_that_never_closes_does_not_swallow_the_rest(listed, tmp_path):
    lines = "".join(f"NVDA,{MONDAY + timedelta(days=number)},100,\n" for number in range(600))
    path = written(tmp_path, f'ticker,date,close,note\nNVDA,2025-03-14,100,"open\n{lines}')
    with pytest.raises(ImportRefusedError, match="never closed"):
        import_prices(listed, path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "holds no rows"),
        (b"\n\n", "holds no rows"),
        (b"ticker,date,close\n", "holds no rows"),
        (b"a,b\n1,2\n", "no column for date, close; it has a, b"),
        (b"date,close\n2025-03-17,1\n", "no column for ticker; it has date, close.*--ticker"),
        (b"\x1f\x8b\x08broken", "not readable as a table"),
        (b"PK\x03\x04broken", "not readable as a table"),
        (b"PAR1broken", "not readable as a table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1broken", "not readable as a table"),
        (b"<html><table><tr><td>Date</td></tr></table>", "it is a web page"),
        (b'{"chart": {"result": []}}', "it is JSON"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not readable|no column"),
        (bytes(range(256)) * 40, "not readable|no column"),
    ],
)
def test_a_file_of_another_form_is_refused_in_a_sentence(listed, tmp_path, content, sentence):
    with pytest.raises(ImportRefusedError, match=sentence) as refused:
        import_prices(listed, written(tmp_path, content))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["no-such.csv", "*.csv", ".", "https://example.org/x.csv", "x.parquet"])
def test_an_import_reads_nothing_but_the_file_that_it_is_given(listed, tmp_path, name):
    written(tmp_path, "ticker,date,close\nAMD,2025-03-17,104.5\n")
    (tmp_path / "x.parquet").write_bytes(b"not Parquet")
    with pytest.raises(ImportRefusedError, match=r"is not a file|not readable"):
        import_prices(listed, tmp_path / name)


def test_importing_twice_changes_nothing(listed, tmp_path):
    path = written(tmp_path, YAHOO)
    assert import_prices(listed, path, NVDA).item.inserted == 2
    again = import_prices(listed, path, NVDA)
    assert (again.item.inserted, again.item.updated, again.exit_code) == (0, 0, 0)


def test_companies_side_by_side_are_read_each_for_itself(listed, tmp_path):
    path = written(tmp_path, "Date,NVDA,AMD,Mean\n2025-03-17,119.53,104.59,112\n2025-03-18,115.43,,115\n")
    report = import_prices(listed, path)
    assert (report.exit_code, report.ignored) == (0, ["Mean"])
    assert stored(listed) == [("AMD", MONDAY, 104.59), ("NVDA", MONDAY, 119.53), ("NVDA", TUESDAY, 115.43)]


YFINANCE = (
    "Price,Adj Close,Adj Close,Close,Close,Volume,Volume\nTicker,AMD,NVDA,AMD,NVDA,AMD,NVDA\nDate,,,,,,\n"
    "2025-03-17,104.59,119.52,104.59,119.53,27,255501500\n2025-03-18,103.51,115.42,103.51,115.43,28,299686900\n"
)


def test_a_download_of_yfinance_is_read_unless_its_closes_are_adjusted(listed, tmp_path):
    assert import_prices(listed, written(tmp_path, YFINANCE)).exit_code == 0
    assert stored(listed, "ticker, date, close, volume") == [
        ("AMD", MONDAY, 104.59, 27),
        ("AMD", TUESDAY, 103.51, 28),
        ("NVDA", MONDAY, 119.53, 255_501_500),
        ("NVDA", TUESDAY, 115.43, 299_686_900),
    ]
    with pytest.raises(ImportRefusedError, match="auto_adjust=False"):
        import_prices(listed, written(tmp_path, YFINANCE.replace("Adj Close", "Low")))
