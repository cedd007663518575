"""The day, minute by minute: what is drawn, from which close, by which clock, and what is said where none is."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.charts.chart import Chart
from dashboard.edition.stories import charts_of
from dashboard.views.holdings import read_holdings, within_words
from dashboard.views.minutes import HEEDS, make
from dashboard.views.records import read_records
from dashboard.views.request import NothingToShow, Request
from dashboard.views.story import read_story
from etl.hours import placed
from etl.settings import PROJECT_ROOT
from etl.warehouse import connect_read_only

DAY = date(2025, 1, 27)
APP = str(PROJECT_ROOT / "dashboard" / "app.py")
EXCHANGES = {
    "NVDA": "XNAS",
    "SPY": "ARCX",
    "QQQ": "XNAS",
    "SOXX": "XNAS",
    "000660.KS": "XKRX",
    "AVGO": "XNAS",
}


@pytest.fixture
def held(tmp_path: Path, bundled_database: Path) -> Path:
    """A copy of the bundled warehouse, to which intraday bars can be added."""
    path = tmp_path / "market.duckdb"
    shutil.copyfile(bundled_database, path)
    return path


def add(path: Path, ticker: str, bars: dict[str, float], day: date = DAY, **columns: object) -> None:
    """Bars of five minutes by the time in New York at which they begin."""
    starts = pd.DatetimeIndex([pd.Timestamp(f"{day} {at}", tz="America/New_York") for at in bars]).tz_convert(
        "UTC"
    )
    rows = pd.DataFrame({"ticker": ticker, "minutes": 5, "starts_at": starts, "close": list(bars.values())})
    rows = rows.assign(
        currency="USD", splits_through=day, run_id="x", **{"source": "yahoo-intraday", **columns}
    )
    rows = rows.join(placed(EXCHANGES[ticker], starts))
    with duckdb.connect(str(path)) as con:
        con.execute("INSERT INTO price_intraday BY NAME SELECT * FROM rows")


def drawn(path: Path, event: str = "deepseek-selloff", **asked: object) -> Chart:
    with connect_read_only(path) as con:
        return make(con, Request(event, **asked))


def changes(chart: Chart, ticker: str) -> list[float]:
    return chart.table.loc[chart.table["ticker"] == ticker, "change, percent"].tolist()


def test_where_nothing_is_held_it_is_said_why_and_what_to_do(held):
    with pytest.raises(NothingToShow, match="No intraday bars of Mon 27 Jan 2025 are held") as nothing:
        drawn(held)
    assert "`python -m etl refresh --source intraday --session 2025-01-27`" in nothing.value.step
    assert "import-prices FILE --interval 5m" in nothing.value.step


def test_an_events_page_of_the_static_edition_has_its_day_as_the_story_page_has(held):
    def names() -> list[str]:
        with connect_read_only(held) as con:
            story = read_story(con, "deepseek-selloff")
            return [chart.name for chart in charts_of(con, story, read_records(con), "light")]

    before = names()
    add(held, "NVDA", {"15:50": 118.0, "15:55": 118.42})
    after = names()
    assert "shock-minutes" not in before
    assert after[after.index("shock-timeline") + 1] == "shock-minutes"
    assert [name for name in after if name != "shock-minutes"] == before


def test_the_change_is_from_the_close_before_of_each(held):
    """NVIDIA closed at 142.62 dollars on 24 January, the S&P 500's fund at 607.97."""
    add(held, "NVDA", {"08:00": 131.21, "09:30": 124.80, "15:00": 117.00, "15:55": 118.42, "16:00": 119.0})
    add(held, "SPY", {"09:30": 594.81, "15:55": 599.37})
    chart = drawn(held)
    assert changes(chart, "NVDA") == pytest.approx(
        [-8.0003, -12.4947, -17.9638, -16.9682, -16.5615], abs=2e-3
    )
    assert changes(chart, "SPY") == pytest.approx([-2.1646, -1.4145], abs=2e-3)
    assert chart.title == "NVIDIA was lowest at 15:05 (−18.0%) and closed at −17.0%"
    assert list(chart.table["phase"][:5]) == ["pre", "regular", "regular", "regular", "post"]


def test_times_are_those_of_the_exchange_and_of_utc_and_names_have_room(held):
    add(held, "NVDA", {"09:30": 124.80})
    add(held, "SOXX", {"09:30": 210.0}, source="import")
    chart = drawn(held)
    assert "<b>US semiconductors</b>" in [note.text for note in chart.figure.layout.annotations]
    assert chart.figure.layout.margin.r > 7 * len("US semiconductors")
    assert "an imported file" in chart.source
    assert "New York time (EST)" in chart.subtitle
    assert set(chart.table["end of the bar, New York time (EST)"]) == {"2025-01-27 09:35"}
    assert set(chart.table["end of the bar, UTC"]) == {"2025-01-27T14:35Z"}


def test_the_news_of_the_day_stands_at_its_time_and_that_of_the_night_in_the_note(held):
    add(held, "NVDA", {"09:30": 124.80, "15:55": 118.42})
    with duckdb.connect(str(held)) as con:
        for name, moment in (("noon", "2025-01-27 17:00:00+00"), ("night", "2025-01-26 23:30:00+00")):
            con.execute(
                "INSERT INTO event (event_id, title, occurred_at, zone, time_known, market_session, market_open, kind, "
                "description, source, source_url) VALUES ($1, $1, $2, 'UTC', true, DATE '2025-01-27', true, 'claim', "
                "'', '', '')",
                [name, moment],
            )
    chart = drawn(held)
    marks = {one.text: pd.Timestamp(one.x) for one in chart.figure.layout.annotations if one.text == "noon"}
    assert marks == {"noon": pd.Timestamp("2025-01-27 12:00")}
    assert "12:00: noon." in chart.alt
    assert "night (Sun 26 Jan 2025, 18:30)" in chart.note


def test_hours_around_the_session_are_shaded_only_where_there_are_any(held):
    add(held, "NVDA", {"09:30": 124.80, "15:55": 118.42})
    assert "shaded" not in drawn(held).subtitle
    add(held, "NVDA", {"08:00": 131.21, "16:00": 119.0})
    chart = drawn(held)
    rects = [shape for shape in chart.figure.layout.shapes if shape.type == "rect"]
    assert [(pd.Timestamp(one.x0).hour, pd.Timestamp(one.x1).hour) for one in rects] == [(8, 9), (16, 16)]


def test_a_split_of_later_weeks_is_applied(held):
    """The closes of the bundle are on the basis of every split; these bars were saved before one of ten for one."""
    add(held, "NVDA", {"09:30": 1248.0, "15:55": 1184.2})
    with duckdb.connect(str(held)) as con:
        con.execute("INSERT INTO split VALUES ('NVDA', DATE '2025-02-10', 10, 'x', 'x')")
    assert changes(drawn(held), "NVDA") == pytest.approx([-12.4947, -16.9682], abs=2e-3)


def test_only_those_that_trade_by_the_same_clock_stand_together(held):
    add(held, "SPY", {"09:30": 594.81})
    with connect_read_only(held) as con:
        session = con.execute(
            "SELECT min(date), arg_min(close, date) FROM price_daily WHERE ticker = '000660.KS' AND date > $day",
            {"day": DAY},
        ).fetchall()[0]
    starts = pd.DatetimeIndex([pd.Timestamp(f"{session[0]} 09:00", tz="Asia/Seoul")]).tz_convert("UTC")
    at = starts[0].tz_convert("America/New_York")
    add(held, "000660.KS", {f"{at:%H:%M}": session[1]}, day=at.date())
    chart = drawn(held, tickers=("000660.KS", "SPY"))
    assert "No bars by this clock are held of S&P 500 (SPY)." in chart.note
    assert set(chart.table["ticker"]) == {"000660.KS"}
    assert "Seoul time (KST)" in chart.subtitle


def test_companies_of_the_readers_choice_are_drawn_instead(held):
    add(held, "NVDA", {"09:30": 124.80})
    add(held, "AVGO", {"09:30": 220.00})
    assert set(drawn(held).table["ticker"]) == {"NVDA"}
    assert set(drawn(held, tickers=("AVGO",)).table["ticker"]) == {"AVGO"}
    assert HEEDS["shock-minutes"].tickers == "company"


def test_bars_of_a_minute_are_drawn_rather_than_those_of_five(held):
    add(held, "NVDA", {"09:30": 124.80})
    with duckdb.connect(str(held)) as con:
        con.execute("INSERT INTO price_intraday SELECT * REPLACE (1 AS minutes) FROM price_intraday")
    chart = drawn(held)
    assert "1-minute bars" in chart.subtitle
    assert list(chart.table["end of the bar, UTC"]) == ["2025-01-27T14:31Z"]


def shown(app: AppTest) -> str:
    parts = [part.proto.body for part in app.get("html")] + [part.value for part in app.caption]
    return "\n".join(parts).replace("\\", "")


def test_the_story_and_the_data_page_show_what_is_held(held, use_database):
    add(held, "NVDA", {"09:30": 124.80, "15:55": 118.42})
    use_database(held)
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert not app.exception
    assert 'id="minutes"' in shown(app)
    app.switch_page("app_pages/data.py").run()
    assert "5-minute bars of 1 company on 1 session, Mon 27 Jan 2025 to Mon 27 Jan 2025." in shown(app)


def test_the_data_page_says_when_nothing_is_held(held):
    with connect_read_only(held) as con:
        assert within_words(read_holdings(con, [])).startswith("No intraday bars are held")
