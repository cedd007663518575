"""Pages that tests of exported files open, each with what went wrong on it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page


@contextmanager
def watched(tab: Page) -> Iterator[Page]:
    """A page that keeps its faults and what it asks for."""
    with tab.expect_popup() as popup:
        tab.evaluate("void open()")
    opened = popup.value
    opened.faults = []  # type: ignore[attr-defined]
    opened.asked = []  # type: ignore[attr-defined]
    opened.on("console", lambda line: line.type == "error" and opened.faults.append(line.text))  # type: ignore[attr-defined]
    opened.on("pageerror", lambda error: opened.faults.append(str(error)))  # type: ignore[attr-defined]
    opened.on("request", lambda request: opened.asked.append(request.url))  # type: ignore[attr-defined]
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    """A tab for all of this file: its process has compiled the library after the first page."""
    context = browser.new_context(viewport={"width": 900, "height": 800})
    yield context.new_page()
    context.close()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    with watched(tab) as opened:
        yield opened
