"""CSV for people, who open it in a spreadsheet: a text that it would run as a formula stays text.

Names come from outside. Parquet and JSON, which programs read, have them as they are. After "CSV Injection", OWASP.
"""

import pandas as pd

_FORMULA = r"^[=+\-@\t\r]"
HARMLESS = "CASE WHEN regexp_matches({0}, '^[=+\\-@\\t\\r]') THEN '''' || {0} ELSE {0} END AS {0}"
"""The same in SQL, for the name of a text column."""


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV (RFC 4180): floats with every digit, nothing for missing, and no cell that a spreadsheet runs."""
    texts = {name: _harmless(table[name]) for name in table.columns if _is_text(table[name])}
    text: str = table.assign(**texts).to_csv(index=False, lineterminator="\n")
    return text


def _is_text(values: pd.Series) -> bool:
    return pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values)


def _harmless(values: pd.Series) -> pd.Series:
    is_text = values.map(lambda value: isinstance(value, str))
    texts = values.where(is_text, "").astype(str)
    runs = texts.str.contains(_FORMULA, regex=True)
    lines = texts.str.replace("\r", " ", regex=False)  # pandas does not quote what ends a line for others
    return values.mask(is_text, lines.mask(runs, "'" + lines))
