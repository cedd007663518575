"""The month's report: right figures, nothing from after the month, a page and a PDF that anybody can read."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import html5lib
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from dashboard.export.cli import main
from dashboard.views.report import Report, month_named, read_report
from etl.product import variable
from etl.settings import settings
from etl.warehouse import connect_read_only
from etl.warehouse.files import FileWarehouse

JUNE = "2026-06"


def report_of(database: Path, wanted: str) -> Report:
    with connect_read_only(database) as con:
        return read_report(con, month_named(con, wanted), "light")


@pytest.fixture(scope="module")
def june(bundled_database: Path) -> Report:
    return report_of(bundled_database, JUNE)


@pytest.fixture(scope="module")
def folder(bundled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable("database"), str(bundled_database))
        settings.cache_clear()
        assert main(["--report", JUNE, "--out", str(out), "--base-url", "https://example.org/june"]) == 0
        yield out / f"report-{JUNE}"
    settings.cache_clear()


@pytest.fixture(scope="module")
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    opened = context.new_page()
    opened.goto((folder / "index.html").as_uri())
    yield opened
    context.close()


def part(report: Report, name: str) -> pd.DataFrame:
    return next(one.numbers for one in report.parts if one.name == name)


def test_a_companys_month_is_its_last_close_with_dividends_against_the_last_one_before(
    june: Report, bundled_database: Path
) -> None:
    with connect_read_only(bundled_database) as con:
        closes = con.execute(
            "SELECT ticker, date, adj_close FROM price_daily WHERE date BETWEEN '2026-05-01' AND '2026-06-30'"
        ).df()
    table = closes.pivot(index="date", columns="ticker", values="adj_close").ffill()
    expected = table.loc["2026-06-30"] / table.loc["2026-05-29"] - 1
    moved = part(june, "moved").set_index("ticker")["change"]
    assert len(moved) > 40
    pd.testing.assert_series_equal(moved, expected[moved.index], check_names=False)
    assert f"{expected[moved.index].mean():+.2%}" == june.figures[0].value
    assert june.headline.startswith(
        f"AI shares rose {expected[moved.index].mean():.1%} on average in June 2026"
    )


def test_a_months_dollars_are_the_sum_of_its_sessions(june: Report, bundled_database: Path) -> None:
    with connect_read_only(bundled_database) as con:
        ends = dict(
            con.execute(
                "SELECT date, close FROM price_daily WHERE ticker = 'NVDA' AND date IN ('2026-05-29', '2026-06-30')"
            ).fetchall()
        )
        counts = con.execute(
            "SELECT shares FROM shares_outstanding WHERE ticker = 'NVDA' AND coalesce(filed, date) BETWEEN "
            "'2025-12-01' AND '2026-06-30' ORDER BY coalesce(filed, date)"
        ).fetchall()
    before, after = (ends[day] for day in sorted(ends))
    told = part(june, "moved").set_index("ticker").at["NVDA", "value_change"]
    assert told == pytest.approx((after - before) * counts[-1][0], rel=0.02)


def test_nothing_from_after_the_month_enters_the_report(
    june: Report, own_database: Path, use_database: Callable[[Path], None]
) -> None:
    with FileWarehouse(own_database).writing() as con:
        con.execute(
            "UPDATE price_daily SET close = close * 3, adj_close = adj_close * 3 WHERE date > '2026-06-30'"
        )
        con.execute(
            "UPDATE shares_outstanding SET shares = shares * 5 WHERE coalesce(filed, date) > '2026-06-30'"
        )
        for table, day in (("event", "market_session"), ("day_note", "date"), ("reported_move", "date")):
            con.execute(f"DELETE FROM {table} WHERE {day} > DATE '2026-06-30'")
        con.execute("DELETE FROM signal WHERE session > '2026-06-30'")
        con.execute("DELETE FROM app_ranking WHERE captured_at > '2026-07-01'")
    other = report_of(own_database, JUNE)
    assert (other.headline, other.lead, other.figures, other.source) == (
        june.headline,
        june.lead,
        june.figures,
        june.source,
    )
    for one, two in zip(june.parts, other.parts, strict=True):
        assert (one.finding, one.rows) == (two.finding, two.rows)
        pd.testing.assert_frame_equal(one.numbers, two.numbers)
    for chart, again in zip(june.charts, other.charts, strict=True):
        pd.testing.assert_frame_equal(chart.table, again.table)


def test_companies_without_a_price_at_the_end_are_left_out_and_counted(bundled_database: Path) -> None:
    told = report_of(bundled_database, "2026-09")
    with connect_read_only(bundled_database) as con:
        ended = con.execute(
            "SELECT count(*) FROM (SELECT ticker FROM price_daily JOIN company USING (ticker) WHERE role = 'AI' AND "
            "date BETWEEN '2026-09-01' AND '2026-09-30' GROUP BY ticker HAVING max(date) < '2026-09-25')"
        ).fetchall()[0][0]
    assert ended > 5
    assert f"Left out: {ended} that have no price at its beginning or at its end." in told.lead
    chart = next(chart for chart in told.charts if chart.name == "companies-compare")
    assert "31 Aug 2026 = 100" in chart.subtitle


def test_every_part_has_its_figures_and_where_they_are_from(june: Report) -> None:
    assert [one.name for one in june.parts] == [
        "moved",
        "segments",
        "sessions",
        "league",
        "records",
        "ranks",
        "signals",
    ]
    for one in june.parts:
        assert one.finding.endswith(".")
        assert all(len(row) == len(one.heads) for row in one.rows)
        assert bool(one.rows) == bool(one.source)
    assert part(june, "league")["session"].between("2026-06-01", "2026-06-30").all()
    assert set(part(june, "signals")["session"].dt.month) == {6}


def test_a_month_that_has_not_ended_says_so(bundled_database: Path) -> None:
    with connect_read_only(bundled_database) as con:
        month = month_named(con, "2026-10")
    assert month.running
    assert month.in_full == "October 2026, to 2 October"


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("2027-01", "The data hold no report of January 2027. There are reports from November 2021"),
        ("2021-10", "The data hold no report of October 2021"),
        ("June", "“June” is not a month: write it as 2026-06"),
        ("2026-13", "is not a month"),
        ("../2026-06", "is not a month"),
    ],
)
def test_a_month_outside_of_the_data_is_refused_by_name(
    on_bundled_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], wanted: str, why: str
) -> None:
    assert main(["--report", wanted, "--out", str(tmp_path)]) == 3
    assert why in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_a_report_does_not_heed_is_refused(
    on_bundled_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--report", JUNE, "--event", "deepseek-selloff"]) == 3
    assert "--event would do nothing beside --report" in capsys.readouterr().err


def test_the_page_is_valid_and_links_only_to_what_is_there(folder: Path) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(text)
    assert '<html lang="en">' in text
    assert '<meta property="og:image" content="https://example.org/june/charts/' in text
    links = re.findall(r'(?:src|href|data-script)="([^"#]+)"', text)
    assert f"report-{JUNE}.pdf" in links
    for link in links:
        if not link.startswith(("https://", "http://", "data:image/")):
            assert (folder / link).exists(), link


def test_the_page_opens_from_a_file_on_a_phone_and_shuts_nobody_out(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "June 2026" in page.inner_text("main")
    found = Axe().run(page)
    assert [fault["id"] for fault in found.response["violations"]] == []


def test_the_pdf_says_all_once_and_is_for_every_reader(folder: Path, june: Report) -> None:
    read = PdfReader(io.BytesIO((folder / f"report-{JUNE}.pdf").read_bytes()))
    root = read.root_object
    assert (root["/Lang"], root["/MarkInfo"].get_object()["/Marked"]) == ("en", True)  # type: ignore[index]
    assert read.metadata is not None
    assert read.metadata.title == f"June 2026: {june.headline}"
    text = " ".join(" ".join(sheet.extract_text() for sheet in read.pages).split())
    for one in june.parts:
        assert text.count(one.title) == 1
    assert text.count(" ".join(june.headline.split())) == 1
    assert {round(float(size)) for sheet in read.pages for size in sheet.mediabox[2:]} == {595, 842}


def test_another_look_or_something_else_is_not_written_over(
    folder: Path, on_bundled_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "index.html").read_bytes()
    assert main(["--report", JUNE, "--out", str(folder.parent), "--theme", "dark"]) == 3
    assert "holds something else, or this report in another look" in capsys.readouterr().err
    assert (folder / "index.html").read_bytes() == before
