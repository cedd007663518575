"""The options of ``refresh`` for intraday bars."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from etl.console import parse_day
from etl.errors import UsageError, nearest
from etl.hours import INTERVALS
from etl.intraday import KEPT_DAYS

ASKED = [name for name, minutes in INTERVALS.items() if minutes in KEPT_DAYS]


def parse_interval(value: str) -> str:
    """The length of a bar that Yahoo has."""
    if value not in ASKED:
        raise typer.BadParameter(f"There is no interval {value[:40]!r}{nearest(value, ASKED)}.")
    return value


SessionOption = Annotated[
    date | None,
    typer.Option(
        "--session",
        parser=parse_day,
        metavar="DATE",
        help="With --source intraday: the day whose bars to bring.",
        show_default="the signalled days and those of events",
    ),
]
IntervalOption = Annotated[
    str,
    typer.Option(
        "--interval",
        parser=parse_interval,
        metavar="|".join(ASKED),
        help="With --source intraday: the length of a bar.",
    ),
]


def check(context: typer.Context, source: str) -> None:
    """Refuse these options with any other source, and other windows with this one.

    Raises
    ------
    UsageError
        When an option does not go with the source.
    """
    within = source == "intraday"
    names = ("since", "until") if within else ("session", "interval")
    misplaced = [f"--{name}" for name in names if is_given(context, name)]
    if misplaced and within:
        raise UsageError(f"Intraday bars are asked for by --session DATE: leave out {', '.join(misplaced)}.")
    if misplaced:
        raise UsageError(f"{' and '.join(misplaced)}: with --source intraday only.")


def is_given(context: typer.Context, name: str) -> bool:
    """Whether the operator has given an option."""
    origin = context.get_parameter_source(name)
    return origin is not None and origin.name != "DEFAULT"
