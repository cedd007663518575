"""The gates between extract and publish: which rows are believed, and why the others are not."""

from etl.quality.gates import GATES, Gate
from etl.quality.screen import MOSTLY, Screen

__all__ = ["GATES", "MOSTLY", "Gate", "Screen"]
