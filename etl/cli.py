"""The commands of ``python -m etl``."""

from __future__ import annotations

import sys
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from etl.settings import settings

errors = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)
console = Console(soft_wrap=True, markup=False, highlight=False)


class ExitCode(IntEnum):
    """What a command ends with."""

    ALL = 0
    PART = 1
    NOTHING = 2
    USAGE = 3


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 all, 1 part (the rest is named), 2 nothing, 3 wrong usage or configuration. "
    "The warehouse is at AIMI_DATABASE (default data/market.duckdb).",
)


@app.callback()
def options() -> None:
    """Bring stock prices and app-store rankings into the DuckDB warehouse."""


@app.command("load-bundled")
def load_bundled(
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Do nothing when there is a warehouse already.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option("--data", help="The folder of the bundled data.", show_default="data/")
    ] = None,
) -> None:
    """Build the warehouse from the data that comes with the project.

    Rows that a refresh brought stay as they are.
    """
    from etl.bundled import load_bundled as load
    from etl.warehouse import open_warehouse

    warehouse = open_warehouse()
    if if_missing and warehouse.exists():
        return
    log = load(warehouse, folder or settings().data_dir)
    console.print(
        f"{warehouse.name}: {log.total('received'):,} bundled rows, {log.total('inserted'):,} inserted, "
        f"{log.total('updated'):,} updated."
    )


def main() -> None:
    """Run the command line and exit with its code; what an operator can mend ends in one line."""
    sys.exit(_run())


def _run() -> int:
    from pydantic import ValidationError

    try:
        return int(app(standalone_mode=False) or ExitCode.ALL)
    except typer.TyperException as error:
        return _refuse(f"{error.format_message()} (see --help)", ExitCode.USAGE)
    except ValidationError as error:
        faults = "; ".join(f"AIMI_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        return _refuse(f"Wrong configuration: {faults}", ExitCode.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("Stopped.", 130)
    except Exception as error:
        if type(error).__module__.startswith("etl."):
            return _refuse(str(error), getattr(error, "exit_code", ExitCode.NOTHING))
        raise


def _refuse(sentence: str, code: int) -> int:
    errors.print(sentence)
    return code
