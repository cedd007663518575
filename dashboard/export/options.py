"""The options of `python -m dashboard.export`, with what `--help` says of each."""

from pathlib import Path
from typing import Annotated

import typer

from dashboard.export.order import FORMATS
from dashboard.export.presets import PRESETS, THEMES

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
    str | None, typer.Option("--size", metavar="WxH", help="Another size: 600x400 (pixels) or 120x80mm.")
]
Scale = Annotated[
    float | None,
    typer.Option(
        "--scale", metavar="N", help="Pixels of a PNG for one of its size.", show_default="the preset’s"
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
        help="The first day; or the metadata.json of a kit, to make it again and to hear whether its data changed.",
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
Credit = Annotated[str, typer.Option("--credit", metavar="TEXT", help="Who made the chart.")]
Locale = Annotated[
    str,
    typer.Option(
        "--locale",
        metavar="NAME",
        help="How numbers and dates are written: en, de, fr, pt-BR… The words stay English.",
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the kits go, a folder each.")]
Watch = Annotated[bool, typer.Option("--watch", help="Export again whenever a refresh publishes.")]
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
        help="Where the site will be served from, for its preview on social media.",
    ),
]
