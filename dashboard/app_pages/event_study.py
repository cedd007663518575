"""The event study: one sentence and one chart; how it was found out lies folded beneath."""

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.app_pages import address, markup
from dashboard.app_pages.audience import say_nothing
from dashboard.app_pages.choices import pick, select, select_many
from dashboard.app_pages.markdown import plain
from dashboard.app_pages.period import choose_event
from dashboard.app_pages.reading import reading
from dashboard.app_pages.shared import citation, require_state, show, theme
from dashboard.charts.chart import Chart
from dashboard.charts.event_study import spell
from dashboard.data.market import named_companies
from dashboard.data.spreadsheet import csv_text
from dashboard.data.study_inputs import groups
from dashboard.event_study import MODELS
from dashboard.views import study_tables
from dashboard.views.event_study import ESTIMATIONS, USUAL, WINDOWS, draw, request_of
from dashboard.views.request import NothingToShow
from dashboard.views.study_answer import LABELS, Answer, Question, ask, ask_elsewhere
from dashboard.views.study_words import UNUSUAL, confounding, estimate, evidence, silent

OTHERS = {"in": "Kept in", "out": "Left out"}
MOST_FIRMS = 30
FOLDS = {
    "study-firms": ("Firm by firm", ":material/format_list_bulleted:"),
    "study-contrast": ("Exposed against not exposed", ":material/compare_arrows:"),
    "study-explained": ("What explains who lost", ":material/query_stats:"),
    "study-synthetic": ("What would have been", ":material/alt_route:"),
    "study-benchmarks": ("Against other benchmarks", ":material/straighten:"),
}

CAPTIONS = {
    "tests": "The tests of the abnormal return",
    "donors": "Weights of the synthetic control, and each donor rebuilt from the others",
    "elsewhere": "Abnormal returns on their own sessions",
    "unusual": "Volatility-scaled move, spread of the firms and volume of the day",
    "left-out": "The firms left out",
    "own-size": "How often each test rejects on ordinary dates of these firms",
}
BESIDE = {"study-explained": ("study-scatter",), "study-synthetic": ("study-synthetic-gaps",)}


@st.cache_resource(max_entries=4, show_spinner=False)
def choices(state: str) -> tuple[dict[str, str], dict[str, str]]:
    """The groups by short name, and the companies that have prices by ticker, of a published state."""
    with reading(state) as con:
        return groups(con), named_companies(con)


@st.cache_resource(max_entries=24, show_spinner="Running the study…")
def answer_to(state: str, question: Question) -> Answer:
    """The study of a question in a published state, run once for all readers."""
    with reading(state) as con:
        return ask(con, question)


@st.cache_resource(max_entries=120, show_spinner=False)
def chart_of(state: str, question: Question, name: str, theme: str) -> Chart:
    """A chart of a study, drawn once for all readers."""
    return draw(answer_to(state, question), name, theme)


@st.cache_resource(max_entries=120, show_spinner=False)
def said(state: str, question: Question) -> tuple[str, str, list[str]]:
    """The answer in a sentence, the evidence, and what else is to be said: found once for all readers."""
    answer = answer_to(state, question)
    further = [*confounding(answer), *silent(answer), *answer.study.notes, *answer.listings]
    return estimate(answer), evidence(answer), further


@st.cache_resource(max_entries=120, show_spinner=False)
def table_of(state: str, question: Question, name: str) -> str:
    """A table of a study as HTML, which prints as it is; "" where it has no rows. Made once for all readers."""
    return markup.table(study_tables.TABLES[name](answer_to(state, question)), CAPTIONS[name])


def show_chart(state: str, question: Question, name: str) -> None:
    """A chart of the study, with what takes it along as it is shown; raises `NothingToShow` where there is none."""
    chart = chart_of(state, question, name, theme())
    show(chart, citation(state, chart, request_of(question, theme())))


def ask_reader(state: str) -> Question:
    """The question as the controls, and so the address, put it."""
    known_groups, companies = choices(state)
    with st.container(horizontal=True, gap="medium"):
        event = choose_event(state)
        group = select("The firms", known_groups, "group", USUAL["group"], width=260)
    tickers = select_many("Or chosen firms, in place of the group", companies, "firms", [], MOST_FIRMS)
    named = address.names_any("window", "benchmark", "model", "estimation", "others")
    with st.expander("Window, benchmark and model", named, icon=":material/tune:"):
        with st.container(horizontal=True, gap="medium"):
            window = pick(
                "Window", {key: spell(days) for key, days in WINDOWS.items()}, "window", USUAL["window"]
            )
            labels = {name: text.removeprefix("the ") for name, text in LABELS.items()}
            benchmark = select("Benchmark", labels, "benchmark", USUAL["benchmark"], width=260)
        with st.container(horizontal=True, gap="medium"):
            titles = {name: model.title for name, model in MODELS.items()}
            model = select("Model of the normal return", titles, "model", USUAL["model"], width=260)
            estimation = pick(
                "Estimation window",
                {key: f"{key} sessions" for key in ESTIMATIONS},
                "estimation",
                USUAL["estimation"],
                kind="estimation window",
            )
            others = pick(
                "Other events in it", OTHERS, "others", USUAL["others"], kind="treatment of other events"
            )
    return Question(
        event.event_id,
        group,
        tickers,
        model,
        benchmark,
        WINDOWS[window],
        ESTIMATIONS[estimation],
        others == "out",
    )


def fold(state: str, question: Question, name: str) -> None:
    """One of the further charts in a fold; a sentence where it cannot be drawn."""
    title, icon = FOLDS[name]
    with st.expander(title, icon=icon):
        try:
            show_chart(state, question, name)
            for further in BESIDE.get(name, ()):
                show_chart(state, question, further)
            if name == "study-benchmarks":
                for sentence in answer_to(state, question).check.attrs["left_out"]:
                    st.caption(plain(sentence))
            if name == "study-synthetic":
                st.html(table_of(state, question, "donors"))
        except NothingToShow as nothing:
            say_nothing(nothing)


def tests_table(state: str, question: Question) -> None:
    """The tests, those that hold for this group first, the others greyed, each with its measured size."""
    st.caption(
        "A sound test at 5% sees an event on 5% of the dates that have none. In brackets: how often each does so in "
        "simulated markets without an event, for a group of this size with these gaps and a window of this length, "
        "when all firms share the date, and when the day is twice as volatile besides; the worst of seven kinds of "
        "markets."
    )
    st.html(table_of(state, question, "tests"))


def elsewhere_alone(state: str, question: Question) -> pd.DataFrame:
    """The firms of a question none of which trades on New York's sessions; no rows where it has no such firm."""
    with reading(state) as con:
        try:
            return ask_elsewhere(con, question)
        except NothingToShow:
            return pd.DataFrame()


def elsewhere_table(table: str) -> None:
    """The firms on other clocks, each on the first session of its exchange that could react."""
    st.caption(
        "Each on the first session of its own exchange that could react, against the S&P 500 (SPY) of the day, of the "
        "day before and of the day after (Dimson 1979): New York closes after them."
    )
    st.html(table)


@st.fragment
def own_size(state: str, question: Question) -> None:
    """How often each test rejects on these firms' own ordinary dates, measured when it is asked for."""
    if not st.toggle("Measure it on these firms’ own ordinary dates (takes some seconds)", key="own-size"):
        return
    if table := table_of(state, question, "own-size"):
        st.html(table)
    else:
        st.caption(
            "The history is too short: fewer than 50 dates without an event have a whole estimation window."
        )


def as_csv(table: pd.DataFrame) -> bytes:
    """A table as a CSV file."""
    return csv_text(table).encode("utf-8")


def downloads(answer: Answer) -> None:
    """Every table of the study as a file."""
    study = answer.study
    tables = {
        "days": study.aar.reset_index(),
        "firms": answer.cars,
        "windows-of-firms": study.car,
        "models": study.firms.reset_index(),
        "tests": study.tests,
        "placebo": study.placebo,
        "abnormal-returns": study.abnormal_returns.reset_index(),
        "raw-returns": study.raw_returns.reset_index(),
        "benchmarks": answer.check,
        "other-events": answer.confounded,
        "left-out": answer.left_out,
    }
    with st.container(horizontal=True):
        for name, table in tables.items():
            st.download_button(
                name.replace("-", " ").capitalize(),
                data=partial(as_csv, table),
                file_name=f"event-study-{name}.csv",
                mime="text/csv",
                key=f"file-{name}",
                icon=":material/download:",
                on_click="ignore",
            )


state = require_state()
st.title("How much of the move was the event?", anchor=False)
question = ask_reader(state)
try:
    answer = answer_to(state, question)
except NothingToShow as nothing:
    found = elsewhere_alone(state, question)
    if found.empty:
        say_nothing(nothing, ":material/calendar_month:")
    else:
        who = "This firm trades on another clock" if len(found) == 1 else "These firms trade on other clocks"
        st.html(markup.heading(2, f"{who} than New York’s", "elsewhere", "answer"))
        elsewhere_table(markup.table(study_tables.elsewhere(found), CAPTIONS["elsewhere"]))
    st.stop()

sentence, grounds, further = said(state, question)
st.html(markup.heading(2, sentence, "answer", "answer"))
show_chart(state, question, "study-caar")
st.markdown(plain(grounds))
for sentence in further:
    st.caption(plain(sentence))
for name in FOLDS:
    fold(state, question, name)
with st.expander("The tests, and which of them hold here", icon=":material/rule:"):
    tests_table(state, question)
    own_size(state, question)
with st.expander(UNUSUAL, icon=":material/storm:"):
    st.html(table_of(state, question, "unusual"))
if elsewhere := table_of(state, question, "elsewhere"):
    with st.expander("Seoul, Tokyo and Hong Kong on their own sessions", icon=":material/schedule:"):
        elsewhere_table(elsewhere)
if left_out := table_of(state, question, "left-out"):
    with st.expander(f"Firms left out: {len(answer.left_out)}", icon=":material/person_off:"):
        st.html(left_out)
with st.expander("Every number", icon=":material/download:"):
    downloads(answer)
