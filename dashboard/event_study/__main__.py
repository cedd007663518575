"""`python -m dashboard.event_study`: an event study of the warehouse's prices from the command line."""

import datetime as dt
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console

from dashboard.data.naming import UnknownName, event_named, resolve, tickers_named
from dashboard.data.study_inputs import (
    ALL_AI,
    NothingToStudyError,
    StudyInputs,
    load_study_inputs,
)
from dashboard.event_study import (
    MODELS,
    EventStudyError,
    benchmark_choices,
    run_benchmark_check,
    run_study,
    simple_returns,
)
from dashboard.event_study.league_command import CsvOption, EventsOption, KindOption, league
from dashboard.event_study.panel import Market
from dashboard.event_study.report import benchmark_table, print_study, records, study_to_dict
from dashboard.event_study.study import WINDOWS
from dashboard.event_study.windows import Window, check_windows
from dashboard.views.request import NothingToShow
from etl.warehouse import connect_read_only
from etl.warehouse.errors import WarehouseError

NOTHING, USAGE = 2, 3
EQUAL_WEIGHT, EX_TREATED = "equal-weight", "ex-treated"
TEXT_WIDTH = 150

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
errors = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)

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
    str, typer.Option(help="SPY, equal-weight, ex-treated (no AI company), or another fund.")
]
ModelOption = Annotated[str, typer.Option(help=f"One of {', '.join(MODELS)}.")]
FactorsOption = Annotated[
    Path | None,
    typer.Option(
        help="CSV of daily factor returns as fractions (date, Mkt-RF, SMB, HML, RMW, CMA, Mom, RF), "
        "for capm and the models after it.",
        show_default=False,
    ),
]
EstimationOption = Annotated[str, typer.Option(help="Estimation window in sessions.")]
EventWindowOption = Annotated[str, typer.Option(help="Event window in sessions.")]
WindowOption = Annotated[
    list[str] | None,
    typer.Option(help="A window of the CAR, such as --window=-1,1; may be repeated.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")]


class UsageError(ValueError):
    """The options cannot be what was meant; the message says which and what to write instead."""


@dataclass(frozen=True)
class Request:
    """What is asked for, as the JSON output repeats it."""

    event: str
    date: str
    group: str
    tickers: tuple[str, ...]
    benchmark: str


@app.command(epilog="Exit codes: 0 studied, 2 nothing to study, 3 wrong usage.")
def study(
    event: EventOption = "",
    date: DateOption = "",
    group: GroupOption = ALL_AI,
    tickers: TickersOption = "",
    benchmark: BenchmarkOption = "SPY",
    model: ModelOption = "market",
    factors: FactorsOption = None,
    estimation: EstimationOption = "-260,-11",
    event_window: EventWindowOption = "-10,10",
    window: WindowOption = None,
    as_json: JsonOption = False,
    events: EventsOption = "",
    kind: KindOption = None,
    csv: CsvOption = None,
) -> None:
    """Measure what an event did to a group of firms, with tests that hold when all share its date."""
    if _league(events, kind or [], csv, alone=not (event or date or as_json)):
        return
    if bool(event) == bool(date):
        raise UsageError("Give either an event (--event deepseek-selloff) or a date (--date 2025-01-27).")
    model = resolve("model", model, MODELS)
    settings = _settings(model, estimation, event_window, window)
    wanted = tuple(ticker.strip().upper() for ticker in tickers.split(",") if ticker.strip())
    request = Request(event, date, group, wanted, benchmark)
    session, title, inputs = _read(request)
    returns = simple_returns(inputs.prices)
    markets = benchmark_choices(inputs.benchmarks, inputs.universe, inputs.treated)
    result = run_study(returns, _market(benchmark, markets, model, factors), session, **settings)
    compare = {name: markets[name] for name in ("SPY", EQUAL_WEIGHT, EX_TREATED) if name in markets}
    against = MODELS[model].needs_market and not MODELS[model].excess and bool(compare)
    check = run_benchmark_check(returns, compare, session, **settings) if against else pd.DataFrame()
    if as_json:
        figures = study_to_dict(result)
        figures["dropped"] = records(inputs.left_out) + figures["dropped"]
        figures |= {"benchmark_check": records(check), "title": title, "request": vars(request)}
        sys.stdout.write(json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        return
    console = Console(width=None if sys.stdout.isatty() else TEXT_WIDTH, highlight=False)
    firms = ", ".join(wanted) or f"group {group}"
    console.print(f"{title}: {firms}; benchmark {benchmark}.", markup=False)
    print_study(result, console, inputs.left_out)
    if len(check):
        console.print(benchmark_table(check))


def _settings(model: str, estimation: str, event_window: str, window: list[str] | None) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "model": model,
        "estimation": _pair(estimation, "--estimation"),
        "event_window": _pair(event_window, "--event-window"),
        "windows": tuple(_pair(text, "--window") for text in window) if window else WINDOWS,
    }
    try:
        check_windows(settings["estimation"], settings["event_window"], settings["windows"])
    except EventStudyError as error:
        raise UsageError(str(error)) from None
    return settings


def _league(events: str, kinds: list[str], csv: Path | None, *, alone: bool) -> bool:
    """Give the league where it is asked for."""
    if not events:
        if kinds or csv:
            raise UsageError("--kind and --csv go with --events all.")
        return False
    if not alone:
        raise UsageError("--events measures every event: give it without --event, --date and --json.")
    league(events, kinds, csv, Console(width=None if sys.stdout.isatty() else TEXT_WIDTH))
    return True


def _read(request: Request) -> tuple[dt.date, str, StudyInputs]:
    """Session (or date) and title of the event, and the prices."""
    with connect_read_only() as con:
        if request.event:
            found = event_named(con, request.event)
            session, title = found.market_session, found.title
        else:
            session, title = _date(request.date), request.date
        tickers = tickers_named(con, request.tickers)
        return session, title, load_study_inputs(con, request.group, tickers, session)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date like 2025-01-27.") from None


def _pair(text: str, option: str) -> Window:
    try:
        first, last = (int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{option} takes two whole numbers such as {option}=-1,1, not {text!r}.") from None
    return first, last


def _market(benchmark: str, markets: dict[str, pd.Series], model: str, factors: Path | None) -> Market:
    if MODELS[model].excess:
        if factors is None:
            raise UsageError(f"The model {model!r} needs factor returns: give a CSV file with --factors.")
        try:
            return pd.read_csv(factors, index_col=0, parse_dates=True)
        except (OSError, ValueError) as error:
            raise UsageError(f"The factors in {factors} cannot be read: {error}.") from None
    return markets[resolve("benchmark", benchmark, markets)]


def main() -> int:
    """Run the command line; what a user can mend ends in one sentence and the exit code."""
    try:
        return int(app(standalone_mode=False) or 0)
    except typer.TyperException as error:
        return _refuse(f"{error.format_message()} (see --help)", USAGE)
    except (UsageError, UnknownName) as error:
        return _refuse(str(error), USAGE)
    except NothingToShow as nothing:
        return _refuse(nothing.in_full, NOTHING)
    except (EventStudyError, NothingToStudyError, WarehouseError) as error:
        return _refuse(str(error), NOTHING)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("Stopped.", 130)


def _refuse(sentence: str, code: int) -> int:
    errors.print(sentence)
    return code


if __name__ == "__main__":
    sys.exit(main())
