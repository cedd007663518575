"""Every page in a real browser: drawn, silent in the console, accessible, no wider than a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from dashboard.pages import PAGES
from tests.conftest import Dashboard, Visit

ADDRESSES = [f"/{path or ''}" for _, path in PAGES.values()]
SERIOUS = ("serious", "critical")


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_has_no_serious_barrier_and_no_complaint(visit: Visit, address: str, theme: str) -> None:
    page = visit(address, theme=theme)
    assert page.locator("[data-testid=stException]").count() == 0
    found = Axe().run(page).response["violations"]
    barriers = [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]
    assert not barriers, "\n".join(barriers)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_is_no_wider_than_a_phone(visit: Visit, address: str) -> None:
    page = visit(address, width=390)
    over = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] *')]
            .filter(part => part.getBoundingClientRect().right > innerWidth + 1 && !part.closest(
                '[data-testid=stDataFrame], [data-testid=stMarkdownContainer] table, .js-plotly-plot, [role=tablist]'))
            .map(part => part.dataset.testid || part.className.toString().slice(0, 60)).slice(0, 5)"""
    )
    assert over == []


def test_nothing_is_asked_of_another_host(visit: Visit, dashboard: Dashboard) -> None:
    asked: list[str] = []
    page = visit("/")
    page.on("request", lambda request: asked.append(request.url))
    for address in ADDRESSES:
        page.goto(f"{dashboard.url}{address}")
        page.wait_for_selector("h1")
    assert asked
    assert not [url for url in asked if not url.startswith((dashboard.url, "data:", "blob:"))]
