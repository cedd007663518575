"""Tables out of JSON: a list of records, and what Sensor Tower answers about charts and about an app's ranks."""

from __future__ import annotations

import json
from typing import Any

Rows = list[list[Any]]
HISTORY = ("app_id", "country", "category", "chart_type", "date", "rank")
_LISTS = ("data", "results", "records", "rows", "items", "rankings", "apps", "list")


class UnknownFormError(ValueError):
    """The JSON holds no table."""


def rows_of(text: str) -> Rows:
    """A line of headings and the rows below it.

    Records may be a list, one a line, or lie in a list such as ``data``; a list ``ranking`` in a record is a chart,
    its first entry at rank 1. Sensor Tower's history of ranks has app, country, category and chart as nested keys.

    Raises
    ------
    UnknownFormError
        When it holds no records.
    """
    value = _parsed(text)
    history = _history(value)
    if history:
        return [list(HISTORY), *history]
    records = [row for record in _records(value) for row in _charted(record)]
    names = list(dict.fromkeys(name for record in records for name in record))
    if not names:
        raise UnknownFormError("it holds no records.")
    return [names, *([record.get(name) for name in names] for record in records)]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except json.JSONDecodeError:
            raise UnknownFormError(f"its JSON is broken ({error}).") from None


def _records(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        inner = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), None)
        outer = {name: item for name, item in value.items() if not isinstance(item, list | dict)}
        if inner is not None and all(isinstance(item, dict) for item in inner):
            return [outer | record for record in inner]
        return [value]
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise UnknownFormError("it holds no records.")


def _charted(record: dict[str, Any]) -> list[dict[str, Any]]:
    """A record as rows without anything nested: one, or one for each entry of its chart."""
    plain = {name: item for name, item in record.items() if not isinstance(item, list | dict)}
    if not isinstance(record.get("ranking"), list):
        return [plain]
    entries = [item if isinstance(item, dict) else {"app_id": item} for item in record["ranking"]]
    return [plain | {"rank": place} | _charted(entry)[0] for place, entry in enumerate(entries, start=1)]


def _history(value: Any, *keys: str) -> Rows:
    """The rows of ``{app: {country: {category: {chart: {"graphData": [[seconds, rank, …], …]}}}}}``."""
    if not isinstance(value, dict):
        return []
    points = value.get("graphData")
    if len(keys) == HISTORY.index("date") and isinstance(points, list):
        return [[*keys, *point[:2]] for point in points if isinstance(point, list) and len(point) > 1]
    return [row for key, inner in value.items() for row in _history(inner, *keys, key)]
