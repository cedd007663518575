"""The charts of an event study as the page and the exports show them."""

import duckdb

from dashboard.charts.chart import Chart
from dashboard.charts.event_study import benchmarks, cumulative, firm_cars
from dashboard.charts.event_study_explained import scatter, slopes
from dashboard.charts.event_study_more import Chances, contrasted, rebuilt, synthetic_gaps
from dashboard.data.study_inputs import ALL_AI
from dashboard.event_study import MODELS
from dashboard.views.request import Heeds, Maker, NothingToShow, Request
from dashboard.views.study_answer import Answer, Question, ask

WINDOWS = {"0": (0, 0), "-1..1": (-1, 1), "0..1": (0, 1), "-4..0": (-4, 0), "0..10": (0, 10)}
"""The event windows of the page, first and last session relative to the event, by their name in an address."""
ESTIMATIONS = {"250": (-260, -11), "120": (-130, -11), "60": (-70, -11)}
"""The estimation windows of the page, likewise."""
OTHERS = ("in", "out")
FEWEST_POINTS = 3
USUAL = {
    "group": ALL_AI,
    "model": "market",
    "benchmark": "SPY",
    "window": "0",
    "estimation": "250",
    "others": "in",
}


def _caar(answer: Answer, theme: str) -> Chart:
    return cumulative(answer.days, answer.group, answer.benchmark, answer.source, theme)


def _firms(answer: Answer, theme: str) -> Chart:
    return firm_cars(answer.cars, answer.question.window, answer.benchmark, answer.source, theme)


def _benchmarks(answer: Answer, theme: str) -> Chart:
    return benchmarks(answer.check, answer.group, answer.question.window, answer.source, theme)


def _contrast(answer: Answer, theme: str) -> Chart:
    found = answer.contrast
    return contrasted(found.path(min(0, answer.question.window[0])), answer.group, answer.source, theme)


def _slopes(answer: Answer, theme: str) -> Chart:
    found = answer.explained
    return slopes(found.slopes, found.base, found.notes, answer.question.window, answer.source, theme)


def _scatter(answer: Answer, theme: str) -> Chart:
    firms = answer.cars.assign(segment=answer.cars["firm"].map(answer.segments))
    if int(firms["car"].notna().sum()) < FEWEST_POINTS:
        raise NothingToShow(f"A scatter plot needs {FEWEST_POINTS} firms or more.")
    return scatter(firms, answer.question.window, answer.source, theme)


def _rebuilt(answer: Answer, theme: str) -> Chart:
    found = answer.rebuilt
    weights = found.weights.rename(index=answer.names)
    return rebuilt(found.days, weights, found.fit, answer.group, answer.source, theme)


def _gaps(answer: Answer, theme: str) -> Chart:
    found = answer.rebuilt
    compared = found.donors.index[found.donors["compared"]]
    others = found.donor_gaps[compared].rename(columns=answer.names)
    left_out = [answer.names[donor] for donor in found.donors.index.difference(compared)]
    as_large = int((found.placebo.abs() >= abs(found.days.loc[0, "gap"])).sum())
    chances = Chances(found.rank, found.p_donors, as_large, len(found.placebo), left_out)
    path = found.days[["session", "gap", "cumulative_gap"]].join(found.band())
    return synthetic_gaps(path, others, chances, answer.group, answer.source, theme)


_DRAW = {
    "study-caar": _caar,
    "study-firms": _firms,
    "study-benchmarks": _benchmarks,
    "study-contrast": _contrast,
    "study-explained": _slopes,
    "study-scatter": _scatter,
    "study-synthetic": _rebuilt,
    "study-synthetic-gaps": _gaps,
}


def draw(answer: Answer, name: str, theme: str) -> Chart:
    """The chart called `name` of a study; raises NothingToShow where it cannot be drawn."""
    return _DRAW[name](answer, theme)


def question_of(request: Request) -> Question:
    """The question in a chart's request: all but the event and the firms are among its options."""
    options = USUAL | dict(request.options)
    return Question(
        request.event_id,
        options["group"],
        request.tickers,
        options["model"],
        options["benchmark"],
        WINDOWS[options["window"]],
        ESTIMATIONS[options["estimation"]],
        options["others"] == "out",
    )


def request_of(question: Question, theme: str) -> Request:
    """The request of a question's charts, with the options that are not the usual ones."""
    asked = {
        "group": question.group,
        "model": question.model,
        "benchmark": question.benchmark,
        "window": next(name for name, window in WINDOWS.items() if window == question.window),
        "estimation": next(name for name, window in ESTIMATIONS.items() if window == question.estimation),
        "others": "out" if question.exclude else "in",
    }
    options = tuple((name, value) for name, value in asked.items() if value != USUAL[name])
    return Request(question.event_id, question.tickers, theme=theme, options=options)


def _maker(name: str) -> Maker:
    def make(con: duckdb.DuckDBPyConnection, request: Request) -> Chart:
        return draw(ask(con, question_of(request)), name, request.theme)

    return make


CHARTS: dict[str, Maker] = {name: _maker(name) for name in _DRAW}

_OPTIONS: dict[str, tuple[str, ...]] = {
    "group": (),
    "model": tuple(MODELS),
    "benchmark": (),
    "window": tuple(WINDOWS),
    "estimation": tuple(ESTIMATIONS),
    "others": OTHERS,
}
HEEDS: dict[str, Heeds] = {name: Heeds(options=_OPTIONS) for name in CHARTS}
