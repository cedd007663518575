"""Details a picture desk looks at: ticks on trading days, text that reads on its tile, figures beside short bars."""

from dataclasses import replace

import pandas as pd
import pytest

from dashboard.analysis.recovery import recoveries
from dashboard.charts import ranks, words
from dashboard.charts.annotations import on_mondays
from dashboard.charts.event_study import benchmarks
from dashboard.charts.recovery import recovery
from dashboard.charts.style import PALETTES, mixed, readable_on
from dashboard.charts.timeline import label
from dashboard.views.events import Choice, draw
from dashboard.views.league import read_league
from dashboard.views.registry import CHARTS
from dashboard.views.request import Request
from etl.warehouse import connect_read_only


@pytest.mark.parametrize(("last", "weeks"), [("2025-02-14", 1), ("2025-03-14", 2), ("2025-06-30", 4)])
def test_a_time_axis_of_weeks_marks_mondays_few_enough_to_read(last, weeks):
    axis = on_mondays(pd.Timestamp("2025-01-13"), pd.Timestamp(last))
    assert pd.Timestamp(axis["tick0"]).day_name() == "Monday"
    assert pd.Timedelta(axis["dtick"], unit="ms") == pd.Timedelta(weeks=weeks)


@pytest.mark.parametrize("last", ["2025-01-20", "2026-01-13"])
def test_a_time_axis_of_days_or_of_years_is_left_to_plotly(last):
    assert on_mondays(pd.Timestamp("2025-01-13"), pd.Timestamp(last)) == {"nticks": 7}


@pytest.mark.parametrize("theme", PALETTES)
def test_text_reads_on_a_tile_of_any_strength_in_every_theme(theme):
    colours = PALETTES[theme]
    for strong in (colours.loss, colours.gain):
        for share in (step / 20 for step in range(21)):
            tile = mixed(colours.band, strong, share)
            assert _contrast(readable_on(tile, colours), tile) >= 4.5, (theme, strong, share)


def test_the_figure_of_a_short_bar_stands_beside_it_and_every_figure_lies_level():
    check = pd.DataFrame(
        {
            "label": ["S&P 500 (SPY)", "Equal weight"],
            "benchmark_return": [-0.014, -0.074],
            "mean_return": [-0.099, -0.099],
            "caar": [-0.072, -0.008],
            "portfolio_regression_p": [0.001, 0.2],
        }
    )
    chart = benchmarks(check, "All AI companies", (0, 0), "closing prices")
    bars = chart.figure.data[0]
    assert list(bars.textposition) == ["inside", "outside"]
    assert bars.textangle == 0
    assert "of all AI companies" in chart.subtitle


@pytest.mark.parametrize("name", ["events-league", "events-biggest", "company-worst-days"])
def test_figures_beside_bars_are_as_large_in_every_size(bundled_database, name):
    """Plotly draws them no higher than their bar, unless told otherwise: on paper they vanished."""
    with connect_read_only(bundled_database) as con:
        chart = CHARTS[name](
            con, Request("deepseek-selloff", ("NVDA",) if name.startswith("company") else ())
        )
    bars = [trace for trace in chart.figure.data if trace.type == "bar" and trace.text is not None]
    assert bars
    assert {trace.constraintext for trace in bars} == {"none"}


@pytest.mark.parametrize(
    ("event", "side"),
    [("deepseek-selloff", "bottom"), ("nvidia-q1-fy2024", "top")],
    ids=["fall", "rise"],
)
def test_the_events_own_figure_stands_across_the_zero_line_from_its_bar(bundled_database, event, side):
    with connect_read_only(bundled_database) as con:
        chart = CHARTS["study-caar"](con, Request(event))
    figure = f"<b>{chart.title.split(': ')[1].split(' ')[0]}</b>"
    (label,) = [note for note in chart.figure.layout.annotations if note.text == figure]
    assert (label.y, label.yanchor, label.showarrow) == (0, side, False)


def test_long_titles_are_cut_in_a_charts_own_title(bundled_database):
    with connect_read_only(bundled_database) as con:
        told = read_league(con)
    long = replace(told, table=told.table.assign(title="An announcement that nobody had seen coming " * 5))
    compared = Choice(compared=tuple(long.table.index[:6]))
    for name, choice in (
        ("events-compare", compared),
        ("events-league", Choice()),
        ("events-segments", Choice()),
        ("events-league", Choice(company="ARM")),
    ):
        assert len(draw(long, name, choice, "light").title) <= 300


def test_one_event_is_not_said_to_have_moved_shares_furthest(bundled_database):
    with connect_read_only(bundled_database) as con:
        told = read_league(con)
    chart = draw(told, "events-league", Choice(company="ARM", year="2024"), "light")
    assert chart.title.startswith("Arm’s forecast sinks chip shares: AI shares moved −2")


@pytest.mark.parametrize(
    ("back", "fell", "said"),
    [
        (0, 9, "none of the 9 AI companies that fell is"),
        (1, 9, "1 of the 9 AI companies that fell is"),
        (9, 9, "all of the 9 AI companies that fell are"),
        (0, 1, ", the only AI company that fell"),
    ],
)
def test_how_many_are_back_is_said_as_english(back, fell, said):
    days = pd.to_datetime(["2025-01-24", "2025-01-27", "2025-01-28"])
    prices = pd.concat(
        pd.DataFrame({"ticker": f"T{n}", "date": days, "close": path, "adj_close": path})
        for n, path in enumerate([[100.0, 90.0, 101.0]] * back + [[100.0, 90.0, 95.0]] * (fell - back))
    )
    rows = recoveries(prices, pd.Timestamp("2025-01-27").date())
    assert said in recovery(rows, list(rows["ticker"]), pd.Series(dtype=str), "source", "light").title


def _contrast(one: str, other: str) -> float:
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_heads_of_two_columns_stand_at_opposite_ends(bundled_database):
    """On a phone they ran into each other."""
    with connect_read_only(bundled_database) as con:
        chart = CHARTS["shock-losses"](con, Request("deepseek-selloff"))
    heads = {note.text: (note.x, note.xanchor) for note in chart.figure.layout.annotations if note.text}
    assert (heads["Market value"], heads["Share price"]) == ((0, "left"), (1, "right"))


def test_labels_beside_the_move_cover_the_lines_of_the_days_before(bundled_database):
    with connect_read_only(bundled_database) as con:
        chart = CHARTS["shock-timeline"](con, Request("nvidia-q1-fy2024"))
    labels = [note for note in chart.figure.layout.annotations if "Microsoft" in (note.text or "")]
    assert labels
    assert all(note.bgcolor.endswith(",0.75)") for note in labels)


def test_worst_days_of_a_company_listed_later_are_told_by_the_worst_of_them(bundled_database):
    with connect_read_only(bundled_database) as con:
        chart = CHARTS["company-worst-days"](con, Request("deepseek-selloff", ("CRWV",)))
    first = chart.table.iloc[0]
    assert (
        chart.title
        == f"CoreWeave fell most on 13 Aug 2025: {words.percent(first['change, percent (with dividends)'] / 100)}"
    )
    assert chart.note == "CoreWeave has no session within two weeks of Mon 27 Jan 2025."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NVIDIA forecasts 11 billion dollars", "NVIDIA forecasts 11 billion…"),
        ("x" * 40, "x" * 33 + "…"),
        ("  as \n it   is ", "as it is"),
    ],
)
def test_text_is_cut_after_a_word_where_one_ends(text, expected):
    assert words.cut(text, 34) == expected


@pytest.mark.parametrize("name", ["shock-losses", "shock-losses-dollars"])
@pytest.mark.parametrize("event", ["deepseek-selloff", "spacex-ipo"])
def test_a_figure_within_a_bar_fits_it_on_a_phone(bundled_database, name, event):
    """What was too long for its bar lay across the zero line."""
    with connect_read_only(bundled_database) as con:
        chart = CHARTS[name](con, Request(event))
    bars, (left, right) = chart.figure.data[0], chart.figure.layout.xaxis.range
    within = [abs(x) for x, place in zip(bars.x, bars.textposition, strict=True) if place == "inside"]
    assert (event == "spacex-ipo" and name == "shock-losses") != bool(
        within
    )  # there each stands beside its bar
    assert all(bar / (right - left) > 0.2 for bar in within)


def test_the_words_of_a_rank_long_before_no_1_stand_off_the_arrow_to_it():
    moments = pd.to_datetime(["2025-01-13", "2025-01-24", "2025-01-26"])
    points = pd.DataFrame({"rank": [3, 31, 1], "moment": moments}).itertuples()
    found = [ranks.words_beside(point, moments[2]) for point in points]
    assert found == ["bottom center", "bottom right", "top right"]


def test_a_day_of_gains_is_told_as_one_with_the_largest_on_top(bundled_database):
    with connect_read_only(bundled_database) as con:
        percent, dollars = (
            CHARTS[f"shock-losses-{unit}"](con, Request("2025-04-09")) for unit in ("percent", "dollars")
        )
    assert percent.title.endswith("of 53 AI companies rose, Arm furthest")
    assert dollars.title == "NVIDIA alone was 17% of the $2.55 trillion gained"
    assert [chart.figure.data[0].y[-1] for chart in (percent, dollars)] == ["Arm", "NVIDIA"]


@pytest.mark.parametrize(
    ("name", "ticker", "said"),
    [
        ("NVIDIA", "NVDA", "NVIDIA"),
        ("Applied Materials", "AMAT", "AMAT"),
        ("Samsung Electronics", "005930.KS", "Samsung"),
        ("Tokyo Electron", "8035.T", "Tokyo Electron"),
    ],
)
def test_a_line_is_called_by_what_readers_know_the_company_by(name, ticker, said):
    assert label(name, ticker) == said
