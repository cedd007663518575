"""An event and a session are compared by the moment: what Seoul did before New York opened is no reaction."""

import duckdb
import pandas as pd
import pytest

from dashboard.views import companies
from dashboard.views.request import Request
from dashboard.views.shock import CHARTS
from dashboard.views.story import read_story

HYNIX = "000660.KS"
DAY = "2024-09-03"


def closes(con: duckdb.DuckDBPyConnection, *days: str) -> list[float]:
    return [
        con.execute(
            "SELECT adj_close FROM price_daily WHERE ticker = ? AND date = ?", [HYNIX, day]
        ).fetchall()[0][0]
        for day in days
    ]


def test_sk_hynix_answers_3_september_2024_on_the_4th(con: duckdb.DuckDBPyConnection) -> None:
    before, after = closes(con, DAY, "2024-09-04")
    assert after / before - 1 == pytest.approx(-0.080, abs=0.0005)
    row = read_story(con, DAY).changes.set_index("ticker").loc[HYNIX]
    assert (row["before"], row["on"]) == (pd.Timestamp(DAY), pd.Timestamp("2024-09-04"))
    assert row["change"] == pytest.approx(after / before - 1)


def test_its_recovery_its_worst_days_and_its_100_start_from_there_too(con: duckdb.DuckDBPyConnection) -> None:
    recovered = read_story(con, DAY).recoveries.set_index("ticker").loc[HYNIX]
    assert recovered["before"] == pd.Timestamp(DAY)
    request = Request(DAY, (HYNIX,))
    worst = companies.CHARTS["company-worst-days"](con, request).table
    assert worst.loc[worst["the event’s session"], "session"].tolist() == [pd.Timestamp("2024-09-04")]
    drawn = companies.CHARTS["companies-compare"](con, request).figure.data[0]
    assert [value for day, value in zip(drawn.x, drawn.y, strict=True) if str(day)[:10] == DAY] == [100]


def test_the_mean_of_the_session_holds_no_price_from_before_the_event(con: duckdb.DuckDBPyConnection) -> None:
    chart = CHARTS["shock-timeline"](con, Request(DAY))
    (mean,) = chart.table.loc[chart.table["session"] == DAY, "Mean of the AI companies, index"]
    expected = con.execute(
        """SELECT 100 * avg(now.adj_close / was.adj_close) FROM company
        JOIN price_daily now ON now.ticker = company.ticker AND now.date = DATE '2024-09-03'
        JOIN price_daily was ON was.ticker = company.ticker AND was.date = DATE '2024-08-30'
        WHERE role = 'AI' AND exchange IN ('XNAS', 'XNYS')"""
    ).fetchall()
    assert mean == pytest.approx(expected[0][0], abs=1e-4)
