"""An event study of the warehouse's prices as the page and the exports show it."""

from dataclasses import dataclass, field
from functools import cached_property

import duckdb
import pandas as pd
from scipy.special import stdtrit

from dashboard.analysis.placebo import placebo_range
from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.event_study import benchmarks, cumulative, firm_cars, spell
from dashboard.data import market
from dashboard.data.events import Event
from dashboard.data.naming import UnknownName, resolve
from dashboard.data.study_inputs import (
    ALL_AI,
    NothingToStudyError,
    StudyInputs,
    groups,
    load_study_inputs,
)
from dashboard.event_study import (
    TESTS,
    EventStudyError,
    Study,
    benchmark_choices,
    run_benchmark_check,
    run_size_check,
    run_study,
    simple_returns,
)
from dashboard.event_study.study import ESTIMATION, EVENT_WINDOW
from dashboard.event_study.windows import Window
from dashboard.views.request import DEFAULT_EVENT, Heeds, Maker, NothingToShow, Request, asked_event

MODELS = {"market": "Market model", "market-adjusted": "Market-adjusted", "mean": "Mean-adjusted"}
LABELS = {
    "SPY": "S&P 500 (SPY)",
    "QQQ": "Nasdaq-100 (QQQ)",
    "equal-weight": "Equal weight, all firms",
    "ex-treated": "Firms outside AI",
}
SIZE_ESTIMATION: Window = (-130, -11)
FEWEST_PLACEBO_DATES = 50
LEVEL = 0.95


@dataclass(frozen=True)
class Question:
    """What is asked of a study: the event (id or day), the firms, the model and the yardstick."""

    event_id: str = DEFAULT_EVENT
    group: str = ALL_AI
    tickers: tuple[str, ...] = ()
    model: str = "market"
    benchmark: str = "SPY"
    window: Window = (0, 0)
    estimation: Window = ESTIMATION


@dataclass(frozen=True)
class Answer:
    """A study with what the page says around it; `size` is empty where the history is too short to measure it."""

    question: Question
    event: Event
    group: str
    study: Study = field(repr=False)
    check: pd.DataFrame = field(repr=False)
    size: pd.DataFrame = field(repr=False)
    left_out: pd.DataFrame = field(repr=False)
    names: dict[str, str] = field(repr=False)
    source: str

    @property
    def benchmark(self) -> str:
        """The benchmark in words."""
        if self.question.model == "mean":
            return "their own mean"
        return LABELS.get(self.question.benchmark, self.question.benchmark)

    @cached_property
    def days(self) -> pd.DataFrame:
        """One row an event day: `Study.aar` with the cumulative raw return and the placebo range of each length."""
        days = self.study.aar.copy()
        history = self.study.placebo
        one_day = history[(history["start"] == 0) & (history["end"] == 0)]
        placebo = placebo_range(one_day["caar"], len(days), LEVEL)
        days["raw"] = days["mean_return"].cumsum()
        days["placebo_low"], days["placebo_high"] = placebo["low"].to_numpy(), placebo["high"].to_numpy()
        return days

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
        """The tests of the window, those that hold with a shared date first: test, statistic, df, p, size, why."""
        start, end = self.question.window
        tests = self.study.tests
        rows = tests[(tests["start"] == start) & (tests["end"] == end)].drop_duplicates("test")
        rows = rows.merge(self.size, how="left", on="test")
        rows["title"] = [TESTS[test].title for test in rows["test"]]
        rows = rows.sort_values("valid_with_common_date", ascending=False, kind="stable")
        columns = [
            "title",
            "statistic",
            "df",
            "p_value",
            "rejected_5pct",
            "dates",
            "valid_with_common_date",
            "note",
        ]
        return rows[["test", *columns]].reset_index(drop=True)


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
        study, check, size = _run(inputs, event, question)
    except (NothingToStudyError, UnknownName, EventStudyError) as error:
        raise NothingToShow(str(error)) from error
    companies = market.companies(con)
    names = dict(zip(companies["ticker"], companies["name"], strict=True))
    first, last = study.estimation_sessions[0].date(), study.event_sessions[-1].date()
    sources = words.listed(market.price_sources(con, first, last))
    return Answer(
        question,
        event,
        _group_name(con, question, names),
        study,
        check,
        size,
        pd.concat([inputs.left_out, study.dropped], ignore_index=True),
        names,
        f"Source: {sources}; own calculation on prices from {words.day(first)} to {words.day(last)}",
    )


def _group_name(con: duckdb.DuckDBPyConnection, question: Question, names: dict[str, str]) -> str:
    if not question.tickers:
        return groups(con)[question.group]
    chosen = [names.get(ticker, ticker) for ticker in question.tickers]
    return words.listed(chosen) if len(chosen) <= 3 else f"{len(chosen)} chosen companies"


def _run(inputs: StudyInputs, event: Event, question: Question) -> tuple[Study, pd.DataFrame, pd.DataFrame]:
    returns = simple_returns(inputs.prices)
    markets = benchmark_choices(inputs.benchmarks, inputs.universe, inputs.treated)
    benchmark = resolve("benchmark", question.benchmark, markets)
    chosen = None if question.model == "mean" else markets[benchmark]
    windows = tuple(dict.fromkeys([(0, 0), question.window]))
    study = run_study(
        returns, chosen, event.market_session, question.model, estimation=question.estimation, windows=windows
    )
    compared = {name: markets[name] for name in LABELS if name in markets}
    model = "market" if question.model == "mean" else question.model
    check = run_benchmark_check(
        returns, compared, event.market_session, model=model, estimation=question.estimation, windows=windows
    )
    check = check[(check["start"] == question.window[0]) & (check["end"] == question.window[1])]
    check.insert(0, "label", check["benchmark"].map(LABELS))
    size = _size(returns[study.abnormal_returns.columns], chosen, event, question)
    return study, check.reset_index(drop=True), size


def _size(returns: pd.DataFrame, chosen: pd.Series | None, event: Event, question: Question) -> pd.DataFrame:
    """How often each test rejects on placebo dates of this very group; no rows where too few dates exist."""
    columns = ["test", "rejected_5pct", "dates"]
    try:
        rows = run_size_check(
            returns,
            chosen,
            question.model,
            estimation=SIZE_ESTIMATION,
            event_window=EVENT_WINDOW,
            windows=(question.window,),
            exclude=[event.market_session],
        )
    except EventStudyError:
        return pd.DataFrame(columns=columns)
    return rows.loc[rows["dates"] >= FEWEST_PLACEBO_DATES, columns]


def conclusion(answer: Answer) -> str:
    """What the study says, with its uncertainty, in plain words."""
    window = answer.question.window
    tests = answer.tests.set_index("test")
    start, end = window
    inside = answer.days.loc[start:end]
    caar, raw = float(inside["aar"].sum()), float(inside["mean_return"].sum())
    portfolio, placebo = tests.loc["portfolio_regression"], tests.loc["placebo"]
    half = float(stdtrit(portfolio["df"], (1 + LEVEL) / 2) * abs(caar / portfolio["statistic"]))
    stands_out = int((answer.cars["placebo_p_bh"] < 1 - LEVEL).sum())
    strength = (
        "more than chance explains" if portfolio["p_value"] < 1 - LEVEL else "no more than chance explains"
    )
    single = start == end == 0
    when = f"On {words.day(answer.study.event_session.date())}" if single else f"Over {spell(window)}"
    firms = int(inside["n"].min())
    who = f"the {firms} firms of “{answer.group}”" if firms > 1 else answer.group
    t = f"{portfolio['statistic']:.1f}".replace("-", words.MINUS)
    return (
        f"{when} {who} moved {words.percent(raw, 2)}{' on average' if firms > 1 else ''}; what "
        f"{answer.benchmark} does "
        f"not account for is {words.percent(caar, 2)} (95% band {words.percent(caar - half)} to "
        f"{words.percent(caar + half)}). That is {strength}: t = {t}, p {_equals(portfolio['p_value'])} by the "
        f"portfolio regression, and p {_equals(placebo['p_value'])} among equally long stretches of the same firms’ "
        "history. "
        f"{stands_out} of {len(answer.cars)} firms stand out on their own, at a false discovery rate of 5%."
    )


def spell_p(value: float) -> str:
    """A p-value in words: "< 0.001" or three decimals; "–" where there is none."""
    return "–" if pd.isna(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _equals(value: float) -> str:
    text = spell_p(value)
    return text if text.startswith("<") else f"= {text}"


def _caar(answer: Answer, theme: str) -> Chart:
    return cumulative(answer.days, answer.group, answer.benchmark, answer.source, theme)


def _firms(answer: Answer, theme: str) -> Chart:
    return firm_cars(answer.cars, answer.question.window, answer.benchmark, answer.source, theme)


def _benchmarks(answer: Answer, theme: str) -> Chart:
    return benchmarks(answer.check, answer.group, answer.question.window, answer.source, theme)


_DRAW = {"study-caar": _caar, "study-firms": _firms, "study-benchmarks": _benchmarks}


def draw(answer: Answer, name: str, theme: str) -> Chart:
    """The chart called `name` of a study."""
    return _DRAW[name](answer, theme)


def question_of(request: Request) -> Question:
    """The question in a chart's request: `group`, `model` and `benchmark` are among its options."""
    options = dict(request.options)
    return Question(
        request.event_id,
        options.get("group", ALL_AI),
        request.tickers,
        options.get("model", "market"),
        options.get("benchmark", "SPY"),
    )


def _maker(name: str) -> Maker:
    def make(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
        return draw(ask(con, question_of(request)), name, request.theme)

    return make


CHARTS: dict[str, Maker] = {name: _maker(name) for name in _DRAW}

_OPTIONS: dict[str, tuple[str, ...]] = {"group": (), "model": tuple(MODELS), "benchmark": ()}
HEEDS: dict[str, Heeds] = {name: Heeds(options=_OPTIONS) for name in CHARTS}
