"""Finds the company that a vendor's symbol means: ``NVDA.US``, ``NASDAQ:NVDA`` and ``NVDA US Equity`` are NVDA."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

_MARKETS = {
    "XNAS": (
        "us",
        "uw",
        "uq",
        "ur",
        "o",
        "oq",
        "nasdaq",
        "nasdaqgs",
        "nasdaqgm",
        "nasdaqcm",
        "nas",
        "xnas",
        "usa",
    ),
    "XNYS": ("us", "un", "n", "nyse", "nys", "xnys", "usa"),
    "ARCX": ("us", "up", "p", "k", "arca", "nysearca", "nyse arca", "amex", "arcx", "usa"),
    "XKRX": ("ks", "kr", "kp", "krx", "xkrx", "kospi", "kse"),
    "XKOS": ("kq", "kosdaq"),
    "XHKG": ("hk", "hkg", "hkex", "xhkg", "sehk"),
    "XTKS": ("t", "jp", "jt", "tyo", "tse", "xtks"),
    "XTAI": ("tw", "tt", "tpe", "twse"),
    "XAMS": ("as", "na", "nl", "ams", "xams"),
    "XETR": ("de", "gy", "gr", "xetra", "etr"),
    "XPAR": ("pa", "fp", "fr", "epa"),
    "XLON": ("l", "ln", "uk", "lon", "lse"),
}
"""How vendors name the markets: endings of Stooq, Yahoo, Reuters and Bloomberg, and what stands before a colon."""
_FORMS = (
    re.compile(r"(?P<code>[\w-]+)[. ](?P<market>\w+)(?: equity| index)?", re.IGNORECASE),
    re.compile(r"(?P<market>[\w ]+?) ?: ?(?P<code>[\w.-]+)", re.IGNORECASE),
)


@dataclass(frozen=True)
class Listing:
    """A company of the warehouse: its ticker, market identifier code and currency."""

    ticker: str
    exchange: str
    currency: str


def resolve(symbol: str, listings: Mapping[str, Listing]) -> str | None:
    """The ticker of the one listing that a symbol means, or None; another market's listing is never taken for it."""
    wanted = symbol.strip().strip("\"'^ ") if symbol.strip().upper() not in listings else symbol.strip()
    if wanted.upper() in listings:
        return wanted.upper()
    if wanted.upper().replace(".", "-") in listings:
        return wanted.upper().replace(".", "-")
    for form in _FORMS:
        found = form.fullmatch(wanted)
        if not found:
            continue
        code, market = found["code"].upper(), found["market"].lower()
        meant = [
            listing.ticker
            for listing in listings.values()
            if _bare(listing.ticker) in (code, code.zfill(4), code.zfill(6), code.replace(".", "-"))
            and market in _MARKETS.get(listing.exchange, ())
        ]
        if len(meant) == 1:
            return meant[0]
    return None


def named_above(lines: list[list[str]], listings: Mapping[str, Listing]) -> str | None:
    """The ticker that the lines above a table name, behind a word such as ``Security``; None for none or several."""
    meant = set()
    for line in lines:
        cells = [
            part.strip() for cell in line for part in (cell.split(":", 1) if cell.count(":") == 1 else [cell])
        ]
        for label, value in pairwise(cells):
            if label.casefold() in ("security", "ticker", "symbol", "instrument", "ric", "stock"):
                meant.add(resolve(value, listings))
    meant.discard(None)
    return meant.pop() if len(meant) == 1 else None


def _bare(ticker: str) -> str:
    return ticker.rpartition(".")[0] or ticker
