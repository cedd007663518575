"""Figures and dates as the house writes them in titles, labels and hovers.

Within a block of `dashboard.charts.locales.written_in` they follow another locale.
"""

from datetime import date
from html import escape
from textwrap import shorten

from dashboard.charts import locales

MINUS = "\u2212"


def _signed(text: str, value: float, plus: bool) -> str:
    sign = MINUS if value < 0 else ("+" if plus and value > 0 else "")
    locale = locales.current()
    return locales.isolated(locale, f"{sign}{text}") if locale else f"{sign}{text}"


def percent(fraction: float, digits: int = 1, plus: bool = True) -> str:
    """A fraction as a percentage: −0.1697 → "−17.0%". A value that rounds to nothing has no sign."""
    rounded, locale = round(fraction * 100, digits), locales.current()
    text = locales.percent(locale, abs(rounded) / 100, digits) if locale else f"{abs(rounded):.{digits}f}%"
    return _signed(text, rounded, plus)


def points(fraction: float, digits: int = 1) -> str:
    """A difference of two percentages: −0.0841 → "−8.4 points"."""
    return f"{percent(fraction, digits).removesuffix('%').rstrip()} points"


def number(value: float, digits: int = 0) -> str:
    """A plain figure: 24490 → "24,490", −3.25 with two digits → "−3.25"."""
    rounded, locale = round(value, digits), locales.current()
    text = locales.number(locale, abs(rounded), digits) if locale else f"{abs(rounded):,.{digits}f}"
    return _signed(text, rounded, plus=False)


def billions(dollars: float, plus: bool = False) -> str:
    """Dollars in the unit that suits: −592.66e9 → "−$592.7 billion", 3e12 → "$3.00 trillion"."""
    size, locale = abs(dollars), locales.current()
    if locale:
        text = locales.large_money(locale, size, "USD")
    elif size >= 1e12:
        text = f"${size / 1e12:.2f} trillion"
    elif size >= 1e9:
        text = f"${size / 1e9:.1f} billion"
    else:
        text = f"${size / 1e6:.0f} million"
    return _signed(text, dollars, plus)


def compact(dollars: float, plus: bool = False) -> str:
    """Dollars as for `billions`, with the unit in two letters: "−$592.7bn", "$3.00tn", "$620m"."""
    text = billions(dollars, plus)
    return text.replace(" trillion", "tn").replace(" billion", "bn").replace(" million", "m")


def price(value: float, currency: str) -> str:
    """A price with its currency: "$118.42", "₩53,700", the code where it has no sign of its own: "CHF 12.30"."""
    if locale := locales.current():
        return locales.money(locale, value, currency)
    return f"{locales.sign(currency)}{value:,.{locales.decimals(currency)}f}"


def day(value: date, weekday: bool = True, year: bool = True) -> str:
    """A date in words: "Mon 27 Jan 2025"."""
    if locale := locales.current():
        return locales.day(locale, value, weekday, year)
    parts = (
        ([f"{value:%a}"] if weekday else [])
        + [str(value.day), f"{value:%b}"]
        + ([f"{value.year}"] if year else [])
    )
    return " ".join(parts)


def month(value: date) -> str:
    """A month in words: "Jan 2025"."""
    locale = locales.current()
    return locales.month(locale, value) if locale else f"{value:%b %Y}"


def listed(items: list[str]) -> str:
    """Items as prose: "a", "a and b", "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def possessive(name: str) -> str:
    """A name in the genitive: "NVIDIA’s", "Arista Networks’"."""
    return f"{name}’" if name.endswith("s") else f"{name}’s"


def safe(text: str, limit: int = 60) -> str:
    """Text from outside for a Plotly label, where a subset of HTML would be drawn: escaped and cut to `limit`."""
    return escape(cut(text, limit), quote=False)


def cut(text: str, limit: int = 80) -> str:
    """Text on one line, cut to `limit` characters, after a word where one ends in the second half."""
    text = " ".join(text.split())
    by_words = shorten(text, limit, placeholder="…")
    return by_words if len(by_words) >= min(len(text), limit / 2) else text[: limit - 1] + "…"


ONE_HISTORY = "<br>by one price history"
"""What a hover says of a bundled price that no second history confirms."""
