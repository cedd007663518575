"""The interactive HTML: valid, self-contained, safe, and drawn in a browser."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from pypdf import PdfReader

from dashboard.export.drawing import Look
from dashboard.export.embed import codes
from dashboard.export.html import interactive, plotly_js
from etl.product import NAME
from tests.conftest import SOAK
from tests.export.conftest import watched
from tests.export.samples import lines

EVIL = '</script><script>document.title="stolen"</script><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def article(tab: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """An article with a chart in a frame, as German readers see it, both opened from files."""
    folder = tmp_path_factory.mktemp("article")
    chart = lines(title=EVIL, subtitle="S")
    chart.figure.update_xaxes(tickformat="%d. %B")
    chart.figure.update_yaxes(tickformat=",.2f")
    (folder / "chart.html").write_bytes(interactive(chart, Look(locale="de")))
    (folder / "article.html").write_text(f"<!doctype html>{codes(lines(), 'chart.html', '')['frame']}")
    with watched(tab) as opened:
        opened.goto((folder / "article.html").as_uri())
        opened.frame_locator("iframe").locator(".main-svg").first.wait_for()
        yield opened


def test_the_html_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is a script element's text, of which HTML forbids only what would end it and control characters."""
    library = plotly_js()
    assert not re.search(r"</script|<!--|[^\t\n\r -~\u00a0-\ufdcf\ufdf0-\ufffd]", library, re.IGNORECASE)
    if not SOAK:
        monkeypatch.setattr("dashboard.export.html.plotly_js", lambda: library[:1000])
    html5lib.HTMLParser(strict=True).parse(interactive(lines(title=EVIL), Look()).decode())


def test_the_html_draws_from_a_file_asks_nobody_for_anything_and_has_no_button_that_sends_data(
    article: Page,
) -> None:
    chart = article.frames[1]
    assert chart.locator(".scatterlayer .trace").count() == 3
    assert chart.locator("h1").inner_text() == EVIL
    assert chart.title() == EVIL
    titles = chart.locator(".modebar-btn").evaluate_all("all => all.map(one => one.dataset.title || '')")
    assert not [
        title for title in titles if re.search(r"share|cloud|edit in|plotly|download", title, re.IGNORECASE)
    ]
    assert [url for url in article.asked if not url.startswith(("file:", "data:", "blob:"))] == []  # type: ignore[attr-defined]
    assert article.faults == []  # type: ignore[attr-defined]


def test_numbers_in_the_html_follow_the_locale(article: Page) -> None:
    chart = article.frames[1]
    assert "Januar" in (chart.locator(".xtick text").first.text_content() or "")
    assert re.search(r"\d,\d\d", chart.locator(".ytick text").first.text_content() or "")


def test_the_html_follows_the_width_of_an_iframe(article: Page) -> None:
    for width in (900, 390):
        article.set_viewport_size({"width": width, "height": 800})
        article.frames[1].wait_for_function(
            """width => {
                const drawn = document.querySelector('.main-svg').getBoundingClientRect().width;
                return width * 0.8 < drawn && drawn <= width && document.documentElement.scrollWidth <= innerWidth;
            }""",
            arg=width,
        )
    assert article.faults == []  # type: ignore[attr-defined]


LISTENERS = """
const heard = {};
const frame = document.querySelector('iframe');
addEventListener('message', event => {
  if (event.source !== frame.contentWindow) return;
  const said = event.data;
  if (said['datawrapper-height']) heard.datawrapper = said['datawrapper-height'];
  if (said.sentinel === 'amp') heard[said.type] = said.height ?? true;
  if (said.message === 'height') heard.wordpress = [said.secret, said.value];
  if (typeof said !== 'string') return;
  if (said.startsWith('pymxPYMx')) heard.pym = said;
  if (said.startsWith('{')) heard.iframe = JSON.parse(said);
  if (said === '[iFrameResizerChild]Ready') frame.contentWindow.postMessage('[iFrameSizer]frame7:8:false', '*');
  else if (said.startsWith('[iFrameSizer]')) heard.resizer = said;
});
"""


def test_a_foreign_page_hears_the_height_in_every_form_that_newsrooms_listen_for(
    page: Page, tmp_path: Path
) -> None:
    (tmp_path / "sample-lines.html").write_bytes(interactive(lines(), Look()))
    (tmp_path / "article.html").write_text(
        '<!doctype html><iframe src="sample-lines.html?childId=pym-1#?secret=Ab12" style="width:400px"></iframe>'
        f"<script>{LISTENERS}</script>"
    )
    page.goto((tmp_path / "article.html").as_uri())
    page.wait_for_function("() => heard.resizer && !heard.resizer.includes(':0:') && heard.wordpress")
    page.frame_locator("iframe").locator(".main-svg").first.wait_for()
    page.wait_for_timeout(300)
    high = page.frames[1].evaluate("Math.ceil(document.body.getBoundingClientRect().height)")
    heard = page.evaluate("heard")
    assert heard["datawrapper"] == {"sample-lines": high}
    assert heard["embed-size"] == high
    assert heard["embed-ready"] is True
    assert heard["iframe"]["context"] == "iframe.resize"
    assert heard["iframe"]["height"] == high
    assert heard["iframe"]["src"].endswith("sample-lines.html?childId=pym-1#?secret=Ab12")
    assert heard["pym"] == f"pymxPYMxpym-1xPYMxheightxPYMx{high}"
    assert heard["wordpress"] == ["Ab12", high]
    assert high <= 1000
    assert re.fullmatch(rf"\[iFrameSizer\]frame7:{high}:\d+:(init|resize)", heard["resizer"])
    assert page.faults == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["script", "listener", "frame"])
def test_each_code_shows_the_whole_chart_with_its_source(page: Page, tmp_path: Path, kind: str) -> None:
    chart = lines(title="What fell, and how far it fell in the end", note="A note of many words. " * 12)
    (tmp_path / "sample-lines.html").write_bytes(interactive(chart, Look()))
    code = codes(chart, "sample-lines.html", "sample-lines.png", f"Chart: {NAME}")[kind]
    (tmp_path / "article.html").write_text(f"<!doctype html><div>{code}</div>")
    for width in (320, 390, 700, 1200):
        page.set_viewport_size({"width": width + 16, "height": 800})
        page.goto((tmp_path / "article.html").as_uri())
        page.frame_locator("iframe").locator(".main-svg").first.wait_for()
        inside = page.frames[1].evaluate("Math.ceil(document.body.getBoundingClientRect().height)")
        fits = "h => { const own = document.querySelector('iframe').clientHeight; return own >= h && own - h <= %d; }"
        page.wait_for_function(fits % (1000 if kind == "frame" else 1), arg=inside)
    assert page.faults == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(("width", "smaller"), [(320, True), (900, False)])
def test_words_that_would_lie_on_each_other_are_drawn_smaller_and_only_these(
    page: Page, tmp_path: Path, width: int, smaller: bool
) -> None:
    chart = lines()
    chart.figure.update_layout(margin_r=50)
    for x, text in ((0.2, "a name of some words"), (0.5, "−12.3% and more")):
        chart.figure.add_annotation(
            x=x, y=0.5, xref="paper", yref="paper", text=text, xanchor="left", showarrow=False
        )
    (tmp_path / "chart.html").write_bytes(interactive(chart, Look()))
    page.set_viewport_size({"width": width, "height": 800})
    page.goto((tmp_path / "chart.html").as_uri())
    page.locator(".main-svg[viewBox]").first.wait_for()
    name, figure = (
        page.locator(".annotation-text", has_text=text).bounding_box() for text in ("a name", "−12.3%")
    )
    assert name
    assert figure
    assert name["x"] + name["width"] - figure["x"] < 0.3 * figure["width"]
    assert (name["height"] < 14) == smaller


def test_a_page_prints_the_whole_chart_its_notes_and_its_numbers(page: Page, tmp_path: Path) -> None:
    chart = lines()
    chart.figure.update_layout(margin_r=50)
    chart.table[[f"a long name of a column {number}" for number in range(9)]] = 12_345_678_901.5
    (tmp_path / "chart.html").write_bytes(interactive(chart, Look()))
    page.set_viewport_size({"width": 1200, "height": 800})
    page.goto((tmp_path / "chart.html").as_uri())
    page.wait_for_selector(".main-svg[viewBox]")
    places: list[float] = []

    def note(text: str, page: list[float], word: list[float], *_: object) -> None:
        if text.strip():
            places.append(page[0] * word[4] + page[2] * word[5] + page[4])

    printed = PdfReader(io.BytesIO(page.pdf(format="A4", print_background=True)))
    text = " ".join(sheet.extract_text(visitor_text=note) for sheet in printed.pages)
    for words in ("What fell, and how far", "S2", "Nothing is real.", "Source: a test", "2025-01-31"):
        assert words in text
    assert 0 <= min(places) <= max(places) < 210 / 25.4 * 72


def test_no_reader_is_shut_out(page: Page, tmp_path: Path) -> None:
    (tmp_path / "chart.html").write_bytes(interactive(lines(), Look()))
    page.goto((tmp_path / "chart.html").as_uri())
    page.wait_for_selector(".main-svg[aria-hidden]")
    found = Axe().run(page)
    assert [fault["id"] for fault in found.response["violations"]] == []
