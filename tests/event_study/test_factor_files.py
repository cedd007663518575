"""Factor returns: French's own files, per cent and fractions."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from simulated import EVENT, factors, panel

from dashboard.event_study import EventStudyError, run_study
from etl.factors import FactorFileError, parse_factors

RETURNS, MARKET = panel()
FACTORS = factors(MARKET)
DATE = RETURNS.index[EVENT]


def french_text(table: pd.DataFrame) -> str:
    """A table as Kenneth French lays out his files: text above, per cent, an annual table and a note below."""
    rows = [f"{day:%Y%m%d}," + ",".join(f"{100 * x:9.4f}" for x in row) for day, row in table.iterrows()]
    head = "This file was created by using the 202604 CRSP database.\nThe Tbill return is the simple daily rate.\n\n"
    return head + f",{','.join(table.columns)}\n" + "\n".join(rows) + "\n\nCopyright 2026 Eugene F. Fama\n"


def test_a_file_of_french_s_library_is_read_as_it_comes():
    text = french_text(FACTORS)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("F-F_Research_Data_Factors_daily.csv", text)
    for content in (text.encode(), b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(), packed.getvalue()):
        table = parse_factors(content)
        np.testing.assert_allclose(table, FACTORS, atol=6e-7)
        assert list(table.index) == list(FACTORS.index)
    closed = FACTORS.drop(FACTORS.index[50:55])  # as in September 2001
    assert len(parse_factors(french_text(closed).encode())) == len(closed)


def test_what_french_marks_as_missing_is_missing():
    holes = FACTORS.copy()
    holes.iloc[3, 0] = -0.9999
    assert parse_factors(french_text(holes).encode()).isna().to_numpy().sum() == 1


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"PK\x03\x04broken", b"", b"a,b\nx,y\n", b"a\nb\n"])
def test_a_file_that_is_none_is_refused_in_a_sentence(content):
    with pytest.raises(FactorFileError) as error:
        parse_factors(content)
    assert "\n" not in str(error.value)


def test_weekly_and_monthly_factors_are_refused_by_name():
    weekly = french_text(FACTORS[FACTORS.index.weekday == 4])
    month_ends = FACTORS.groupby(FACTORS.index.to_period("M")).last()
    month_ends = month_ends.set_axis(month_ends.index.to_timestamp())
    monthly = french_text(month_ends)
    for text, rhythm in (
        (weekly, "weekly"),
        (monthly, "monthly"),
        (
            "".join(line[:6] + line[8:] if line[:8].isdigit() else line for line in monthly.splitlines(True)),
            "monthly",
        ),
        (month_ends.to_csv(), "monthly"),
    ):
        with pytest.raises(FactorFileError, match=f"They are {rhythm}, .* take the daily file"):
            parse_factors(text.encode())


def test_factors_that_end_before_the_event_say_when_they_end():
    with pytest.raises(EventStudyError, match=rf"its returns end on {FACTORS.index[EVENT - 1]:%Y-%m-%d}"):
        run_study(RETURNS, FACTORS.iloc[:EVENT], DATE, model="ff3")


@pytest.mark.parametrize("model", ["capm", "ff3", "ff5"])
def test_factors_in_per_cent_give_the_loadings_of_fractions(model):
    right = run_study(RETURNS, FACTORS, DATE, model=model)
    per_cent = run_study(RETURNS, FACTORS * 100, DATE, model=model)
    np.testing.assert_allclose(per_cent.firms["beta"], right.firms["beta"], rtol=1e-9)
    assert per_cent.firms["beta"].mean() == pytest.approx(1.1, abs=0.4)
    assert any("per cent" in note for note in per_cent.notes)
    assert not any("per cent" in note for note in right.notes)


def test_units_that_cannot_be_told_apart_for_certain_are_refused():
    for market, returns in ((MARKET * 100, RETURNS), (MARKET, RETURNS * 100)):
        with pytest.raises(EventStudyError, match="per cent"):
            run_study(returns, market, DATE)
    with pytest.raises(EventStudyError, match="risk-free"):
        run_study(RETURNS, FACTORS.assign(RF=0.02), DATE, model="capm")
