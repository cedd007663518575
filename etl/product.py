"""What the product is called, the prefix of its settings, and its version: `pyproject.toml` alone says so."""

from __future__ import annotations

import tomllib
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
_written = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))

NAME: str = _written["tool"]["product"]["name"]
SLUG: str = _written["project"]["name"]
PREFIX: str = _written["tool"]["product"]["prefix"]
VERSION: str = _written["project"]["version"]


def variable(setting: str) -> str:
    """The environment variable of a setting, such as "database"."""
    return PREFIX + setting.upper()
