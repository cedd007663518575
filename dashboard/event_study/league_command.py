"""`--events all`: the league of all events on the command line."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from dashboard.analysis.league import CONFOUNDER
from dashboard.charts import words
from dashboard.charts.events_league import table_of
from dashboard.data.naming import resolve
from dashboard.data.spreadsheet import csv_text
from dashboard.views.events import ordered, standing
from dashboard.views.league import read_league
from etl.warehouse import connect_read_only, published_version

ALL = "all"

EventsOption = Annotated[
    str,
    typer.Option(
        help="all: every event of the list, the AI companies against SPY, a row each.", show_default=False
    ),
]
KindOption = Annotated[
    list[str] | None,
    typer.Option(
        help="With --events: only this kind, such as earnings; may be repeated. p-values stay adjusted for all events.",
        show_default=False,
    ),
]
CsvOption = Annotated[
    Path | None,
    typer.Option(
        help="With --events: write every column to this file; with one event: its tables to this folder.",
        show_default=False,
    ),
]


def league(events: str, kinds: list[str], csv: Path | None, console: Console) -> None:
    """Print the league, the largest abnormal return first, confounders last, or write it as CSV.

    Raises
    ------
    dashboard.data.naming.UnknownName
        When `events` is not "all" or a kind is not known.
    dashboard.views.request.NothingToShow
        When there is no league.
    typer.BadParameter
        When the file cannot be written.
    """
    resolve("set of events", events, [ALL])
    with connect_read_only(version=published_version()) as con:
        told = read_league(con)
    rows = ordered(told.table, "abnormal")
    rows = rows.loc[(rows["kind"] == CONFOUNDER).sort_values(kind="stable").index]
    if kinds:
        known = sorted(rows["kind"].unique())
        rows = rows[rows["kind"].isin([resolve("kind", kind, known) for kind in kinds])]
    if csv is not None:
        try:
            csv.write_text(csv_text(table_of(rows)), encoding="utf-8")
        except OSError as error:
            raise typer.BadParameter(f"{csv} cannot be written ({error.strerror or error}).") from None
        console.print(f"{len(rows)} events are in {csv}.", markup=False)
        return
    console.print(_printed(rows))
    console.print(standing(told), markup=False)


def _printed(rows: pd.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False)
    heads = (
        "event",
        "session",
        "kind",
        "abnormal",
        "0…+1",
        "AI mean",
        "dollars",
        "ordinary days",
        "p",
        "p (BH)",
    )
    for head in heads:
        table.add_column(head, justify="left" if head in heads[:3] else "right", no_wrap=head == "event")
    for row in rows.itertuples():
        table.add_row(
            str(row.Index),
            f"{row.session:%Y-%m-%d}",
            row.kind,
            *(_percent(value) for value in (row.abnormal, row.abnormal_0_1, row.mean_change)),
            "–" if pd.isna(row.value_change) else words.compact(row.value_change, plus=True),
            f"{row.as_large:.0f} of {row.ordinary_days:.0f}" if row.ordinary_days else "–",
            *("–" if pd.isna(p) else f"{p:.3f}" for p in (row.p, row.p_bh)),
        )
    return table


def _percent(value: float) -> str:
    return "–" if pd.isna(value) else words.percent(value, 2)
