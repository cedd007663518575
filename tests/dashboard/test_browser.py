"""Every page in a real browser: accessible in both themes, and no wider than a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from dashboard.pages import PAGES
from tests.conftest import Visit, wait_until_drawn

ADDRESSES = [f"/{path or ''}" for _, path in PAGES.values()]
SERIOUS = ("serious", "critical")
WIDER_THAN_THE_SCREEN = """() => [...document.querySelectorAll('[data-testid=stMain] *')].filter(part =>
    part.getBoundingClientRect().right > innerWidth + 1 && !part.closest(
        '[data-testid=stDataFrame], [data-testid=stMarkdownContainer] table, .js-plotly-plot, [role=tablist]'))"""


def barriers(page: Page) -> list[str]:
    """What axe-core calls a serious or critical violation, each with its element and the way out."""
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_has_no_serious_barrier_in_light_or_dark_and_fits_a_phone(visit: Visit, address: str) -> None:
    page = visit(address)
    assert page.locator("[data-testid=stException]").count() == 0
    assert not barriers(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "getComputedStyle(document.querySelector('.stApp')).color === 'rgb(236, 234, 228)'"
    )
    wait_until_drawn(page)
    assert not barriers(page)
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function(f"({WIDER_THAN_THE_SCREEN})().length === 0")
