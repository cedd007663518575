"""Each figure of the league equals an independent query and an independent computation."""

import time

import duckdb
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.multitest import multipletests

from dashboard.analysis.league import adjusted, leads, overlaps, reactions, recovered_after
from dashboard.app_pages import events_markup
from dashboard.data import market
from dashboard.data.study_inputs import load_study_inputs
from dashboard.event_study import run_study, simple_returns
from dashboard.views.events import NO_CELL, TOO_SHORT, Choice, draw
from dashboard.views.headline import figures
from dashboard.views.league import League, read_league
from dashboard.views.story import read_story
from dashboard.views.study_answer import Question, ask
from dashboard.views.study_words import estimate
from tests.conftest import SOAK

Con = duckdb.DuckDBPyConnection
SAMPLE = ("deepseek-selloff", "nvidia-q1-fy2024", "chatgpt", "stargate", "gpt-5")
AI_RETURNS = """
    SELECT ticker, date, adj_close / lag(adj_close) OVER (PARTITION BY ticker ORDER BY date) - 1 AS change, ai_from
    FROM price_daily JOIN company USING (ticker)
    WHERE exchange IN ('XNAS', 'XNYS') AND role = 'AI'
"""


@pytest.fixture(scope="module")
def wide(con: Con) -> pd.DataFrame:
    """Returns of the AI companies and of SPY, by plain SQL."""
    rows = con.execute(
        """SELECT ticker, date, adj_close / lag(adj_close) OVER (PARTITION BY ticker ORDER BY date) - 1 AS change
        FROM price_daily JOIN company USING (ticker)
        WHERE ticker = 'SPY' OR (role = 'AI' AND exchange IN ('XNAS', 'XNYS'))"""
    ).df()
    return rows.pivot(index="date", columns="ticker", values="change").dropna(subset=["SPY"])


def test_the_mean_is_that_of_the_ai_companies_that_existed(con: Con, told: League) -> None:
    expected = con.execute(
        f"""SELECT event_id, avg(change), count(*) FROM ({AI_RETURNS}) JOIN event ON date = market_session
        WHERE change IS NOT NULL AND (ai_from IS NULL OR ai_from <= market_session) GROUP BY event_id"""
    ).fetchall()
    assert len(expected) == len(told.table)
    for event_id, mean, count in expected:
        assert told.table.at[event_id, "mean_change"] == pytest.approx(mean, abs=1e-12)
        assert told.table.at[event_id, "companies"] == count


@pytest.mark.parametrize("event_id", SAMPLE)
def test_the_abnormal_return_is_the_mean_of_what_each_firms_regression_leaves(
    con: Con, told: League, wide: pd.DataFrame, event_id: str
) -> None:
    session = told.table.at[event_id, "session"]
    begins = con.execute("SELECT ticker, ai_from FROM company WHERE ai_from IS NOT NULL").df()
    late = set(begins.loc[pd.to_datetime(begins["ai_from"]) > session, "ticker"])
    at = wide.index.get_loc(session)
    before = wide.iloc[at - 260 : at - 10]
    left, days, two = [], [], []
    for ticker in wide.columns.drop("SPY").difference(late):
        known = before[[ticker, "SPY"]].dropna()
        if len(known) < 125 or pd.isna(wide[ticker].iloc[at]):
            continue
        fitted = sm.OLS(known[ticker], sm.add_constant(known["SPY"])).fit()
        forecast = [
            fitted.params["const"] + fitted.params["SPY"] * wide["SPY"].iloc[at + day] for day in (0, 1)
        ]
        left.append(wide[ticker].iloc[at] - forecast[0])
        two.append(wide[ticker].iloc[at + 1] - forecast[1])
        days.append(fitted.resid)
    row = told.table.loc[event_id]
    assert row["abnormal"] == pytest.approx(np.mean(left), abs=1e-12)
    assert row["abnormal_0_1"] == pytest.approx(np.mean(left) + np.mean(two), abs=1e-12)
    assert row["firms"] == len(left)
    marked = set(told.table["session"])
    ordinary = pd.concat(days, axis=1).mean(axis=1).loc[lambda mean: ~mean.index.isin(marked)]
    assert row["ordinary_days"] == len(ordinary)
    assert row["as_large"] == (ordinary.abs() >= abs(np.mean(left))).sum()
    assert row["share"] == pytest.approx(row["as_large"] / len(ordinary))


def test_the_headline_test_is_that_of_the_event_study(con: Con, told: League) -> None:
    session = told.table.loc["deepseek-selloff", "session"]
    inputs = load_study_inputs(con, "ai", on=session.date())
    returns, spy = simple_returns(inputs.prices), simple_returns(inputs.benchmarks)["SPY"]
    rows = told.table.loc[list(SAMPLE)]
    rows = rows[
        rows["session"] >= session
    ]  # the study takes one list of firms for all: those of the first session
    for row in rows.itertuples():
        study = run_study(returns, spy, row.session, windows=((0, 0), (0, 1)))
        tests = study.tests.set_index(["start", "end", "test"])["p_value"]
        assert row.abnormal == pytest.approx(study.aar.loc[0, "aar"], abs=1e-12)
        assert row.abnormal_0_1 == pytest.approx(study.aar.loc[0:1, "aar"].sum(), abs=1e-12)
        assert row.p == pytest.approx(tests.loc[(0, 0, "portfolio_regression")].max(), abs=1e-9)
        assert row.firms == study.aar.loc[0, "n"]


def test_p_is_that_of_a_dummy_in_the_groups_own_regression(told: League, wide: pd.DataFrame) -> None:
    cells = told.cells.set_index(["event_id", "segment"])
    companies = told.companies[told.companies["segment"] == "Cloud"]["ticker"]
    firms = wide[[ticker for ticker in companies if ticker in wide]]
    for event_id in SAMPLE:
        at = wide.index.get_loc(told.table.at[event_id, "session"])
        rows = [*range(at - 260, at - 10), at]
        assert firms.iloc[rows].notna().all().all()
        dummy = (np.array(rows) == at).astype(float)
        design = sm.add_constant(np.column_stack([wide["SPY"].iloc[rows], dummy]))
        fitted = sm.OLS(firms.iloc[rows].mean(axis=1).to_numpy(), design).fit()
        assert cells.at[(event_id, "cloud"), "abnormal"] == pytest.approx(fitted.params[2], abs=1e-12)
        assert cells.at[(event_id, "cloud"), "p"] == pytest.approx(fitted.pvalues[2], abs=1e-10)


@pytest.mark.parametrize(("column", "method"), [("p_holm", "holm"), ("p_bh", "fdr_bh")])
def test_the_p_values_are_adjusted_for_the_ranked_events_alone(
    told: League, column: str, method: str
) -> None:
    ranked = told.ranked.dropna(subset=["p"])
    assert ranked[column].tolist() == pytest.approx(multipletests(ranked["p"], method=method)[1].tolist())
    assert told.table.loc[told.table["kind"] == "confounder", column].isna().all()
    cells = told.cells[told.cells["event_id"].isin(ranked.index)].dropna(subset=["p"])
    assert cells["p_bh"].tolist() == pytest.approx(multipletests(cells["p"], method="fdr_bh")[1].tolist())


def test_a_confounder_is_in_no_count_of_tests() -> None:
    p = pd.Series([0.01, 0.02, 0.0001], index=["a", "b", "rates"])
    found = adjusted(p, pd.Series([True, True, False], index=p.index))
    assert found["p_holm"].tolist() == pytest.approx([0.02, 0.02, np.nan], nan_ok=True)


ON_TWO_CLOCKS = "SELECT event_id FROM event WHERE market_session BETWEEN '2024-08-01' AND '2024-11-30'"


def test_the_dollars_are_those_of_the_story(con: Con, told: League) -> None:
    autumn = [event_id for (event_id,) in con.execute(ON_TWO_CLOCKS).fetchall()]
    later = 0
    listed = set(told.table.index) if SOAK else {*SAMPLE, *autumn, "coreweave-ipo"}
    for event_id in sorted(listed):
        story, row = read_story(con, event_id), told.table.loc[event_id]
        sums = story.totals
        assert (row["lost"], row["gained"]) == pytest.approx((sums.lost, sums.gained), rel=1e-12)
        assert row["value_change"] == pytest.approx(sums.net, rel=1e-9)
        assert row["valued"] == story.ai["value_change"].notna().sum()
        own = told.moved[told.moved["event_id"] == event_id].set_index("ticker")["value_change"].dropna()
        assert own.to_dict() == pytest.approx(story.ai.set_index("ticker")["value_change"].dropna().to_dict())
        seoul = story.ai[(story.ai["currency"] == "KRW") & story.ai["value_change"].notna()]
        later += int((seoul["on"] > pd.Timestamp(story.event.market_session)).sum())
    assert later  # some of them reacted in Seoul a day later, at that day's rate


def test_won_become_dollars_at_the_rate_known_in_seouls_own_session(con: Con, told: League) -> None:
    moved = told.moved[told.moved["ticker"].isin(["000660.KS", "005930.KS"])].dropna(subset=["value_change"])
    assert len(moved) > 100
    for row in moved.itertuples():
        (rate,) = con.execute(
            "SELECT max_by(usd_per_unit, date) FROM exchange_rate WHERE currency = 'KRW' AND date <= ?",
            [row.date],
        ).fetchone()
        closes = con.execute(
            "SELECT close FROM price_daily WHERE ticker = ? AND date IN (?, ?) ORDER BY date",
            [row.ticker, row.before, row.date],
        ).fetchall()
        change = closes[1][0] - closes[0][0]
        assert row.value_change == pytest.approx(change * row.shares * rate, rel=1e-9)


def test_nvidias_loss_is_in_the_lead_and_its_dollars_follow_from_the_record(con: Con, told: League) -> None:
    lead = told.table.loc["deepseek-selloff"]
    assert (lead["lead_name"], round(lead["lead_change"], 4)) == ("NVIDIA", -0.1697)
    moved = market.value_moves(
        con, start=pd.Timestamp("2025-01-27").date(), end=pd.Timestamp("2025-01-27").date()
    )
    (shares,) = con.execute(
        """SELECT shares FROM shares_outstanding WHERE ticker = 'NVDA' AND coalesce(filed, date) <= '2025-01-27'
        ORDER BY coalesce(filed, date) DESC LIMIT 1"""
    ).fetchall()[0]
    nvidia = moved.set_index("ticker").loc["NVDA", "value_change"]
    assert nvidia == pytest.approx((118.42 - 142.62) * shares)


def test_a_rout_that_began_in_seoul_holds_seouls_own_fall(con, told):
    falls = con.execute(
        """
        SELECT close / lag(close) OVER (PARTITION BY ticker ORDER BY date) - 1 AS change FROM price_daily
        WHERE ticker IN ('MU', '000660.KS', '005930.KS') AND date BETWEEN '2026-06-22' AND '2026-06-23'
        """
    ).df()["change"]
    assert falls.count() == 3
    assert told.table.loc["memory-rout-2026", "lead_change"] == pytest.approx(falls.mean(), abs=2e-3)


def test_the_lead_is_the_one_named_or_the_one_that_moved_most_dollars() -> None:
    moved = pd.DataFrame(
        [
            ("e", "A", "Alpha", "Chips", -0.1, -5e9),
            ("e", "B", "Beta", "Chips", 0.3, 1e9),
            ("f", "B", "Beta", "Chips", 0.1, None),
        ],
        columns=["event_id", "ticker", "name", "segment", "change", "value_change"],
    )
    assert leads(moved, pd.Series({"e": "", "f": ""}))["lead"].to_dict() == {"e": "A", "f": "B"}
    assert leads(moved, pd.Series({"e": "B", "f": ""})).loc["e", "lead_change"] == 0.3
    assert leads(moved, pd.Series({"e": "Chips", "f": ""})).loc["e", "lead_change"] == pytest.approx(0.1)


def test_each_company_moves_in_its_own_first_session(told: League, con: Con) -> None:
    sessions = pd.DataFrame(
        {
            "event_id": "day",
            "ticker": ["NVDA", "000660.KS"],
            "session": pd.to_datetime(["2024-09-03", "2024-09-04"]),
        }
    )
    found = reactions(market.value_moves(con, start=pd.Timestamp("2024-08-01").date()), sessions).set_index(
        "ticker"
    )
    assert found.at["000660.KS", "change"] == pytest.approx(-0.080, abs=0.0005)
    assert found.at["NVDA", "date"] == pd.Timestamp("2024-09-03")


def test_a_company_has_no_move_on_its_first_day(told: League) -> None:
    moved = told.moved[told.moved["event_id"] == "coreweave-ipo"]
    assert "CRWV" not in set(moved["ticker"])
    assert told.table.at["coreweave-ipo", "lead"] != "CRWV"


def test_the_basket_is_back_when_its_mean_is() -> None:
    prices = np.array([[100.0, 100.0], [80.0, 100.0], [90.0, 105.0], [100.0, 101.0], [50.0, 50.0]])
    both = np.ones((3, 2), dtype=bool)
    assert recovered_after(prices, np.array([1, 2, 4]), both).tolist() == [3, 0, np.inf]
    gaps = prices.copy()
    gaps[3, 0] = np.nan  # one of two companies is half: its day counts, and is back above the base
    assert recovered_after(gaps, np.array([1]), both[:1]).tolist() == [3]


def test_the_recovery_is_that_of_the_rebased_mean(told: League, con: Con) -> None:
    rows = con.execute(
        f"""SELECT p.date, avg(p.adj_close / base.adj_close) AS level FROM price_daily p
        JOIN price_daily base ON base.ticker = p.ticker AND base.date = DATE '2025-01-24'
        WHERE p.date >= '2025-01-27' AND p.ticker IN (
            SELECT ticker FROM ({AI_RETURNS}) WHERE ai_from IS NULL OR ai_from <= '2025-01-27'
        )
        GROUP BY p.date ORDER BY p.date"""
    ).fetchall()
    back = next(place for place, (_, level) in enumerate(rows, start=1) if level >= 1)
    assert told.table.at["deepseek-selloff", "recovered"] == back


def test_events_that_share_a_session_or_lie_in_each_others_days_say_with_what(told: League) -> None:
    table = overlaps(["a", "b", "c", "d"], np.array([5, 5, 6, 9]))
    assert table.loc["a", "same_session"] == ["b"]
    assert table.loc["a", "next_session"] == ["c"]
    assert table.loc["c", "session_before"] == ["a", "b"]
    assert table.loc["d"].tolist() == [[], [], []]
    assert told.table.at["deepseek-selloff", "same_session"] == ["deepseek-no1"]


def test_the_day_of_the_sell_off_is_the_worst_of_all_sessions(told: League) -> None:
    days = told.days.dropna(subset=["abnormal"])
    assert len(told.days) == len(told.panel.sessions)
    assert days.loc[days["abnormal"].idxmin(), "date"] == pd.Timestamp("2025-01-27")
    at = days.set_index("date")["abnormal"]
    expected = told.table["abnormal"].to_numpy()
    assert at.reindex(told.table["session"]).to_numpy() == pytest.approx(expected, abs=1e-12)


def test_the_league_costs_less_than_half_of_the_studies_one_by_one(con: Con, told: League) -> None:
    inputs = load_study_inputs(con, "ai")
    returns, spy = simple_returns(inputs.prices), simple_returns(inputs.benchmarks)["SPY"]
    sessions = told.table["session"].tolist()[::8]
    started = time.process_time()
    for session in sessions:
        run_study(returns, spy, session)
    one = (time.process_time() - started) / len(sessions)
    started = time.process_time()
    read_league(con)
    assert time.process_time() - started < 0.5 * one * max(len(told.table), 100)


def test_who_is_in_the_mean_without_an_abnormal_return_is_named(con: Con, told: League) -> None:
    assert told.table.at["deepseek-selloff", "left_out"] == ["Nebius"]
    seen = 0
    for row in told.table.itertuples():
        assert row.companies - row.firms == len(row.left_out)
        for name in row.left_out:
            (sessions,) = con.execute(
                """SELECT count(*) FROM price_daily JOIN company USING (ticker) WHERE name = ? AND date < ?""",
                [name, row.session.date()],
            ).fetchone()
            assert sessions < 11 + 125 + 1  # the gap, half of the window, and the close before a first return
            seen += 1
    assert seen > 50


def test_the_league_the_study_and_the_story_say_why_their_counts_differ(con: Con, told: League) -> None:
    answer = ask(con, Question("deepseek-selloff"))
    assert "46 firms of “All AI companies”, without Nebius (too few earlier sessions)" in estimate(answer)
    table = events_markup.league(told, told.table.loc[["deepseek-selloff"]], "light")
    assert "<small>47 companies</small>" in table
    assert "<small>without Nebius</small>" in table
    chart = draw(told, "events-league", Choice(), "light")
    assert TOO_SHORT in chart.note
    assert "Nebius" in set(chart.table["in the mean without an abnormal return"])
    assert NO_CELL in draw(told, "events-segments", Choice(), "light").note
    words = " ".join(figure.definition for figure in figures(read_story(con, "deepseek-selloff")))
    assert "The average is of the 47 AI companies that traded in New York’s session; Samsung" in words
    assert "count among the 51 with the first session of their own exchange" in words
