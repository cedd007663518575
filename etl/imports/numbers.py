"""Reads numbers as people write them: currency signs, thousands in groups, decimal commas, K, M and B."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from babel import Locale

from etl.imports.report import ImportRefusedError

MISSING = frozenset(
    (
        "",
        "-",
        "--",
        "–",
        "—",
        "n/a",
        "na",
        "n.a.",
        "#n/a",
        "#n/a n/a",
        "#value!",
        "#ref!",
        "null",
        "none",
        ".",
    )
)
"""What stands for a figure that is not there; NaN is none of these, since a program that could not compute wrote it."""
_SCALES = {
    **dict.fromkeys(("k", "tsd", "thousand"), 3),
    **dict.fromkeys(("m", "mn", "mio", "mln", "mm", "million", "millions"), 6),
    **dict.fromkeys(("b", "bn", "mrd", "mld", "billion", "billions"), 9),
    **dict.fromkeys(("t", "tn", "trillion"), 12),
}
_EXACT = re.compile(r"[+-]?\d+(\.\d*)?e[+-]?\d+")
_AROUND = re.compile(r"(?P<before>[^\d.,+\-(]*)(?P<number>[\d.,' ]*\d[\d.,' ]*(?:e[+-]?\d+)?)(?P<after>\D*)")
_MARK = r"[*†‡§#^~°ªº¶|?!¹²³⁰⁴-⁹①-⑳]+|[(\[]\w{1,3}[)\]]"
_MARKED = (
    re.compile(rf"(?P<number>.*\d)\s*(?P<mark>{_MARK})"),
    re.compile(rf"(?P<mark>{_MARK})\s*(?P<number>\d.*)"),
)
_GROUPED = {
    True: re.compile(r"(\d+|\d{1,3}([.' ]\d{3})+)(,\d+)?(e[+-]?\d+)?"),
    False: re.compile(r"(\d+|\d{1,3}((,\d{2,3})*,\d{3}|([' ]\d{3})+))?(\.\d*)?(e[+-]?\d+)?"),
}


def number(text: str, decimal_comma: bool = False) -> float | None:
    """The number that a text is, or None where it is none; a currency before or behind it is passed over."""
    if any(unicodedata.category(sign) == "No" for sign in text):
        return None  # the mark of a footnote, 118.42¹, which is not a further digit
    cleaned = _plain(text)
    if _EXACT.fullmatch(cleaned):
        return float(cleaned)
    sign = 1
    if cleaned.startswith("(") and cleaned.endswith(")"):
        sign, cleaned = -1, cleaned[1:-1].strip()
    elif cleaned.endswith("-"):
        sign, cleaned = -1, cleaned[:-1].strip()
    before, signed, behind = cleaned.partition("-")
    if signed and "e" not in before:
        sign, cleaned = -sign, before + behind
    found = _AROUND.fullmatch(cleaned.replace("+", "", 1))
    if not found or not _is_money(found["before"]):
        return None
    digits, unit = found["number"].strip(), found["after"].strip().rstrip(".")
    power = _SCALES.get(unit)
    if power is None:
        word, _, rest = unit.partition(" ")
        power = _SCALES.get(word.rstrip("."))
        if not _is_money(unit if power is None else rest):
            return None
    if not _GROUPED[decimal_comma].fullmatch(digits):
        return None
    point, grouping = (",", ".") if decimal_comma else (".", ",")
    plain = re.sub(rf"[{grouping}' ]", "", digits).replace(point, ".")
    return sign * float(Decimal(plain).scaleb(power or 0))


def hint(text: str, decimal_comma: bool = False) -> str | None:
    """What keeps a text from being the figure of a price, where a mark or an accountant's sign does; else None."""
    bare = text.strip()
    if bare.startswith("(") and (number(bare, decimal_comma) or 0) < 0:
        return "is negative, which is what parentheses mean"
    found = next((one for one in (form.fullmatch(bare) for form in _MARKED) if one), None)
    if found and number(found["number"], decimal_comma) is not None:
        return f'is not a number: take the mark "{found["mark"]}" out'
    return None


def scale(text: str) -> int:
    """What figures count in, as the heading of a column says it: ``M``, ``in thousands``, ``000s``; else 1."""
    words = _plain(text).replace("'", "").removeprefix("in ").split()
    unit = words[0] if words else ""
    power = {"000": 3, "000s": 3}.get(unit, _SCALES.get(unit.rstrip("."), _SCALES.get(unit.rstrip("s"), 0)))
    return 10**power


def is_missing(text: str | None) -> bool:
    """Whether a cell says that there is no figure."""
    return text is None or _plain(text) in MISSING


def currency(text: str) -> str | None:
    """The code of the currency that a price is written with, ``$`` for a dollar of any country, or None."""
    found = _AROUND.fullmatch(_plain(text).strip("()").replace("-", "").replace("+", ""))
    signs = f"{found['before']} {found['after']}".split() if found else []
    return next((_money()[sign] for sign in signs if sign in _money()), None)


def currency_code(text: str) -> str | None:
    """The code of a currency given by its code or its sign: ``usd``, ``US$`` and ``USD`` are one. Pence stay GBp."""
    cleaned = text.strip()
    if cleaned in ("GBp", "GBX", "GBx", "p", "pence"):
        return "GBp"
    return _money().get(_plain(cleaned))


def uses_decimal_comma(shapes: Iterable[str], separator: str, path: str) -> bool:
    """Whether a comma sets off the decimals, as the figures of a file tell.

    ``shapes`` are the distinct figures with the digits 1 to 9 written as 9; ``separator`` stands between columns.

    Raises
    ------
    ImportRefusedError
        When they tell neither, or both.
    """
    told = {_told(shape) for shape in shapes} - {None}
    sure = {mark for mark in told if mark in (".", ",")}
    if len(sure) == 2:
        raise ImportRefusedError(
            f"{path} has numbers with a decimal comma and numbers with a decimal point: "
            "say --decimal-comma or --decimal-point, and the others are refused row by row."
        )
    if sure:
        return sure == {","}
    if "1,234" in told or ("1.234" in told and separator == ";"):
        mark = "1,234" if "1,234" in told else "1.234"
        raise ImportRefusedError(
            f"{path} has numbers such as {mark} that may be thousands or decimals, and none that tells: "
            "say --decimal-comma or --decimal-point."
        )
    return False


def _told(shape: str) -> str | None:
    """The decimal mark that a figure gives away; ``1,234`` or ``1.234`` for one that may be either; or None."""
    cleaned = _plain(shape)
    found = re.search(r"\d[\d.,' ]*", cleaned)
    if not found or _EXACT.fullmatch(cleaned):
        return "." if re.match(r"[^\d]*\.\d", cleaned) else None
    core = found[0].rstrip(" .,'")
    marks = [sign for sign in core if sign in ".,"]
    if not marks:
        return None
    last = marks[-1]
    other = "." if last == "," else ","
    if len(set(marks)) == 2:
        return last if marks.count(last) == 1 else None
    if len(marks) > 1:
        return other
    before, _, after = core.partition(last)
    if (
        len(after) != 3
        or before.startswith("0")
        or len(re.sub(r"\D", "", before)) > 3
        or re.search("[' ]", before)
    ):
        return last
    return f"1{last}234"


def _plain(text: str) -> str:
    """Lower case, with one kind of space, minus and apostrophe."""
    plain = (
        unicodedata.normalize("NFKC", text)
        .replace("−", "-")
        .replace("–", "-")
        .replace("’", "'")
        .replace("`", "'")
    )
    return plain.strip().strip('"').strip().lower()


def _is_money(text: str) -> bool:
    return all(word in _money() for word in text.split())


@lru_cache(maxsize=1)
def _money() -> dict[str, str]:
    """Codes and signs of currencies, in lower case, and the code that each stands for."""
    known: dict[str, str] = {}
    for locale in ("zh", "ja", "ko", "en"):
        for code, sign in Locale.parse(locale).currency_symbols.items():
            known[_plain(sign)] = code
    for code in map(str, Locale.parse("en").currencies):
        known[code.lower()] = code
    return {
        **known,
        "$": "$",
        "us$": "USD",
        "hk$": "HKD",
        "₩": "KRW",
        "¥": "JPY",
        "円": "JPY",
        "원": "KRW",
        "元": "CNY",
    }
