"""Numbers and dates mean what whoever wrote them meant, and nothing else."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.imports.dates import moment
from etl.imports.numbers import currency, hint, number

WRITTEN = {
    "point": lambda value: f"{value:,.2f}",
    "dollars": lambda value: f"${value:,.2f}",
    "apostrophe": lambda value: f"{value:,.2f}".replace(",", "’"),
    "space": lambda value: f"{value:,.2f}".replace(",", "\u00a0"),
    "code behind": lambda value: f"{value:.2f} USD",
    "parentheses": lambda value: f"({value:,.2f})",
}


@given(st.integers(0, 10**12).map(lambda cents: cents / 100), st.sampled_from(sorted(WRITTEN)))
def test_a_number_is_read_as_it_was_written(value, form):
    text = WRITTEN[form](value)
    expected = -value if form == "parentheses" else value
    assert number(text) == pytest.approx(expected, abs=1e-6)
    swapped = text.translate(str.maketrans(",.", ".,"))
    assert number(swapped, decimal_comma=True) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a lot",
        "1.2.3",
        "1,23",
        "12,34,5",
        "119,53",
        "12.5%",
        "1_000",
        "0x10",
        "nan",
        "inf",
        "1 2",
        "5 apples",
        "118.42¹",
        "①118",
        "--5",
    ],
)
def test_what_is_not_a_number_is_none(text):
    assert number(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("25.3K", 25_300),
        ("255.50M", 255_500_000),
        ("1.2bn", 1.2e9),
        ("3 Mio.", 3e6),
        ("2T", 2e12),
        ("-1.5k", -1500),
    ],
)
def test_a_letter_counts_in_thousands_millions_and_billions(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [("€5", "EUR"), ("5 CHF", "CHF"), ("HK$5", "HKD"), ("$5", "$"), ("₩5", "KRW"), ("5", None)],
)
def test_a_price_tells_its_currency(text, code):
    assert currency(text) == code


FORMS = {
    "iso": ("%Y-%m-%d", None),
    "compact": ("%Y%m%d", None),
    "slashes, year first": ("%Y/%m/%d", None),
    "day first": ("%d/%m/%Y", True),
    "month first": ("%m/%d/%Y", False),
    "dots": ("%d.%m.%Y", None),
    "two digits": ("%d-%m-%y", True),
    "names": ("%d %B %Y", None),
    "short names": ("%d-%b-%y", None),
    "American": ("%b %d, %Y", None),
    "with a weekday": ("%A, %B %d, %Y", None),
    "Japanese": ("%Y年%m月%d日", None),
}


@given(st.dates(date(1985, 1, 1), date(2060, 12, 31)), st.sampled_from(sorted(FORMS)))
def test_a_day_is_read_as_it_was_written(day, form):
    pattern, day_first = FORMS[form]
    found = moment(day.strftime(pattern), day_first)
    assert found is not None
    assert (found.day, found.clock) == (day, None)


@given(st.dates(date(1985, 1, 1), date(2060, 12, 31)))
def test_a_serial_number_of_a_spreadsheet_is_its_day(day):
    found = moment(str((day - date(1899, 12, 30)).days))
    assert found is not None
    assert found.day == day


@given(st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)), st.integers(-12, 14))
def test_a_moment_keeps_its_offset(when, hours):
    when = when.replace(microsecond=0)
    found = moment(f"{when.isoformat()}{hours:+03d}:00")
    assert found is not None
    assert found.instant is not None
    assert found.instant.replace(tzinfo=None) == when - timedelta(hours=hours)


NO_DATES = (
    "|epoch|today|infinity|now|0001-01-01|9999-12-31|2025-02-30|31.02.2025|2025-13-01|12:30|Q1 2025|2025|2025-01|"
    "03/04/2025|soon|2025-01-27 25:00|5|1e23|Smarch 3, 2025"
)


@pytest.mark.parametrize("text", NO_DATES.split("|"))
def test_what_is_not_a_date_is_none(text):
    assert moment(text) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("118.42*", 'is not a number: take the mark "*" out'),
        ("$1,118.42 †", 'is not a number: take the mark "†" out'),
        ("118.42¹", 'is not a number: take the mark "¹" out'),
        ("118.42 [a]", 'is not a number: take the mark "[a]" out'),
        ("118.42(iii)", 'is not a number: take the mark "(iii)" out'),
        ("~118.42", 'is not a number: take the mark "~" out'),
        ("(1.2)", "is negative, which is what parentheses mean"),
        ("118.42", None),
        ("$1,118.42", None),
        ("(0)", None),
        ("about 119", None),
        ("1.2.3*", None),
    ],
)
def test_a_mark_that_keeps_a_figure_from_being_one_is_named(text, told):
    assert hint(text) == told
    swapped = text.translate(str.maketrans(",.", ".,"))
    assert hint(swapped, decimal_comma=True) == told
