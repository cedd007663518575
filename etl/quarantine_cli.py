"""``python -m etl quarantine``: look at the refused rows, and accept or drop them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.console import JsonOption, console, errors, parse_day
from etl.errors import UsageError

if TYPE_CHECKING:
    from etl.quarantine import Filter

app = typer.Typer(no_args_is_help=True, help="List the rows that the gates refused, and accept or drop them.")


Rows = Annotated[list[str] | None, typer.Argument(metavar="[ROW]…", help="Rows by the names in the list.")]
Ticker = Annotated[str, typer.Option(help="Only of this ticker, currency or chart.", show_default="all")]
Run = Annotated[
    str,
    typer.Option(help="Only what this run refused; the beginning of its name is enough.", show_default="all"),
]
Since = Annotated[
    date | None,
    typer.Option(parser=parse_day, metavar="DATE", help="Only what was refused on that day or later."),
]
Reason = Annotated[str, typer.Option(help="Why; it is kept.", show_default=False)]
By = Annotated[str, typer.Option(help="Who decides.", show_default="the user logged in")]


@app.command("list")
def list_rows(
    ticker: Ticker = "",
    run: Run = "",
    since: Since = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those already decided, or corrected by their source.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the refused rows, each once, however often it was refused.

    Only runs that changed something are counted: one that refuses the same rows again publishes nothing.
    """
    from etl import present
    from etl.quarantine import Filter, held
    from etl.warehouse import open_warehouse

    rows = held(open_warehouse(), Filter(ticker=ticker, run=run, since=since, settled=everything))
    if as_json:
        console.print(present.as_json(rows))
    elif not rows:
        console.print(
            "Nothing is in quarantine." if everything else "Nothing in quarantine is waiting for a decision."
        )
    else:
        for row in rows:
            console.print(_line(row))


def _command(verb: str, meaning: str) -> None:
    """Add the command that decides on the rows that are chosen."""

    @app.command(verb, help=meaning)
    def decide_rows(
        reason: Reason,
        rows: Rows = None,
        ticker: Ticker = "",
        run: Run = "",
        since: Since = None,
        by: By = "",
    ) -> None:
        from etl.quarantine import Filter

        _decide(verb, Filter(tuple(rows or ()), ticker, run, since), reason, by)


_command(
    "accept",
    "Merge refused rows after all; the next refresh does not refuse them again.\n\n"
    "Ends with 1 when some cannot be accepted (they are named), and with 2 when none matches or none can be.",
)
_command("drop", "Leave refused rows out for good: no refresh will report them again.")


def _decide(verb: str, chosen: Filter, reason: str, by: str) -> None:
    from etl.quarantine import VERDICTS, decide
    from etl.warehouse import open_warehouse

    warehouse = open_warehouse()
    if not warehouse.exists():
        raise UsageError("There is no warehouse yet: run `python -m etl load-bundled` first.")
    done = decide(warehouse, verb, chosen, reason=reason, by=by)
    for sentence in done.impossible:
        errors.print(f"It cannot be accepted, {sentence}")
    inserted, updated = done.log.total("inserted"), done.log.total("updated")
    merged = f": {inserted} inserted, {updated} updated" if verb == "accept" else ""
    console.print(f"{done.settled} row{'' if done.settled == 1 else 's'} {VERDICTS[verb]}{merged}.")
    raise typer.Exit(done.exit_code)


def _line(row: dict[str, Any]) -> str:
    """A refused row in one line that begins with its name."""
    figure = "" if row["figure"] is None else f" = {row['figure']:.10g}"
    first, last = (
        f"{row[name]:%Y-%m-%d %H:%M}" if row[name] else "?" for name in ("first_seen", "last_seen")
    )
    seen = f"refused at {first}" if row["times"] == 1 else f"refused {row['times']} times, {first} to {last}"
    decision = "" if row["settled"] is None else f"; {row['settled']}"
    if row["settled"] in ("accepted", "dropped"):
        decision += f" by {row['decided_by']}: {row['decided_for']}"
    what = f"{row['table_name'] or ''} {row['key'] or row['item'] or ''}".strip()
    return f"{row['number']}  {what}{figure}: {row['reason']}; {seen}{decision}"
