"""The stores, countries, charts and devices of rank exports, in the words that vendors use for them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from babel import Locale

from etl.sources.apple_feed import GENRES

_LANGUAGES = ("ko", "ja", "zh", "pt", "it", "es", "fr", "de", "en")
_ALSO = {
    **dict.fromkeys(("usa", "u s", "u s a", "united states of america", "america", "estados unidos"), "us"),
    **dict.fromkeys(("uk", "u k", "great britain", "england", "britain"), "gb"),
    **dict.fromkeys(("korea", "south korea", "korea republic of", "republic of korea", "kor"), "kr"),
    **dict.fromkeys(("gbr",), "gb"),
    **dict.fromkeys(("russia", "russian federation"), "ru"),
    **dict.fromkeys(("hong kong", "hong kong sar", "hkg"), "hk"),
    **dict.fromkeys(("taiwan", "twn", "taiwan province of china"), "tw"),
    **dict.fromkeys(("vietnam", "viet nam"), "vn"),
    **dict.fromkeys(("turkey", "turkiye"), "tr"),
    **dict.fromkeys(("czech republic", "czechia"), "cz"),
    **dict.fromkeys(("uae", "united arab emirates"), "ae"),
    **{
        "deu": "de",
        "fra": "fr",
        "jpn": "jp",
        "chn": "cn",
        "ind": "in",
        "can": "ca",
        "aus": "au",
        "bra": "br",
    },
    **{
        "ita": "it",
        "esp": "es",
        "mex": "mx",
        "nld": "nl",
        "swe": "se",
        "che": "ch",
        "sgp": "sg",
        "irl": "ie",
    },
}
_STORES = {
    **dict.fromkeys(
        (
            "apple",
            "ios",
            "iphone",
            "ipad",
            "app store",
            "apple app store",
            "appstore",
            "itunes",
            "apple ios",
            "ios app store",
        ),
        "apple",
    ),
    **dict.fromkeys(
        (
            "google",
            "android",
            "google play",
            "googleplay",
            "google play store",
            "play",
            "play store",
            "android google play",
        ),
        "google",
    ),
}
_KINDS = (
    ("top-grossing", r"grossing|topgrossingapplications|topgrossing|revenue"),
    ("top-free", r"free|topfreeapplications|topfree|topselling free|gratis|kostenlos\w*|gratuit\w*"),
    ("top-paid", r"paid|toppaidapplications|toppaid|topselling paid|de pago|kostenpflichtig\w*|payant\w*"),
)
_NOT_A_GENRE = re.compile(
    r"\b(top|apps?|applications?|charts?|overall|all|categories|category|genres?|iphone|ipad|phone|ios|android|36|0|and|"
    r"the|store|rank|ranking|alle|tous|toutes|todas|todos|tutte|すべて|전체|全部)\b"
)
_GENRE_WORDS = {"social networking": "social", "social networks": "social", "game": "games"}


def country(text: str) -> str | None:
    """The two letters of a country given by name or code, in lower case, or None."""
    name = _plain(text)
    return _countries().get(name)


def store(text: str) -> str | None:
    """``apple`` or ``google``, or None."""
    name = _plain(text)
    return _STORES.get(name) or next(
        (found for word, found in _STORES.items() if name.startswith(word + " ")), None
    )


def device(text: str) -> str:
    """The device in lower case; phones of the App Store are ``iphone``."""
    name = _plain(text)
    return {"phone": "iphone", "iphones": "iphone", "ios": "iphone", "tablet": "ipad"}.get(name, name)


def chart_parts(text: str) -> tuple[str | None, str | None]:
    """The kind, such as ``top-free``, and the genre, such as ``productivity``, that a text names; None for none."""
    rest = _plain(text)
    kind = None
    for name, words in _KINDS:
        found = re.search(rf"\b({words})\b", rest)
        if found:
            kind, rest = name, rest[: found.start()] + rest[found.end() :]
            break
    rest = re.sub(r"\s+", " ", _NOT_A_GENRE.sub(" ", rest)).strip()
    if not rest:
        return kind, None
    by_number = {number: genre for genre, number in GENRES.items()}
    return kind, by_number.get(rest) or _GENRE_WORDS.get(rest) or rest.replace(" ", "-")


def is_overall(text: str) -> bool:
    """Whether a text says that a chart is of all genres."""
    return bool(re.search(r"\b(overall|all|alle|tous|toutes|todas|todos|tutte)\b", _plain(text)))


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).strip().casefold()
    bare = "".join(sign for sign in plain if unicodedata.category(sign) != "Mn")
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFC", bare)).strip()


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Names and codes of countries, and the two letters of each."""
    known: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if re.fullmatch("[A-Z]{2}", code) and code not in (
                "EU",
                "EZ",
                "UN",
                "QO",
                "XA",
                "XB",
                "ZZ",
                "XK",
            ):
                known[_plain(name)] = known[code.lower()] = code.lower()
    return known | _ALSO
