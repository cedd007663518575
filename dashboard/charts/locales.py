"""Numbers and dates as other languages write them, from the Unicode locale data (through Babel).

The house writes English by its own rules (`dashboard.charts.words`). While a block runs under `written_in`, figures and
dates follow the conventions of another locale; the words around them stay English.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from datetime import date
from typing import Any
from unicodedata import bidirectional

from babel import Locale, UnknownLocaleError, dates, numbers
from babel.numbers import NumberPattern

from etl.errors import UsageError

HOUSE = "en"
_current: ContextVar[Locale | None] = ContextVar("locale", default=None)
_SKELETONS = {
    (True, True): "yMMMEd",
    (False, True): "yMMMd",
    (True, False): "MMMEd",
    (False, False): "MMMd",
}


class UnknownLocale(UsageError):
    """There is no such locale; the message says what one looks like."""


def parse(name: str) -> Locale:
    """The locale called `name`, such as "de", "fr", "pt-BR".

    Raises
    ------
    UnknownLocale
        When Unicode's locale data has none of that name.
    """
    try:
        return Locale.parse(name.strip().replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        raise UnknownLocale(
            f"There is no locale “{name[:40]}”: name a language such as en, de or fr, or one of a country (pt-BR)."
        ) from None


def is_house(locale: Locale) -> bool:
    """Whether that is the house's own English, which is of no country."""
    return str(locale) == HOUSE


@contextmanager
def written_in(name: str) -> Iterator[None]:
    """Write figures and dates in this block, and in this thread, as the locale `name` does."""
    locale = parse(name)
    token = _current.set(None if is_house(locale) else locale)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Locale | None:
    """The locale of the running block; None for the house's own English."""
    return _current.get()


_SIGNS = re.compile(r"(?=[+−-]\d)|(?<=[A-Z]\$)")
_FROM_LEFT = "\u200e"


def isolated(locale: Locale, text: str) -> str:
    """A figure or date kept together, whatever direction the words around it have (Unicode's isolates).

    Within it a sign stays before its number, and the dollar after its country's letters.
    """
    if locale.character_order != "right-to-left":
        return text
    return f"\u2067{_SIGNS.sub(_FROM_LEFT, text)}\u2069"


def percent(locale: Locale, size: float, digits: int) -> str:
    """A size (not negative) as a percentage, the sign % placed as the locale does."""
    return _written(locale.percent_formats[None], locale, size, digits)


def percent_sign(locale: Locale) -> str:
    """What follows a percentage on an axis: "%" with the blank that a locale has before it."""
    return percent(locale, 0, 0).partition("0")[2] or "%"


def number(locale: Locale, size: float, digits: int) -> str:
    """A size (not negative) with the locale's separators."""
    return _written(locale.decimal_formats[None], locale, size, digits)


def _written(pattern: NumberPattern, locale: Locale, size: float, digits: int) -> str:
    exact = copy(pattern)
    exact.frac_prec = (digits, digits)
    text: str = exact.apply(size, locale)
    return text


def large_money(locale: Locale, size: float, currency: str) -> str:
    """A large sum in the locale's short form: "592,7 Mrd. $"."""
    digits = 2 if size >= 1e12 else (1 if size >= 1e9 else 0)
    return numbers.format_compact_currency(size, currency, locale=locale, fraction_digits=digits)


def money(locale: Locale, value: float, currency: str) -> str:
    """A sum with its currency."""
    return isolated(locale, numbers.format_currency(value, currency, locale=locale))


def sign(currency: str) -> str:
    """What stands before a sum in English: "$", "HK$", or the code and a space where a currency has no sign."""
    written: str = numbers.get_currency_symbol(currency, locale=HOUSE)
    return f"{currency} " if written == currency else written


def decimals(currency: str) -> int:
    """Decimal places of a sum: 2 for dollars, none for won and yen."""
    places: int = numbers.get_currency_precision(currency)
    return places


def day(locale: Locale, value: date, weekday: bool, year: bool) -> str:
    """A date with the locale's own order and abbreviations, never broken across lines: "Mo., 27. Jan. 2025"."""
    text = dates.format_skeleton(_SKELETONS[weekday, year], value, locale=locale)
    return isolated(locale, text.replace(" ", "\u00a0"))


def month(locale: Locale, value: date) -> str:
    """A month of a year in the locale's own order: "Jan. 2025"."""
    return isolated(locale, dates.format_skeleton("yMMM", value, locale=locale).replace(" ", "\u00a0"))


_ISOLATE = re.compile("\u2067[^\u2069]*\u2069")


def direction(text: str) -> str:
    """Which way words are read, "ltr" or "rtl": as their first letter outside figures and dates of another direction.

    A browser's `dir="auto"` does not leave those out.
    """
    kinds = (bidirectional(sign) for sign in _ISOLATE.sub("", text))
    return "rtl" if next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L" else "ltr"


def separators(locale: Locale) -> str:
    """The decimal and the grouping sign, as Plotly's `layout.separators` takes them."""
    return numbers.get_decimal_symbol(locale) + numbers.get_group_symbol(locale)


def plotly_locale(locale: Locale) -> dict[str, Any] | None:
    """The locale as a Plotly locale module: the names of days and months, and the separators; None for the house's."""
    if is_house(locale):
        return None
    days, months = dates.get_day_names, dates.get_month_names
    sunday_first = (6, 0, 1, 2, 3, 4, 5)
    return {
        "moduleType": "locale",
        "name": str(locale).replace("_", "-"),
        "dictionary": {},
        "format": {
            "days": [days("wide", "stand-alone", locale)[i] for i in sunday_first],
            "shortDays": [days("abbreviated", "stand-alone", locale)[i] for i in sunday_first],
            "months": [months("wide", "stand-alone", locale)[i] for i in range(1, 13)],
            "shortMonths": [months("abbreviated", "stand-alone", locale)[i] for i in range(1, 13)],
            "decimal": numbers.get_decimal_symbol(locale),
            "thousands": numbers.get_group_symbol(locale),
        },
    }


_D3_DATES = {
    "%a %-d %b %Y": "yMMMEd",
    "%-d %b %Y": "yMMMd",
    "%b %Y": "yMMM",
    "%b\n%Y": "yMMM",
    "%-d %b": "MMMd",
}
_D3 = {"d": "%-d", "dd": "%d", "M": "%-m", "MM": "%m", "MMMM": "%B", "LLLL": "%B", "EEEE": "%A", "y": "%Y"}
_FIELD = re.compile(r"'([^']*)'|([a-zA-Z])\2*")


def plotly_dates(locale: Locale, text: str) -> str:
    """A template of Plotly's with its dates in the locale's order: "%-d %b" is "%b%-d日" in Japanese."""
    for house, skeleton in _D3_DATES.items():
        if house in text:
            form = locale.datetime_skeletons[dates.match_skeleton(skeleton, locale.datetime_skeletons)]
            return text.replace(house, _FIELD.sub(_as_d3, form.pattern))
    return text


def _as_d3(found: re.Match[str]) -> str:
    if found[1] is not None:
        return found[1]
    return _D3.get(found[0]) or ("%a" if found[2] in "Ec" else "%b")
