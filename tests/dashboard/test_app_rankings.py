"""The app rankings' charts, over synthetic captures beside the bundled reports; figures equal independent queries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from dashboard.analysis.captures import placed
from dashboard.charts.rank_history import rank_history
from dashboard.charts.rank_words import link, moment, not_in, short_name
from dashboard.data.captures import RHYTHM_HOURS, Ranking, apps, history, rankings
from dashboard.data.events import of_session
from dashboard.views.app_rankings import CHARTS, default_apps, ranking_words
from dashboard.views.request import NothingToShow, Request
from etl.warehouse import connect_read_only
from etl.warehouse.files import FileWarehouse
from etl.warehouse.merge import Merge

START = datetime(2025, 1, 10, 6, tzinfo=UTC)
DEEPSEEK, CHATGPT, OTHER = "6737597349", "6448311069", "1000"
NAMES = {DEEPSEEK: "DeepSeek - AI Assistant", CHATGPT: "ChatGPT", OTHER: "<b>Evil</b> %{x} `app`"}


def capture(hours, order, country="us", depth=None):
    """A capture so many hours after the start: the apps from no. 1 down, and how deep it goes."""
    common = {
        "captured_at": START + timedelta(hours=hours),
        "store": "apple",
        "country": country,
        "chart": "top-free",
        "device": "iphone",
        "evidence": "measured",
        "source": "apple",
        "source_url": f"https://example.org/{country}/{hours}",
    }
    fill = [(f"f{i}", f"Filler {i}") for i in range(len(order) + 1, 13)]
    ranked = [(app, NAMES.get(app, app)) for app in order] + fill
    rows = [
        {**common, "rank": rank, "app_id": app, "app_name": name, "publisher": "P", "note": ""}
        for rank, (app, name) in enumerate(ranked, start=1)
    ]
    return {**common, "depth": depth or len(ranked)}, rows


CAPTURES = [
    capture(0, [CHATGPT, OTHER]),
    capture(24, [CHATGPT, OTHER]),
    capture(48, [CHATGPT, OTHER, DEEPSEEK]),
    capture(72, [DEEPSEEK, CHATGPT]),
    capture(72 + RHYTHM_HOURS, [DEEPSEEK, CHATGPT]),
    capture(72 + 2 * RHYTHM_HOURS + 1, [DEEPSEEK, CHATGPT]),
    capture(160, [OTHER, CHATGPT]),
    capture(170, [DEEPSEEK, CHATGPT]),
    capture(0, [DEEPSEEK], country="kr"),
    capture(24, [CHATGPT], country="kr"),
]


@pytest.fixture(scope="module")
def con(tmp_path_factory, bundled_database):
    path = tmp_path_factory.mktemp("captures") / "market.duckdb"
    path.write_bytes(bundled_database.read_bytes())
    warehouse = FileWarehouse(path)
    with warehouse.writing() as writer:
        merge = Merge(writer, "test")
        merge.rows("ranking_capture", pd.DataFrame([taken for taken, _ in CAPTURES]))
        merge.rows("app_ranking", pd.DataFrame([row for _, rows in CAPTURES for row in rows]))
    with connect_read_only(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def bundled(bundled_database):
    with connect_read_only(bundled_database) as opened:
        yield opened


def chart(con, name, *chosen, start=None, end=None, **options):
    return CHARTS[name](con, Request(tickers=chosen, start=start, end=end, options=tuple(options.items())))


def traces(drawn):
    return {trace.name: trace for trace in drawn.figure.data}


def joined(trace):
    """The runs of points that the line joins, as lists of ranks."""
    runs = [[]]
    for rank in np.asarray(trace.y, float):
        if np.isnan(rank):
            runs.append([])
        else:
            runs[-1].append(int(rank))
    return runs


def test_measured_ranks_equal_an_independent_query(con):
    trace = traces(chart(con, "rank-history", CHATGPT))["ChatGPT"]
    found = [rank for run in joined(trace) for rank in run]
    wanted = con.execute(
        "SELECT rank FROM app_ranking WHERE evidence = 'measured' AND country = 'us' AND chart = 'top-free' "
        "AND app_id = ? ORDER BY captured_at",
        [CHATGPT],
    ).fetchall()
    assert found == [rank for (rank,) in wanted]


def test_a_line_joins_only_captures_at_most_36_hours_apart(con):
    trace = traces(chart(con, "rank-history", CHATGPT))["ChatGPT"]
    assert joined(trace) == [[1, 1, 1, 2, 2], [2, 2, 2]]


def test_a_line_breaks_where_a_capture_does_not_hold_the_app(con):
    trace = traces(chart(con, "rank-history", DEEPSEEK))["DeepSeek - AI Assistant"]
    assert joined(trace) == [[3, 1, 1], [1], [1]]


@pytest.mark.parametrize("deep", [5, 12, 20])
def test_a_capture_says_of_an_app_only_what_its_depth_can_tell(con, deep):
    points = placed(history(con, Ranking(), [DEEPSEEK], date(2025, 1, 10), date(2025, 1, 11))).assign(
        depth=deep
    )
    assert points["rank"].isna().all()
    pauses, day = (
        pd.DataFrame(columns=["since", "until"]),
        of_session(date(2025, 1, 10), "d", "Day", "day", ""),
    )
    drawn = rank_history(points, {DEEPSEEK: "DeepSeek"}, "a chart", pauses, [], day, "S", firsts={})
    [absent] = drawn.figure.data
    for told in (drawn.title, drawn.alt, drawn.note, drawn.table["state"].iloc[0], absent.name):
        assert f"not in the first {deep}" in told
    assert f"was not in the first {deep} on" in absent.hovertext[0]
    assert drawn.figure.layout.yaxis.ticktext[-1] == f"not in the<br>first {deep}"


def test_captures_of_several_depths_say_so():
    assert not_in(pd.Series([12, 5, 12])) == "not in the first 5 to 12"


def test_not_in_the_first_places_is_told_from_not_fetched(con):
    drawn = chart(con, "rank-history", DEEPSEEK)
    absent = traces(drawn)["DeepSeek - AI Assistant, not in the first 12"]
    assert [x[:10] for x in absent.x] == ["2025-01-10", "2025-01-11", "2025-01-16"]
    assert "was not in the first 12 on Fri 10 Jan 2025, 06:00 UTC" in absent.hovertext[0]
    states = drawn.table.loc[drawn.table["rank"].isna(), "state"]
    assert set(states) == {"not in the first 12"}
    pauses = [shape for shape in drawn.figure.layout.shapes if shape.type == "rect"]
    assert [(str(shape.x0)[:13], str(shape.x1)[:13]) for shape in pauses] == [
        ("2025-01-14 18", "2025-01-16 07"),
    ]
    assert "not fetched" in drawn.note


def test_reported_ranks_are_rings_of_their_own_without_a_line(con):
    trace = traces(chart(con, "rank-history", DEEPSEEK))["DeepSeek - AI Assistant, reported"]
    assert trace.mode == "markers+text"
    assert trace.marker.symbol == "circle-open"
    wanted = con.execute(
        "SELECT rank FROM app_ranking WHERE evidence = 'reported' AND store = 'apple' AND country = 'us' "
        "AND app_id = ? ORDER BY captured_at",
        [DEEPSEEK],
    ).fetchall()
    assert [int(rank) for rank in trace.y] == [rank for (rank,) in wanted]
    assert "reported by TechCrunch" in trace.hovertext[0]
    assert "UTC" not in trace.hovertext[0]


def test_an_app_that_only_reports_name_is_not_said_to_be_missing(con):
    drawn = chart(con, "rank-history", "REDnote (Xiaohongshu)")
    assert list(traces(drawn)) == ["REDnote (Xiaohongshu), reported"]


def test_every_point_links_to_its_capture_or_report(con):
    table = chart(con, "rank-history", DEEPSEEK, CHATGPT).table
    assert table["link"].str.startswith("https://").all()
    assert set(table["evidence"]) == {"measured", "reported"}
    assert link("javascript:alert(1)") == ""
    assert link("https://example.org/a b") == ""


def test_names_from_outside_stay_text(con):
    drawn = chart(con, "rank-history", OTHER)
    texts = [text for trace in drawn.figure.data for text in trace.hovertext if text]
    assert all("<b>Evil" not in text for text in texts)
    assert "&lt;b&gt;Evil" in texts[0]


def test_the_first_ten_come_from_captures_and_break_at_gaps(con):
    drawn = chart(con, "rank-bump", CHATGPT, DEEPSEEK)
    assert joined(traces(drawn)["ChatGPT"]) == [[1, 1, 1, 2, 2], [2, 2, 2]]
    assert joined(traces(drawn)["DeepSeek - AI Assistant"]) == [[3, 1, 1], [1], [1]]
    count = con.execute(
        "SELECT count(*) FROM app_ranking "
        "WHERE evidence = 'measured' AND country = 'us' AND chart = 'top-free' AND rank <= 10"
    ).fetchall()[0][0]
    assert len(drawn.table) == count == 80
    assert drawn.title == "DeepSeek led in 4 of 8 captures shown; 3 apps have been no. 1"


def test_reports_alone_make_no_top_ten_and_say_how_to_get_one(bundled):
    with pytest.raises(NothingToShow, match="do not make a top 10") as nothing:
        chart(bundled, "rank-bump")
    assert "etl refresh --source rankings" in nothing.value.step


def test_reports_alone_are_drawn_and_said_to_be_all_there_is(bundled):
    drawn = chart(bundled, "rank-history")
    assert drawn.title == "DeepSeek was first reported at no. 1 on Sun 26 Jan 2025"
    assert all(trace.mode == "markers+text" for trace in drawn.figure.data)
    assert "No capture of this chart" in drawn.note


def test_the_first_day_at_the_top_equals_an_independent_query(con):
    drawn = chart(con, "rank-first-days", DEEPSEEK)
    wanted = con.execute(
        """
        SELECT country, strftime(min(captured_at), '%Y-%m-%d %H:%M'), evidence FROM app_ranking
        WHERE store = 'apple' AND chart = 'top-free' AND rank = 1 AND app_id = ? GROUP BY country, evidence
        """,
        [DEEPSEEK],
    ).fetchall()
    table = drawn.table[drawn.table["app"] == "DeepSeek - AI Assistant"]
    names = {"us": "United States", "kr": "South Korea", "gb": "United Kingdom"}
    found = table[["country", "first known as no. 1 (UTC)", "evidence"]].itertuples(index=False, name=None)
    assert sorted(found) == sorted((names[country], day, how) for country, day, how in wanted)
    assert drawn.title == (
        "The captures and reports held here have DeepSeek at no. 1 in 3 countries, first in South Korea on 10 Jan 2025"
    )


def test_a_count_of_countries_is_one_of_what_is_held_here(bundled):
    told = chart(bundled, "rank-first-days", DEEPSEEK)
    assert told.title.startswith("The reports held here have DeepSeek at no. 1 in ")
    assert "Countries without a capture or report held here are not counted" in told.note
    held = bundled.execute(
        "SELECT count(DISTINCT country) FROM app_ranking WHERE rank = 1 AND store = 'google' AND app_id = ?",
        ["com.deepseek.chat"],
    ).fetchall()
    google = chart(bundled, "rank-first-days", "com.deepseek.chat", store="google", device="phone")
    assert f"in {held[0][0]} countries, first in" in google.title


def test_a_country_whose_first_capture_has_the_leader_already_says_so(con):
    drawn = chart(con, "rank-first-days", DEEPSEEK)
    fields = [text for trace in drawn.figure.data if trace.type == "scatter" for text in trace.text]
    assert "● ≤10 Jan" in fields
    assert "● 13 Jan" in fields


def test_the_rivals_are_shown_first_and_reports_without_an_id_find_their_app(con):
    known = apps(con, Ranking())
    assert default_apps(known) == [DEEPSEEK, CHATGPT]
    reports = con.execute(
        "SELECT count(*) FROM app_ranking "
        "WHERE app_name = 'ChatGPT' AND country = 'us' AND store = 'apple' AND chart = 'top-free'"
    ).fetchall()[0][0]
    assert known.set_index("app").at[CHATGPT, "points"] == reports
    assert known["app"].is_unique


def test_every_chart_that_is_known_can_be_chosen(con):
    known = rankings(con)
    held = con.execute("SELECT DISTINCT store, country, chart FROM app_ranking").fetchall()
    assert set(zip(known["store"], known["country"], known["chart"], strict=True)) == set(held)
    for row in known.itertuples():
        ranking = Ranking(row.store, row.country, row.chart, row.device)
        assert chart(con, "rank-history", **ranking.parameters()).title
    assert ranking_words(Ranking()) == "Apple’s top free iPhone apps in the United States"


def test_an_unknown_chart_says_so(con):
    with pytest.raises(NothingToShow, match="Nothing is known of"):
        chart(con, "rank-history", country="zz")


def test_a_time_without_points_says_so(con):
    with pytest.raises(NothingToShow, match="choose other apps or another time"):
        chart(con, "rank-history", CHATGPT, start=date(2025, 1, 18), end=date(2025, 1, 20))


@pytest.fixture(scope="module")
def hourly(tmp_path_factory, bundled_database):
    """A year of hourly captures of a chart of twelve."""
    path = tmp_path_factory.mktemp("hourly") / "market.duckdb"
    path.write_bytes(bundled_database.read_bytes())
    with FileWarehouse(path).writing() as writer:
        writer.execute(
            """
            INSERT INTO ranking_capture BY NAME SELECT moment AS captured_at, 'apple' AS store, 'us' AS country,
                'top-free' AS chart, 'iphone' AS device, 12 AS depth, 'measured' AS evidence, 'apple' AS source,
                'https://example.org/' || moment AS source_url, 'test' AS run_id
            FROM generate_series(TIMESTAMPTZ '2025-03-01', TIMESTAMPTZ '2026-02-28', INTERVAL 1 HOUR) AS t(moment)
            """
        )
        writer.execute(
            """
            INSERT INTO app_ranking BY NAME SELECT captured_at, store, country, chart, device, rank,
                CASE rank WHEN 1 THEN ? ELSE 'f' || rank END AS app_id,
                CASE rank WHEN 1 THEN 'ChatGPT' ELSE 'F' || rank END AS app_name,
                'measured' AS evidence, source, source_url, 'test' AS run_id
            FROM ranking_capture, generate_series(1, 12) AS r(rank) WHERE evidence = 'measured'
            """,
            [CHATGPT],
        )
    with connect_read_only(path) as opened:
        yield opened


def test_a_year_of_hourly_captures_is_thinned_and_still_joined(hourly):
    drawn = chart(hourly, "rank-history", CHATGPT)
    assert "the last capture of each day" in drawn.subtitle
    assert [len(run) for run in joined(traces(drawn)["ChatGPT"])] == [365]
    top = chart(hourly, "rank-bump", CHATGPT)
    assert "the last capture of each week" in top.subtitle
    assert sum(len(trace.x) for trace in top.figure.data) < 3000
    assert len(joined(traces(top)["ChatGPT"])) == 1


def test_short_names_drop_the_claim():
    assert short_name("DeepSeek - AI Assistant") == "DeepSeek"
    assert short_name("Claude by Anthropic") == "Claude"
    assert short_name("REDnote (Xiaohongshu)") == "REDnote"
    assert short_name("-") == "-"


def test_a_capture_that_gives_only_a_day_claims_no_hour(con):
    with_hours = history(
        con, Ranking("apple", "us", "top-free", "iphone"), [CHATGPT], START.date(), date(2025, 1, 12)
    )
    assert with_hours.loc[with_hours["evidence"] == "measured", "time_known"].all()
    bare = with_hours.assign(captured_at=pd.Timestamp("2025-01-10", tz="UTC"), time_known=False).iloc[:1]
    [point] = placed(bare).itertuples()
    assert (point.moment, moment(point)) == (pd.Timestamp("2025-01-10 12:00"), "Fri 10 Jan 2025")


def test_first_is_of_the_data_and_not_of_the_days_that_are_drawn(bundled):
    later = chart(bundled, "rank-history", DEEPSEEK, start=date(2025, 1, 31), end=date(2025, 2, 5))
    assert later.title == (
        "DeepSeek was at no. 1 on Sat 1 Feb 2025, and is known to have been there on Sun 26 Jan 2025 already"
    )


def test_an_approximate_report_is_fainter_and_said_to_be_so(bundled):
    drawn = chart(bundled, "rank-history", "6670324846")
    grok = traces(drawn)["Grok, reported"]
    assert list(grok.marker.opacity) == [0.45, 1.0]
    assert "Fainter rings are approximate" in drawn.note
    assert drawn.table["confidence"].tolist() == ["C", "B"]


def test_a_capture_is_not_said_to_lack_what_lies_below_its_depth(bundled):
    drawn = chart(bundled, "rank-history", "422689480", chart="top-free/productivity")
    absent = drawn.table.loc[drawn.table["rank"].isna(), "state"]
    assert set(absent) <= {"not in the first 12", "not in the first 13"}


def test_the_first_ten_are_no_more_than_a_capture_holds(bundled):
    drawn = chart(bundled, "rank-bump", chart="top-free/productivity", country="gb")
    depths = bundled.execute(
        "SELECT min(depth), max(depth) FROM ranking_capture WHERE evidence = 'measured' AND country = 'gb' "
        "AND chart = 'top-free/productivity'"
    ).fetchall()
    assert depths == [(5, 6)]
    assert drawn.subtitle.startswith("The first 6 of ")
    assert "an app was not in the first 5 to 6, as far down as each capture goes, or" in drawn.note
    assert list(drawn.figure.layout.yaxis.tickvals) == [1, 2, 3, 4, 5, 6]
    for row in chart(bundled, "rank-bump", chart="top-free/productivity").table.itertuples():
        assert row.rank <= 10
