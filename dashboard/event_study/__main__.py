"""`python -m dashboard.event_study`: an event study of the warehouse's prices from the command line."""

import datetime as dt
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import typer
from rich.console import Console

from dashboard.data import market
from dashboard.data.events import events as dated_events
from dashboard.data.factors import factors as held_factors
from dashboard.data.naming import day_named, event_named, resolve, tickers_named
from dashboard.data.study_inputs import (
    ALL_AI,
    NothingToStudyError,
    StudyInputs,
    benchmark_prices,
    index_parts,
    load_study_inputs,
    market_values,
    members,
    prices_elsewhere,
)
from dashboard.event_study import (
    MODELS,
    Benchmark,
    EventStudyError,
    Study,
    benchmark_choices,
    choose_benchmark,
    confounders,
    run_benchmark_check,
    run_study,
    simple_returns,
)
from dashboard.event_study.benchmarks import IndexParts
from dashboard.event_study.beyond_command import (
    CrossSectionOption,
    RegressorOption,
    SyntheticOption,
    further,
    printed,
)
from dashboard.event_study.league_command import CsvOption, EventsOption, KindOption, league
from dashboard.event_study.options import (
    BenchmarkOption,
    DateOption,
    EstimationOption,
    EventOption,
    EventWindowOption,
    ExcludeOption,
    FactorsOption,
    GapsOption,
    GroupOption,
    JsonOption,
    MinimumOption,
    ModelOption,
    SizeTableOption,
    TickersOption,
    WindowOption,
)
from dashboard.event_study.panel import Market
from dashboard.event_study.report import (
    benchmark_table,
    confounder_table,
    elsewhere_table,
    print_study,
    records,
    study_to_dict,
)
from dashboard.event_study.size_table import rewrite
from dashboard.event_study.study import WINDOWS
from dashboard.event_study.windows import Window, check_windows
from dashboard.views.study_beyond import elsewhere
from dashboard.views.study_listings import listed_elsewhere
from etl.calendars import HOME, sessions
from etl.console import Written, command_line, run
from etl.errors import UsageError
from etl.factors import FactorFileError, parse_factors
from etl.warehouse import connect_read_only

COMPARED = ("SPY", "RSP", "sp500-ex-ai", "ex-treated", "ex-treated-value")
GAPS = ("skip", "trade-to-trade")
TEXT_WIDTH = 150

app = command_line()


class ElsewhereAlone(Exception):
    """None of the firms trades on New York's sessions; the argument is their table, see `study_beyond.elsewhere`."""


@dataclass(frozen=True)
class Request:
    """What is asked for, as the JSON output repeats it."""

    event: str
    date: str
    group: str
    tickers: tuple[str, ...]
    benchmark: str
    exclude_events: bool


@dataclass(frozen=True)
class Found:
    """What the warehouse holds for a request: the session (or date), its title, other events, prices, factors.

    `foreign` are the firms on other clocks, as `study_beyond.elsewhere` gives them; `notes` what is to be known of
    listings.
    """

    session: dt.date
    title: str
    others: dict[str, pd.Timestamp]
    inputs: StudyInputs
    values: pd.Series
    segments: pd.Series
    index: IndexParts
    factors: pd.DataFrame
    foreign: pd.DataFrame
    notes: list[str]


@dataclass(frozen=True)
class Given:
    """A study with what stands around it."""

    request: Request
    found: Found
    result: Study
    check: pd.DataFrame
    confounded: pd.DataFrame
    about: str
    further: dict[str, pd.DataFrame]


@app.command(epilog="Exit codes: 0 studied, 2 nothing to study, 3 wrong usage.")
def study(
    context: typer.Context,
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
    gaps: GapsOption = "skip",
    min_observations: MinimumOption = None,
    exclude_events: ExcludeOption = False,
    as_json: JsonOption = False,
    events: EventsOption = "",
    kind: KindOption = None,
    csv: CsvOption = None,
    cross_section: CrossSectionOption = False,
    regressor: RegressorOption = None,
    synthetic: SyntheticOption = False,
    size_table: SizeTableOption = False,
) -> None:
    """Measure what an event did to a group of firms, with tests that hold when all share its date."""
    written = Written(context)
    if size_table:
        written.only("--size-table", {"size_table", "csv"})
        Console(width=TEXT_WIDTH, soft_wrap=True).print(rewrite(csv), markup=False)
        return
    if events:
        written.only("--events", {"events", "kind", "csv"})
        league(events, kind or [], csv, Console(width=None if sys.stdout.isatty() else TEXT_WIDTH))
        return
    written.none_of({"kind"}, "without --events all")
    if bool(event) == bool(date):
        raise UsageError("Give either an event (--event deepseek-selloff) or a date (--date 2025-01-27).")
    settings = _settings(resolve("model", model, MODELS), estimation, event_window, window)
    settings |= {"gaps": resolve("treatment of gaps", gaps, GAPS), "min_observations": min_observations}
    wanted = tuple(dict.fromkeys(name.strip().upper() for name in tickers.split(",") if name.strip()))
    request = Request(event, date, group, wanted, benchmark, exclude_events)
    wishes: dict[str, Any] = {"cross_section": cross_section, "synthetic": synthetic, "regressor": regressor}
    try:
        found = _read(request, settings["windows"][0])
    except ElsewhereAlone as alone:
        written.none_of(set(wishes), "for firms on other clocks than New York's")
        _give_elsewhere(alone.args[0], settings["windows"][0], as_json, csv)
        return
    _give(_studied(request, found, settings, factors, wishes), as_json, csv)


def _studied(
    request: Request, found: Found, settings: dict[str, Any], factors: Path | None, wishes: dict[str, Any]
) -> Given:
    """The study that is asked for."""
    returns = simple_returns(found.inputs.prices)
    yardsticks = benchmark_choices(
        found.inputs.benchmarks, found.inputs.universe, found.inputs.treated, found.values, found.index
    )
    chosen, about = _market(request.benchmark, yardsticks, settings["model"], factors, found.factors)
    result = run_study(
        returns,
        chosen,
        found.session,
        exclude=found.others.values() if request.exclude_events else (),
        **settings,
    )
    check = _compare(returns, yardsticks, found.session, settings)
    confounded = confounders(
        pd.DatetimeIndex(returns.index),
        result.event_session,
        found.others,
        settings["estimation"],
        result.span,
    )
    beyond = further(result, found.inputs, found.values, found.segments, **wishes)
    return Given(request, found, result, check, confounded, about, beyond)


def _give(given: Given, as_json: bool, csv: Path | None) -> None:
    """Print a study, or write it as JSON or as files."""
    result, request = given.result, given.request
    if csv is not None:
        _write(given, csv)
        return
    if as_json:
        figures = study_to_dict(result)
        figures["dropped"] = records(given.found.inputs.left_out) + figures["dropped"]
        figures |= {"benchmark_check": records(given.check), "other_events": records(given.confounded)}
        figures |= {"elsewhere": records(given.found.foreign)}
        figures |= {name: records(table) for name, table in given.further.items()}
        figures["notes"] += given.found.notes
        figures |= {"benchmark": given.about, "title": given.found.title, "request": vars(request)}
        sys.stdout.write(json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        return
    console = Console(width=None if sys.stdout.isatty() else TEXT_WIDTH, highlight=False)
    firms = ", ".join(request.tickers) or f"group {request.group}"
    console.print(f"{given.found.title}: {firms}; benchmark {given.about}.", markup=False)
    for note in given.found.notes:
        console.print(f"Note: {note}", markup=False)
    print_study(result, console, given.found.inputs.left_out)
    if len(given.found.foreign):
        console.print(elsewhere_table(given.found.foreign, result.windows[0]))
    if len(given.confounded):
        console.print(confounder_table(given.confounded))
    if len(given.check):
        console.print(benchmark_table(given.check))
        for sentence in given.check.attrs["left_out"]:
            console.print(f"Note: {sentence}", markup=False)
    for part in printed(given.further, result):
        console.print(part, markup=False)


def _give_elsewhere(foreign: pd.DataFrame, window: Window, as_json: bool, csv: Path | None) -> None:
    """Firms that all trade on other clocks: their table alone."""
    if csv is not None:
        _write_tables({"elsewhere": foreign}, csv)
    elif as_json:
        sys.stdout.write(json.dumps({"elsewhere": records(foreign)}, indent=1, allow_nan=False) + "\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else TEXT_WIDTH, highlight=False)
        console.print(elsewhere_table(foreign, window))


def _write(given: Given, folder: Path) -> None:
    """A CSV file for each table of a study, in a folder."""
    study = given.result
    tables = {
        "days": study.aar.reset_index(),
        "tests": study.tests,
        "firms": study.car,
        "models": study.firms.reset_index(),
        "placebo": study.placebo,
        "benchmarks": given.check,
        "other-events": given.confounded,
        "elsewhere": given.found.foreign,
        "left-out": pd.concat([given.found.inputs.left_out, study.dropped], ignore_index=True),
    } | {name.replace("_", "-"): table for name, table in given.further.items()}
    _write_tables(tables, folder)


def _write_tables(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror or error}).") from None
    Console(width=TEXT_WIDTH, soft_wrap=True).print(f"{len(tables)} tables are in {folder}.", markup=False)


def _compare(
    returns: pd.DataFrame, yardsticks: dict[str, Benchmark], session: dt.date, settings: dict[str, Any]
) -> pd.DataFrame:
    """The same study against the usual benchmarks; none for a model that reads no benchmark."""
    model = MODELS[settings["model"]]
    compare = {
        name: yardsticks[name].returns for name in COMPARED if name in yardsticks and yardsticks[name].fair
    }
    if not model.needs_market or model.excess or not compare:
        return pd.DataFrame()
    return run_benchmark_check(returns, compare, session, **settings)


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


def _read(request: Request, window: Window) -> Found:
    with connect_read_only() as con:
        known = {each.event_id: each for each in dated_events(con)}
        if request.event:
            event = event_named(con, request.event)
            session, title, session_on = event.market_session, event.title, event.session_on
            known.pop(event.event_id, None)
        else:
            session, title = day_named(request.date), request.date
            session_on = partial(_from, session)
            session = session_on(HOME)
        others = {name: pd.Timestamp(each.market_session) for name, each in known.items()}
        tickers = tickers_named(con, request.tickers)
        prices = prices_elsewhere(con, members(con, request.group, tickers, session))
        foreign = elsewhere(prices, benchmark_prices(con)["SPY"], session_on, window)
        try:
            inputs = load_study_inputs(con, request.group, tickers, session)
        except NothingToStudyError:
            if foreign.empty:
                raise
            raise ElsewhereAlone(foreign) from None
        companies = market.companies(con)
        firms = companies[companies["ticker"].isin(inputs.prices.columns)]
        return Found(
            day_named(request.date) if request.date else session,
            title,
            others,
            inputs,
            market_values(con, session),
            companies.set_index("ticker")["segment"],
            IndexParts(pd.Timestamp(session), *index_parts(con, session)),
            held_factors(con),
            foreign,
            listed_elsewhere(firms, session_on, session),
        )


def _from(day: dt.date, exchange: str) -> dt.date:
    """The first session of an exchange on a day or after."""
    following = sessions(exchange, day, day + dt.timedelta(days=31))
    return following[0] if following else day


def _pair(text: str, option: str) -> Window:
    try:
        first, last = (int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{option} takes two whole numbers such as {option}=-1,1, not {text!r}.") from None
    return first, last


def _market(
    benchmark: str, yardsticks: dict[str, Benchmark], model: str, path: Path | None, held: pd.DataFrame
) -> tuple[Market, str]:
    """What the model reads, and what that is in words."""
    if MODELS[model].excess:
        if path is None:
            if held.empty:
                raise UsageError(f"The model {model!r} needs factor returns: give a file with --factors.")
            return held, "Fama and French's factors"
        try:
            return parse_factors(path.read_bytes()), f"the factors in {path.name}"
        except OSError as error:
            raise UsageError(f"The factors in {path} cannot be read: {error.strerror or error}.") from None
        except FactorFileError as error:
            raise UsageError(f"The factors in {path} cannot be read. {error}") from None
    chosen = choose_benchmark(yardsticks, resolve("benchmark", benchmark, yardsticks))
    return chosen.returns, f"{chosen.name} ({chosen.describe()})"


def main() -> int:
    """The exit code of the command line."""
    return run(app)


if __name__ == "__main__":
    sys.exit(main())
