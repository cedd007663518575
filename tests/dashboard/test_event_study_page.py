"""The event study's page: its figures against a plain regression, and its address."""

import duckdb
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from streamlit.testing.v1 import AppTest

from dashboard.analysis.placebo import placebo_range
from dashboard.charts.words import percent
from dashboard.views.event_study import CHARTS, draw, question_of
from dashboard.views.request import NothingToShow, Request
from dashboard.views.study_answer import Answer, Question, ask, ask_elsewhere
from dashboard.views.study_words import confounding, estimate, evidence
from etl.settings import PROJECT_ROOT

RETURNS = """
    SELECT date, ticker, adj_close / lag(adj_close) OVER (PARTITION BY ticker ORDER BY date) - 1 AS change
    FROM price_daily JOIN company USING (ticker)
    WHERE (role = 'AI' AND exchange NOT IN ('XKRX', 'XTKS')) OR ticker = 'SPY'
"""


def conclusion(answer: Answer) -> str:
    """All that the page says of a study."""
    return f"{estimate(answer)} {evidence(answer)}"


@pytest.fixture(scope="module")
def answer(con: duckdb.DuckDBPyConnection) -> Answer:
    return ask(con, Question())


@pytest.fixture(scope="module")
def wide(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return con.execute(RETURNS).df().pivot(index="date", columns="ticker", values="change")


def test_the_portfolio_test_is_the_dummy_of_a_regression(answer: Answer, wide: pd.DataFrame) -> None:
    event = wide.index.get_loc(pd.Timestamp("2025-01-27"))
    rows = wide.iloc[[*range(event - 260, event - 10), event]]
    firms = rows.drop(columns="SPY").dropna(axis=1, thresh=126)
    design = sm.add_constant(
        pd.DataFrame({"market": rows["SPY"], "event": (rows.index == wide.index[event]).astype(float)})
    )
    # The portfolio of abnormal returns: each firm's own regression on the days it has, then the mean.
    fitted = [sm.OLS(firms[t].dropna(), design.loc[firms[t].dropna().index]).fit() for t in firms]
    aar = np.mean([fit.params["event"] for fit in fitted])
    assert float(answer.days.at[0, "aar"]) == pytest.approx(aar, abs=1e-12)


def test_a_firms_abnormal_return_is_the_dummy_of_its_own_regression(
    answer: Answer, wide: pd.DataFrame
) -> None:
    event = wide.index.get_loc(pd.Timestamp("2025-01-27"))
    rows = wide.iloc[[*range(event - 260, event - 10), event]]
    design = sm.add_constant(
        pd.DataFrame({"market": rows["SPY"], "event": (rows.index == wide.index[event]).astype(float)})
    )
    fit = sm.OLS(rows["NVDA"], design).fit()
    nvidia = answer.cars.set_index("firm").loc["NVDA"]
    assert nvidia["car"] == pytest.approx(fit.params["event"], abs=1e-12)
    assert nvidia["t"] == pytest.approx(fit.tvalues["event"], abs=1e-9)
    assert nvidia["beta"] == pytest.approx(fit.params["market"], abs=1e-12)


def test_raw_returns_stand_beside_abnormal_ones(answer: Answer, wide: pd.DataFrame) -> None:
    firms = wide.drop(columns="SPY")[list(answer.study.abnormal_returns.columns)]
    assert answer.days.at[0, "mean_return"] == pytest.approx(float(firms.loc["2025-01-27"].mean()))
    said = conclusion(answer)
    assert percent(float(answer.days.at[0, "aar"])) in said
    for words in (
        "95% band",
        "SPY) itself fell 1.4%",
        "smallest effect",
        "tests that hold",
        "BMP adjusted for correlation, which then errs by rejecting too rarely and rejects (p = 0.0498)",
        "Against the other benchmarks the abnormal return lies between −11.5% and −5.1%",
    ):
        assert words in said
    assert "no more than chance" not in said


def test_the_sentence_about_one_firm_says_what_cannot_be_tested(con: duckdb.DuckDBPyConnection) -> None:
    said = conclusion(ask(con, Question(tickers=("NVDA",))))
    assert "no test that compares firms can be run" in said
    assert "rank test cannot reach 5%" in said
    assert "1 of 1" not in said


def test_a_group_of_which_one_firm_is_left_and_chosen_firms_go_by_their_own_names(
    con: duckdb.DuckDBPyConnection,
) -> None:
    memory = ask(con, Question(group="memory"))
    assert conclusion(memory).startswith("On Mon 27 Jan 2025 Micron fell")
    assert memory.listings[0].startswith("Of “Memory” only Micron is in the study")
    assert draw(memory, "study-caar", "light").title.startswith("Micron: ")
    chosen = ask(con, Question(tickers=("NVDA", "AMD", "CRWV")))
    assert conclusion(chosen).startswith("On Mon 27 Jan 2025 NVIDIA and AMD fell 11.7% on average")
    assert chosen.listings[0].endswith("says why): CoreWeave.")


def test_a_study_that_does_not_reject_says_which_effects_stay_open(con: duckdb.DuckDBPyConnection) -> None:
    said = conclusion(ask(con, Question(tickers=("NVDA",), window=(0, 10))))
    assert "does not show that nothing happened" in said
    assert "four times in five is 2" in said


def test_other_events_are_named_and_the_result_without_them_is_given(
    answer: Answer, con: duckdb.DuckDBPyConnection
) -> None:
    said = " ".join(confounding(answer))
    assert "On the same session" in said
    assert "Within 10 sessions: " in said
    without = ask(con, Question(exclude=True))
    assert percent(without.study.estimate((0, 0))[0], 2) in said
    assert len(without.study.estimation_sessions) < 250


def test_the_chart_starts_at_the_session_before_the_event_and_shows_the_day(answer: Answer) -> None:
    chart = draw(answer, "study-caar", "light")
    bars = next(trace for trace in chart.figure.data if trace.type == "bar")
    line = next(trace for trace in chart.figure.data if trace.name == "Abnormal")
    assert list(line.x)[:2] == [-1, 0]
    assert line.y[0] == 0
    day = float(answer.days.at[0, "aar"]) * 100
    assert bars.y[list(bars.x).index(0)] == line.y[1] == pytest.approx(day)
    assert percent(day / 100) in chart.title


def test_no_benchmark_of_the_page_is_made_of_the_firms_it_judges(
    answer: Answer, con: duckdb.DuckDBPyConnection
) -> None:
    assert {"SPY", "RSP", "ex-treated", "ex-treated-value"} <= set(answer.check["benchmark"])
    assert answer.check["members"].str.contains("a fund|0% of them treated|less 33 AI companies").all()
    with pytest.raises(NothingToShow, match="refused"):
        ask(con, Question(benchmark="equal-weight"))


def test_the_index_without_ai_moves_like_the_equal_weighted_one_and_did_not_fall(
    answer: Answer, con: duckdb.DuckDBPyConnection
) -> None:
    rows = answer.check.set_index("benchmark")
    assert "S&P 500 without its AI companies" in rows.loc["sp500-ex-ai", "label"]
    assert "less 33 AI companies in it" in rows.loc["sp500-ex-ai", "members"]
    assert rows.loc["sp500-ex-ai", "benchmark_return"] > 0 > rows.loc["SPY", "benchmark_return"]
    prices = answer.inputs.benchmarks
    other = ask(con, Question(benchmark="sp500-ex-ai")).market
    both = pd.concat([other, prices["RSP"].pct_change(), prices["SPY"].pct_change()], axis=1).dropna()
    assert both.corr().iloc[0, 1] > 0.96 > both.corr().iloc[1, 2]


def test_firms_at_home_elsewhere_are_named_with_when_their_home_could_react(answer: Answer) -> None:
    (said,) = answer.listings
    assert "TSMC (ADR; Taipei’s first session that could react: Mon 3 Feb 2025)" in said
    assert "ASML (New York shares; Amsterdam’s" in said
    assert "Arm (ADR, traded nowhere else)" in said
    assert "NVIDIA" not in said


def test_firms_that_all_trade_on_other_clocks_are_studied_on_theirs(con: duckdb.DuckDBPyConnection) -> None:
    question = Question(tickers=("000660.KS", "9984.T"))
    with pytest.raises(NothingToShow, match="sessions"):
        ask(con, question)
    found = ask_elsewhere(con, question).set_index("firm")
    assert found["name"].to_dict() == {"000660.KS": "SK Hynix", "9984.T": "SoftBank Group"}
    assert str(found.loc["000660.KS", "session"]) == "2025-01-31"
    assert found.loc["000660.KS", "car"] < -0.05
    assert ask_elsewhere(con, Question(tickers=("NVDA",))).empty


def test_tests_that_a_shared_date_invalidates_come_last_and_with_their_measured_size(answer: Answer) -> None:
    valid = answer.tests["valid_with_common_date"].tolist()
    assert valid == sorted(valid, reverse=True)
    sizes = answer.tests.set_index("test")["size_common_date"]
    assert sizes["cross_sectional"] > 0.25 > sizes["portfolio_regression"]


def test_what_explains_who_lost_names_the_base_of_the_segments_and_what_is_not_known(answer: Answer) -> None:
    chart = draw(answer, "study-explained", "light")
    assert {"AI chips", "Software", "beta"} <= set(chart.table["name"])
    assert "its difference from Servers and networking" in chart.subtitle
    assert set(chart.table.loc[chart.table["name"] == "Software", "base"]) == {"Servers and networking"}
    assert "share of sales that AI brings in is not known for any" in chart.note


def test_segments_are_left_out_of_too_few_firms_and_that_is_said(con: duckdb.DuckDBPyConnection) -> None:
    some = (
        "NVDA",
        "AMD",
        "AVGO",
        "MSFT",
        "GOOGL",
        "META",
        "CRM",
        "NOW",
        "IBM",
        "SMCI",
        "DELL",
        "HPE",
        "ANET",
    )
    chart = draw(ask(con, Question(tickers=some)), "study-explained", "light")
    assert "Software" not in set(chart.table["name"])
    assert "The segments are left out: 13 firms are too few" in chart.note


def test_the_firms_furthest_out_are_named_on_the_scatter(answer: Answer) -> None:
    (points,) = draw(answer, "study-scatter", "light").figure.data
    named = [name for name in points.text if name]
    far = answer.cars.iloc[[0, 1, -1]]["name"]
    assert set(far.str.slice(0, 15)) <= {name[:15] for name in named}
    assert 15 < len(named) <= len(answer.cars)


def test_the_gap_to_the_synthetic_control_stands_beside_those_of_the_firms_outside_ai(answer: Answer) -> None:
    chart = draw(answer, "study-synthetic-gaps", "light")
    lines = {trace.name: trace for trace in chart.figure.data}
    assert {"Walmart", "Netflix", "Gap"} <= set(lines)
    found = answer.rebuilt
    assert lines["Gap"].y[1] == pytest.approx(100 * found.days.loc[0, "gap"])
    assert "largest of 11" in chart.title
    assert "None of the 250 days before" in chart.note
    assert "p is never below 0.09" in chart.note


def test_the_placebo_range_widens_with_the_length_and_covers_its_share() -> None:
    history = pd.Series(np.random.default_rng(7).normal(0, 0.01, 2000))
    table = placebo_range(history, 5)
    assert (table["high"] - table["low"]).is_monotonic_increasing
    inside = history.between(*table.loc[0, ["low", "high"]])
    assert inside.mean() == pytest.approx(0.95, abs=0.002)
    assert placebo_range(history.iloc[:3], 5)["low"].isna().tolist() == [False, False, False, True, True]


@pytest.mark.parametrize(
    "question",
    [
        Question(group="no-such-group"),
        Question(benchmark="no-such-benchmark"),
        Question(tickers=("NOPE",)),
        Question(event_id="1999-01-01"),
        Question(event_id="2021-10-12"),  # no history before it
    ],
)
def test_what_cannot_be_studied_is_said_in_one_sentence(
    con: duckdb.DuckDBPyConnection, question: Question
) -> None:
    with pytest.raises(NothingToShow) as told:
        ask(con, question)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("options", [{"group": "chips"}, {"model": "mean"}, {"benchmark": "ex-treated"}])
def test_every_chart_can_be_made_for_any_question(
    con: duckdb.DuckDBPyConnection, options: dict[str, str]
) -> None:
    asked = ask(con, question_of(Request(options=tuple(options.items()))))
    for name in CHARTS:
        if "group" in options and name == "study-explained":
            continue  # too few firms, which a test of its own says
        chart = draw(asked, name, "dark")
        assert chart.name == name
        assert not chart.table.empty


def visited(address: dict[str, str | list[str]]) -> tuple[AppTest, str]:
    """The page at an address, and its words."""
    app = AppTest.from_file(
        str(PROJECT_ROOT / "dashboard" / "app_pages" / "event_study.py"), default_timeout=60
    )
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    text = "\n".join(part.value for part in app.main if isinstance(getattr(part, "value", None), str))
    return app, text.replace("\\", "")


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"group": "chips", "model": "mean"}, ("the 7 firms of “AI chips”",)),
        (
            {"firms": ["NVDA", "AVGO"], "window": "-1..1"},
            ("NVIDIA and Broadcom fell", "Over sessions −1 to +1"),
        ),
    ],
)
def test_the_address_asks_the_question(address: dict[str, str | list[str]], words: tuple[str, ...]) -> None:
    app, text = visited(address)
    for expected in words:
        assert expected in text
    assert {"study-caar", "study-firms", "study-benchmarks"} <= {
        chart.key for chart in app.get("plotly_chart")
    }


@pytest.mark.usefixtures("on_bundled_data")
def test_one_firm_on_another_clock_is_spoken_of_as_one() -> None:
    assert "This firm trades on another clock than New York’s" in visited({"firms": ["000660.KS"]})[1]
