"""The event study: how much of a move the market explains, and how sure one can be."""

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.app_pages.audience import say_nothing
from dashboard.app_pages.choices import pick, select, select_many
from dashboard.app_pages.markdown import plain
from dashboard.app_pages.period import choose_event
from dashboard.app_pages.reading import reading
from dashboard.app_pages.shared import require_state, show, theme
from dashboard.charts.chart import Chart
from dashboard.charts.event_study import spell
from dashboard.data.market import named_companies
from dashboard.data.study_inputs import ALL_AI, groups
from dashboard.views.event_study import LABELS, MODELS, Answer, Question, ask, conclusion, draw, spell_p
from dashboard.views.request import NothingToShow

WINDOWS = {"0": (0, 0), "-1..1": (-1, 1), "0..1": (0, 1), "-4..0": (-4, 0), "0..10": (0, 10)}
ESTIMATIONS = {"250": (-260, -11), "120": (-130, -11), "60": (-70, -11)}
MOST_FIRMS = 30


@st.cache_resource(max_entries=4, show_spinner=False)
def choices(state: str) -> tuple[dict[str, str], dict[str, str]]:
    """The groups by short name, and the companies that have prices by ticker, of a published state."""
    with reading(state) as con:
        return groups(con), named_companies(con)


@st.cache_resource(max_entries=48, show_spinner="Running the study…")
def answer_to(state: str, question: Question) -> Answer:
    """The study of a question in a published state, run once for all readers."""
    with reading(state) as con:
        return ask(con, question)


@st.cache_resource(max_entries=120, show_spinner=False)
def chart_of(state: str, question: Question, name: str, theme: str) -> Chart:
    """A chart of a study, drawn once for all readers."""
    return draw(answer_to(state, question), name, theme)


def ask_reader(state: str) -> Question:
    """The question as the controls, and so the address, put it."""
    known_groups, companies = choices(state)
    event = choose_event(state)
    group = select("The firms", known_groups, "group", ALL_AI)
    tickers = select_many("Or chosen firms, in place of the group", companies, "firms", [], MOST_FIRMS)
    with st.container(horizontal=True, gap="medium"):
        model = pick("Model of the normal return", MODELS, "model", "market")
        benchmark = select("Benchmark", LABELS, "benchmark", "SPY", width=260)
    with st.container(horizontal=True, gap="medium"):
        window = pick("Window", {key: spell(days) for key, days in WINDOWS.items()}, "window", "0")
        estimation = pick(
            "Estimation window", {key: f"{key} sessions" for key in ESTIMATIONS}, "estimation", "250"
        )
    return Question(
        event.event_id, group, tickers, model, benchmark, WINDOWS[window], ESTIMATIONS[estimation]
    )


def tests_table(answer: Answer) -> None:
    """The tests, the valid ones first, the others greyed with the share of placebo dates on which they reject."""
    st.subheader("The tests, and which of them to believe", anchor="tests")
    measured = answer.size["dates"].max() if len(answer.size) else 0
    st.caption(
        "All firms share one date, so their returns are not independent: tests that assume it reject far too often. "
        + (
            f"“Rejects at 5%” is measured on {measured:.0f} placebo dates of these firms; a sound test stays near 5%."
            if measured
            else "The history is too short to measure on these firms how often each test rejects by chance."
        )
    )
    tests = answer.tests
    shown = pd.DataFrame(
        {
            "Test": tests["title"],
            "Holds": tests["valid_with_common_date"].map({True: "yes", False: "no"}),
            "Statistic": tests["statistic"],
            "df": [f"{df:.0f}" if pd.notna(df) else "–" for df in tests["df"]],
            "p": [spell_p(p) for p in tests["p_value"]],
            "Rejects at 5%": tests["rejected_5pct"] * 100,
            "Why": tests["note"],
        }
    )
    grey = {"light": "#6F6C65", "dark": "#8E959C"}[theme()]
    styled = shown.style.apply(
        lambda row: ["" if row["Holds"] == "yes" else f"color: {grey}"] * len(row), axis=1
    )
    st.dataframe(
        styled,
        hide_index=True,
        height="content",
        row_height=65,  # Streamlit breaks lines in rows of more than four rem: nothing is cut off
        alt="The tests of the abnormal return, those that hold with a shared event date first",
        column_config={
            "Test": st.column_config.TextColumn(width=200),
            "Holds": st.column_config.TextColumn(
                help="Whether the test holds when all firms share the event date", width="small"
            ),
            "Statistic": st.column_config.NumberColumn(format="%.2f", width="small"),
            "df": st.column_config.TextColumn(
                help="Degrees of freedom of the t distribution; none for the normal one and for ranks",
                width="small",
            ),
            "p": st.column_config.TextColumn(help="Two-sided p-value", width="small"),
            "Rejects at 5%": st.column_config.NumberColumn(format="%.1f%%", width=112),
            "Why": st.column_config.TextColumn(width=460),
        },
    )


def as_csv(table: pd.DataFrame) -> bytes:
    """A table as a CSV file."""
    return table.to_csv(index=False).encode("utf-8")


@st.fragment
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
        "size": answer.size,
        "left-out": answer.left_out,
    }
    st.subheader("Every number", anchor="numbers")
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
    say_nothing(nothing, ":material/calendar_month:")
    st.stop()

st.markdown(f"### {plain(conclusion(answer))}")
for note in answer.study.notes:
    st.caption(plain(note))
if len(answer.left_out):
    with st.expander(f"{len(answer.left_out)} firms left out", icon=":material/person_off:"):
        st.dataframe(answer.left_out, hide_index=True, alt="The firms left out, each with the reason")

show(chart_of(state, question, "study-caar", theme()))
left, right = st.columns([3, 2], gap="large")
with left:
    show(chart_of(state, question, "study-firms", theme()))
with right:
    show(chart_of(state, question, "study-benchmarks", theme()))
tests_table(answer)
downloads(answer)
