"""The static edition: the story as plain files that any web server can serve, with no program behind them.

Without JavaScript the pages show pictures; with it these become interactive as they come into view.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dashboard.charts import locales
from dashboard.charts.chart import Chart
from dashboard.charts.style import BODY_FONT, HEADING_FONT, palette
from dashboard.data.claims import claims
from dashboard.export import batch, files, html, report
from dashboard.export.batch import Result
from dashboard.export.browser import BrowserError
from dashboard.export.kit import embed_code
from dashboard.export.order import BadOrder, Order
from dashboard.export.presets import PRESETS
from dashboard.export.render import CannotDraw, render
from dashboard.views import shock
from dashboard.views.claims import check, read_largest_losses
from dashboard.views.headline import figures, headline
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow
from dashboard.views.story import read_story
from etl.settings import settings
from etl.warehouse import connect_read_only, published_version

FORMATS = ("png", "svg", "pdf", "csv", "json")
LABELS = {".png": "PNG", ".svg": "SVG", ".pdf": "PDF", ".csv": "Data (CSV)"}
CHART_FOLDER = "charts"


@dataclass(frozen=True)
class Entry:
    """A chart of the site: its folder, the files to offer, and the size of its plain picture where there is one."""

    chart: Chart
    folder: str
    height: int
    plain: tuple[int, int] | None
    downloads: list[dict[str, str]]


def write_site(folder: Path, order: Order, address: str) -> int:
    """Write the whole site for an order's event, theme and locale; returns the exit code.

    The pages come last, so that a visitor never finds one whose pictures are missing. `address` is where the site will
    be served from ("" leaves previews with relative addresses).

    Raises
    ------
    BadOrder
        When the address is none.
    dashboard.views.request.NothingToShow
        When there is no story of that event.
    """
    address = _address(address)
    orders = [replace(order, name=name, formats=FORMATS, preset="article", size=None) for name in CHARTS]
    try:
        words = _story(order)
    except NothingToShow as nothing:
        report.errors.print(nothing.in_full)
        return 2
    with report.progress(len(orders)) as advance:
        results = [_settled(result) for result in _export(orders, folder, advance, words["state"])]
    entries = [_entry(result, folder) for result in results if result.kit is not None]
    pages = _pages(order, entries, words, address)
    faults = _write(folder, {**_assets(order), **pages})
    report.summary(results)
    for sentence in faults:
        report.errors.print(sentence)
    if not faults:
        report.console.print(
            f"The site is in {folder}: serve it with any web server; index.html is its front page."
        )
    code = batch.exit_code(results)
    return max(code, 1) if faults else code


def _export(orders: list[Order], folder: Path, advance: Callable[[str], None], state: str) -> list[Result]:
    return batch.export_all(
        orders,
        folder / CHART_FOLDER,
        lambda result: advance(result.order.name),
        lambda order: order.name,
        state,
    )


def _settled(result: Result) -> Result:
    """A chart that this event has nothing for is no fault of the site."""
    return replace(result, failures={}) if set(result.failures) == {"nothing to show"} else result


def _address(address: str) -> str:
    if not address:
        return ""
    parts = urlsplit(address.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadOrder(
            f"--base-url takes an address such as https://example.org/story/, not “{address[:60]}”."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def _story(order: Order) -> dict[str, Any]:
    state = published_version()
    with connect_read_only(version=state) as con, locales.written_in(order.locale):
        story = read_story(con, order.event)
        coverage = claims(settings().data_dir, story.event.event_id)
        losses = read_largest_losses(con) if coverage else None
        return {
            "headline": headline(story),
            "description": story.event.description,
            "figures": figures(story),
            "claims": [check(claim, story, losses) for claim in coverage if losses],
            "state": state,
        }


def _entry(result: Result, folder: Path) -> Entry:
    kit = result.kit
    assert kit is not None  # noqa: S101 - the caller chose results with a kit
    chart, home = kit.made.chart, folder / CHART_FOLDER / result.order.name
    plain = None
    try:
        pictures = _extra_pictures(chart, result.order, kit.made.state)
        for name, content in pictures.items():
            files.write(home / f"{name}.png", content[0])
        plain = pictures["plain"][1]
    except (BrowserError, CannotDraw, OSError) as error:
        result.failures.setdefault("pictures of the page", str(error))
    downloads = [
        {"name": name, "label": LABELS[Path(name).suffix]}
        for name in result.written
        if Path(name).suffix in LABELS
    ]
    return Entry(chart, f"{CHART_FOLDER}/{result.order.name}/", html.height(chart), plain, downloads)


def _extra_pictures(chart: Chart, order: Order, state: str) -> dict[str, tuple[bytes, tuple[int, int]]]:
    """The figure without words for the page, which has them as text, and the card for social media."""
    bare = replace(chart, title="", subtitle="", note="", source="")
    plain = render(bare, replace(order.look(), credit=""), {"png"}, state)
    card = render(chart, replace(order.look(), preset=PRESETS["wide"]), {"png"}, state)
    return {
        name: (drawn.files["png"], (round(drawn.width), round(drawn.height)))
        for name, drawn in (("plain", plain), ("social", card))
    }


def _assets(order: Order) -> dict[str, bytes]:
    colours = palette(order.theme)
    extra = html.environment.get_template("site.css.j2").render(
        colours=colours, body_font=BODY_FONT, heading_font=HEADING_FONT
    )
    fonts = {f"fonts/{name}": (html.STATIC / name).read_bytes() for _, _, name in html.FACES}
    return {
        **fonts,
        "plotly.min.js": html.PLOTLY_JS.read_bytes(),
        "mark.svg": (html.STATIC / "mark.svg").read_bytes(),
        "site.css": f"{html.style(order.theme, embedded=False)}\n{extra}".encode(),
        "site.js": (html.TEMPLATES / "site.js").read_bytes(),
    }


def _pages(order: Order, entries: list[Entry], words: dict[str, Any], address: str) -> dict[str, bytes]:
    pages: dict[str, bytes] = {}
    page, story = (html.environment.get_template(name) for name in ("page.html.j2", "story.html.j2"))
    for entry in entries:
        image = f"{address}{entry.folder}social.png" if address else "social.png"
        text = page.render(
            entry=entry, image=image if entry.plain else "", address=address, credit=order.credit
        )
        pages[f"{entry.folder}index.html"] = text.encode()
        code = embed_code(entry.chart, f"{address}{entry.folder}index.html")
        pages[f"{entry.folder}embed.txt"] = f"{code}\n".encode()
        pages[f"{entry.folder}figure.js"] = html.figure_script(entry.chart, order.look()).encode()
    first = next((entry for entry in entries if entry.plain), None)
    text = story.render(
        **words,
        entries=entries,
        split=sum(entry.chart.name in shock.CHARTS for entry in entries),
        image=f"{address}{first.folder}social.png" if first else "",
        image_alt=first.chart.alt if first else "",
        address=address,
        credit=order.credit,
    )
    pages["index.html"] = text.encode()
    return pages


def _write(folder: Path, content: dict[str, bytes]) -> list[str]:
    faults = []
    for name, data in content.items():
        try:
            files.write(folder / name, data)
        except OSError as error:
            faults.append(f"{folder / name} cannot be written ({error.strerror or error})")
    return faults
