"""Every page in a real browser: accessible in both themes, and no wider than a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from dashboard.charts.style import DARK, LIGHT
from dashboard.pages import PAGES
from tests.conftest import SOAK, Visit, wait_until_drawn

ADDRESSES = [f"/{path or ''}" for _, path in PAGES.values()]
# The short form opens every other page in the dark, the long form every page in both.
LOOKS = [
    (address, theme)
    for number, address in enumerate(ADDRESSES)
    for theme in ("dark", "light")
    if SOAK or theme == ("dark", "light")[number % 2]
]
PAPER = {"light": LIGHT.paper, "dark": DARK.paper}
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


@pytest.mark.parametrize(("address", "theme"), LOOKS)
def test_a_page_wears_the_readers_theme_has_no_serious_barrier_and_fits_a_phone(
    visit: Visit, address: str, theme: str
) -> None:
    page = visit(address, theme=theme)
    assert page.locator("[data-testid=stException]").count() == 0
    papers = page.evaluate(
        "[...document.querySelectorAll('.js-plotly-plot')].map(chart => chart._fullLayout.paper_bgcolor)"
    )
    assert set(papers) <= {PAPER[theme]}
    assert not barriers(page)
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function(f"({WIDER_THAN_THE_SCREEN})().length === 0")
    wait_until_drawn(page)
