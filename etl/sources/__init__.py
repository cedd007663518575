"""The sources. To add one, write a module beside these and name it here."""

from __future__ import annotations

from collections.abc import Callable

from etl.sources.base import Source

GROUPS: dict[str, tuple[str, ...]] = {
    "prices": ("yahoo",),
    "rankings": ("apple",),
    "all": ("yahoo", "apple"),
}
"""What ``--source`` selects."""


def _yahoo() -> Source:
    from etl.sources.yahoo import YahooPrices

    return YahooPrices()


def _apple() -> Source:
    from etl.sources.apple import AppleCharts

    return AppleCharts()


SOURCES: dict[str, Callable[[], Source]] = {"yahoo": _yahoo, "apple": _apple}
"""By name; each is imported when it is first used, since some take seconds to import."""
