"""What a claim can come to."""

from typing import TypeAlias

HOLDS = "Holds"
IN_PART = "Holds in part"
FAILS = "Does not hold"
UNKNOWN = "Cannot be told from the data"

Outcome: TypeAlias = tuple[str, str, str]
"""A verdict, our figure, and how it came about."""
