"""A question put to the event study, and its answer on one state of the warehouse."""

from dataclasses import dataclass, field
from functools import cached_property

import duckdb
import pandas as pd
from scipy.special import stdtrit

from dashboard.charts import words
from dashboard.data import market
from dashboard.data.events import Event, events
from dashboard.data.factors import factors
from dashboard.data.naming import UnknownName, resolve
from dashboard.data.study_inputs import (
    ALL_AI,
    NothingToStudyError,
    StudyInputs,
    benchmark_prices,
    groups,
    index_parts,
    load_study_inputs,
    market_values,
    members,
    prices_elsewhere,
    volumes,
)
from dashboard.event_study import (
    MODELS,
    TESTS,
    Benchmark,
    Contrast,
    EventStudyError,
    Study,
    benchmark_choices,
    choose_benchmark,
    confounders,
    run_benchmark_check,
    run_contrast,
    run_size_check,
    run_study,
    simple_returns,
)
from dashboard.event_study.benchmarks import IndexParts
from dashboard.event_study.panel import Market
from dashboard.event_study.study import ESTIMATION
from dashboard.event_study.synthetic import Synthetic, run_synthetic
from dashboard.event_study.volatility import abnormal_variance, abnormal_volume, scaled_placebo, unusual_table
from dashboard.event_study.windows import Window
from dashboard.views.request import DEFAULT_EVENT, NothingToShow, asked_event
from dashboard.views.study_beyond import Explained, elsewhere, explain
from dashboard.views.study_listings import listed_elsewhere, missed, named

LABELS = {
    "SPY": "the S&P 500 (SPY)",
    "RSP": "the S&P 500, equal weight (RSP)",
    "QQQ": "the Nasdaq-100 (QQQ)",
    "sp500-ex-ai": "the S&P 500 without its AI companies, by value (an estimate)",
    "ex-treated": "firms outside AI",
    "ex-treated-value": "firms outside AI, by value",
}
FACTORS = "Fama and French’s factors"
FEWEST_PLACEBO_DATES, MOST_PLACEBO_DATES = 50, 300
LEVEL = 0.95


@dataclass(frozen=True)
class Question:
    """What is asked of a study: the event (id or day), the firms, the model and the yardstick.

    `exclude` leaves the sessions of other events out of the estimation window.
    """

    event_id: str = DEFAULT_EVENT
    group: str = ALL_AI
    tickers: tuple[str, ...] = ()
    model: str = "market"
    benchmark: str = "SPY"
    window: Window = (0, 0)
    estimation: Window = ESTIMATION
    exclude: bool = False


@dataclass(frozen=True)
class Answer:
    """A study with what the page says around it; what is behind a fold is computed when it is looked at.

    `confounded`: the other events in its windows (event, day, where). `caar_otherwise`: the CAAR of the window with
    the other events left out of the estimation where the study has them in, and the other way round; None without
    such events.
    """

    question: Question
    event: Event
    group: str
    study: Study = field(repr=False)
    check: pd.DataFrame = field(repr=False)
    confounded: pd.DataFrame = field(repr=False)
    caar_otherwise: float | None
    benchmark: str
    inputs: StudyInputs = field(repr=False)
    market: Market = field(repr=False)
    values: pd.Series = field(repr=False)
    volumes: pd.DataFrame = field(repr=False)
    other_sessions: tuple[object, ...] = field(repr=False)
    foreign: dict[str, pd.DataFrame] = field(repr=False)
    names: dict[str, str] = field(repr=False)
    segments: pd.Series = field(repr=False)
    listings: tuple[str, ...] = field(repr=False)
    source: str

    @cached_property
    def left_out(self) -> pd.DataFrame:
        """Firms that are not in the study, each with the reason."""
        return pd.concat([self.inputs.left_out, self.study.dropped], ignore_index=True)

    @cached_property
    def days(self) -> pd.DataFrame:
        """The path from the session before the window (or the event) on, see `Study.path`."""
        return self.study.path(min(0, self.question.window[0]))

    @cached_property
    def cars(self) -> pd.DataFrame:
        """One row a firm: its CAR over the window with its 95% interval and p-values, and its model."""
        start, end = self.question.window
        rows = self.study.car[(self.study.car["start"] == start) & (self.study.car["end"] == end)].copy()
        half = rows["se"] * stdtrit(rows["df"], (1 + LEVEL) / 2)
        rows["low"], rows["high"] = rows["car"] - half, rows["car"] + half
        rows.insert(1, "name", rows["firm"].map(self.names))
        models = self.study.firms[["alpha", "beta", "sigma", "r2", "n_obs"]]
        return rows.merge(models, left_on="firm", right_index=True).sort_values("car").reset_index(drop=True)

    @cached_property
    def tests(self) -> pd.DataFrame:
        """The tests of the window, those that hold for this group first."""
        start, end = self.question.window
        tests = self.study.tests
        rows = tests[(tests["start"] == start) & (tests["end"] == end)].drop_duplicates("test").copy()
        rows.insert(1, "title", [TESTS[test].title for test in rows["test"]])
        order = ["valid_with_common_date", "valid_with_volatile_day"]
        return rows.sort_values(order, ascending=False, kind="stable").reset_index(drop=True)

    @cached_property
    def size(self) -> pd.DataFrame:
        """How often each test rejects on these firms' own ordinary dates; no rows where there are too few dates.

        The study's own estimation window; no date whose window holds another event.
        """
        start, end = self.question.window
        around = (min(start, 0), max(end, 0))
        returns = simple_returns(self.inputs.prices)[list(self.study.abnormal_returns.columns)]
        try:
            rows = run_size_check(
                returns,
                self.market,
                self.question.model,
                self.question.estimation,
                around,
                (self.question.window,),
                dates=MOST_PLACEBO_DATES,
                exclude=[self.event.market_session, *self.other_sessions],
            )
        except EventStudyError:
            return pd.DataFrame()
        return rows[rows["dates"] >= FEWEST_PLACEBO_DATES]

    @cached_property
    def contrast(self) -> Contrast:
        """The group against the firms outside AI; raises NothingToShow where there are none."""
        outside = [ticker for ticker in self.inputs.universe if ticker not in self.inputs.treated]
        returns = simple_returns(self.inputs.universe)
        exposed = [ticker for ticker in self.study.abnormal_returns.columns if ticker in returns]
        windows = tuple(dict.fromkeys([(0, 0), self.question.window]))
        try:
            return run_contrast(
                returns,
                self.market,
                self.event.market_session,
                exposed,
                outside,
                self.question.model,
                self.question.estimation,
                windows=windows,
            )
        except EventStudyError as error:
            raise NothingToShow(str(error)) from error

    @cached_property
    def explained(self) -> Explained:
        """What explains who lost; raises NothingToShow where the firms are too few."""
        try:
            return explain(self.study, self.values, self.segments, self.question.window)
        except EventStudyError as error:
            raise NothingToShow(str(error)) from error

    @cached_property
    def rebuilt(self) -> Synthetic:
        """What would have been; raises NothingToShow where the fit before the event is poor."""
        returns = simple_returns(self.inputs.universe)
        outside = returns.drop(columns=[ticker for ticker in self.inputs.treated if ticker in returns])
        group = simple_returns(self.inputs.prices)[list(self.study.abnormal_returns.columns)]
        try:
            return run_synthetic(group.mean(axis=1), outside, self.study.place)
        except EventStudyError as error:
            raise NothingToShow(str(error)) from error

    @cached_property
    def elsewhere(self) -> pd.DataFrame:
        """The group's firms on other clocks against SPY, see `study_beyond.elsewhere`; with their name."""
        spy = self.inputs.benchmarks["SPY"]
        found = elsewhere(self.foreign, spy, self.event.session_on, self.question.window, LEVEL)
        return _named(found, self.names)

    @cached_property
    def unusual(self) -> pd.DataFrame:
        """The day's move for the volatility of its time, the spread of the firms and their volume."""
        items = [
            (
                "Mean abnormal return over the volatility of its time",
                scaled_placebo(self.study, self.question.window),
            ),
            ("Spread of the firms’ abnormal returns on the day", abnormal_variance(self.study)),
            ("Shares traded on the day, times the usual", abnormal_volume(self.volumes, self.study)),
        ]
        return unusual_table([(name, item) for name, item in items if item.days])


def ask(con: duckdb.DuckDBPyConnection, question: Question) -> Answer:
    """Run the study of a question on one state of the warehouse.

    Raises
    ------
    NothingToShow
        When the event, the group or the prices do not allow a study; the message says which.
    """
    event = asked_event(con, question.event_id)
    try:
        inputs = load_study_inputs(con, question.group, question.tickers, event.market_session)
        values = market_values(con, event.market_session)
        index = IndexParts(pd.Timestamp(event.market_session), *index_parts(con, event.market_session))
        yardsticks = benchmark_choices(inputs.benchmarks, inputs.universe, inputs.treated, values, index)
        chosen = _yardstick(con, question, yardsticks)
        others = {each.event_id: each for each in events(con) if each.event_id != event.event_id}
        return _answer(con, question, event, inputs, values, yardsticks, chosen, others)
    except (NothingToStudyError, UnknownName, EventStudyError) as error:
        raise NothingToShow(str(error), error.step) from error


def ask_elsewhere(con: duckdb.DuckDBPyConnection, question: Question) -> pd.DataFrame:
    """The question's firms that trade on other clocks, as `Answer.elsewhere` gives them; no rows where there are none.

    For a question whose firms all do, so that `ask` has none to study.
    """
    event = asked_event(con, question.event_id)
    try:
        foreign = prices_elsewhere(con, members(con, question.group, question.tickers, event.market_session))
    except UnknownName as error:
        raise NothingToShow(str(error)) from error
    names = market.companies(con).set_index("ticker")["name"].to_dict()
    spy = benchmark_prices(con)["SPY"]
    return _named(elsewhere(foreign, spy, event.session_on, question.window, LEVEL), names)


def _named(found: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    found.insert(1, "name", found["firm"].map(names))
    return found


def _yardstick(
    con: duckdb.DuckDBPyConnection, question: Question, yardsticks: dict[str, Benchmark]
) -> Market:
    """What the model reads."""
    model = MODELS[question.model]
    if model.excess:
        held = factors(con)
        if held.empty:
            raise NothingToShow(
                "There are no factors yet.", "`python -m etl refresh --source factors` brings them in."
            )
        return held
    if not model.needs_market:
        return None
    resolve("benchmark", question.benchmark, yardsticks)
    return choose_benchmark(yardsticks, question.benchmark).returns


def _answer(
    con: duckdb.DuckDBPyConnection,
    question: Question,
    event: Event,
    inputs: StudyInputs,
    values: pd.Series,
    yardsticks: dict[str, Benchmark],
    chosen: Market,
    others: dict[str, Event],
) -> Answer:
    returns = simple_returns(inputs.prices)
    dates = {name: pd.Timestamp(each.market_session) for name, each in others.items()}
    study, other = _studies(returns, chosen, event, question, list(dates.values()))
    found = confounders(
        pd.DatetimeIndex(returns.index), study.event_session, dates, question.estimation, study.span
    )
    found["title"] = [others[name].title for name in found["event"]]
    blurred = bool((found["where"] == "estimation window").any())
    companies = market.companies(con)
    names = dict(zip(companies["ticker"], companies["name"], strict=True))
    studied, left_out = list(study.abnormal_returns.columns), len(inputs.left_out) + len(study.dropped)
    title = _title(con, question)
    firms = companies[companies["ticker"].isin(studied)]
    return Answer(
        question,
        event,
        named(title, studied, names),
        study,
        _check(returns, yardsticks, event, question),
        found,
        other.estimate(question.window)[0] if blurred else None,
        _label(question),
        inputs,
        chosen,
        values,
        volumes(con, list(returns.columns)),
        tuple(dates.values()),
        prices_elsewhere(con, list(inputs.left_out["firm"])),
        names,
        companies.set_index("ticker")["segment"],
        (
            *missed(title, question.tickers, studied, left_out, names),
            *listed_elsewhere(firms, event.session_on, study.event_session.date()),
        ),
        _source(con, study, question),
    )


def _studies(
    returns: pd.DataFrame, chosen: Market, event: Event, question: Question, others: list[pd.Timestamp]
) -> tuple[Study, Study]:
    """The study asked for, and the one with the other events out of (or in) the estimation window."""
    windows = tuple(dict.fromkeys([(0, 0), question.window]))
    found = [
        run_study(
            returns,
            chosen,
            event.market_session,
            question.model,
            question.estimation,
            windows=windows,
            exclude=exclude,
        )
        for exclude in ((), others)
    ]
    return (found[1], found[0]) if question.exclude else (found[0], found[1])


def _label(question: Question) -> str:
    if question.model == "mean":
        return "their own mean"
    return FACTORS if MODELS[question.model].excess else LABELS.get(question.benchmark, question.benchmark)


def _source(con: duckdb.DuckDBPyConnection, study: Study, question: Question) -> str:
    first, last = study.estimation_sessions[0].date(), study.event_sessions[-1].date()
    sources = words.listed(market.price_sources(con, first, last))
    library = "; factors: Kenneth R. French’s data library" if MODELS[question.model].excess else ""
    return (
        f"Source: {sources}{library}; own calculation on prices from {words.day(first)} to {words.day(last)}"
    )


def _title(con: duckdb.DuckDBPyConnection, question: Question) -> str:
    if question.tickers:
        return ""
    known = groups(con)
    return known[resolve("group", question.group, known)]


def _check(
    returns: pd.DataFrame, yardsticks: dict[str, Benchmark], event: Event, question: Question
) -> pd.DataFrame:
    """The same study against every benchmark that is not made of the firms it judges."""
    compared = {name: each.returns for name, each in yardsticks.items() if name in LABELS and each.fair}
    model = question.model if question.model == "market-adjusted" else "market"
    check = run_benchmark_check(
        returns,
        compared,
        event.market_session,
        model=model,
        estimation=question.estimation,
        windows=(question.window,),
    )
    check.insert(0, "label", [_titled(yardsticks[name]) for name in check["benchmark"]])
    check.insert(2, "members", [yardsticks[name].describe() for name in check["benchmark"]])
    return check


def _titled(benchmark: Benchmark) -> str:
    """Its title with the number of its members, none of which the event treats."""
    title = LABELS[benchmark.name].removeprefix("the ")
    members = f" ({benchmark.firms}, none treated)" if benchmark.firms and not benchmark.treated else ""
    return f"{title[0].upper()}{title[1:]}{members}"
