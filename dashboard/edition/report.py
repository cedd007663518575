"""The month's report as a page, in the form of the static edition, and as a PDF."""

import io
import json
from collections.abc import Callable
from pathlib import Path

from pypdf import PdfReader, PdfWriter

from dashboard.charts import locales
from dashboard.charts.chart import Chart
from dashboard.charts.style import BODY_FONT, HEADING_FONT, palette
from dashboard.edition import site
from dashboard.edition.parts import Entry
from dashboard.export import batch, browser, html, tables
from dashboard.export.browser import BrowserError
from dashboard.export.presets import BadSpec
from dashboard.export.provenance import software
from dashboard.export.render import CannotDraw, render
from dashboard.export.spec import Spec
from dashboard.views.report import Report, month_named, read_report
from etl.product import NAME
from etl.warehouse import connect_read_only, published_version

PICTURES = ("png", "svg")


def write_report(out: Path, wanted: str, spec: Spec, address: str) -> int:
    """Write the report of a month ("2026-06") into a folder of `out`; returns the exit code.

    The page comes last, so that nobody finds one whose pictures are missing. `address` is where it will be served from
    ("" leaves previews without a picture).

    Raises
    ------
    BadSpec
        When the address is none, or the folder holds something else.
    dashboard.views.report.NoSuchMonth
        When the data hold no such month.
    dashboard.views.request.NothingToShow
        When the month has no figures.
    """
    address, state = site.address_of(address), published_version()
    with connect_read_only(version=state) as con, locales.written_in(spec.locale):
        month = month_named(con, wanted)
        folder = out / f"report-{month.first:%Y-%m}"
        _require_own(folder, spec)
        report = read_report(con, month, spec.theme)
        entries, faults = _entries(folder, report.charts, spec)
        _write(folder, {"report.json": _parameters(spec), **_assets(spec), **_numbers(report)}, faults)
    page = _page(report, spec, entries, state, address)
    printed = f"{folder.name}.pdf"
    _write(folder, {"index.html": page("")}, faults)
    try:
        pdf = browser.renderer().printed(folder / "index.html")
        _write(folder, {printed: _labelled(pdf, report), "index.html": page(printed)}, faults)
    except BrowserError as error:
        faults.append(f"{printed}: {error}")
    for sentence in faults:
        batch.errors.print(sentence)
    batch.console.print(f"{report.headline}. The report of {month.in_full} is in {folder}: open index.html.")
    return 1 if faults else 0


def _require_own(folder: Path, spec: Spec) -> None:
    """Refuse a folder that holds something else, or the report in another look."""
    if folder.is_dir() and any(folder.iterdir()):
        try:
            held = (folder / "report.json").read_bytes()
        except OSError:
            held = b""
        if held != _parameters(spec):
            raise BadSpec(
                f"{folder} holds something else, or this report in another look: name another --out."
            )


def _parameters(spec: Spec) -> bytes:
    look = {"theme": spec.theme, "locale": spec.locale, "credit": spec.credit}
    return f"{json.dumps(look, indent=1, ensure_ascii=False)}\n".encode()


def _entries(folder: Path, charts: list[Chart], spec: Spec) -> tuple[list[Entry], list[str]]:
    entries, faults = [], []
    for chart in charts:
        home, plain = f"{site.CHART_FOLDER}/{chart.name}/", None
        content = {
            f"{chart.name}.csv": tables.csv(chart),
            "figure.js": html.figure_script(chart, spec.look()).encode(),
        }
        try:
            drawn = render(chart, spec.look(), PICTURES)
            content |= {f"{chart.name}.{form}": drawn.files[form] for form in PICTURES}
            extra = site.extra_pictures(chart, spec)
            content |= {f"{name}.png": picture for name, (picture, _) in extra.items()}
            plain = extra["plain"][1]
        except (BrowserError, CannotDraw) as error:
            faults.append(f"{chart.name}: {error}")
        _write(folder / home, content, faults)
        offered = [name for name in content if name.startswith(chart.name)]
        downloads = [{"name": name, "label": site.LABELS[Path(name).suffix]} for name in offered]
        entries.append(Entry(chart, home, html.height(chart), plain, downloads, alone=False))
    return entries, faults


def _assets(spec: Spec) -> dict[str, bytes]:
    style = html.environment.get_template("report.css.j2").render(
        colours=palette(spec.theme), body_font=BODY_FONT, heading_font=HEADING_FONT
    )
    return {**site.assets(spec), "report.css": style.encode()}


def _numbers(report: Report) -> dict[str, bytes]:
    return {
        f"{part.name}.csv": part.numbers.to_csv(
            index=False, date_format="%Y-%m-%d", lineterminator="\n"
        ).encode()
        for part in report.parts
        if part.rows
    }


def _page(
    report: Report, spec: Spec, entries: list[Entry], state: str, address: str
) -> Callable[[str], bytes]:
    """The page, given the name of its PDF ("" while there is none)."""
    first = next((entry for entry in entries if entry.plain), None)
    image = f"{address}{first.folder}social.png" if first and address else ""
    template = html.environment.get_template("report.html.j2")

    def page(printed: str) -> bytes:
        return template.render(
            report=report,
            entries=entries,
            state=state,
            printed=printed,
            image=image,
            image_alt=first.chart.alt if first else "",
            address=address,
            credit=spec.credit,
            language=spec.language,
        ).encode()

    return page


def _labelled(raw: bytes, report: Report) -> bytes:
    """The PDF with its own title and words, the same for the same report."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(raw)))
    made_by = software()
    writer.metadata = {
        "/Title": f"{report.month.in_full}: {report.headline}",
        "/Author": NAME,
        "/Subject": report.lead,
        "/Keywords": report.source,
        "/Creator": f"{made_by['name']} {made_by['version']}",
    }
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _write(folder: Path, content: dict[str, bytes], faults: list[str]) -> None:
    faults += site.write_all(folder, content)
