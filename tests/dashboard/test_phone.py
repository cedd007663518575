"""The story in a hand: short, with everything a touch away."""

from dashboard.app_pages import PAGES
from tests.conftest import Reader, wait_for

PHONE_PAGE = 4900
"""Pixels of the story at a width of 390, with what comes later folded."""


def test_on_a_phone_what_comes_later_is_folded_and_opens(reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 390, "height": 844})
    page = reader.follow(PAGES["shock"][0], "/")
    blocks = page.locator(".st-key-shock-map .js-plotly-plot")
    opens = page.locator(".stHtml:has(#shock-map) .later summary")
    assert not blocks.is_visible()
    assert page.locator(".claims tbody tr:visible").count() == 3
    whole = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    opens.click()
    wait_for(
        page,
        "() => document.querySelector('.st-key-shock-map .main-svg').getBoundingClientRect().width > 300",
    )
    page.get_by_text("All 6 claims").click()
    assert page.locator(".claims tbody tr:visible").count() == 6
    opens.click()
    assert not blocks.is_visible()
    assert whole < PHONE_PAGE
