"""What every command line shares: where it prints, the options that several have, how it refuses, how it ends."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from datetime import date
from enum import IntEnum
from functools import cache
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.main import get_command

from etl.errors import ProductError, UsageError, first_line
from etl.product import variable

errors = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)
console = Console(soft_wrap=True, markup=False, highlight=False)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on the standard output.")]


def parse_day(value: str) -> date:
    """A day in ISO form."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise typer.BadParameter(f"{value[:40]!r} is not a date like 2025-01-27.") from None


class ExitCode(IntEnum):
    """What a command ends with."""

    ALL = 0
    PART = 1
    NOTHING = 2
    USAGE = 3
    CHANGED = 4
    STOPPED = 130


def command_line(**settings: Any) -> typer.Typer:
    """A command line whose errors are left to `run`."""
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        **settings,
    )


def run(app: typer.Typer, arguments: Sequence[str] | None = None, *, stopped: str = "Stopped.") -> int:
    """The exit code of a command line for some arguments (by default the process's own).

    What a person can mend ends in one sentence; `stopped` is that of Ctrl-C.
    """
    from pydantic import ValidationError

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # codes for the letters that a terminal lacks
    try:
        given = list(arguments) if arguments is not None else None
        return int(_command(app)(given, standalone_mode=False) or ExitCode.ALL)
    except typer.TyperException as error:
        return _refuse(f"{error.format_message()} (see --help)", ExitCode.USAGE)
    except ValidationError as error:
        faults = "; ".join(f"{variable('_'.join(map(str, e['loc'])))}: {e['msg']}" for e in error.errors())
        return _refuse(f"Wrong configuration: {faults}", ExitCode.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse(stopped, ExitCode.STOPPED)
    except ProductError as error:
        return _refuse(error.in_full, error.exit_code)
    except BrokenPipeError:
        sys.stdout = None  # whoever read has gone; the rest goes nowhere, without a complaint at the end
        return ExitCode.ALL
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _refuse(f"This could not be done: {place}{first_line(error)}.", ExitCode.NOTHING)


@cache
class Written:
    """The options and arguments that were written on a command line, whatever their values."""

    def __init__(self, context: typer.Context) -> None:
        """Those of the command that is running."""
        named = {parameter.name: parameter for parameter in context.command.params}
        self._options = {
            str(name): parameter.opts[0] if parameter.param_type_name == "option" else "the names of charts"
            for name, parameter in named.items()
            if str(getattr(context.get_parameter_source(str(name)), "name", "")) == "COMMANDLINE"
        }

    def only(self, which: str, allowed: set[str]) -> None:
        """Refuse every other option beside `which`; raises `UsageError`."""
        self.none_of(set(self._options) - allowed, f"beside {which}")

    def none_of(self, vain: set[str], where: str) -> None:
        """Refuse options that would do nothing; raises `UsageError`."""
        found = [option for name, option in self._options.items() if name in vain]
        if found:
            raise UsageError(f"{', '.join(found)} would do nothing {where}: leave that out.")


def _command(app: typer.Typer) -> Any:
    return get_command(app)


def _refuse(sentence: str, code: int) -> int:
    errors.print("".join(sign if sign.isprintable() else " " for sign in sentence))
    return code
