"""The page of all events: its address, its links, and a story behind every event."""

import re

import duckdb
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.app_pages import events_markup
from dashboard.data.study_inputs import load_study_inputs
from dashboard.event_study import run_study, simple_returns
from dashboard.views import events as view
from dashboard.views import shock
from dashboard.views.league import League
from dashboard.views.records import read_records
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow, Request
from dashboard.views.story import read_story
from tests.conftest import SOAK
from tests.dashboard.pages import opened as open_page

Con = duckdb.DuckDBPyConnection
LAST = pd.Timestamp("2026-09-15")
MAY_HAVE_NOTHING = ("shock-recovery", "shock-proportion")
"""Nobody fell; no set of companies was worth as much."""
HANDFUL = ("chatgpt", "nvidia-q1-fy2024", "deepseek-selloff", "deepseek-v4")


def opened(**address: str | list[str]) -> tuple[AppTest, str]:
    """The page at an address, and its text."""
    app = open_page("events", **address)
    assert not app.exception
    text = "\n".join(str(part.proto.body) for part in app.get("html"))
    return app, text


def row_of(told: League, event_id: str) -> str:
    """What the page has of an event: the beginning of its row."""
    return f'href="./?event={event_id}">{events_markup.escape(told.table.at[event_id, "title"])}'


@pytest.mark.usefixtures("on_bundled_data")
def test_every_event_links_to_its_story_and_the_title_answers_the_question(told: League) -> None:
    app, text = opened(rows="all")
    assert "DeepSeek ranks first" in app.title[0].value
    for event_id in told.table.index:
        assert row_of(told, event_id) in text
    assert "−6.5%" in text
    assert "0 of 2" in text
    assert len(app.get("plotly_chart")) == 2


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ({"kind": "earnings"}, lambda row: row.kind == "earnings"),
        ({"year": "2023"}, lambda row: row.session.year == 2023),
        ({"kind": "release", "year": "2025"}, lambda row: row.kind == "release" and row.session.year == 2025),
        ({"company": "NVDA"}, lambda row: row.lead == "NVDA"),
        ({"segment": "cloud"}, lambda row: row.lead in ("MSFT", "GOOGL", "AMZN", "META", "ORCL", "Cloud")),
    ],
)
def test_the_address_filters_the_events(told: League, address: dict[str, str], kept: object) -> None:
    _, text = opened(rows="all", **address)
    league = text[text.index('<table class="league">') : text.index("</table>")]
    found = {event_id for event_id in told.table.index if row_of(told, event_id) in league}
    assert found == {row.Index for row in told.ranked.itertuples() if kept(row)}  # type: ignore[operator]
    assert found


@pytest.mark.usefixtures("on_bundled_data")
def test_the_order_and_what_is_compared_are_in_the_address(told: League) -> None:
    app, text = opened(sort="date", rows="all", events=["deepseek-selloff", "gpt-5"], of="memory")
    places = [text.index(row_of(told, event_id)) for event_id in ("gpt-5", "deepseek-selloff", "gpt-4")]
    assert places == sorted(places)
    assert re.search(r"moved Memory furthest of 2 events: .\d+\.\d% beyond the market", text)
    assert "GPT-5" in app.get("plotly_chart")[1].proto.spec


@pytest.mark.parametrize("sort", view.SORTS)
def test_every_order_puts_the_largest_first_and_the_unknown_last(told: League, sort: str) -> None:
    rows = view.ordered(told.table, sort)
    assert sorted(rows.index) == sorted(told.table.index)
    if sort in ("abnormal", "change", "two-days", "dollars", "lead"):
        sizes = rows[view._SORTED_BY[sort][0]].abs().dropna()
        assert sizes.is_monotonic_decreasing


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("events-league", (("year", "1999"),), "no year “1999”"),
        ("events-league", (("kind", "earning"),), "the nearest is earnings"),
        ("events-segments", (("company", "nvidia"),), "no company “nvidia”"),
        ("events-league", (("year", "2022"), ("kind", "people")), "No event of the list fits"),
        ("events-compare", (("compared", "no-such,gpt-5"),), "no event “no-such”"),
        ("events-compare", (("of", "chip"),), "the nearest is chips"),
        ("events-days", (("year", "2024"),), "no option “year”"),
    ],
)
def test_what_no_chart_knows_is_refused_by_name(
    con: Con, name: str, options: tuple[tuple[str, str], ...], words: str
) -> None:
    with pytest.raises(NothingToShow, match=words):
        CHARTS[name](con, Request(options=options))


def test_a_big_day_without_an_event_says_so_and_opens_its_own_story(told: League) -> None:
    days = view.largest(told, "abnormal")
    assert len(days) == 2 * view.BIGGEST
    text = events_markup.biggest(days, "abnormal")
    for _, row in days.iterrows():
        assert f'href="./?event={row["date"]:%Y-%m-%d}"' in text
    plain = days[(days["title"] == "") & (days["explanation"] == "")]
    assert text.count("no event on record") == len(plain) > 0
    noted = days[(days["title"] == "") & (days["explanation"] != "")]
    for _, row in noted.iterrows():
        assert events_markup.escape(row["explanation"]) in text
        assert events_markup.escape(row["note_url"]) in text


def test_text_from_outside_is_no_markup(told: League) -> None:
    rows = told.ranked.head(1).assign(title="<script>alert(1)</script>", lead_name="<b>")
    assert "<script>" not in events_markup.league(told, rows, "light")
    assert "&lt;b&gt;" in events_markup.league(told, rows, "light")


def every_event(told: League) -> list[str]:
    reached = told.table[told.table["session"] < LAST]
    return list(reached.index) if SOAK else [each for each in HANDFUL if each in reached.index]


@pytest.mark.timeout(7200 if SOAK else 120)
def test_every_event_opens_its_story_with_its_charts(con: Con, told: League) -> None:
    records = read_records(con)
    for event_id in every_event(told):
        story = read_story(con, event_id)
        assert story.ai["change"].notna().sum() >= 30, event_id
        for name in shock.CHARTS:
            try:
                assert not shock.draw(story, name, "light", records=records).table.empty, (event_id, name)
            except NothingToShow:  # the page says so in its place
                assert name in MAY_HAVE_NOTHING, (event_id, name)


@pytest.mark.timeout(7200 if SOAK else 120)
def test_the_study_runs_for_every_event_with_250_sessions_before_it(con: Con, told: League) -> None:
    for event_id in every_event(told):
        session = told.table.at[event_id, "session"]
        assert told.panel.sessions.get_loc(session) >= 260, event_id
        inputs = load_study_inputs(con, "ai", on=session.date())
        study = run_study(simple_returns(inputs.prices), simple_returns(inputs.benchmarks)["SPY"], session)
        assert float(study.aar.loc[0, "aar"]) == pytest.approx(told.table.at[event_id, "abnormal"], abs=1e-12)


def test_the_page_shows_the_ten_largest_days_each_way_and_folds_away_the_next_fifteen(told: League) -> None:
    days = view.largest(told, "abnormal")
    text = events_markup.biggest(days, "abnormal", first=10)
    opened, *folded = text.split("<summary>The next 15</summary>")
    assert opened.count("<li") == 10
    assert [part.split("</details>")[0].count("<li") for part in folded] == [15, 15]
    assert text.count("<li") == len(days)
