"""The sources. To add one, write a module beside these and name it here, in ``GROUPS`` and in ``SOURCES``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etl.sources.base import Source

GROUPS: dict[str, tuple[str, ...]] = {
    "prices": ("yahoo",),
    "rankings": ("apple",),
    "shares": ("yahoo-shares",),
    "rates": ("yahoo-rates",),
    "intraday": ("yahoo-intraday",),
    "google": ("google",),
    "factors": ("french",),
    "all": ("yahoo", "apple"),
}
"""What ``--source`` selects; share counts, exchange rates and factors, which change slowly, Google Play, which has no
public feed, and intraday bars, which are saved for few days, are asked for by name."""


def _yahoo() -> Source:
    from etl.sources.yahoo import YahooPrices

    return YahooPrices()


def _apple() -> Source:
    from etl.sources.apple import AppleCharts

    return AppleCharts()


def _google() -> Source:
    from etl.sources.google import GoogleCharts

    return GoogleCharts()


def _shares() -> Source:
    from etl.sources.yahoo_extras import YahooShares

    return YahooShares()


def _rates() -> Source:
    from etl.sources.yahoo_extras import YahooRates

    return YahooRates()


def _intraday() -> Source:
    from etl.sources.yahoo_intraday import YahooIntraday

    return YahooIntraday()


def _french() -> Source:
    from etl.sources.french import FrenchFactors

    return FrenchFactors()


SOURCES: dict[str, Callable[[], Source]] = {
    "yahoo": _yahoo,
    "yahoo-shares": _shares,
    "yahoo-rates": _rates,
    "yahoo-intraday": _intraday,
    "apple": _apple,
    "google": _google,
    "french": _french,
}
"""By name; each is imported when it is first used, since some take seconds to import."""
