"""Tables that stand on their side, and JSON, are read as the rows that they hold."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from etl.imports import ImportRefusedError, PriceOptions, RankOptions, import_prices, import_rankings
from tests.etl.imported import rows, stored, written

MONDAY, TUESDAY = (datetime(2025, 1, day, tzinfo=UTC) for day in (27, 28))
DEEPSEEK, CHATGPT = "6737597349", "6448311069"
BOTH = [(MONDAY, 1, DEEPSEEK), (MONDAY, 2, CHATGPT), (TUESDAY, 1, DEEPSEEK), (TUESDAY, 3, CHATGPT)]


def ranked(warehouse, columns: str = "captured_at, rank, app_id") -> list[tuple]:
    return rows(warehouse, f"SELECT {columns} FROM app_ranking ORDER BY captured_at, rank, country")


WIDE = {
    "a column a day": (
        f"App,App ID,Publisher,2025-01-27,2025-01-28\nDeepSeek,{DEEPSEEK},DeepSeek,1,1\nChatGPT,{CHATGPT},OpenAI,2,3\n"
    ),
    "a column a day, the day first": (
        f"App;App ID;27/01/2025;28/01/2025\nDeepSeek;{DEEPSEEK};1;1\nChatGPT;{CHATGPT};2;3\n"
    ),
    "a column an app's number": f"Date,{DEEPSEEK},{CHATGPT},Change\n2025-01-27,1,2,-1\n2025-01-28,1,3,-2\n",
    "records": (
        f'[{{"date": "2025-01-27", "app_id": {DEEPSEEK}, "rank": 1}}, {{"date": "2025-01-27", "app_id": "{CHATGPT}", '
        f'"rank": 2}}, {{"date": "2025-01-28", "app_id": "{DEEPSEEK}", "rank": 1}},'
        f'{{"date": "2025-01-28", "app_id": "{CHATGPT}", "rank": 3}}]'
    ),
    "a record a line": "".join(
        f'{{"date": "{day:%Y-%m-%d}", "app_id": "{app}", "rank": {rank}}}\n' for day, rank, app in BOTH
    ),
    "Sensor Tower's charts": (
        f'[{{"date": "2025-01-27T00:00:00Z", "country": "US", "category": 36, "chart_type": "topfreeapplications", '
        f'"ranking": [{DEEPSEEK}, {CHATGPT}]}}, {{"date": "2025-01-28T00:00:00Z", "country": "US", "category": "0", '
        f'"chart_type": "topfreeapplications", "ranking": ["{DEEPSEEK}", "1", "{CHATGPT}"]}}]'
    ),
    "Sensor Tower's history of ranks": (
        f'{{"{DEEPSEEK}": {{"US": {{"36": {{"topfreeapplications": {{"todays_rank": 1, "graphData": '
        f'[[1737936000, 1, null], [1738022400, 1, null]]}}}}}}}}, "{CHATGPT}": {{"US": {{"36": '
        f'{{"topfreeapplications": {{"graphData": [[1737936000, 2, null], [1738022400, 3, null]]}}}}}}}}}}'
    ),
}


@pytest.mark.parametrize("form", WIDE)
def test_ranks_are_read_from_every_form_of_export(listed, tmp_path, form):
    named = [f'"{DEEPSEEK}",DeepSeek', f'"{CHATGPT}",ChatGPT', "1,Other"]
    before = "date,rank,app_id,app_name\n" + "".join(
        f"2025-01-01,{rank},{one}\n" for rank, one in enumerate(named, start=1)
    )
    import_rankings(listed, written(tmp_path, before))
    known = len(ranked(listed))
    report = import_rankings(listed, written(tmp_path, WIDE[form]))
    assert report.exit_code == 0, report.refused
    found = [row for row in ranked(listed)[known:] if row[2] != "1"]
    assert found == BOTH
    assert rows(listed, "SELECT DISTINCT store, country, chart FROM app_ranking") == [
        ("apple", "us", "top-free")
    ]


def test_a_chart_of_names_by_rank_with_a_column_a_day(listed, tmp_path):
    path = written(tmp_path, "Rank,2025-01-27,2025-01-28\n1,DeepSeek,DeepSeek\n2,ChatGPT,\n")
    report = import_rankings(listed, path, RankOptions(evidence="reported"))
    assert report.exit_code == 0
    assert ranked(listed, "captured_at, rank, app_name") == [
        (MONDAY, 1, "DeepSeek"),
        (MONDAY, 2, "ChatGPT"),
        (TUESDAY, 1, "DeepSeek"),
    ]


def test_a_column_a_country_is_a_chart_of_each(listed, tmp_path):
    path = written(tmp_path, "Date,United States,Germany,Note\n2025-01-27,1,3,a\n2025-01-28,1,-,b\n")
    report = import_rankings(listed, path, RankOptions(app_name="DeepSeek", app_id=DEEPSEEK))
    assert (report.exit_code, report.ignored) == (0, [])
    assert "cells without a rank passed over: 1" in report.read_as
    assert ranked(listed, "captured_at, rank, country, note") == [
        (MONDAY, 1, "us", "a"),
        (MONDAY, 3, "de", "a"),
        (TUESDAY, 1, "us", "b"),
    ]


def test_apps_by_name_are_those_of_the_charts_that_are_kept_where_that_is_sure(listed, tmp_path):
    before = f"date,rank,app_id,app_name\n2025-01-01,1,{DEEPSEEK},DeepSeek\n2025-01-01,2,1,Chat\n2025-01-01,3,2,Chat\n"
    import_rankings(listed, written(tmp_path, before))
    report = import_rankings(
        listed, written(tmp_path, "Date,DeepSeek,Chat,Unknown,Downloads\n2025-01-27,1,2,3,90000\n")
    )
    assert report.refused == [(2, "an app without an id"), (3, "an app without an id")]
    assert report.ignored == ["Downloads"]
    assert ranked(listed)[3:] == [(MONDAY, 1, DEEPSEEK)]


def test_a_country_under_any_heading_is_never_taken_for_the_home_one(listed, tmp_path):
    path = written(
        tmp_path, f"Date,Country / Region,Rank,App ID,App Name\n2025-01-27,Germany,1,{DEEPSEEK},D\n"
    )
    assert import_rankings(listed, path).exit_code == 0
    assert ranked(listed, "country") == [("de",)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"chart": {"result": []}}', "it is JSON, but it holds no records"),
        ('{"date": ', "it is JSON, but its JSON is broken"),
        ("[1, 2]", "it is JSON, but it holds no records"),
    ],
)
def test_json_without_a_table_is_refused_in_a_sentence(listed, tmp_path, content, sentence):
    with pytest.raises(ImportRefusedError, match=sentence):
        import_rankings(listed, written(tmp_path, content))


DAY = date(2025, 3, 17)


@pytest.mark.parametrize(
    "headings",
    [
        "NVDA Close,NVDA Volume,AMD Close,AMD Volume",
        "Close NVDA,Volume NVDA,AMD - Close,AMD: Volume",
        "NVDA,NVDA Vol.,AMD,AMD_Volume",
    ],
)
def test_several_columns_a_company_side_by_side(listed, tmp_path, headings):
    path = written(tmp_path, f"Date,{headings},MSFT Volume\n2025-03-17,119.53,255501500,104.59,27,5\n")
    report = import_prices(listed, path)
    assert (report.exit_code, report.ignored) == (0, ["MSFT Volume"])
    assert stored(listed, "ticker, date, close, volume") == [
        ("AMD", DAY, 104.59, 27),
        ("NVDA", DAY, 119.53, 255_501_500),
    ]


def test_lines_that_tell_of_dividends_and_splits_are_set_aside_and_named(listed, tmp_path):
    path = written(
        tmp_path,
        "Date\tOpen\tClose\nMar 18, 2025\t118.00\t115.43\nMar 17, 2025\t0.01 Dividend\n"
        "Mar 17, 2025\t122.74\t119.53\nJun 10, 2024\t10:1 Stock Splits\nNotes\nclosing prices\tas they were\n",
    )
    report = import_prices(listed, path, PriceOptions("NVDA"))
    assert (report.exit_code, report.item.inserted) == (0, 2)
    assert [text for _, text in report.aside] == [
        "Mar 17, 2025 0.01 Dividend",
        "Jun 10, 2024 10:1 Stock Splits",
        "Notes",
        "closing prices as they were",
    ]
