"""Files of daily factor returns: a plain table of fractions, or one of Kenneth French's library as it comes.

His files begin with lines of text, give per cent, write a missing value as -99.99 or -999, end in a note on
copyright and lie in a zip archive.
"""

from __future__ import annotations

import io
import re
import zipfile

import pandas as pd

MISSING = (-99.99, -999.0)
MOST_BYTES = 20_000_000
# Median days from one row to the next, from which a file is weekly or monthly.
A_WEEK, A_MONTH = 4, 20
ZIP = b"PK\x03\x04"
_ROW = re.compile(r"^\s*\d{8}\s*,")
_MONTH = re.compile(r"^\s*(19|20)\d{4}\s*,")


class FactorFileError(ValueError):
    """The file is none of daily factor returns; the message is one sentence that says why."""


def parse_factors(content: bytes) -> pd.DataFrame:
    """The factors of a file, sessions × names as they stand in it.

    French's layout is known by its rows (a date of eight digits without a name above it) and is turned from per cent
    into fractions; a plain table keeps its unit.

    Raises
    ------
    FactorFileError
        When there is no table of dated numbers in it, or they are weekly or monthly.
    """
    try:
        text = _unpack(content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FactorFileError("The file of the factors is not text.") from error
    lines = text.splitlines()
    first = next((place for place, line in enumerate(lines) if _ROW.match(line)), None)
    if first is None and any(_MONTH.match(line) for line in lines):
        raise _too_coarse("monthly")
    french = first and lines[first - 1].lstrip().startswith(",")
    return _daily(_french(lines, first) if first and french else _plain(text))


def _daily(table: pd.DataFrame) -> pd.DataFrame:
    apart = table.index.to_series().sort_values().diff().dt.days.median()
    if apart >= A_WEEK:
        raise _too_coarse("monthly" if apart >= A_MONTH else "weekly")
    return table


def _too_coarse(rhythm: str) -> FactorFileError:
    return FactorFileError(f"They are {rhythm}, and the study needs daily ones: take the daily file.")


def _unpack(content: bytes) -> bytes:
    if not content.startswith(ZIP):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            tables = [info for info in archive.infolist() if info.filename.lower().endswith((".csv", ".txt"))]
            if len(tables) != 1 or tables[0].file_size > MOST_BYTES:
                raise FactorFileError("The archive of the factors must hold one table, a CSV file.")
            return archive.read(tables[0])
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise FactorFileError("The archive of the factors is damaged.") from error


def _french(lines: list[str], first: int) -> pd.DataFrame:
    last = first
    while last < len(lines) and _ROW.match(lines[last]):
        last += 1
    table = pd.read_csv(io.StringIO("\n".join([f"date{lines[first - 1].strip()}", *lines[first:last]])))
    table.columns = table.columns.str.strip()
    dates = pd.to_datetime(table.pop("date").astype(str), format="%Y%m%d", errors="coerce")
    numbers = table.apply(pd.to_numeric, errors="coerce")
    if dates.isna().any() or numbers.isna().to_numpy().any():
        raise FactorFileError("The table of the factors has a row that is not a date followed by numbers.")
    return (numbers.mask(numbers.isin(MISSING)) / 100).set_axis(pd.DatetimeIndex(dates, name="date"))


def _plain(text: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(io.StringIO(text), index_col=0)
        index = pd.DatetimeIndex(pd.to_datetime(table.index.astype(str), format="mixed"))
        return table.apply(pd.to_numeric).set_axis(index.rename("date"))
    except (ValueError, TypeError, pd.errors.ParserError) as error:
        raise FactorFileError(
            "The file of the factors is not a table of dated numbers: its first column must be the date, the others "
            "Mkt-RF, SMB, HML, RMW, CMA, Mom and RF."
        ) from error
