"""A page opened at an address, without a browser."""

from __future__ import annotations

import re
from html import unescape

from streamlit.testing.v1 import AppTest

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
