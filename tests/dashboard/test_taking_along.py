"""On every page each chart has, where its title is, a link, the picture of just what is shown, and a citation."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.app_pages import PAGES
from dashboard.images import parse
from etl.product import NAME
from etl.settings import PROJECT_ROOT

PAGE_OF_CHARTS = {
    "shock": {"event": "oracle-backlog"},
    "events": {"year": "2025", "by": "change", "events": ["stargate", "deepseek-selloff"]},
    "companies": {"compare": ["NVDA", "AMD"], "measure": "drawdown"},
    "event_study": {"window": "-1..1", "estimation": "120", "others": "out", "model": "mean"},
    "app_rankings": {},
    "data": {},
}
PICTURE = re.compile(r'<a href="(chart/[^"]+)" download=')
TITLE = re.compile(r'<h3 id="([a-z-]+)"')


def written(page: str, query: dict[str, str | list[str]]) -> str:
    app = AppTest.from_file(str(PROJECT_ROOT / "dashboard" / "app.py"), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    if page != "shock":
        app.switch_page(f"app_pages/{page}.py").run()
    assert not app.exception
    return "".join(part.proto.body for part in app.get("html"))


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize("page", PAGE_OF_CHARTS)
def test_each_chart_is_linked_saved_and_cited_where_its_title_is(page: str) -> None:
    shown = written(page, PAGE_OF_CHARTS[page])
    titled = [name for name in TITLE.findall(shown) if name not in ("confounders",)]
    pictures = [urlsplit(unescape(address)) for address in PICTURE.findall(shown)]
    assert titled == [address.path.removeprefix("chart/").removesuffix(".png") for address in pictures]
    assert titled
    for name, address in zip(titled, pictures, strict=True):
        assert f'data-copy="{{address}}#{name}"' in shown
        parse(name, parse_qsl(address.query))  # every picture is one that the address gives
    assert len(re.findall(rf'data-copy="{NAME}, “[^“”]+”, [^"]+; state market-[^"]+retrieved', shown)) == len(
        titled
    )


def test_every_page_with_charts_is_looked_at() -> None:
    assert set(PAGES) - set(PAGE_OF_CHARTS) == {"export"}


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize(
    ("page", "name", "options"),
    [
        (
            "event_study",
            "study-caar",
            {"window": "-1..1", "estimation": "120", "others": "out", "model": "mean"},
        ),
        ("events", "events-league", {"year": "2025"}),
        ("events", "events-biggest", {"by": "change"}),
        ("events", "events-compare", {"compared": "stargate,deepseek-selloff"}),
    ],
)
def test_the_picture_is_of_what_the_reader_chose(page: str, name: str, options: dict[str, str]) -> None:
    shown = written(page, PAGE_OF_CHARTS[page])
    address = next(unescape(found) for found in PICTURE.findall(shown) if f"/{name}.png" in found)
    spec = parse(name, parse_qsl(urlsplit(address).query))
    assert dict(spec.options) == options
