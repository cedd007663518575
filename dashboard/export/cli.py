"""The command line: `python -m dashboard.export NAME… | --all | --list | --site DIR`."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import typer
from rich.table import Table

from dashboard.charts import locales
from dashboard.export import again, batch, options, report, watching
from dashboard.export.jobs import HOUSE_CREDIT, BadWords
from dashboard.export.order import FORMATS, BadOrder, Order
from dashboard.export.presets import BadSize
from dashboard.views.registry import CHARTS
from dashboard.views.request import DEFAULT_EVENT
from etl.warehouse import WarehouseError

USAGE, NOTHING = 3, 2
WATCH_SECONDS = 20.0
EVERY_FORMAT = ",".join(FORMATS)

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(
    epilog="Exit codes: 0 all, 1 part (the rest is named), 2 nothing, 3 wrong usage. The warehouse is at AIMI_DATABASE "
    "(default data/market.duckdb). Pictures need Chrome or Chromium (BROWSER_PATH names one)."
)
def export(
    names: options.Names = None,
    every: options.Every = False,
    listed: options.Listed = False,
    formats: options.Formats = EVERY_FORMAT,
    preset: options.PresetName = "article",
    size: options.Size = None,
    scale: options.Scale = None,
    theme: options.Theme = None,
    event: options.Event = DEFAULT_EVENT,
    tickers: options.Tickers = "",
    start: options.Start = None,
    end: options.End = None,
    settings: options.Settings = None,
    title: options.Title = None,
    subtitle: options.Subtitle = None,
    credit: options.Credit = HOUSE_CREDIT,
    locale: options.Locale = "en",
    out: options.Out = Path("exports"),
    watch: options.Watch = False,
    site: options.Site = None,
    address: options.Address = "",
) -> int:
    """Export charts of the dashboard as kits: pictures, interactive HTML, data, alt text, caption and their proof.

    Examples: `python -m dashboard.export --all`; `python -m dashboard.export shock-map --preset square --theme dark`;
    `python -m dashboard.export --from exports/shock-map/metadata.json`.
    """
    if listed:
        return _list()
    if start and start.lower().endswith(".json"):
        return _repeat(names, every, Path(start), out)
    days = (_day("--from", start), _day("--to", end))
    shown = theme or ("print" if preset == "print" else "light")
    order = Order(
        "", event.strip(), _listed(tickers), *days, _pairs(settings or []), preset, size, scale, shown
    )
    order = replace(order, locale=locale, title=title, subtitle=subtitle, credit=credit)
    order = replace(order, formats=_listed(formats.lower()))
    if site is not None:
        from dashboard.export.site import write_site

        return _perhaps_watching(watch, lambda: write_site(site, order, address))
    chosen = _chosen(names, every)
    if len(chosen) > 1 and (title is not None or subtitle is not None):
        raise BadOrder("A title or subtitle of one's own is for one chart: name just one.")
    orders = [replace(order, name=name) for name in chosen]
    return _perhaps_watching(watch, lambda: _export(orders, out))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code; what can be mended ends in one sentence."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of the command line for some arguments (by default the process's own)."""
    try:
        code = app(list(arguments) if arguments is not None else None, standalone_mode=False)
        return int(code or 0)
    except typer.TyperException as error:
        return _refuse(f"{error.format_message()} (see --help)", USAGE)
    except (BadOrder, BadSize, BadWords, locales.UnknownLocale) as error:
        return _refuse(str(error), USAGE)
    except WarehouseError as error:
        return _refuse(str(error), NOTHING)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("Stopped; what had been written is whole.", 130)


def _refuse(sentence: str, code: int) -> int:
    report.errors.print(sentence)
    return code


def _chosen(names: list[str] | None, every: bool) -> list[str]:
    if every:
        return list(CHARTS)
    if not names:
        raise BadOrder("Name the charts to export, or say --all; --list names them.")
    return list(dict.fromkeys(names))


def _export(orders: list[Order], out: Path) -> int:
    with report.progress(len(orders)) as advance:
        results = batch.export_all(orders, out, lambda result: advance(result.order.name))
    report.summary(results)
    return batch.exit_code(results)


def _perhaps_watching(watch: bool, work: Callable[[], int]) -> int:
    if not watch:
        return work()
    with watching.stopped_by_signals() as stop:
        return watching.watch(work, WATCH_SECONDS, report.errors.print, stop)


def _repeat(names: list[str] | None, every: bool, path: Path, out: Path) -> int:
    if names or every:
        raise BadOrder("A metadata.json names its own chart: leave the names away.")
    earlier = again.read(path)
    results = [batch.export(earlier.order, out)]
    report.summary(results)
    if results[0].kit is not None:
        report.console.print(again.compare(earlier, results[0].kit))
    return batch.exit_code(results)


def _list() -> int:
    table = Table("Chart", "What it says", box=None, pad_edge=False)
    for name in CHARTS:
        result = _title(name)
        table.add_row(name, result)
    report.console.print(table)
    return 0


def _title(name: str) -> str:
    from dashboard.export.making import make
    from dashboard.views.request import NothingToShow

    try:
        return make(Order(name)).chart.title
    except (NothingToShow, WarehouseError) as error:
        return f"({error})"


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadOrder(f"{option} takes a date such as 2025-01-27, not “{text[:40]}”.") from None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _pairs(pairs: list[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key.strip() or not equals:
            raise BadOrder(f"--option takes KEY=TEXT, not “{pair[:40]}”.")
        found.append((key.strip(), text.strip()))
    return tuple(sorted(found))
