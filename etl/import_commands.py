"""The commands that bring in files: ``import-prices`` and ``import-rankings``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import available_timezones

import typer

from etl.console import JsonOption, console, errors
from etl.errors import UsageError, nearest
from etl.hours import INTERVALS

if TYPE_CHECKING:
    from etl.imports import ImportReport

commands = typer.Typer()


class Store(StrEnum):
    """An app store."""

    APPLE = "apple"
    GOOGLE = "google"


class Evidence(StrEnum):
    """How a rank is known."""

    MEASURED = "measured"
    REPORTED = "reported"


FileArgument = Annotated[
    Path,
    typer.Argument(
        help="Text (CSV, semicolons or tabs, in any encoding, also .gz), a workbook (.xlsx, .xls, .ods) or Parquet.",
        show_default=False,
    ),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Who the figures are from, where the file does not say.",
        show_default="import",
    ),
]
DayOption = Annotated[
    bool | None,
    typer.Option(
        "--day-first/--month-first",
        help="How to read dates such as 03/04/2025, where no date of the file tells.",
        show_default="as the dates tell",
    ),
]
SheetOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The sheet of a workbook.", show_default="the one with the columns"),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Read, check and report everything, but store nothing.")
]


DecimalOption = Annotated[
    bool | None,
    typer.Option(
        "--decimal-comma/--decimal-point",
        help="How to read numbers such as 1,234, where no number of the file tells.",
        show_default="as the numbers tell",
    ),
]
IntervalOption = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(INTERVALS),
        help="Length of intraday bars.",
        show_default="the bars are daily",
    ),
]
ZoneOption = Annotated[
    str | None,
    typer.Option(
        metavar="ZONE",
        help="Of times without an offset, such as UTC; exchange: the clock of each listing's exchange.",
        show_default="they are refused",
    ),
]


def _length(interval: str | None, timezone: str | None) -> int | None:
    """The minutes of an interval; refuses what is none, and a zone that is not known or goes with daily bars."""
    if interval is not None and interval not in INTERVALS:
        raise UsageError(f"There is no interval {interval[:40]!r}{nearest(interval, INTERVALS)}.")
    if timezone is not None and timezone != "exchange" and timezone not in available_timezones():
        raise UsageError(f"{timezone[:40]!r} is not a time zone such as America/New_York, nor exchange.")
    if timezone is not None and interval is None:
        raise UsageError("--timezone goes with --interval: daily bars have no time.")
    return INTERVALS[interval] if interval else None


@commands.command("import-prices")
def import_prices(
    file: FileArgument,
    ticker: Annotated[
        str | None,
        typer.Option(metavar="TICKER", help="Whose prices they are, where the file does not say."),
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Where the file does not say.", show_default="that of the listing"),
    ] = None,
    source: SourceOption = None,
    day_first: DayOption = None,
    decimal_comma: DecimalOption = None,
    sheet: SheetOption = None,
    interval: IntervalOption = None,
    timezone: ZoneOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Merge daily bars from a file as Yahoo, Stooq, Nasdaq, investing.com, Bloomberg or a spreadsheet give it.

    Needed are a date and a close; the ticker comes from a column or from --ticker. Open, high, low, adjusted close,
    volume (also 25.3K, 255.50M), currency and source are taken when there; what is not used is named. Lines above the
    headings, totals and footers are passed over. Without adjusted closes they are computed from the known dividends.
    Closes must be adjusted for splits. With --interval the bars are intraday: each has the time at which it
    begins, with an offset or by --timezone, and is judged against the daily bar of its session.

    Examples: import-prices NVDA.csv --ticker NVDA --dry-run · import-prices kurse.csv --ticker NVDA --day-first
    """
    from etl import imports
    from etl.warehouse import open_warehouse

    reading = imports.Reading(day_first, decimal_comma, sheet, source, dry_run)
    options = imports.PriceOptions(ticker, currency, _length(interval, timezone), timezone)
    _tell_import(imports.import_prices(open_warehouse(), file, options, reading), as_json)


@commands.command("import-rankings")
def import_rankings(
    file: FileArgument,
    country: Annotated[str, typer.Option(help="Where the file does not say.")] = "us",
    chart: Annotated[
        str,
        typer.Option(
            help="Where the file does not say; a genre stands behind a slash: top-free/productivity."
        ),
    ] = "top-free",
    store: Annotated[Store, typer.Option(help="Where the file does not say.")] = Store.APPLE,
    device: Annotated[str, typer.Option(help="Where the file does not say.")] = "iphone",
    evidence: Annotated[
        Evidence, typer.Option(help="Whether charts were captured or somebody reported ranks.")
    ] = (Evidence.MEASURED),
    app_name: Annotated[
        str | None, typer.Option("--app", metavar="NAME", help="The app of a file that follows only one.")
    ] = None,
    app_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Its number in the store, such as 6737597349.")
    ] = None,
    zone: Annotated[str, typer.Option(help="Of times without an offset, such as America/New_York.")] = "UTC",
    source: SourceOption = None,
    day_first: DayOption = None,
    sheet: SheetOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Merge a rank history from a file as Appfigures, Sensor Tower, AppTweak or a spreadsheet give it.

    Needed are a date or time, a rank, and the app's name or id. Country (also in words), chart, category or genre,
    store, device, depth, publisher, evidence, source, source_url and note are taken when there; what is not used is
    named. An empty rank beside a depth, or >200, says that the app was not in the chart. A row without a time keeps
    that its hour is not known.

    Examples: import-rankings ranks.csv --dry-run · import-rankings apptweak.csv --day-first --chart top-paid
    """
    from etl import imports
    from etl.warehouse import open_warehouse

    if zone not in available_timezones():
        raise typer.BadParameter(
            f"{zone!r} is not a time zone such as America/New_York.", param_hint="--zone"
        )
    options = imports.RankOptions(store, country, chart, device, evidence, app_name, app_id, zone)
    reading = imports.Reading(day_first, None, sheet, source, dry_run)
    _tell_import(imports.import_rankings(open_warehouse(), file, options, reading), as_json)


def _tell_import(report: ImportReport, as_json: bool) -> None:
    from etl import present

    if as_json:
        console.print(present.as_json(present.import_as_dict(report)))
    else:
        present.show_import(report, console, errors)
    raise typer.Exit(report.exit_code)
