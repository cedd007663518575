"""A page opened at an address, without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from typing import Any

from streamlit.testing.v1 import AppTest

from dashboard.charts.style import LIGHT
from etl.settings import PROJECT_ROOT


def opened(page: str, **address: str | list[str]) -> AppTest:
    """The page of that name at an address."""
    app = AppTest.from_file(str(PROJECT_ROOT / "dashboard" / "app_pages" / f"{page}.py"), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def titles(page: AppTest) -> list[str]:
    """The titles of the charts on a page."""
    shown = "".join(part.proto.body for part in page.get("html"))
    return [unescape(title) for title in re.findall(r"<h3[^>]*>(.*?)<a", shown)]


def seen(page: AppTest) -> str:
    """What a reader sees of a page down to its second chart, a line for each element, and a checksum of its colours."""
    colours = f"{LIGHT}\n{(PROJECT_ROOT / '.streamlit' / 'config.toml').read_text(encoding='utf-8')}"
    lines, charts = [], 0
    for part in elements(page.main):
        charts += part.type == "plotly_chart"
        if charts == 2:
            break
        if part.type in ("caption", "title", "html"):
            text = part.proto.body.replace("\\", "")
            lines.append(unescape(" ".join(re.sub("<[^>]+>", " ", text).split())))
    return "\n".join([*lines, f"Colours: {sha256(colours.encode()).hexdigest()}", ""])


def elements(block: Any) -> Iterator[Any]:
    for part in block.children.values():
        yield from elements(part) if hasattr(part, "children") else [part]
