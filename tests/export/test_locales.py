"""Figures and dates as other languages write them; the house's English stays as it is."""

from __future__ import annotations

import threading
from datetime import date

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.charts import locales, words
from dashboard.charts.chart import Chart
from dashboard.charts.comparison_words import price_form
from dashboard.charts.locales import UnknownLocale, written_in
from dashboard.export.drawing import plain_figure

DAY = date(2025, 1, 27)


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en", ["−17.0%", "−$592.7 billion", "$118.42", "Mon 27 Jan 2025", "24,490"]),
        ("de", ["−17,0\xa0%", "−592,7\xa0Mrd.\xa0$", "118,42\xa0$", "Mo., 27. Jan. 2025", "24.490"]),
        (
            "fr",
            [
                "−17,0\xa0%",
                "−592,7\xa0Md\xa0$US",
                "118,42\xa0$US",
                "lun. 27 janv. 2025",
                "24\u202f490",
            ],
        ),
        (
            "pt-BR",
            [
                "−17,0%",
                "−US$\xa0592,7\xa0bi",
                "US$\xa0118,42",
                "seg., 27 de jan. de 2025",
                "24.490",
            ],
        ),
    ],
)
def test_figures_and_dates_follow_the_locale(locale: str, written: list[str]) -> None:
    with written_in(locale):
        found = [
            words.percent(-0.1697),
            words.billions(-592.66e9),
            words.price(118.42, "USD"),
            words.day(DAY).replace("\xa0", " "),
            words.number(24490),
        ]
    assert found == written


def test_a_month_is_named_as_the_locale_does() -> None:
    assert words.month(DAY) == "Jan 2025"
    with written_in("de"):
        assert words.month(DAY) == "Jan.\xa02025"


@pytest.mark.parametrize(
    ("locale", "sign"), [("de", "\xa0%"), ("fr", "\xa0%"), ("en-US", "%"), ("ja", "%"), ("tr", "%")]
)
def test_axes_write_percent_as_the_figures_do(locale: str, sign: str) -> None:
    chart = Chart("a", go.Figure(), "", "", "", "", pd.DataFrame())
    chart.figure.update_yaxes(ticksuffix="%")
    assert plain_figure(chart, locale)["layout"]["yaxis"]["ticksuffix"].strip("\u200e") == sign


def test_a_price_has_the_sign_and_the_decimals_of_its_currency() -> None:
    written = [words.price(53700.25, currency) for currency in ("USD", "KRW", "HKD", "CHF")]
    assert written == ["$53,700.25", "₩53,700", "HK$53,700.25", "CHF 53,700.25"]
    assert (price_form("HKD", "y"), price_form("KRW", "y")) == ("HK$%{y:,.2f}", "₩%{y:,.0f}")


def test_a_locale_holds_only_in_its_block_and_its_thread() -> None:
    heard = []
    with written_in("de"):
        other = threading.Thread(target=lambda: heard.append(words.percent(0.5)))
        other.start()
        other.join()
    assert heard == ["+50.0%"]
    assert words.percent(0.5) == "+50.0%"


@pytest.mark.parametrize("name", ["klingon", "", "../../etc/passwd", "de_DE_XX_YY"])
def test_an_unknown_locale_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(UnknownLocale, match="name a language such as"):
        locales.parse(name)


def test_plotly_gets_months_days_and_separators() -> None:
    module = locales.plotly_locale(locales.parse("de"))
    assert module["format"]["months"][0] == "Januar"
    assert module["format"]["days"][0] == "Sonntag"
    assert (module["format"]["decimal"], module["format"]["thousands"]) == (",", ".")


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("ja", ["%-m月%-d日", "%Y年%-m月"]),
        ("de", ["%-d. %b", "%b %Y"]),
        ("ar", ["%-d %b", "%b %Y"]),
        ("en-US", ["%b %-d", "%b %Y"]),
        ("en-GB", ["%-d %b", "%b %Y"]),
    ],
)
def test_the_dates_of_axes_have_the_order_of_the_locale(locale: str, written: list[str]) -> None:
    found = [locales.plotly_dates(locales.parse(locale), form) for form in ("%-d %b", "%b %Y")]
    assert found == written


def test_figures_keep_together_among_words_of_the_other_direction() -> None:
    with written_in("ar"):
        assert words.percent(-0.17).startswith("\u2067\u200e−17")
        assert words.percent(-0.17).endswith("\u2069")
        assert words.billions(-592.7e9).endswith("US$\u200e\u2069")
        sentence = f"{words.day(DAY)} was the worst day"
    assert locales.direction(sentence) == "ltr"
    assert " " not in sentence.partition("\u2069")[0]  # a date is never broken across lines
    assert locales.direction("كان أسوأ يوم") == "rtl"
