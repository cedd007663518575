"""One running dashboard, and what needs a browser or a server to be seen: a reader walks through all of its pages.

The tests follow one another in one tab, so that each page is loaded once. The last ones publish to the warehouse and
then break it: nothing can follow them.
"""

import io
import json
import socket
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import urlopen

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page
from prometheus_client.parser import text_string_to_metric_families

from dashboard.app_pages import PAGES
from dashboard.charts.style import DARK, LIGHT
from dashboard.views.registry import CHARTS
from etl.warehouse.files import FileWarehouse
from tests.conftest import SOAK, Dashboard, Reader, StartDashboard, get, wait_for, wait_until_drawn
from tests.dashboard.hostile import LONG, MARKUP, SQL

FIRST_PAGE_SECONDS = 30  # on busy cores; the benchmarks measure how long it takes
ADDRESSES = {title: f"/{path or ''}" for title, path in PAGES.values()}
TITLES = {name: title for name, (title, _) in PAGES.items()}
# The short form sees one half of the pages in the light and the other in the dark, the long form all in both.
LOOKS = [
    (title, theme)
    for theme in ("light", "dark")
    for number, title in enumerate(ADDRESSES)
    if SOAK or (theme == "dark") == (number >= len(ADDRESSES) / 2)
]
PAPER = {"light": LIGHT.paper, "dark": DARK.paper}
COUNTED = ("moderate", "serious", "critical")
TOO_WIDE = """() => [...document.querySelectorAll('[data-testid=stMain] *')].filter(part =>
    (part.innerText || part.matches('img, svg, canvas, input')) &&
    part.getBoundingClientRect().right > innerWidth + 1 && !part.closest(
        '[data-testid=stDataFrame], [data-testid=stMarkdownContainer] table, .js-plotly-plot, [role=tablist]'))
    .concat([...document.querySelectorAll('.figures .value')].filter(value =>
        value.scrollWidth > value.clientWidth + 1))"""


RUBBISH = {"show": MARKUP[1], "day": "9999-12-31", "company": SQL[0], "from": "0001-01-01", "to": "nan"}


def visit(reader: Reader, name: str) -> Page:
    """A page by the name of its file."""
    return reader.follow(TITLES[name], ADDRESSES[TITLES[name]])


def one(path: Path, sql: str) -> object:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(sql).fetchall()[0][0]


def test_the_story_is_complete_in_a_browser_in_time(reader: Reader) -> None:
    begun = time.monotonic()
    page = reader.open("/")
    assert time.monotonic() - begun < FIRST_PAGE_SECONDS
    text = page.inner_text("[data-testid=stMain]")
    for expected in ("−16.97%", "$592.7 billion", "DeepSeek", "The claims, checked", "The record book"):
        assert expected in text
    assert page.locator("[data-testid=stPlotlyChart]").count() == 6


def test_the_ranks_stand_below_the_prices_on_the_same_time_axis(reader: Reader) -> None:
    layout = visit(reader, "shock").evaluate(
        """(({yaxis, yaxis2, xaxis, xaxis2}) => ({
            prices: yaxis.domain, ranks: yaxis2.domain, order: yaxis2.range, days: xaxis.range, days2: xaxis2.range
        }))(document.querySelector('.st-key-shock-timeline .js-plotly-plot')._fullLayout)"""
    )
    assert layout["ranks"][1] < layout["prices"][0]
    assert layout["days"] == layout["days2"]
    assert layout["order"][0] > layout["order"][1]  # no. 1 on top


def test_reported_ranks_are_open_and_never_joined(reader: Reader) -> None:
    traces = visit(reader, "shock").evaluate(
        """[...document.querySelector('.st-key-shock-timeline .js-plotly-plot').data].filter(t => t.yaxis === 'y2')
            .map(t => ({name: t.name, mode: t.mode, symbol: t.marker.symbol, hover: t.hovertext}))"""
    )
    assert {trace["name"] for trace in traces} == {"DeepSeek", "ChatGPT"}
    for trace in traces:
        assert "lines" not in trace["mode"]
        assert set(trace["symbol"]) == {"circle-open"}
        assert all("reported by" in hover for hover in trace["hover"])


def barriers(page: Page) -> list[str]:
    """What axe-core calls more than a minor violation, each with its element and the way out."""
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in COUNTED
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize(("title", "theme"), LOOKS)
def test_a_page_wears_the_readers_theme_has_no_barrier_and_fits_a_phone(
    reader: Reader, title: str, theme: str
) -> None:
    reader.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page = reader.follow(title, ADDRESSES[title])
    assert page.locator("[data-testid=stException]").count() == 0
    wait_for(
        page,
        """paper => [...document.querySelectorAll('.js-plotly-plot')]
            .every(chart => chart._fullLayout.paper_bgcolor === paper)""",
        PAPER[theme],
    )
    assert not barriers(page)
    page.set_viewport_size({"width": 390, "height": 900})
    wait_for(page, f"() => document.documentElement.scrollWidth <= 390 && ({TOO_WIDE})().length === 0")


def test_the_links_bring_the_rows_of_the_warehouse(
    reader: Reader, published: FileWarehouse, tmp_path: Path
) -> None:
    page = visit(reader, "data")
    for name, row, read in (
        ("CSV", "price_daily", "read_csv"),
        ("Parquet", "price_daily", "read_parquet"),
        ("CSV", "event", "read_csv"),
    ):
        link = page.get_by_role("row").filter(has_text=f"({row})").get_by_role("link", name=name)
        with page.expect_download() as download:
            link.evaluate("link => { link.target = '_self'; link.click() }")
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        got = duckdb.sql(f"SELECT count(*) FROM {read}('{path}')").fetchall()[0][0]
        assert got == one(published.path, f"SELECT count(*) FROM {row}")
    same = f"SELECT count(*) FROM (FROM read_parquet('{tmp_path / 'price_daily.parquet'}') EXCEPT FROM price_daily)"
    assert one(published.path, same) == 0


def test_the_button_runs_a_refresh_beside_the_server_and_tells_how_it_went(reader: Reader) -> None:
    page = visit(reader, "data")
    page.get_by_role("button", name="Refresh now").click()
    page.get_by_text("Refreshing for").wait_for()
    assert page.get_by_role("button", name="Refresh now").is_disabled()
    page.get_by_text("Nothing came; the data is as it was. The lines below say why.").wait_for()
    page.get_by_text("cannot be reached").first.wait_for()
    page.get_by_role("button", name="Refresh now", disabled=False).wait_for()


def test_the_downloaded_picture_is_the_one_seen(reader: Reader) -> None:
    reader.page.emulate_media(color_scheme="light")
    page = visit(reader, "export")
    page.get_by_role("combobox", name="Size").click()
    page.get_by_role("option", name="Wide").click()
    page.get_by_text("1200 × 675 pixels").wait_for()
    wait_until_drawn(page)
    picture = page.locator("[data-testid=stImage] img").first
    picture.wait_for()
    seen = page.request.get(picture.evaluate("image => image.src")).body()
    with page.expect_download() as started:
        page.get_by_role("button", name="PNG", exact=True).click()
    taken = Path(started.value.path()).read_bytes()
    assert started.value.suggested_filename == f"{next(iter(CHARTS))}-wide.png"
    assert Image.open(io.BytesIO(taken)).size == (1200, 675)
    assert Image.open(io.BytesIO(seen)).tobytes() == Image.open(io.BytesIO(taken)).tobytes()


def test_a_choice_in_the_event_study_is_put_into_the_address(reader: Reader) -> None:
    page = visit(reader, "event_study")
    assert page.locator("[data-testid=stPlotlyChart]").first.is_visible()
    page.get_by_text("Window, benchmark and model").click()
    page.get_by_text("sessions −1 to +1").click()
    page.wait_for_url("**window=-1..1**")
    page.get_by_text("Over sessions −1 to +1").first.wait_for()


def test_ready_tells_the_published_state_its_latest_session_and_its_age(
    dashboard: Dashboard, published: FileWarehouse
) -> None:
    assert get(f"{dashboard.url}/healthz")[:2] == (200, "application/json")
    status, kind, body = get(f"{dashboard.url}/readyz")
    assert (status, kind) == (200, "application/json")
    told = json.loads(body)
    assert (told["status"], told["state"], told["freshness"]) == ("ready", published.version(), "bundled")
    with published.reading() as con:
        last = con.execute(
            "SELECT date FROM price_daily WHERE ticker = 'NVDA' ORDER BY date DESC LIMIT 1"
        ).fetchall()
    assert told["latest_session"] == str(last[0][0])
    assert told["sessions_behind"] > 0


def test_metrics_are_told_in_the_form_of_prometheus(reader: Reader) -> None:
    reader.open("/")
    status, kind, body = get(f"{reader.dashboard.url}/metrics")
    assert (status, kind.split(";")[0]) == (200, "text/plain")
    told = {
        sample.name: sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }
    assert told["ai_market_impact_readers"] >= 1
    assert told["ai_market_impact_page_runs_total"] >= 1
    assert told["ai_market_impact_warehouse_up"] == 1
    assert told["ai_market_impact_sessions_behind"] > 0


@pytest.mark.tried("headers of every answer")
def test_every_answer_says_what_a_browser_may_do_with_it(dashboard: Dashboard) -> None:
    for address in ("/", "/published", "/chart/nope.png", "/table/company.csv"):
        try:
            answer = urlopen(f"{dashboard.url}{address}", timeout=60)
        except HTTPError as refused:
            answer = refused
        with answer:
            policy = answer.headers["content-security-policy"]
            assert "frame-ancestors 'self'" in policy
            assert "script-src 'self'" in policy
            assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"]


@pytest.mark.tried("open pages while the warehouse is away")
def test_an_open_page_keeps_what_it_shows_while_the_warehouse_is_away(
    reader: Reader, published: FileWarehouse
) -> None:
    page = reader.open("/")
    before = page.inner_text("h1")
    aside = published.path.with_name("aside")
    published.path.rename(aside)
    try:
        page.get_by_text("The data cannot be reached at the moment").first.wait_for()
        assert page.inner_text("h1") == before
        assert get(f"{reader.dashboard.url}/published")[0] == 503
        assert get(f"{reader.dashboard.url}/readyz")[0] == 503
        assert get(f"{reader.dashboard.url}/healthz")[0] == 200
        again = reader.open("/")
        assert again.inner_text("h1") == before
        again.get_by_text("this page shows what was last read").first.wait_for()
    finally:
        aside.rename(published.path)
    wait_for(page, "() => !document.body.innerText.includes('cannot be reached at the moment')")
    assert all("/published" in one for one in reader.complaints)
    reader.complaints.clear()


def test_each_chart_is_an_image_at_an_address_and_is_not_sent_again_unchanged(dashboard: Dashboard) -> None:
    url = f"{dashboard.url}/chart/shock-map.png?preset=wide"
    with urlopen(url, timeout=60) as first:
        tag, kind, png = first.headers["etag"], first.headers["content-type"], first.read()
    assert kind == "image/png"
    _, _, dark = get(f"{url}&theme=dark")
    assert dark != png
    for picture in (png, dark):
        drawn = Image.open(io.BytesIO(picture))
        assert (drawn.format, drawn.size) == ("PNG", (1200, 675))
    assert get(url, **{"If-None-Match": tag})[0] == 304


@pytest.mark.parametrize(
    ("address", "status", "sentence"),
    [
        ("nope.png", 404, "There is no chart “nope”: choose from "),
        ("shock-map.png?event=nope", 404, "There is no event “nope”"),
        ("shock-map.png?event=1999-12-31", 404, "choose an event from the list or a day inside the data"),
        ("shock-map.png?theme=purple", 400, "There is no theme “purple”: choose from light, dark"),
        ("shock-map.png?ticker=NVDA", 400, "There is no parameter “ticker”: choose from tickers"),
        ("shock-timeline.png?tickers=NVDA,ZZZ", 404, "There is no company “ZZZ”"),
        ("shock-map.png?scale=nan", 400, "“nan” is not a number."),
        ("shock-map.png?scale=1e9", 400, "choose one from 0.1"),
        ("shock-map.png?start=27.1.2025", 400, "“27.1.2025” is not a date like 2025-01-27."),
        ("shock-map.png?event=" + quote("'; DROP TABLE event; --<script>"), 404, "There is no event"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence_of_plain_text(
    dashboard: Dashboard, address: str, status: int, sentence: str
) -> None:
    got, kind, body = get(f"{dashboard.url}/chart/{address}")
    assert (got, kind) == (status, "text/plain; charset=utf-8")
    assert sentence in body.decode()
    assert body.count(b"\n") == 1


def test_an_open_page_follows_a_newly_published_state_and_the_readers_theme(
    reader: Reader, published: FileWarehouse
) -> None:
    page = visit(reader, "shock")
    assert page.inner_text("h1").startswith("NVIDIA lost $592.7 billion")
    with published.writing() as con:
        con.execute("UPDATE price_daily SET close = close + 1 WHERE ticker = 'NVDA' AND date = '2025-01-27'")
        con.execute("DELETE FROM price_daily WHERE date > '2025-03-13'")
    page.get_by_text("Prices to the close of Thursday 13 March 2025").wait_for()
    page.get_by_role("heading", name="NVIDIA lost $568.2 billion").wait_for()
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        paper = "document.querySelector('.js-plotly-plot').layout.template.layout.paper_bgcolor"
        wait_for(page, f"() => {paper} === '{PAPER[theme]}'")
    assert "Traceback" not in reader.dashboard.log()


def test_a_choice_in_the_story_is_put_into_the_address_which_opens_it_whatever_else_it_holds(
    reader: Reader,
) -> None:
    page = visit(reader, "shock")
    before = page.inner_text("h1")
    page.get_by_role("combobox", name="The story of").fill("Stargate")
    page.get_by_role("option", name="Stargate announced").click()
    page.wait_for_url("**/?event=stargate")
    wait_for(page, "before => document.querySelector('h1').innerText !== before", before)
    wait_until_drawn(page)
    chosen, address = page.inner_text("h1"), page.url.removeprefix(reader.dashboard.url)
    assert "Jan 2025" in chosen
    page.go_back()
    wait_for(page, "before => document.querySelector('h1').innerText === before", before)
    wait_until_drawn(page)
    assert reader.open(f"{address}&{urlencode(RUBBISH)}").inner_text("h1") == chosen
    unharmed(reader)


def unharmed(reader: Reader) -> None:
    assert reader.page.locator("[data-testid=stException]").count() == 0
    assert "Traceback" not in reader.dashboard.log()
    assert reader.page.evaluate("document.querySelectorAll('img[src=x]').length") == 0


@pytest.mark.skipif(not SOAK, reason="a long form: make soak")
def test_a_hostile_address_gives_a_usable_page(reader: Reader) -> None:
    assert reader.open("/?" + urlencode({"event": MARKUP[1]})).inner_text("h1")
    unharmed(reader)


@pytest.mark.parametrize("pause", [0.0, 0.2], ids=["at once", "in pieces"])
def test_an_address_of_100_kb_is_refused_however_it_comes(dashboard: Dashboard, pause: float) -> None:
    server = urlsplit(dashboard.url)
    asked = f"GET /?event={LONG[0]} HTTP/1.1\r\nHost: {server.netloc}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection((server.hostname, server.port), timeout=30) as line:
        line.sendall(asked[:70_000])
        time.sleep(pause)
        line.sendall(asked[70_000:])
        assert line.recv(100).startswith(b"HTTP/1.1 4")


def test_a_page_opened_by_its_address_right_after_the_start_has_the_frame(
    start_dashboard: StartDashboard, bundled_database: Path, reader: Reader
) -> None:
    fresh = start_dashboard(bundled_database)
    page = reader.page
    page.goto(f"{fresh.url}/data")
    wait_until_drawn(page)
    assert page.get_by_role("link", name="The story", exact=True).count()
    assert page.get_by_text("Prices to the close of Friday 2 October 2026").count() == 1
    fresh.stop()


@pytest.fixture
def broken(published: FileWarehouse, dashboard: Dashboard) -> Dashboard:
    """The same server after something has overwritten the warehouse."""
    published.path.unlink()
    published.path.write_bytes(b"not a database" * 1000)
    return dashboard


def test_over_a_broken_warehouse_ready_is_503_and_pages_keep_what_was_last_read_and_say_so(
    broken: Dashboard, reader: Reader
) -> None:
    status, kind, body = get(f"{broken.url}/readyz")
    assert status == 503
    assert kind.startswith("text/plain")
    assert b"No chart of the newest data can be drawn" in body
    assert str(broken.url).encode() not in body
    assert body.count(b"\n") == 1
    for address in ("/", "/data"):
        page = reader.open(address, heading=False)
        page.get_by_text("this page shows what was last read").wait_for()
        assert "Traceback" not in page.inner_text("body")
    page.goto("about:blank")
    assert all("/published" in one for one in reader.complaints)
    reader.complaints.clear()
