"""The story on paper: whole, once, and without what only a screen can do."""

import io

from pypdf import PdfReader

from dashboard.app_pages import PAGES
from tests.conftest import DESK, Reader, wait_for

PHONE = {"width": 390, "height": 844}

CUT = """paper => {
    dispatchEvent(new Event('beforeprint'))
    document.body.style.width = `${paper}px`
    const cut = [...document.querySelectorAll('.main-svg text')]
        .filter(word => word.getBoundingClientRect().right > paper + 1).map(word => word.textContent)
    document.body.style.width = ''
    dispatchEvent(new Event('afterprint'))
    return cut
}"""
PAPER = 703
"""Pixels across A4 between the margins."""


def test_the_story_is_printed_whole_and_once(reader: Reader) -> None:
    reader.page.set_viewport_size(DESK)
    page = reader.follow(PAGES["shock"][0], "/")
    wait_for(page, "width => document.querySelector('.main-svg').clientWidth > width / 2", DESK["width"])
    page.emulate_media(media="print")
    assert page.evaluate(CUT, PAPER) == []
    page.emulate_media(media="null")
    printed = PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = " ".join(sheet.extract_text() for sheet in printed.pages).replace("\n", " ")
    for title in page.locator(".stHtml h2").all_inner_texts():
        assert text.count(title.removesuffix("#")) == 1
    assert "24,490 million" in text  # how a claim was computed lies folded on the screen
    for button in ("Cite this", "Table and data", "Copy this page", "Companies in colour"):
        assert button not in text
    assert page.locator("details[open]").count() == 0


def test_what_a_phone_folds_away_is_printed(reader: Reader) -> None:
    reader.page.set_viewport_size(PHONE)
    page = reader.follow(PAGES["shock"][0], "/")
    folded = "() => [...document.querySelectorAll('.later')].some(part => part.checkVisibility())"
    wait_for(page, folded)
    wait_for(page, "() => document.querySelector('.st-key-shock-map .main-svg')?.clientWidth < 390")
    printed = PdfReader(io.BytesIO(page.pdf(format="A4")))
    assert any("NBIS" in sheet.extract_text() for sheet in printed.pages)
