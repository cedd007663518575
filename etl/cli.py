"""The commands of ``python -m etl``."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl import import_commands, within_day
from etl.console import ExitCode, JsonOption, command_line, console, errors, parse_day, run
from etl.errors import UsageError, nearest
from etl.hours import INTERVALS
from etl.logs import LogFormat, progress_on, set_up_logs
from etl.product import variable
from etl.quarantine_cli import app as quarantine
from etl.settings import settings
from etl.signals import cli as signal_commands
from etl.sources import GROUPS

if TYPE_CHECKING:
    from etl.refresh import Outcome

app = command_line(
    no_args_is_help=True,
    epilog="Exit codes: 0 all, 1 part (the rest is named), 2 nothing, 3 wrong usage or configuration. "
    f"The warehouse is at {variable('database')} (default data/market.duckdb).",
)
app.add_typer(quarantine, name="quarantine")

app.add_typer(import_commands.commands)

LogOption = Annotated[
    LogFormat | None,
    typer.Option(
        "--log-format", envvar=variable("log_format"), help="Log every step, for people or for machines."
    ),
]


def parse_group(value: str) -> str:
    """One of the groups of sources."""
    if value not in GROUPS:
        raise typer.BadParameter(f"There is no source {value[:40]!r}{nearest(value, GROUPS)}.")
    return value


SourceOption = Annotated[
    str,
    typer.Option(
        "--source",
        parser=parse_group,
        metavar="|".join(GROUPS),
        help="What to bring; all is prices and rankings.",
    ),
]
TickersOption = Annotated[
    str, typer.Option("--tickers", metavar="A,B", help="Only these companies.", show_default="all")
]
SinceOption = Annotated[
    date | None,
    typer.Option(
        "--since",
        parser=parse_day,
        metavar="DATE",
        help="Sessions from here on, instead of the missing ones.",
    ),
]
UntilOption = Annotated[
    date | None, typer.Option("--until", parser=parse_day, metavar="DATE", help="Sessions up to here.")
]


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
    if if_missing and warehouse.bring_up_to_date():
        return
    log = load(warehouse, folder or settings().data_dir)
    console.print(
        f"{warehouse.name}: {log.total('received'):,} bundled rows, {log.total('inserted'):,} inserted, "
        f"{log.total('updated'):,} updated."
    )


@app.command()
def refresh(
    context: typer.Context,
    source: SourceOption = "all",
    tickers: TickersOption = "",
    since: SinceOption = None,
    until: UntilOption = None,
    session: within_day.SessionOption = None,
    interval: within_day.IntervalOption = "5m",
    replay: Annotated[
        bool,
        typer.Option(
            "--replay", help="Judge kept answers again, those of RUN or the newest, without asking a source."
        ),
    ] = False,
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="With --replay: the run, or how its name begins.")
    ] = "",
    as_json: JsonOption = False,
    log_format: LogOption = None,
) -> None:
    """Fetch the missing sessions and today's charts, merge them into the warehouse and publish it.

    Prices come from Yahoo Finance, rankings from Apple's public feed. --source intraday fetches bars within the
    day: those of --session, or of the days that were signalled or have an event (which a refresh of prices saves by
    itself, five minutes long). Yahoo keeps 5-minute bars for 60 days, 1-minute bars for 7.

    Ends with 0 when everything arrived, 1 when part did (what failed is named), 2 when nothing did (the data is kept).
    """
    from etl.refresh import refresh as ask
    from etl.replay import replay as judge_again
    from etl.warehouse import open_warehouse

    set_up_logs(log_format)
    _check_replay(context, replay, run)
    within_day.check(context, source)
    if replay:
        outcome = judge_again(open_warehouse(), run)
    else:
        wanted = [ticker.strip() for ticker in tickers.split(",") if ticker.strip()]
        with progress_on(errors) as progress:
            outcome = ask(
                open_warehouse(),
                GROUPS[source],
                tickers=wanted,
                since=session or since,
                until=session or until,
                minutes=INTERVALS[interval],
                progress=progress,
            )
    _tell(outcome, as_json)


def _tell(outcome: Outcome, as_json: bool) -> None:
    from etl import present

    if as_json:
        console.print(present.as_json(present.outcome_as_dict(outcome)))
    raise typer.Exit(outcome.exit_code)


def _check_replay(context: typer.Context, replay: bool, run: str) -> None:
    """Refuse what does not go with a replay, and what goes with nothing else."""
    if run and not replay:
        raise UsageError(f"{run[:60]!r} names a run, which goes with --replay only.")
    given = [
        f"--{name}"
        for name in ("source", "tickers", "since", "until", "session", "interval")
        if within_day.is_given(context, name)
    ]
    if replay and given:
        raise UsageError(f"--replay takes the answers of a run as they came: leave out {', '.join(given)}.")


app.command("signals")(signal_commands.signals)
app.command("tell")(signal_commands.tell)
app.add_typer(signal_commands.event, name="event")


@app.command()
def schedule(log_format: LogOption = LogFormat.TEXT) -> None:
    """Run until stopped: prices after each exchange's close, rankings every hour.

    What was missed before the start or while the machine slept is made up for once. Stops cleanly on SIGTERM.
    """
    from etl.schedule import run_for_ever
    from etl.warehouse import open_warehouse

    set_up_logs(log_format)
    run_for_ever(open_warehouse())


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Show what is there, as of when, and what is missing.

    Ends with 0 when everything is fresh, with 1 when sessions or charts are missing that a refresh would bring or
    the last run failed (bundled data alone is always stale), and with 2 when there are no prices. A company with
    `retired = true` in companies.toml, and a chart that the setting ranking_charts does not name, do not count as
    missing.
    """
    from etl import present
    from etl.status import read_status
    from etl.warehouse import open_warehouse

    found = read_status(open_warehouse())
    if as_json:
        console.print(present.as_json(found.as_dict()))
    else:
        present.show_status(found, console)
    raise typer.Exit(found.exit_code)


@app.command("backfill-rankings")
def backfill_rankings(
    first: Annotated[date, typer.Option("--from", parser=parse_day, metavar="DATE", help="The first day.")],
    last: Annotated[date, typer.Option("--to", parser=parse_day, metavar="DATE", help="The last day.")],
    as_json: JsonOption = False,
    log_format: LogOption = None,
) -> None:
    """Fetch past charts from the Internet Archive's Wayback Machine.

    What was fetched is kept in data/cache, so that an interrupted run continues where it stopped.
    """
    from etl.backfill import backfill
    from etl.warehouse import open_warehouse

    set_up_logs(log_format)
    with progress_on(errors) as progress:
        outcome = backfill(open_warehouse(), first, last, progress=progress)
    _tell(outcome, as_json)


@app.command("settings")
def list_settings(as_json: JsonOption = False) -> None:
    """List every setting with its variable, its default, its present value and what it means; name unknown ones.

    Ends with 3 when a variable has this prefix but is not a setting.
    """
    from dataclasses import asdict

    from etl import present
    from etl.settings import every_setting, unknown_variables

    found, unknown = every_setting(), unknown_variables()
    if as_json:
        told = {"settings": [asdict(one) for one in found], "unknown": unknown}
        console.print(present.as_json(told))
    else:
        present.show_settings(found, console)
        for name, near in unknown.items():
            errors.print(f"There is no setting {name}{f'; the nearest is {near}' if near else ''}.")
    raise typer.Exit(ExitCode.USAGE if unknown else ExitCode.ALL)


@app.command()
def alert() -> None:
    """Send what has failed or is stale to the settings’ alert_command and alert_urls, once, and once when it is over.

    `schedule` does so after each job; this is for those who run `refresh` by other means.
    """
    from etl import alerts
    from etl.warehouse import open_warehouse

    for line in alerts.tell(open_warehouse()):
        console.print(line)


@app.command()
def rollback(
    version: Annotated[
        str | None,
        typer.Argument(help="The state to return to; `--list` names them.", show_default="previous"),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="VERSION", help="The same.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Only name the states that are kept.")] = False,
) -> None:
    """Publish an earlier state of the warehouse again: by default the one that the present one came from."""
    from etl.warehouse import WarehouseError, open_warehouse

    warehouse = open_warehouse()
    if list_only:
        try:
            current = warehouse.version()
        except WarehouseError as error:  # the states are told all the same: one of them may be the way out
            if not warehouse.versions():
                raise
            errors.print(str(error))
            current = ""
        for name in warehouse.versions():
            console.print(f"{name}{'  published' if name == current else ''}")
        return
    console.print(f"Published again: {warehouse.rollback(to or version)}")


@app.command()
def clean() -> None:
    """Let old states go, as the settings keep_… say; on a lake, also merge its small files.

    `schedule` does so once a day, and each publication of a file does it too. A lake that is refreshed by other means
    needs this command, or it grows without end.
    """
    from etl.warehouse import open_warehouse

    console.print(f"States removed: {open_warehouse().clean()}")


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(app))
