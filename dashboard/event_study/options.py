"""The options of `python -m dashboard.event_study`."""

from pathlib import Path
from typing import Annotated

import typer

from dashboard.event_study.models import MODELS

EventOption = Annotated[
    str, typer.Option(help="Identifier of an event, such as deepseek-selloff.", show_default=False)
]
DateOption = Annotated[
    str, typer.Option(help="A date YYYY-MM-DD instead; it rolls forward to a session.", show_default=False)
]
GroupOption = Annotated[str, typer.Option(help="Firms: ai (all AI companies), or a segment such as chips.")]
TickersOption = Annotated[
    str, typer.Option(help="Firms instead of a group, such as NVDA,AMD.", show_default=False)
]
BenchmarkOption = Annotated[
    str,
    typer.Option(
        help="SPY, RSP or another fund, sp500-ex-ai (the S&P 500 without its AI companies, by value), ex-treated or "
        "ex-treated-value (firms outside AI, by value)."
    ),
]
ModelOption = Annotated[str, typer.Option(help=f"One of {', '.join(MODELS)}.")]
FactorsOption = Annotated[
    Path | None,
    typer.Option(
        help="File of daily factor returns for capm and the models after it: fractions (date, Mkt-RF, SMB, HML, RMW, "
        "CMA, Mom, RF), or one of Kenneth French's as it comes. Without it the warehouse's factors are taken.",
        show_default=False,
    ),
]
EstimationOption = Annotated[str, typer.Option(help="Estimation window in sessions.")]
EventWindowOption = Annotated[str, typer.Option(help="Event window in sessions.")]
WindowOption = Annotated[
    list[str] | None,
    typer.Option(help="A window of the CAR, such as --window=-1,1; may be repeated.", show_default=False),
]
GapsOption = Annotated[
    str,
    typer.Option(help="skip leaves missing days missing; trade-to-trade takes a return over the gap."),
]
MinimumOption = Annotated[
    int | None,
    typer.Option(
        help="Returns that a firm needs in the estimation window; half of it and at least 60 without.",
        show_default=False,
    ),
]
ExcludeOption = Annotated[
    bool,
    typer.Option("--exclude-events", help="Leave the sessions of other events out of the estimation window."),
]
SizeTableOption = Annotated[
    bool,
    typer.Option(
        "--size-table",
        help="Simulate the rejection rates of every test again (hours) and write them to --csv, or the package.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")]
