"""The static edition: valid, linked, the same twice, and drawn in a browser."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import feedparser
import html5lib
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from dashboard.edition.site import write_site
from dashboard.edition.stories import Told, stories
from dashboard.export.presets import BadSpec
from dashboard.export.spec import Spec
from dashboard.views.league import read_league
from dashboard.views.shock import ON_THE_PAGE
from etl.product import variable
from etl.settings import settings
from etl.warehouse import connect_read_only
from tests.conftest import SOAK
from tests.export.conftest import watched

TOLD = ("deepseek-selloff", "chatgpt")


def of_some_events(listed, *rest):
    """The stories of two events; drawing more than a hundred takes minutes."""
    told = stories([event for event in listed if event.event_id in TOLD], *rest)
    return {event.event_id: told.get(event.event_id, Told()) for event in listed}


@pytest.fixture(scope="module")
def site(bundled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable("database"), str(bundled_database))
        patch.setattr("dashboard.edition.site.CHARTS", ("shock-map", "companies-compare", "rank-bump"))
        patch.setattr("dashboard.edition.stories.stories", of_some_events)
        settings.cache_clear()
        assert write_site(folder, Spec(""), "https://example.org/story") == 0
    settings.cache_clear()
    return folder


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_every_page_of_the_site_is_valid_and_links_only_to_what_is_there(
    site: Path, bundled_database: Path
) -> None:
    pages = sorted(site.rglob("*.html"))
    events = [page for page in pages if page.parent.name == "events"]
    signals = [page for page in pages if page.parent.name == "signals"]
    assert len(pages) - len(events) - len(signals) == 3  # the data has nothing for one of the charts
    with connect_read_only(bundled_database) as con:
        assert {page.stem for page in events} == {
            "index",
            *(event.event_id for event in read_league(con).events),
        }
    like_the_rest = {page for kind in (events, signals) for page in kind[5:]} if not SOAK else set()
    for path in pages:
        text = path.read_text(encoding="utf-8")
        if path not in like_the_rest:
            html5lib.HTMLParser(strict=True).parse(text)
        for link in re.findall(r'(?:src|href|data-script)="([^"#]+)"', text):
            if not link.startswith(("https://", "http://", "data:image/")):
                assert (path.parent / link).exists(), f"{path.name}: {link}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_reader_is_shut_out_of_the_list_of_events_and_of_an_events_page(
    page: Page, served: str, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    for path in ("", "events/", "events/deepseek-selloff.html"):
        answer = page.goto(f"{served}/{path}")
        assert answer
        assert answer.ok
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_pages_have_a_preview_for_social_media(site: Path) -> None:
    text = (site / "charts" / "shock-map" / "index.html").read_text(encoding="utf-8")
    assert (
        '<meta property="og:image" content="https://example.org/story/charts/shock-map/social.png">' in text
    )
    assert '<link rel="canonical" href="https://example.org/story/charts/shock-map/">' in text
    assert (site / "charts" / "shock-map" / "social.png").exists()


def test_every_page_is_in_the_sitemap_and_each_chart_has_an_answer_for_oembed(site: Path) -> None:
    pages = re.findall(r"<loc>https://example.org/story/([^<]*)</loc>", (site / "sitemap.xml").read_text())
    there = [str(path.relative_to(site)) for path in site.rglob("*.html")]
    assert sorted(page.removesuffix("index.html") for page in pages) == sorted(
        page.removesuffix("index.html") for page in there
    )
    said = json.loads((site / "charts" / "shock-map" / "oembed.json").read_text())
    assert (said["version"], said["type"]) == ("1.0", "rich")
    assert 'src="https://example.org/story/charts/shock-map/index.html"' in said["html"]
    assert "oembed.json" in (site / "charts" / "shock-map" / "index.html").read_text()


def test_the_feeds_lead_to_pages_of_the_site_that_claim_no_cause(site: Path) -> None:
    read = feedparser.parse((site / "feed.atom").read_bytes())
    links = [entry.link for entry in read.entries]
    items = json.loads((site / "feed.json").read_text(encoding="utf-8"))["items"]
    assert links == [item["url"] for item in items]
    assert len(links) == 50
    for link in links:
        page = site / link.removeprefix("https://example.org/story/")
        text = page.read_text(encoding="utf-8")
        assert "No cause is on record yet." in text or "On record for this session: " in text
        assert "nothing here claims a cause" in text
    everything = (site / "signals" / "index.html").read_text(encoding="utf-8")
    assert everything.count("<li>") >= 100


def test_an_events_page_has_the_charts_of_its_story_and_a_picture_first(site: Path) -> None:
    text = (site / "events" / "deepseek-selloff.html").read_text(encoding="utf-8")
    assert re.findall(r'data-chart="([^"]+)"', text) == list(ON_THE_PAGE)
    assert re.findall(r'<img src="([^"]+)"', text) == [
        "../events/deepseek-selloff/shock-proportion-plain.png"
    ]
    assert "NVIDIA lost $592.7 billion" in text
    without = (site / "events" / "chatgpt.html").read_text(encoding="utf-8")
    assert 'src="../events/chatgpt/shock-losses-plain.png"' in without  # nothing was worth as much as it
    assert "data-chart" not in (site / "events" / "gpt-5.html").read_text(encoding="utf-8")
    weights = [sum(path.stat().st_size for path in (site / "events" / name).iterdir()) for name in TOLD]
    assert max(weights) < 400_000
    assert not list((site / "events").rglob("plotly*"))  # all pages share one copy


def test_the_charts_of_an_events_page_become_interactive_on_a_phone(browser: Browser, served: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    with watched(page) as opened:
        opened.goto(f"{served}/events/chatgpt.html")
        for place in opened.locator("[data-chart]").all():
            place.scroll_into_view_if_needed()
            place.locator(".main-svg").first.wait_for()
        assert opened.evaluate("document.documentElement.scrollWidth") == 390
        lines = "cells => cells.map(cell => { const text = document.createRange(); text.selectNodeContents(cell); "
        figures = opened.locator("td", has_text=re.compile("[%$]"))
        assert set(figures.evaluate_all(f"{lines} return text.getClientRects().length }})")) == {1}
        assert opened.faults == []
        assert all(address.startswith(served) for address in opened.asked)
        opened.goto(f"{served}/events/index.html")
        assert opened.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


def test_a_second_story_never_comes_into_the_folder_of_a_first(site: Path, on_bundled_data: Path) -> None:
    with pytest.raises(BadSpec, match="holds the site of another story"):
        write_site(site, Spec("", "2024-09-03"), "")


def test_the_site_shows_pictures_without_javascript(browser: Browser, served: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1000, "height": 900})
    opened = context.new_page()
    opened.goto(served)
    images = opened.locator(".plot img")
    assert images.count() == 2
    assert all(image.get_attribute("alt") for image in images.all())
    assert "NVIDIA lost $592.7 billion" in opened.locator("h1").inner_text()
    assert "The claims, checked" in opened.content()
    context.close()


def test_the_site_is_interactive_with_javascript_and_asks_only_its_own_server(
    page: Page, served: str
) -> None:
    page.goto(f"{served}/charts/shock-map/index.html")
    page.wait_for_selector("[data-interactive=yes] .main-svg")
    assert page.locator(".plot > img").count() == 0
    assert all(url.startswith((served, "data:", "blob:")) for url in page.asked)  # type: ignore[attr-defined]
    assert page.faults == []  # type: ignore[attr-defined]


def test_what_makes_a_picture_interactive_hides_none_of_it_and_can_be_reached_by_keyboard(
    page: Page, served: str
) -> None:
    page.goto(served)
    asks = page.get_by_role("button", name="Interactive chart")
    assert asks.count() == 2
    plots = [plot.bounding_box() for plot in page.locator(".plot").all()]
    for box in (ask.bounding_box() for ask in asks.all()):
        assert all(box["y"] >= plot["y"] + plot["height"] or box["y"] < plot["y"] for plot in plots)  # type: ignore[index]
    asks.first.press("Enter")
    page.wait_for_selector("[data-interactive=yes] .main-svg")
    assert asks.count() == 1
    assert page.evaluate("document.activeElement.dataset.chart")


def test_a_site_written_again_is_the_same(site: Path, bundled_database: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable("database"), str(bundled_database))
        patch.setattr("dashboard.edition.site.CHARTS", ("shock-map",))
        patch.setattr("dashboard.edition.stories.stories", of_some_events)
        settings.cache_clear()
        assert write_site(tmp_path, Spec(""), "https://example.org/story") == 0
    settings.cache_clear()
    for folder in (Path("charts", "shock-map"), Path("events", "deepseek-selloff")):
        for path in (tmp_path / folder).iterdir():
            assert path.read_bytes() == (site / folder / path.name).read_bytes()
