"""Each figure of the shock page equals an independent query over the warehouse."""

import re
from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from dashboard.analysis.record_book import Records, place
from dashboard.charts import words
from dashboard.views.claims_records import ordinal
from dashboard.views.context import breadth
from dashboard.views.headline import Figure, drop_title, figures, headline, lead, standing
from dashboard.views.records import read_records
from dashboard.views.request import NothingToShow, Request
from dashboard.views.shock import CHARTS
from dashboard.views.story import Story, read_story

Con = duckdb.DuckDBPyConnection
OUTSIDE = ["", "no-such-event", "1999-01-01", "9999-12-31", "0001-01-01", "'; DROP TABLE event"]
CHANGES = """
    SELECT c.ticker, c.name, now.close - was.close AS move, now.adj_close / was.adj_close - 1 AS change,
        CASE WHEN c.ticker <> 'WDC' THEN (now.close - was.close) * ( -- its closes have a later spin-off taken out
            SELECT s.shares * coalesce((SELECT product(ratio) FROM split
                WHERE split.ticker = c.ticker AND split.date > s.splits_through), 1)
            FROM shares_outstanding s WHERE s.ticker = c.ticker AND coalesce(s.filed, s.date) <= now.date
            ORDER BY coalesce(s.filed, s.date) DESC, s.date DESC LIMIT 1
        ) END * CASE c.currency WHEN 'USD' THEN 1 ELSE (
            SELECT usd_per_unit FROM exchange_rate r WHERE r.currency = c.currency AND r.date = now.date
        ) END AS value_change
    FROM company c
    JOIN price_daily was ON was.ticker = c.ticker
        AND was.date = CASE WHEN c.exchange = 'XTKS' THEN DATE '2025-01-27' ELSE DATE '2025-01-24' END
    JOIN price_daily now ON now.ticker = c.ticker AND now.date = CASE c.exchange
        WHEN 'XKRX' THEN DATE '2025-01-31' WHEN 'XTKS' THEN DATE '2025-01-28' ELSE DATE '2025-01-27' END
    WHERE c.role = 'AI'
"""


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


def test_the_headline_and_nvidias_figure(con: Con, story: Story, shown: dict[str, Figure]) -> None:
    change, value = one(con, f"SELECT change, value_change FROM ({CHANGES}) WHERE ticker = 'NVDA'")
    assert shown["NVIDIA shares"].value == words.percent(float(str(change)), 2) == "−16.97%"
    assert shown["NVIDIA shares"].detail == "$142.62 → $118.42"
    told = f"NVIDIA lost {words.billions(-float(str(value)))} of market value on Mon 27 Jan 2025, the session after"
    assert headline(story).startswith(told)


@pytest.mark.parametrize(
    "day", ["2025-01-24", "2025-01-28", "2025-01-29", "2025-01-31", "2025-02-03", "2025-02-05"]
)
def test_only_the_session_after_the_first_no_1_is_told_as_that(con: Con, day: str) -> None:
    assert "no." not in headline(read_story(con, day))


def test_the_value_wiped_from_the_ai_companies(con: Con, shown: dict[str, Figure]) -> None:
    lost, gained, fell, rose, all_of_them = one(
        con,
        f"""SELECT sum(value_change) FILTER (value_change < 0), sum(value_change) FILTER (value_change > 0),
            count(*) FILTER (change < 0), count(*) FILTER (change > 0), count(*) FROM ({CHANGES})""",
    )
    figure = shown["Lost by AI companies"]
    assert figure.value == words.compact(-float(str(lost)))
    assert (
        figure.detail
        == f"{fell} of {all_of_them} fell; {rose} rose, gaining {words.compact(float(str(gained)))}"
    )


def test_the_average_share_of_the_day(con: Con, shown: dict[str, Figure]) -> None:
    (change,) = one(
        con,
        """SELECT (SELECT adj_close FROM price_daily WHERE ticker = 'RSP' AND date = '2025-01-27')
            / (SELECT adj_close FROM price_daily WHERE ticker = 'RSP' AND date = '2025-01-24') - 1""",
    )
    assert shown["The average US share (RSP)"].value == words.percent(float(str(change)), 2)


def test_the_mean_of_the_ai_companies_is_the_same_in_figure_title_and_table(con: Con, story: Story) -> None:
    (mean,) = one(
        con,
        f"""SELECT avg(moved.change) FROM ({CHANGES}) AS moved JOIN company USING (ticker)
            WHERE company.exchange IN ('XNYS', 'XNAS')""",
    )
    assert story.mean == pytest.approx(float(str(mean)), rel=1e-12)
    for event_id in ("deepseek-selloff", "deepseek-no1"):  # the same session of New York
        chart = CHARTS["shock-timeline"](con, Request(event_id))
        assert f"fell {words.percent(abs(story.mean), plus=False)} on average" in chart.title
    rows = {row.label: row.value for row in breadth(story)}
    assert rows["AI companies less the market"] == words.points(story.mean - story.market)


def test_the_first_day_at_no_1_is_the_first_of_all_data(con: Con, story: Story) -> None:
    (day,) = one(
        con,
        """SELECT CAST(min(captured_at) AS DATE) FROM app_ranking
        WHERE store = 'apple' AND country = 'us' AND rank = 1 AND app_name LIKE 'DeepSeek%'""",
    )
    for one_story in (story, read_story(con, "2025-06-02")):
        assert one_story.first_at_top is not None
        assert one_story.first_at_top["moment"].date() == day


def test_nvidias_recovery(con: Con, story: Story) -> None:
    day, sessions = one(
        con,
        """SELECT min(date) FILTER (adj_close >= base), count(*) FILTER (date <= (
            SELECT min(date) FROM price_daily WHERE ticker = 'NVDA' AND date > '2025-01-24' AND adj_close >= base))
        FROM price_daily, (SELECT adj_close AS base FROM price_daily WHERE ticker = 'NVDA' AND date = '2025-01-24')
        WHERE ticker = 'NVDA' AND date >= '2025-01-27'""",
    )
    assert str(day) == "2025-06-09"
    row = story.recoveries.set_index("ticker").loc["NVDA"]
    assert (row["sessions"], row["recovered"].date()) == (sessions, day)
    assert CHARTS["shock-recovery"](con, Request()).title.startswith(
        f"NVIDIA was back after {sessions} sessions"
    )


GAINS = ["nvidia-q1-fy2024", "oracle-backlog", "broadcom-q4-fy2024", "2025-01-28"]


@pytest.mark.parametrize("event_id", GAINS)
def test_a_gain_is_told_as_a_gain_everywhere(con: Con, event_id: str) -> None:
    told = read_story(con, event_id)
    assert told.mean > 0
    assert " gained $" in headline(told)
    assert standing(told) == "Who gained"
    assert drop_title(told) == "The rise"
    assert [figure.label for figure in figures(told)][1] == "Gained by AI companies"
    for name in ("shock-proportion", "shock-losses", "record-book", "shock-timeline"):
        chart = CHARTS[name](con, Request(event_id))
        said = " ".join((chart.title, chart.subtitle))
        assert not re.search(r"\b(loss|losses|lost|fell)\b", said), said


@pytest.mark.parametrize("event_id", ["distillation-claim", "korea-suspension"])
def test_a_part_names_gains_and_losses_where_dollars_and_the_mean_disagree(con: Con, event_id: str) -> None:
    told = read_story(con, event_id)
    assert told.mean > 0
    assert CHARTS["shock-losses"](con, Request(event_id)).title.endswith(" lost")
    assert standing(told) == "Who gained, who lost"


def test_a_day_on_which_hardly_anything_moved_is_told_neither_as_a_drop_nor_as_a_rise(con: Con) -> None:
    told = read_story(con, "distillation-claim")
    assert "hardly moved" in headline(told)
    assert drop_title(told) == "The weeks around it"
    still = CHARTS["shock-timeline"](con, Request("export-controls-2023")).title
    assert still == "AI shares were unchanged on average on Tue 17 Oct"


@pytest.mark.parametrize(
    ("event_id", "title", "note"),
    [
        ("microsoft-openai", "; both AI companies that fell are, in our data to ", ""),
        (
            "italy-block",
            "; 9 of the 11 AI companies that fell are, in our data to ",
            "; 1 other is in the table.",
        ),
    ],
)
def test_few_companies_are_counted_as_a_newspaper_would(
    con: Con, event_id: str, title: str, note: str
) -> None:
    chart = CHARTS["shock-recovery"](con, Request(event_id))
    assert title in chart.title
    assert chart.note.endswith(note)


def test_a_rank_that_has_not_changed_is_told_in_full(con: Con) -> None:
    title = CHARTS["record-book"](con, Request("nvidia-q2-fy2027")).title
    assert title.startswith(
        "NVIDIA’s was the second largest one-day gain of any company; it still is, as of "
    )


def test_a_high_rank_has_its_thousands_apart() -> None:
    assert [ordinal(rank) for rank in (2, 7, 22, 113, 3726)] == [
        "second largest",
        "seventh largest",
        "22nd largest",
        "113th largest",
        "3,726th largest",
    ]


def test_the_event_names_its_lead_and_the_figures_decide_otherwise(con: Con) -> None:
    told = read_story(con, "2025-01-30")
    assert headline(told).startswith(
        "AI shares rose 3.2% on average on Thu 30 Jan 2025, though Microsoft lost $"
    )
    named = replace(told, event=replace(told.event, lead="MSFT"))
    assert headline(named).startswith("Microsoft lost $")
    segment = replace(told, event=replace(told.event, lead="Software"))
    assert lead(segment).name == "Software companies"
    assert headline(segment).startswith("Software companies")


def test_the_loss_in_proportion_is_of_companies_worth_about_as_much(con: Con) -> None:
    table = CHARTS["shock-proportion"](con, Request()).table
    loss, *others = table["US dollars"]
    assert sum(others) == pytest.approx(-loss, rel=0.015)
    for row in table.iloc[1:].itertuples():
        (worth,) = one(
            con,
            f"""SELECT close * (SELECT s.shares FROM shares_outstanding s WHERE s.ticker = p.ticker
                AND coalesce(s.filed, s.date) <= DATE '2025-01-27'
                ORDER BY coalesce(s.filed, s.date) DESC LIMIT 1)
            FROM price_daily p JOIN company c USING (ticker)
            WHERE c.name = '{row.name}' AND date = '2025-01-24'""",
        )
        assert row[3] == pytest.approx(float(str(worth)), rel=1e-12), row.name


@pytest.fixture(scope="module")
def records(con: Con) -> Records:
    return read_records(con)


def test_the_record_book_holds_the_largest_losses_of_all_company_days(con: Con, records: Records) -> None:
    largest = con.execute(
        """WITH moves AS (
            SELECT ticker, date, close - lag(close) OVER (PARTITION BY ticker ORDER BY date) AS move FROM price_daily
        )
        SELECT ticker, date, move * (SELECT s.shares FROM shares_outstanding s WHERE s.ticker = moves.ticker
            AND coalesce(s.filed, s.date) <= moves.date ORDER BY coalesce(s.filed, s.date) DESC LIMIT 1) AS lost
        FROM moves WHERE ticker IN ('NVDA', 'AAPL', 'MSFT') AND date > '2024-07-01' ORDER BY lost LIMIT 4"""
    ).fetchall()
    ranked = records.ranked(falls=True)
    found = ranked[ranked["ticker"].isin(["NVDA", "AAPL", "MSFT"]) & (ranked["evidence"] == "computed")].head(
        4
    )
    assert [(row.ticker, row.date.date()) for row in found.itertuples()] == [
        (ticker, day) for ticker, day, _ in largest
    ]
    assert found["value_change"].tolist() == pytest.approx([lost for *_, lost in largest], rel=1e-12)
    assert place(ranked, "NVDA", pd.Timestamp("2025-01-27")) == 1


def test_what_the_press_reported_stands_beside_and_never_twice(records: Records) -> None:
    day = pd.Timestamp("2025-01-27")
    told = {
        "direction": "loss",
        "change": -0.1,
        "source": "A paper",
        "source_url": "",
        "confidence": "A",
        "note": "",
    }
    reported = pd.DataFrame(
        [
            {**told, "date": day, "company": "NVIDIA", "ticker": "NVDA", "value_change": -589e9},
            {
                **told,
                "date": pd.Timestamp("1999-01-04"),
                "company": "Elsewhere",
                "ticker": "",
                "value_change": -700e9,
            },
        ]
    )
    ranked = replace(records, reported=reported).ranked(falls=True)
    assert list(ranked["name"].head(2)) == ["Elsewhere", "NVIDIA"]
    assert list(ranked["evidence"].head(2)) == ["reported", "computed"]
    assert (ranked["name"] == "NVIDIA").sum() == (records.ranked(falls=True)["name"] == "NVIDIA").sum()


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
        WHERE p.ticker = 'NVDA' AND p.date BETWEEN '2025-01-06' AND '2025-03-12' ORDER BY p.date"""
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


def test_any_day_can_stand_in_for_the_event(con: Con) -> None:
    story = read_story(con, "2024-09-02")  # Labor Day: rolls to the session after it
    assert story.event.market_session.isoformat() == "2024-09-03"
    assert "no session on 2 September 2024" in story.event.description


@pytest.mark.parametrize("wanted", OUTSIDE)
def test_an_event_or_day_outside_the_data_is_refused_in_one_sentence(con: Con, wanted: str) -> None:
    with pytest.raises(NothingToShow, match=r"choose an event|no prices"):
        read_story(con, wanted)


@pytest.mark.parametrize(
    ("name", "whose"),
    [("NVIDIA", "NVIDIA’s"), ("Arista Networks", "Arista Networks’"), ("AI companies", "AI companies’")],
)
def test_what_belongs_to_a_name_is_written_as_a_newspaper_does(name: str, whose: str) -> None:
    assert words.possessive(name) == whose


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2025-01-24 15:59", False),  # before Friday's close
        ("2025-01-24 16:00", True),
        ("2025-01-27 15:59", True),
        ("2025-01-27 16:00", False),  # after Monday's close
    ],
)
def test_the_headline_names_the_climb_to_no_1_in_the_session_that_could_first_react(
    story: Story, moment: str, told: bool
) -> None:
    first = pd.Series({"app": "DeepSeek", "moment": pd.Timestamp(moment)})
    assert ("first reached no." in headline(replace(story, first_at_top=first))) == told


@pytest.mark.parametrize(("moment", "told"), [("2024-11-29 12:59", True), ("2024-11-29 13:00", False)])
def test_a_half_day_closes_at_its_own_hour(con: Con, moment: str, told: bool) -> None:
    story = read_story(con, "2024-11-29")
    first = pd.Series({"app": "DeepSeek", "moment": pd.Timestamp(moment)})
    assert ("first reached no." in headline(replace(story, first_at_top=first))) == told


def test_results_are_told_as_those_of_the_company_that_reported_them(con: Con) -> None:
    rows = con.execute(
        """
        SELECT event_id, name, split_part(description, '. ', 1) AS told FROM event JOIN company ON lead = ticker
        WHERE kind = 'earnings' ORDER BY event_id
        """
    ).fetchall()
    assert len(rows) > 20
    assert not [event for event, name, told in rows if name not in told]
    assert "its results" not in headline(read_story(con, "nvidia-329bn"))
