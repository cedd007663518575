"""Each figure of the shock page equals an independent query over the warehouse."""

from pathlib import Path

import duckdb
import pytest

from dashboard.charts import words
from dashboard.data.claims import claims
from dashboard.views.claims import HOLDS, IN_PART, check, read_largest_losses
from dashboard.views.headline import Figure, figures, headline
from dashboard.views.request import NothingToShow, Request
from dashboard.views.shock import CHARTS
from dashboard.views.story import Story, read_story
from etl.settings import PROJECT_ROOT

Con = duckdb.DuckDBPyConnection
OUTSIDE = ["", "no-such-event", "1999-01-01", "9999-12-31", "0001-01-01", "'; DROP TABLE event"]
CHANGES = """
    SELECT c.ticker, c.name, now.close - was.close AS move, now.adj_close / was.adj_close - 1 AS change,
        CASE WHEN c.ticker <> 'WDC' THEN (now.close - was.close) * ( -- its closes have a later spin-off taken out
            SELECT s.shares * coalesce((SELECT product(ratio) FROM split
                WHERE split.ticker = c.ticker AND split.date > s.splits_through), 1)
            FROM shares_outstanding s WHERE s.ticker = c.ticker AND coalesce(s.filed, s.date) <= DATE '2025-01-27'
            ORDER BY coalesce(s.filed, s.date) DESC, s.date DESC LIMIT 1
        ) END * CASE c.currency WHEN 'USD' THEN 1 ELSE (
            SELECT usd_per_unit FROM exchange_rate r WHERE r.currency = c.currency AND r.date = DATE '2025-01-27'
        ) END AS value_change
    FROM company c
    JOIN price_daily was ON was.ticker = c.ticker
        AND was.date = CASE WHEN c.exchange = 'XTKS' THEN DATE '2025-01-27' ELSE DATE '2025-01-24' END
    JOIN price_daily now ON now.ticker = c.ticker AND now.date = CASE c.exchange
        WHEN 'XKRX' THEN DATE '2025-01-31' WHEN 'XTKS' THEN DATE '2025-01-28' ELSE DATE '2025-01-27' END
    WHERE c.role = 'AI'
"""


@pytest.fixture(scope="module")
def con(bundled_database: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(bundled_database.resolve()), read_only=True)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@pytest.fixture(scope="module")
def story(con: Con) -> Story:
    return read_story(con, "deepseek-selloff")


@pytest.fixture(scope="module")
def shown(story: Story) -> dict[str, Figure]:
    return {figure.label: figure for figure in figures(story)}


def one(con: Con, query: str) -> tuple[object, ...]:
    return con.execute(query).fetchall()[0]


def test_nvidia_closed_at_the_prices_of_public_record(con: Con) -> None:
    rows = con.execute(
        "SELECT close FROM price_daily WHERE ticker = 'NVDA' AND date IN ('2025-01-24', '2025-01-27') ORDER BY date"
    ).fetchall()
    assert rows == [(142.62,), (118.42,)]


def test_the_headline_and_nvidias_figures(con: Con, story: Story, shown: dict[str, Figure]) -> None:
    change, value = one(con, f"SELECT change, value_change FROM ({CHANGES}) WHERE ticker = 'NVDA'")
    assert shown["NVIDIA shares"].value == words.percent(float(str(change)), 2) == "−16.97%"
    assert shown["NVIDIA value"].value == words.compact(float(str(value))) == "−$592.7bn"
    assert "24,490 million shares" in shown["NVIDIA value"].detail
    assert headline(story).startswith("NVIDIA lost $592.7 billion of market value on Mon 27 Jan 2025")


def test_the_value_wiped_from_the_ai_companies(con: Con, shown: dict[str, Figure]) -> None:
    lost, losers, gained, gainers = one(
        con,
        f"""SELECT sum(value_change) FILTER (value_change < 0), count(*) FILTER (value_change < 0),
            sum(value_change) FILTER (value_change > 0), count(*) FILTER (value_change > 0) FROM ({CHANGES})""",
    )
    figure = shown["AI companies lost"]
    assert figure.value == words.compact(float(str(lost)))
    assert figure.detail == f"{losers} fell; {gainers} rose by {words.compact(float(str(gained)))}"


def test_the_nasdaq_figure(con: Con, shown: dict[str, Figure]) -> None:
    (change,) = one(
        con,
        """SELECT (SELECT adj_close FROM price_daily WHERE ticker = 'QQQ' AND date = '2025-01-27')
            / (SELECT adj_close FROM price_daily WHERE ticker = 'QQQ' AND date = '2025-01-24') - 1""",
    )
    assert shown["Nasdaq-100 (QQQ)"].value == words.percent(float(str(change)), 2)


def test_the_rank_and_its_day(con: Con, shown: dict[str, Figure]) -> None:
    (day,) = one(
        con,
        """SELECT CAST(min(captured_at) AS DATE) FROM app_ranking
        WHERE store = 'apple' AND country = 'us' AND rank = 1 AND app_name LIKE 'DeepSeek%'""",
    )
    assert shown["DeepSeek’s rank"].value == "no. 1"
    assert f"{day:%a} {day.day} {day:%b %Y}" in shown["DeepSeek’s rank"].detail


def test_nvidias_recovery(con: Con, shown: dict[str, Figure]) -> None:
    day, sessions = one(
        con,
        """SELECT min(date) FILTER (adj_close >= base), count(*) FILTER (date <= (
            SELECT min(date) FROM price_daily WHERE ticker = 'NVDA' AND date > '2025-01-24' AND adj_close >= base))
        FROM price_daily, (SELECT adj_close AS base FROM price_daily WHERE ticker = 'NVDA' AND date = '2025-01-24')
        WHERE ticker = 'NVDA' AND date >= '2025-01-27'""",
    )
    assert str(day) == "2025-06-09"
    assert shown["Sessions to recover"].value == str(sessions)


@pytest.mark.parametrize("column", ["change", "value_change"])
def test_the_bars_are_every_companys_change(con: Con, story: Story, column: str) -> None:
    expected = con.execute(f"SELECT ticker, {column} FROM ({CHANGES}) WHERE {column} IS NOT NULL").fetchall()
    drawn = story.ai.dropna(subset=[column]).set_index("ticker")[column].to_dict()
    assert drawn == pytest.approx(dict(expected), rel=1e-12)


def test_the_rebased_lines_are_prices_over_the_close_of_24_january(con: Con) -> None:
    chart = CHARTS["shock-timeline"](con, Request())
    expected = con.execute(
        """SELECT p.date, 100 * p.adj_close / base.adj_close FROM price_daily p
        JOIN price_daily base ON base.ticker = p.ticker AND base.date = '2025-01-24'
        WHERE p.ticker = 'NVDA' AND p.date BETWEEN '2025-01-13' AND '2025-02-14' ORDER BY p.date"""
    ).fetchall()
    table = chart.table.set_index("session")["NVIDIA (NVDA), index"].dropna()
    assert [day.date() for day in table.index] == [day for day, _ in expected]
    assert table.tolist() == pytest.approx([value for _, value in expected], abs=1e-4)


def test_every_chart_says_its_finding_measure_source_and_alternative_text(
    con: Con,
) -> None:
    for name, make in CHARTS.items():
        for theme in ("light", "dark"):
            chart = make(con, Request(theme=theme))
            assert chart.name == name
            assert chart.title
            assert chart.subtitle
            assert "2 Oct 2026" in chart.source
            assert len(chart.alt) > 60
            assert not chart.table.empty


def test_the_claims_are_checked_against_the_data(con: Con, story: Story) -> None:
    losses = read_largest_losses(con)
    results = {
        claim.claim_id: check(claim, story, losses)
        for claim in claims(PROJECT_ROOT / "data", "deepseek-selloff")
    }
    assert results["nvidia-500-billion"].verdict == HOLDS
    assert results["nvidia-500-billion"].figure == "$592.7 billion"
    assert results["dethroned-chatgpt"].verdict == IN_PART
    assert results["coincided"].verdict == HOLDS
    assert results["largest-loss-ever"].verdict == IN_PART
    assert "24,339 million" in results["press-589"].how


def test_any_day_can_stand_in_for_the_event(con: Con) -> None:
    story = read_story(con, "2024-09-02")  # Labor Day: rolls to the session after it
    assert story.event.market_session.isoformat() == "2024-09-03"
    assert "no session on 2 September 2024" in story.event.description


@pytest.mark.parametrize("wanted", OUTSIDE)
def test_an_event_or_day_outside_the_data_is_refused_in_one_sentence(con: Con, wanted: str) -> None:
    with pytest.raises(NothingToShow, match=r"choose an event|no prices"):
        read_story(con, wanted)
