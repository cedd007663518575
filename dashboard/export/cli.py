"""The command line: `python -m dashboard.export NAME… | --all | --list | --site DIR | --report MONTH | --from FILE`."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from dashboard.data.naming import day_named, resolve
from dashboard.export import batch, kit, reproduce
from dashboard.export.drawing import HOUSE_CREDIT, WORDS
from dashboard.export.presets import PRESETS, THEMES, BadSpec
from dashboard.export.spec import FORMATS, PICTURES, Spec, for_chart, heeded, unheeded
from dashboard.views.registry import CHARTS
from dashboard.views.request import DEFAULT_EVENT, NothingToShow
from etl.console import ExitCode, Written, command_line, console, run
from etl.product import variable
from etl.warehouse import WarehouseError

EVERY_FORMAT = ",".join(FORMATS)
FOR_SITE = {"site", "address", "event", "theme", "locale", "credit", "watch"}
FOR_REPORT = {"report", "address", "theme", "locale", "credit", "out"}
FOR_SIGNALS = {"watch", "formats", "preset", "size", "scale", "theme", "locale", "credit", "out"}

_SIZES = "; ".join(
    f"{preset.name} {preset.width:g}×{f'{preset.height:g}' if preset.height else 'as needed'} {preset.unit}"
    for preset in PRESETS.values()
)

Names = Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Charts, as --list names them.")]
Every = Annotated[bool, typer.Option("--all", help="Every chart.")]
Listed = Annotated[bool, typer.Option("--list", help="Name the charts, and end.")]
Formats = Annotated[str, typer.Option("--format", metavar="A,B", help=f"Among {', '.join(FORMATS)}.")]
PresetName = Annotated[str, typer.Option("--preset", metavar="NAME", help=f"The size of pictures: {_SIZES}.")]
Size = Annotated[
    str | None,
    typer.Option(
        "--size", metavar="WxH", help="Another size: 600x400 (pixels), 120x80mm, or a width alone: 83mm."
    ),
]
Scale = Annotated[
    float | None,
    typer.Option(
        "--scale",
        metavar="N",
        help="Pixels of a PNG for each pixel of its size.",
        show_default="the preset’s",
    ),
]
Theme = Annotated[
    str | None,
    typer.Option(
        "--theme",
        metavar="NAME",
        help=f"{', '.join(THEMES)}.",
        show_default="light; print for the preset print",
    ),
]
Event = Annotated[
    str, typer.Option("--event", metavar="NAME", help="The event by its name, or a day such as 2024-09-03.")
]
Tickers = Annotated[
    str, typer.Option("--tickers", metavar="A,B", help="The companies to show or to draw in colour.")
]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="DATE|FILE",
        help="The first day; or the metadata.json of a kit, to make it again and learn whether its data changed.",
    ),
]
End = Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=TEXT", help="A setting of the chart itself; may be repeated."),
]
Title = Annotated[
    str | None, typer.Option("--title", metavar="TEXT", help="A title of your own; “” for none.")
]
Subtitle = Annotated[
    str | None, typer.Option("--subtitle", metavar="TEXT", help="A subtitle of your own; “” for none.")
]
Words = Annotated[
    Path | None,
    typer.Option(
        "--words",
        metavar="FILE",
        help=f"Your own words as JSON or TOML: {', '.join(WORDS)}, language, and figure (texts by the words that they "
        "replace in it and its table; figure_words in a metadata.json lists these).",
    ),
]
Credit = Annotated[str, typer.Option("--credit", metavar="TEXT", help="Who made the chart.")]
Locale = Annotated[
    str,
    typer.Option(
        "--locale",
        metavar="NAME",
        help="How numbers and dates are written: en, de, fr, pt-BR… The sentences are English: --words brings yours.",
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the kits go, a folder each.")]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Export again whenever a refresh publishes; without charts: the kit of each new signal, once.",
    ),
]
Month = Annotated[
    str | None,
    typer.Option(
        "--report",
        metavar="YYYY-MM",
        help="Write the report of a month as a page and a PDF, instead of kits.",
    ),
]
Site = Annotated[
    Path | None,
    typer.Option(
        "--site",
        metavar="DIR",
        help="Write the story as static files that any web server can serve, instead of kits.",
    ),
]
Address = Annotated[
    str,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Where the site (or report) will be served from, for its preview on social media.",
    ),
]

app = command_line()


@app.command(
    epilog="Exit codes: 0 all, 1 part (the rest is named), 2 nothing, 3 wrong usage, 4 made again and changed. "
    f"The warehouse is at {variable('database')} (default data/market.duckdb). Pictures need Chrome or Chromium "
    "(BROWSER_PATH names one) and are RGB: CMYK is not offered, print shops convert by their own profile."
)
def export(
    context: typer.Context,
    names: Names = None,
    every: Every = False,
    listed: Listed = False,
    formats: Formats = EVERY_FORMAT,
    preset: PresetName = "article",
    size: Size = None,
    scale: Scale = None,
    theme: Theme = None,
    event: Event = DEFAULT_EVENT,
    tickers: Tickers = "",
    start: Start = None,
    end: End = None,
    settings: Settings = None,
    title: Title = None,
    subtitle: Subtitle = None,
    words: Words = None,
    credit: Credit = HOUSE_CREDIT,
    locale: Locale = "en",
    out: Out = Path("exports"),
    watch: Watch = False,
    site: Site = None,
    report: Month = None,
    address: Address = "",
) -> int:
    """Export charts of the dashboard as kits: pictures, interactive HTML, data, alt text, caption and provenance.

    Examples: `python -m dashboard.export --all`; `python -m dashboard.export shock-map --preset square --theme dark`;
    `python -m dashboard.export --from exports/shock-map/metadata.json`.
    """
    return _done(context.params, Written(context))


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of the command line for some arguments (by default the process's own)."""
    return run(app, arguments, stopped="Stopped; what had been written is whole.")


def _done(asked: dict[str, Any], given: Written) -> int:
    """Do what the options, by the names of their parameters, ask for; returns the exit code."""
    if asked["listed"]:
        given.only("--list", {"listed"})
        return _list()
    if asked["start"] and asked["start"].lower().endswith(".json"):
        given.only("--from FILE", {"start", "out"})
        return _repeat(Path(asked["start"]), asked["out"])
    shown = asked["theme"] or ("print" if asked["preset"] == "print" else "light")
    own = {"locale": asked["locale"], "credit": asked["credit"], "theme": shown}
    spec, watch, out = Spec("", asked["event"].strip(), **own), asked["watch"], asked["out"]
    if asked["site"] is not None:
        from dashboard.edition.site import write_site

        given.only("--site", FOR_SITE)
        return batch.perhaps_watching(watch, lambda: write_site(asked["site"], spec, asked["address"]))
    if asked["report"] is not None:
        from dashboard.edition.report import write_report

        given.only("--report", FOR_REPORT)
        return write_report(out, asked["report"], spec, asked["address"])
    if watch and not asked["names"] and not asked["every"]:
        from dashboard.export.signal_kits import write_new

        given.only("--watch without charts", FOR_SIGNALS)
        usual = _usual(asked, spec)
        return batch.perhaps_watching(watch, lambda: write_new(out, usual))
    specs = _asked(asked, spec, given)
    return batch.perhaps_watching(watch, lambda: _export(specs, out, every=asked["every"]))


def _usual(asked: dict[str, Any], spec: Spec) -> Spec:
    """The spec with the formats and the size that are asked for."""
    formats = _listed(asked["formats"].lower())
    return replace(spec, formats=formats, **{key: asked[key] for key in ("preset", "size", "scale")})


def _asked(asked: dict[str, Any], usual: Spec, given: Written) -> list[Spec]:
    """The specs that the options, by the names of their parameters, ask for."""
    given.none_of({"address"}, "without --site or --report")
    said = {key: asked[key] for key in ("title", "subtitle") if asked[key] is not None}
    own = _words(asked["words"]) | said
    days: dict[str, Any] = {key: day_named(asked[key]) for key in ("start", "end") if asked[key] is not None}
    spec = replace(
        _usual(asked, usual),
        tickers=_listed(asked["tickers"]),
        **days,
        options=_pairs(asked["settings"] or []),
        **own,
    )
    if not set(spec.formats) & set(PICTURES):
        given.none_of({"preset", "size", "scale"}, f"for {', '.join(spec.formats)}")
    return _specs(_chosen(asked["names"], asked["every"]), spec, bool(own))


def _chosen(names: list[str] | None, every: bool) -> list[str]:
    if every and names:
        raise BadSpec("--all means every chart: leave out the names, or --all.")
    if not every and not names:
        raise BadSpec("Name the charts to export, or say --all; --list names them.")
    return list(CHARTS) if every else list(dict.fromkeys(names or ()))


def _specs(names: list[str], spec: Spec, worded: bool) -> list[Spec]:
    """A spec for each chart. Of several charts each takes what it heeds; what none heeds is left for the refusal."""
    if worded and len(names) > 1:
        raise BadSpec("Your own words are for one chart: name just one.")
    known = [name for name in names if name in CHARTS]
    by_none = set.intersection(*(set(unheeded(name, spec)) for name in known)) if known else set()
    specs = [for_chart(name, spec, refuse=by_none) for name in names]
    return [heeded(each) if each.name in CHARTS else each for each in specs]


def _words(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        said = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise BadSpec(f"{path} cannot be read ({error.strerror or error}).") from None
    except (ValueError, RecursionError):
        raise BadSpec(f"{path} is neither JSON nor, by the ending .toml, TOML.") from None
    if not isinstance(said, dict):
        raise BadSpec(f"{path} holds no words by name: {', '.join((*WORDS, 'figure', 'language'))}.")
    own = {
        resolve("part of a chart", key, (*WORDS, "figure", "language")): value for key, value in said.items()
    }
    figure = own.get("figure", {})
    texts = [value for key, value in own.items() if key != "figure"]
    if not isinstance(figure, dict) or not all(isinstance(text, str) for text in [*texts, *figure.values()]):
        raise BadSpec(
            f"{path}: each part is a text in quotes; figure holds texts by the words that they replace."
        )
    return own | ({"figure": tuple(sorted(figure.items()))} if figure else {})


def _export(specs: list[Spec], out: Path, *, every: bool = False) -> int:
    with batch.progress(len(specs)) as advance:
        results = batch.export_all(
            specs, lambda spec: kit.place(out, spec), lambda result: advance(result.spec.name)
        )
    batch.summary(results)
    return batch.exit_code([batch.settled(result) for result in results] if every else results)


def _repeat(path: Path, out: Path) -> int:
    earlier = reproduce.read(path)
    result = batch.export(earlier.spec, lambda spec: reproduce.place(out, spec))
    batch.summary([result])
    if result.kit is None:
        return batch.exit_code([result])
    found = reproduce.changes(earlier, result.kit)
    console.print(reproduce.verdict(earlier, result.kit, found))
    for sentence in found:
        console.print(f"  {sentence}")
    return ExitCode.CHANGED if found else batch.exit_code([result])


def _list() -> int:
    table = Table("Chart", "What it says", box=None, pad_edge=False)
    for name in CHARTS:
        table.add_row(name, _title(name))
    console.print(table)
    return 0


def _title(name: str) -> str:
    from dashboard.export.provenance import make

    try:
        return make(Spec(name)).chart.title
    except (NothingToShow, WarehouseError) as error:
        return f"({error})"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _pairs(pairs: list[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key.strip() or not equals:
            raise BadSpec(f"--option takes KEY=TEXT, not “{pair[:40]}”.")
        found.append((key.strip(), text.strip()))
    return tuple(sorted(found))
