"""The commands about signals: `signals`, `tell` and `event add`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from etl.console import JsonOption, console, errors
from etl.product import variable
from etl.settings import settings
from etl.warehouse import open_warehouse

event = typer.Typer(no_args_is_help=True, help="Events: add one to events.toml.")


def signals(
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List what refreshes noticed: abnormal moves, records of market value, rises in the app stores."""
    with open_warehouse().reading() as con:
        result = con.execute(
            "SELECT signal_id, kind, session, name, direction, measure, size, unusual, place, title, detail, "
            "first_seen, corrected_at, withdrawn_at FROM signal ORDER BY session DESC, signal_id LIMIT ?",
            [most],
        )
        names = [column[0] for column in result.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    if as_json:
        typer.echo(json.dumps(rows, default=str, ensure_ascii=False, indent=1))
        return
    for row in rows:
        mark = " (withdrawn)" if row["withdrawn_at"] else " (corrected)" if row["corrected_at"] else ""
        console.print(f"{row['signal_id']}: {row['title']}; {row['detail']}{mark}")
    if not rows:
        console.print("No signals yet: a refresh computes them.")


def tell(
    again: Annotated[
        bool,
        typer.Option("--again", help="Also what was sent without an acknowledgement, and what was given up."),
    ] = False,
) -> None:
    """Send the signals that are due to webhook_url and signal_urls (settings); a refresh does so automatically."""
    from etl.delivery.deliver import deliver, let_go, targets
    from etl.delivery.ledger import LEFT, Ledger, ledger_place

    options = settings()
    if not targets(options):
        errors.print(
            f"Nobody is named who gets signals: set {variable('webhook_url')} and {variable('webhook_secret')}, or "
            f"{variable('signal_urls')}."
        )
        raise typer.Exit(3)
    arrived = deliver(open_warehouse(), again=again)
    gone = let_go(open_warehouse())
    place = ledger_place(options)
    waiting = Ledger(place).unsettled() if place.exists() else []
    console.print(f"{arrived} told.")
    for message_id, target, state, why in [*gone, *waiting]:
        reason = f" ({why})" if why else ""
        meaning = "left, not known to have arrived" if state == LEFT else state
        errors.print(f"{target}: {message_id} {meaning}{reason}")
    if gone:
        errors.print(f"Nothing sends the first {len(gone)} any more, and `tell` will not name them again.")
    if any(state != "waiting" for _, _, state, _ in waiting):
        errors.print("`python -m etl tell --again` sends once more what is younger than a week.")
    raise typer.Exit(1 if waiting or gone else 0)


@event.callback()
def _events() -> None:
    """Events: the days that a person has named."""


@event.command("add")
def add(
    title: Annotated[str, typer.Option(help="What happened, as a headline says it.")],
    source: Annotated[str, typer.Option(help="Who says so: a publication.")],
    source_url: Annotated[str, typer.Option(help="Where it says so.")],
    description: Annotated[str, typer.Option(help="One or two sentences.")],
    from_signal: Annotated[str, typer.Option(help="The signal whose session and lead it takes.")] = "",
    occurred_at: Annotated[
        str, typer.Option(help="A day, or a time with its offset, such as 2025-01-27T09:30:00-05:00.")
    ] = "",
    zone: Annotated[str, typer.Option(help="Time zone of the place.")] = "America/New_York",
    kind: Annotated[str, typer.Option(help="release, earnings, investment, policy, market, …")] = "market",
    event_id: Annotated[str, typer.Option("--id", help="Its name in addresses; else from the title.")] = "",
    lead: Annotated[str, typer.Option(help="The ticker or segment that it is about.")] = "",
) -> None:
    """Add an event to events.toml, checked as when it is loaded; `load-bundled` then brings it to the pages."""
    from etl.signals.events import add_event, signal_named

    if from_signal:
        with open_warehouse().reading() as con:
            found = signal_named(con, from_signal)
        occurred_at = occurred_at or f"{found.session}"
        lead = lead or found.lead
    if not occurred_at:
        raise typer.BadParameter("Give --occurred-at, or --from-signal with the signal it was.")
    added = add_event(
        settings().data_dir / "events.toml",
        {
            "id": event_id,
            "title": title,
            "occurred_at": occurred_at,
            "zone": zone,
            "kind": kind,
            "description": description,
            "source": source,
            "source_url": source_url,
            "lead": lead,
        },
    )
    console.print(f"Added {added} to events.toml: `python -m etl load-bundled` brings it to the pages.")
