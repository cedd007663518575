"""The numbers of a chart as a file: CSV with the units in the header, and a table schema that describes it."""

import json
from typing import Any

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.data.spreadsheet import csv_text

NAMES = ("string", "date", "datetime")
"""Types of columns that say what a row is about."""


def csv(chart: Chart) -> bytes:
    """The chart's table as CSV (RFC 4180, UTF-8): floats with every digit, days as 2025-01-27, nothing for missing."""
    return csv_text(chart.table).encode("utf-8")


def schema(chart: Chart) -> dict[str, Any]:
    """The columns of the CSV as a table schema (Frictionless Data, Table Schema 1.0): name, type, unit."""
    return {
        "$schema": "https://specs.frictionlessdata.io/schemas/table-schema.json",
        "title": chart.title,
        "description": chart.subtitle,
        "fields": [_field(str(name), chart.table[name]) for name in chart.table.columns],
        "missingValues": [""],
    }


def _field(name: str, values: pd.Series) -> dict[str, Any]:
    label, comma, unit = name.partition(", ")
    return {"name": name, "type": _kind(values), **({"title": label, "unit": unit} if comma else {})}


def _kind(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values):
        return "boolean"
    if pd.api.types.is_integer_dtype(values):
        return "integer"
    if pd.api.types.is_numeric_dtype(values):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(values):
        known = values.dropna()
        whole = getattr(known.dt, "tz", None) is None and bool((known == known.dt.normalize()).all())
        return "date" if whole else "datetime"
    return "string"


def as_json(value: Any) -> bytes:
    """A value as JSON for a file: readable, and the same for the same value."""
    return (json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n").encode("utf-8")
