"""Rank histories are taken from the files that people have; what a rank is of, and how it is known, is never lost."""

from __future__ import annotations

from datetime import UTC, date, datetime

import openpyxl
import pytest

from etl.imports import ImportRefusedError, RankOptions, Reading, import_rankings
from tests.etl.imported import rows, written
from tests.etl.in_memory import InMemory

MONDAY, TUESDAY = (datetime(2025, 1, day, tzinfo=UTC) for day in (27, 28))
DEEPSEEK = "6737597349"


@pytest.fixture
def bundled(bundled_database):
    """The bundled charts and companies, without files and without prices."""
    warehouse = InMemory()
    warehouse.con.execute(f"ATTACH '{bundled_database}' AS bundle (READ_ONLY)")
    for table in ("company", "ranking_capture", "app_ranking", "etl_run"):
        warehouse.con.execute(f"INSERT INTO {table} BY NAME FROM bundle.{table}")
    warehouse.con.execute("DETACH bundle")
    return warehouse


def imported(warehouse, columns: str) -> list[tuple]:
    """What was imported, which is what the bundle did not bring."""
    return rows(
        warehouse,
        f"SELECT {columns} FROM app_ranking WHERE run_id = (SELECT max(run_id) FROM etl_run) "
        "ORDER BY captured_at, rank",
    )


APPFIGURES = (
    "Date,Country,Category,Rank,App Name,Product ID\n"
    "2025-01-27,United States,Top Free,1,DeepSeek - AI Assistant,6737597349\n"
    "2025-01-28,US,Top Free,1,DeepSeek - AI Assistant,6737597349\n"
)
APPTWEAK = (
    "date;app_name;app_id;rank;country;device\n27/01/2025;DeepSeek;6737597349;1;US;iPhone\n"
    "28/01/2025;DeepSeek;6737597349;1;US;iPhone\n"
)
SENSOR_TOWER = (
    "Unified Name\tApp ID\tDate\tCountry\tPlatform\tCategory\tChart Type\tRank\n"
    "DeepSeek\t6737597349\t2025-01-27T00:00:00Z\tUS\tiOS\tOverall\ttopfreeapplications\t1\n"
    "DeepSeek\t6737597349\t2025-01-28T00:00:00Z\tUS\tiOS\tOverall\ttopfreeapplications\t1\n"
)
GERMAN = (
    "Datum;Land;Kategorie;Rang;Name;ID\n27.01.2025;Vereinigte Staaten;Alle;1;DeepSeek;6737597349\n"
    "28.01.2025;USA;;1;DeepSeek;6737597349\n"
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(APPFIGURES.encode(), id="appfigures"),
        pytest.param(APPTWEAK.encode(), id="apptweak"),
        pytest.param(SENSOR_TOWER.encode("utf-16"), id="sensor tower"),
        pytest.param(GERMAN.encode("latin-1"), id="a German spreadsheet"),
    ],
)
def test_the_exports_of_services_are_read_as_they_come(bundled, tmp_path, content):
    report = import_rankings(bundled, written(tmp_path, content))
    assert (report.exit_code, report.refused) == (0, [])
    chart = "captured_at, store, country, chart, device, rank, app_id, evidence, source, time_known"
    common = ("apple", "us", "top-free", "iphone", 1, DEEPSEEK, "measured", "import", False)
    assert imported(bundled, chart) == [(MONDAY, *common), (TUESDAY, *common)]


def test_a_chart_has_one_name_whatever_its_spelling(bundled, tmp_path):
    path = written(
        tmp_path,
        "date,country,chart,store,device,app_name,app_id,rank\n"
        "2025-01-27,US,Top Free,iOS,iPhone,A,1,1\n2025-01-27,us,top-free,apple,iphone,B,2,2\n"
        "2025-01-27,United States,TOP_FREE,App Store,IPHONE,C,3,3\n"
        "2025-01-27,usa,topfreeapplications,Apple,phone,D,4,4\n",
    )
    assert import_rankings(bundled, path).exit_code == 0
    assert imported(bundled, "store, country, chart, device, rank") == [
        ("apple", "us", "top-free", "iphone", rank) for rank in (1, 2, 3, 4)
    ]
    captures = "SELECT depth FROM ranking_capture WHERE run_id = (SELECT max(run_id) FROM etl_run)"
    assert rows(bundled, captures) == [(4,)]


@pytest.mark.parametrize(
    ("headings", "cells"),
    [
        ("chart,genre", {"Top Free,Productivity": "top-free/productivity"}),
        ("chart,category", {"free,6007": "top-free/productivity", "Top Paid,All": "top-paid"}),
        (
            "category",
            {
                "Top Free - Productivity": "top-free/productivity",
                "Productivity": "top-free/productivity",
                "Social Networking": "top-free/social",
                "Photo & Video": "top-free/photo-video",
                "Overall": "top-free",
            },
        ),
        ("chart", {"top-grossing/games": "top-grossing/games", "Top Grossing Games": "top-grossing/games"}),
        ("list type,category", {"overall_paid,Games": "top-paid"}),
        ("chart type", {"topselling_free": "top-free"}),
    ],
)
def test_a_genre_chart_is_never_taken_for_the_overall_chart(bundled, tmp_path, headings, cells):
    lines = "".join(f"2025-01-27,{rank},{rank},A,{cell}\n" for rank, cell in enumerate(cells, start=1))
    path = written(tmp_path, f"date,rank,id,name,{headings}\n{lines}")
    assert import_rankings(bundled, path).refused == []
    assert imported(bundled, "chart") == [(chart,) for chart in cells.values()]


def test_the_genre_of_the_option_is_that_of_the_chart(bundled, tmp_path):
    path = written(tmp_path, "date,rank,id,name\n2025-01-27,1,1,A\n")
    import_rankings(bundled, path, RankOptions(chart="Top Free/Productivity", country="Germany"))
    assert imported(bundled, "country, chart") == [("de", "top-free/productivity")]


def test_how_a_rank_is_known_and_from_whom_is_kept(bundled, tmp_path):
    path = written(
        tmp_path,
        "date,rank,app,evidence,source,source_url,note\n"
        "2025-01-25,31,DeepSeek,Reported,TechCrunch,https://example.org/a,approximate\n"
        "2025-01-26,1,DeepSeek,reported,,https://example.org/b,\n",
    )
    report = import_rankings(bundled, path, reading=Reading(source="Appfigures"))
    assert (report.refused, report.ignored) == ([], [])
    assert imported(bundled, "evidence, source, source_url, note") == [
        ("reported", "TechCrunch", "https://example.org/a", "approximate"),
        ("reported", "Appfigures", "https://example.org/b", None),
    ]


def test_the_page_of_an_app_is_not_where_its_rank_is_from(bundled, tmp_path):
    path = written(
        tmp_path,
        "date,rank,id,name,url\n2025-01-27,1,1,A,https://apps.apple.com/us/app/a/id111111111\n"
        "2025-01-27,2,2,B,https://apps.apple.com/us/app/b/id222222222\n",
    )
    report = import_rankings(bundled, path)
    assert report.ignored == ["url"]
    assert imported(bundled, "rank, source_url") == [(1, ""), (2, "")]


NO_CHART = 'the chart "hall of fame" is not one such as top-free or top-free/productivity'
UNREADABLE = {
    "2025-01-27,1.5,us,top-free,measured,1,A": 'the rank "1.5" is not a whole number',
    "2025-01-27,first,us,top-free,measured,1,A": 'the rank "first" is not a number',
    "2025-01-27,1e9,us,top-free,measured,1,A": 'the rank "1e9" is not a whole number',
    "2025-01-27,NaN,us,top-free,measured,1,A": 'the rank "NaN" is not a number',
    "2025-01-27,-3,us,top-free,measured,1,A": "the rank is outside 1 to n",
    "2025-01-27,1,Atlantis,top-free,measured,1,A": 'the country "Atlantis" is not known',
    "2025-01-27,1,Worldwide,top-free,measured,1,A": 'the country "Worldwide" is not known',
    "2025-01-27,1,us,hall of fame,measured,1,A": NO_CHART,
    "2025-01-27,1,us,top-free,guessed,1,A": 'the evidence "guessed" is not known',
    "epoch,1,us,top-free,measured,1,A": '"epoch" is not a date',
    "2025-01-27 25:00,1,us,top-free,measured,1,A": '"2025-01-27 25:00" is not a date',
    "2225-01-27,1,us,top-free,measured,1,A": '"2225-01-27" is not a date',
    "2099-01-27,1,us,top-free,measured,1,A": "captured in the future",
    "2025-01-27,1,us,top-free,measured,,A": "an app without an id",
    "2025-01-27,1,us,top-free,measured,6.73760E+09,A": 'the app id "6.73760E+09" has lost its digits in a spreadsheet',
}


def test_a_row_that_cannot_be_read_is_named_with_its_value(bundled, tmp_path):
    lines = "\n".join(["date,rank,country,chart,evidence,id,name", *UNREADABLE])
    path = written(tmp_path, f"{lines}\n2025-01-28,7,us,top-free,measured,2,B\n")
    report = import_rankings(bundled, path)
    assert report.exit_code == 1
    assert [reason for _, reason in report.refused] == list(UNREADABLE.values())
    assert imported(bundled, "rank, app_name") == [(7, "B")]
    captured = "SELECT captured_at FROM ranking_capture WHERE run_id = (SELECT max(run_id) FROM etl_run)"
    assert rows(bundled, captured) == [(TUESDAY,)]  # a capture of refused ranks alone has seen nothing


def test_not_in_the_chart_and_not_fetched_stay_apart(bundled, tmp_path):
    path = written(
        tmp_path,
        "date,rank,depth,id,name\n2025-01-25,3,200,1,A\n2025-01-26,,200,1,A\n2025-01-27,,,1,A\n2025-01-28,900,200,1,A\n"
        "2025-01-29,>100,,1,A\n2025-01-30,200+,,1,A\n2025-01-31,n/a,50,1,A\n2025-02-01,#2,,1,A\n",
    )
    report = import_rankings(bundled, path)
    assert report.refused == [(3, "no rank"), (4, "the rank is outside 1 to 200")]
    captures = (
        "SELECT captured_at::DATE, depth FROM ranking_capture WHERE run_id = (SELECT max(run_id) FROM etl_run) "
        "AND depth IS NOT NULL ORDER BY 1"
    )
    assert rows(bundled, captures) == [
        (date(2025, 1, 25), 200),
        (date(2025, 1, 26), 200),
        (date(2025, 1, 29), 100),
        (date(2025, 1, 30), 200),
        (date(2025, 1, 31), 50),
    ]
    assert imported(bundled, "rank") == [(3,), (2,)]


def test_times_are_those_of_their_zone_and_a_bare_day_has_no_hour(bundled, tmp_path):
    path = written(
        tmp_path,
        "Date,Position,App ID,App,Developer\n"
        "2025-01-27 08:00,1,6737597349,DeepSeek,DeepSeek\n2025-01-27 08:00,2,6448311069,ChatGPT,OpenAI\n"
        "2025-01-28T12:00:00Z,7,6737597349,DeepSeek,DeepSeek\n2025-01-29,8,6737597349,DeepSeek,DeepSeek\n",
    )
    assert import_rankings(bundled, path, RankOptions(zone="America/New_York")).exit_code == 0
    query = (
        "SELECT captured_at, depth, time_known FROM ranking_capture "
        "WHERE run_id = (SELECT max(run_id) FROM etl_run) ORDER BY 1"
    )
    assert rows(bundled, query) == [
        (
            datetime(2025, 1, 27, 13, tzinfo=UTC),
            2,
            True,
        ),  # a whole chart: what is not in it was not in the chart
        (datetime(2025, 1, 28, 12, tzinfo=UTC), None, True),  # one point: nothing is known about other ranks
        (datetime(2025, 1, 29, tzinfo=UTC), None, False),
    ]


def test_the_time_may_stand_in_a_column_of_its_own(bundled, tmp_path):
    path = written(
        tmp_path, "Date,Hour,Rank,ID,Name\n01/27/2025,8,1,1,A\n01/27/2025,14:30,2,1,A\n01/28/2025,,3,1,A\n"
    )
    assert import_rankings(bundled, path, RankOptions(zone="America/New_York")).refused == []
    assert imported(bundled, "captured_at, rank, time_known") == [
        (datetime(2025, 1, 27, 13, tzinfo=UTC), 1, True),
        (datetime(2025, 1, 27, 19, 30, tzinfo=UTC), 2, True),
        (TUESDAY, 3, False),
    ]


def test_a_day_that_may_be_a_month_needs_an_option_that_the_refusal_names(bundled, tmp_path):
    path = written(tmp_path, "date;app_name;app_id;rank\n03/04/2025;DeepSeek;6737597349;1\n")
    with pytest.raises(ImportRefusedError, match=r"such as 03/04/2025.*--day-first or --month-first"):
        import_rankings(bundled, path)
    import_rankings(bundled, path, reading=Reading(day_first=True))
    assert imported(bundled, "captured_at") == [(datetime(2025, 4, 3, tzinfo=UTC),)]
    same = written(tmp_path, "date;app_name;app_id;rank\n03/03/2025;DeepSeek;6737597349;1\n")
    assert import_rankings(bundled, same).exit_code == 0


def test_a_workbook_keeps_its_numbers_whole(bundled, tmp_path):
    book = openpyxl.Workbook()
    for line in (
        ["Date", "Rank", "App ID", "App Name", "Country"],
        [datetime(2025, 1, 27), 1, 6737597349, "DeepSeek", "Japan"],
        [datetime(2025, 1, 28), 2.0, 6737597349, 2048, "JP"],
        [datetime(2025, 1, 29), 1.5, 6737597349, "DeepSeek", "jp"],
    ):
        book.active.append(line)
    book.save(tmp_path / "ranks.xlsx")
    report = import_rankings(bundled, tmp_path / "ranks.xlsx")
    assert [row for row, _ in report.refused] == [3]
    assert imported(bundled, "country, rank, app_id, app_name, time_known") == [
        ("jp", 1, DEEPSEEK, "DeepSeek", False),
        ("jp", 2, DEEPSEEK, "2048", False),
    ]


def test_an_app_known_by_its_id_gets_its_name_and_one_of_an_option_needs_no_column(bundled, tmp_path):
    path = written(tmp_path, "date,rank,app id\n2025-01-27,4,6448311069\n")
    assert import_rankings(bundled, path).exit_code == 0
    [(name,)] = imported(bundled, "app_name")
    assert "ChatGPT" in name
    alone = written(tmp_path, "date,rank\n2025-01-27,5\n")
    with pytest.raises(ImportRefusedError, match="no column for app_name"):
        import_rankings(bundled, alone)
    import_rankings(bundled, alone, RankOptions(app_name="DeepSeek", app_id=DEEPSEEK))
    assert imported(bundled, "rank, app_name, app_id") == [(5, "DeepSeek", DEEPSEEK)]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (RankOptions(country="Atlantis"), "--country: 'Atlantis' is not a country"),
        (RankOptions(chart="best"), "--chart: 'best' is not a chart"),
    ],
)
def test_an_option_that_names_nothing_is_refused(bundled, tmp_path, options, sentence):
    with pytest.raises(ImportRefusedError, match=sentence):
        import_rankings(bundled, written(tmp_path, APPFIGURES), options)


def test_a_column_twice_is_refused_and_one_that_is_not_used_is_named(bundled, tmp_path):
    with pytest.raises(ImportRefusedError, match="'rank' twice"):
        import_rankings(
            bundled, written(tmp_path, "date,app,name,rank,rank\n2025-01-27,DeepSeek,DeepSeek,1,2\n")
        )
    path = written(
        tmp_path, "date,app,name,rank,id,price,rating,rating\n2025-01-27,DeepSeek,Deep,1,1,0,4,5\n"
    )
    assert import_rankings(bundled, path).ignored == ["app", "price", "rating", "rating"]


def test_a_dry_run_keeps_nothing(bundled, tmp_path):
    before = bundled.version()
    report = import_rankings(bundled, written(tmp_path, APPFIGURES), reading=Reading(dry_run=True))
    assert report.item.inserted == 2
    assert bundled.version() == before


def test_the_command_takes_its_options(operator, tmp_path):
    operator.run("refresh", "--source", "prices", "--tickers", "AMD")
    path = str(written(tmp_path, APPTWEAK))
    done = operator.run("import-rankings", path, "--chart", "top-free/productivity", "--source", "AppTweak")
    assert done.returncode == 0
    assert "2 rows read, 2 inserted, 0 updated, 0 refused" in done.stdout
    assert operator.run("import-rankings", str(tmp_path / "none.csv")).returncode == 3
    assert operator.run("import-rankings", path, "--zone", "Mars").returncode == 3
