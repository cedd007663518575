"""The static edition: the story as plain files that any web server can serve, with no program behind them.

Without JavaScript the pages show pictures; with it these become interactive as they come into view.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb

from dashboard.charts import locales
from dashboard.charts.chart import Chart
from dashboard.charts.style import BODY_FONT, HEADING_FONT, palette
from dashboard.data.claims import claims
from dashboard.edition import events, signals, stories
from dashboard.edition.parts import Entry, plain_picture
from dashboard.edition.stories import Told
from dashboard.export import batch, embed, files, html, kit
from dashboard.export.batch import Result
from dashboard.export.browser import BrowserError
from dashboard.export.presets import PRESETS, BadSpec
from dashboard.export.render import CannotDraw, render
from dashboard.export.spec import Spec, for_chart
from dashboard.views import shock
from dashboard.views.claims import check
from dashboard.views.feed import atom, json_feed, read_entries
from dashboard.views.headline import figures, headline
from dashboard.views.league import League, read_league
from dashboard.views.records import read_records
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow
from dashboard.views.story import read_story
from etl.settings import settings
from etl.warehouse import connect_read_only, published_version

FORMATS = ("png", "svg", "pdf", "csv", "json")
LABELS = {".png": "PNG", ".svg": "SVG", ".pdf": "PDF", ".csv": "Data (CSV)"}
CHART_FOLDER = "charts"


def write_site(folder: Path, spec: Spec, address: str) -> int:
    """Write the whole site for a spec's event, theme and locale; returns the exit code.

    The pages come last, so that a visitor never finds one whose pictures are missing. `address` is where the site will
    be served from ("" leaves previews with relative addresses, and no sitemap and no oEmbed).

    Raises
    ------
    BadSpec
        When the address is none, or the folder holds the site of another event, theme or locale.
    dashboard.views.request.NothingToShow
        When there is no story of that event.
    """
    address = address_of(address)
    usual = replace(spec, formats=FORMATS, preset="article", size=None)
    specs = [for_chart(name, usual) for name in CHARTS]
    for each in specs:
        if kit.held(_home(folder, each)) not in (None, each.parameters()):
            raise BadSpec(f"{folder} holds the site of another story or look: name another folder.")
    words = _story(spec)
    with batch.progress(len(specs)) as advance:
        results = batch.export_all(
            specs, lambda each: _home(folder, each), lambda result: advance(result.spec.name), words["state"]
        )
    results = [batch.settled(result) for result in results]
    entries = [_entry(result) for result in results if result.kit is not None]
    told = _told(spec, words)
    pictures = {name: content for each in told.values() for name, content in each.files}
    faults = write_all(folder, {**assets(spec), **pictures, **_pages(spec, entries, words, told, address)})
    faults += sorted(
        {f"Pictures of events are missing: {each.fault}" for each in told.values() if each.fault}
    )
    batch.summary(results)
    for sentence in faults:
        batch.errors.print(sentence)
    if not address:
        batch.errors.print(
            "Without --base-url there is no sitemap and no oEmbed, and previews on social media show no picture."
        )
    if not faults:
        batch.console.print(
            f"The site is in {folder}: serve it with any web server; index.html is its front page."
        )
    code = batch.exit_code(results)
    return max(code, 1) if faults else code


def _home(folder: Path, spec: Spec) -> Path:
    return folder / CHART_FOLDER / spec.name


def address_of(address: str) -> str:
    """The address that a site will be served from, with a slash at its end; raises `BadSpec` where it is none."""
    if not address:
        return ""
    parts = urlsplit(address.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadSpec(
            f"--base-url takes an address such as https://example.org/story/, not “{address[:60]}”."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def _story(spec: Spec) -> dict[str, Any]:
    state = published_version()
    with connect_read_only(version=state) as con, locales.written_in(spec.locale):
        story = read_story(con, spec.event)
        coverage = claims(settings().data_dir, story.event.event_id)
        records = read_records(con) if coverage else None
        return {
            "headline": headline(story),
            "description": story.event.description,
            "figures": figures(story),
            "claims": [check(claim, story, records) for claim in coverage if records],
            "state": state,
            "signals": read_entries(con),
            "noticed": signals.read_noticed(con),
            "events": _events(con),
        }


def _events(con: duckdb.DuckDBPyConnection) -> League | None:
    try:
        return read_league(con)
    except NothingToShow:
        return None


def _told(spec: Spec, words: dict[str, Any]) -> dict[str, Told]:
    if words["events"] is None:
        return {}
    listed = words["events"].events
    with batch.progress(len(listed)) as advance:
        return stories.stories(listed, spec, words["state"], events.FOLDER, advance)


def _entry(result: Result) -> Entry:
    assert result.kit is not None  # noqa: S101 - the caller chose results with a kit
    chart, plain = result.kit.made.chart, None
    try:
        pictures = extra_pictures(chart, result.spec)
        for name, content in pictures.items():
            files.write(result.folder / f"{name}.png", content[0])
        plain = pictures["plain"][1]
    except (BrowserError, CannotDraw, OSError) as error:
        result.failures.setdefault("pictures of the page", str(error))
    downloads = [
        {"name": name, "label": LABELS[Path(name).suffix]}
        for name in result.written
        if Path(name).suffix in LABELS
    ]
    return Entry(chart, f"{CHART_FOLDER}/{result.spec.name}/", html.height(chart), plain, downloads)


def extra_pictures(chart: Chart, spec: Spec) -> dict[str, tuple[bytes, tuple[int, int]]]:
    """The figure without words for the page, which has them as text, and the card for social media."""
    card = render(chart, replace(spec.look(), preset=PRESETS["wide"]), {"png"})
    return {
        "plain": plain_picture(chart, spec),
        "social": (card.files["png"], (round(card.width), round(card.height))),
    }


def assets(spec: Spec) -> dict[str, bytes]:
    """What every page of the static edition needs beside it: styles, fonts, the library that draws."""
    colours = palette(spec.theme)
    extra = html.environment.get_template("site.css.j2").render(
        colours=colours, body_font=BODY_FONT, heading_font=HEADING_FONT
    )
    fonts = {f"fonts/{name}": (html.STATIC / name).read_bytes() for _, _, name in html.FACES}
    return {
        **fonts,
        "plotly.min.js": html.PLOTLY_JS.read_bytes(),
        "mark.svg": (html.STATIC / "mark.svg").read_bytes(),
        "site.css": f"{html.style(spec.theme, embedded=False)}\n{extra}".encode(),
        "site.js": f"{html.DRAWING}{(html.TEMPLATES / 'site.js').read_text('utf-8')}".encode(),
        "embed.js": html.EMBED.encode(),
    }


def _pages(
    spec: Spec, entries: list[Entry], words: dict[str, Any], told: dict[str, Told], address: str
) -> dict[str, bytes]:
    pages: dict[str, bytes] = {}
    page, story = (html.environment.get_template(name) for name in ("page.html.j2", "story.html.j2"))
    shared = {"address": address, "credit": spec.credit, "language": spec.language}
    for entry in entries:
        image = f"{address}{entry.folder}social.png"
        pages[f"{entry.folder}index.html"] = page.render(
            entry=entry, image=image if entry.plain else "", **shared
        ).encode()
        pages[f"{entry.folder}figure.js"] = html.figure_script(entry.chart, spec.look()).encode()
        codes = embed.codes(
            entry.chart,
            f"{address}{entry.folder}index.html",
            f"{address}{entry.folder}social.png",
            spec.credit,
        )
        pages[f"{entry.folder}embed.txt"] = embed.text(codes).encode()
        if address:
            pages[f"{entry.folder}oembed.json"] = embed.oembed(
                entry.chart, address, entry.folder, spec.credit
            )
    if words["events"]:
        pages |= events.pages(words["events"], told, spec.theme, shared)
        pages["events.css"] = events.STYLE.read_bytes()
    pages |= signals.pages(words["noticed"], shared)
    first = next((entry for entry in entries if entry.plain), None)
    pages["index.html"] = story.render(
        **words,
        entries=entries,
        split=sum(entry.chart.name in shock.CHARTS for entry in entries),
        image=f"{address}{first.folder}social.png" if first else "",
        image_alt=first.chart.alt if first else "",
        **shared,
    ).encode()
    if address:
        places = [
            "",
            *(entry.folder for entry in entries),
            *(page for page in pages if page.startswith((events.FOLDER, signals.FOLDER))),
        ]
        for form, feed in (("atom", atom), ("json", json_feed)):
            pages[f"feed.{form}"] = feed(words["signals"], address.rstrip("/"), signals.PAGE)
        pages["sitemap.xml"] = (
            html.environment.get_template("sitemap.xml.j2")
            .render(addresses=[f"{address}{place}" for place in places])
            .encode()
        )
    return pages


def write_all(folder: Path, content: dict[str, bytes]) -> list[str]:
    """Write files by name into a folder; returns a sentence for each that could not be written."""
    faults = []
    for name, data in content.items():
        try:
            files.write(folder / name, data)
        except OSError as error:
            faults.append(f"{folder / name} cannot be written ({error.strerror or error})")
    return faults
