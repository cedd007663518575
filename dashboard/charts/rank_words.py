"""How ranks, captures and reports are put into words."""

import re
from typing import Any

import pandas as pd

from dashboard.charts import words

SOURCES = {"apple": "Apple’s public chart feed", "google": "Google Play", "wayback": "the web archive"}
STORES = {"apple": "Apple App Store", "google": "Google Play"}


def short_name(name: str, limit: int = 18) -> str:
    """An app's name without its claim: "DeepSeek - AI Assistant" → "DeepSeek"."""
    first = re.split(r"\s[-–—|:]\s|:\s|\sby\s|\s\(", name, maxsplit=1)[0].strip() or name
    return first if len(first) <= limit else f"{first[: limit - 1]}…"


def store_name(store: str) -> str:
    """What a store is called."""
    return STORES.get(store, store)


def device_name(device: str) -> str:
    """What a device is called."""
    return {"iphone": "iPhone", "ipad": "iPad", "phone": "phone"}.get(device, device)


def chart_name(chart: str) -> str:
    """A chart's name in words: "top-free/productivity" → "top free productivity"."""
    return chart.replace("-", " ").replace("/", " ")


def with_article(country: str) -> str:
    """A country as it stands in a sentence: "the United States", "Japan"."""
    return (
        f"the {country}"
        if country.startswith(("United ", "Netherlands", "Philippines", "Dominican "))
        else country
    )


def moment(row: Any) -> str:
    """When a point was, as far as it is known: with the time in UTC, or the day."""
    day = words.day(row.moment.date())
    return f"{day}, {row.moment:%H:%M} UTC" if row.time_known else day


def source(row: Any) -> str:
    """Who measured or reported a point, in words."""
    return SOURCES.get(row.source, row.source)


def not_in(depths: pd.Series) -> str:
    """Where captures of these depths (how many places each holds) do not have an app: "not in the first 12".

    It may stand deeper. Captures of different depths: "not in the first 5 to 12".
    """
    least, most = int(depths.min()), int(depths.max())
    return f"not in the first {least}" + (f" to {most}" if most > least else "")


def hover(row: Any, name: str) -> str:
    """One sentence for a point: what rank, when, who says so."""
    who = words.safe(source(row), 80)
    if pd.isna(row["rank"] if isinstance(row, pd.Series) else row.rank):
        return (
            f"<b>{words.safe(name)}</b> was not in the first {row.depth} on {moment(row)},<br>"
            f"in a capture of {who}"
        )
    how = "measured in a capture of" if row.evidence == "measured" else "reported by"
    note = f"<br>{words.safe(row.note, 90)}" if getattr(row, "note", "") else ""
    return f"<b>{words.safe(name)}</b> was no. {row.rank} on {moment(row)},<br>{how} {who}{note}"


def link(address: str) -> str:
    """The address of a source where it is one that a browser may open, else nothing."""
    return address if re.match(r"https?://[^\s]+$", address or "") else ""
