"""The tables of a study as its page shows and prints them."""

import pandas as pd
import pytest

from dashboard.app_pages import markup
from dashboard.views import study_tables
from dashboard.views.study_answer import Answer, Question, ask
from etl.warehouse import connect_read_only


@pytest.fixture(scope="module")
def answer(bundled_database) -> Answer:
    with connect_read_only(bundled_database) as con:
        return ask(con, Question("deepseek-selloff"))


@pytest.mark.parametrize("name", sorted(set(study_tables.TABLES) - {"own-size"}))
def test_every_table_has_a_row_for_what_it_tells_and_no_cell_without_text(answer: Answer, name: str) -> None:
    shown = study_tables.TABLES[name](answer)
    told = {"left-out": answer.left_out, "donors": answer.rebuilt.donors, "own-size": answer.size}
    assert len(shown) == len(told[name] if name in told else getattr(answer, name))
    assert shown.map(lambda cell: isinstance(cell, str) and cell.strip() not in ("", "nan", "None")).all(
        axis=None
    )


def test_the_statistic_of_the_placebo_is_a_return_and_the_others_are_plain_figures(answer: Answer) -> None:
    shown = study_tables.tests(answer).set_index("Test")["Statistic"]
    assert shown["Placebo in time"] == "−6.5%"
    assert not shown.drop("Placebo in time").str.contains("%").any()


def test_tests_that_do_not_hold_are_quiet(answer: Answer) -> None:
    shown = study_tables.tests(answer)
    held = shown[study_tables.DATE].str.startswith("yes")
    assert list(held) == [not quiet for quiet in shown.attrs["quiet"]]
    assert markup.table(shown, "Tests").count("<tr class=quiet>") == (~held).sum() > 0


def test_a_firm_left_out_goes_by_its_name(answer: Answer) -> None:
    assert "SK Hynix (000660.KS)" in set(study_tables.left_out(answer)["Firm"])


def test_names_from_outside_are_text_in_a_table() -> None:
    shown = markup.table(pd.DataFrame({"<b>": ["<img src=x onerror=alert(1)>"]}), 'a "caption"')
    assert "<img" not in shown
    assert "<b>" not in shown
    assert 'aria-label="a &quot;caption&quot;"' in shown


def test_paper_gets_the_first_rows_of_a_grid_and_the_number_of_the_others() -> None:
    rows = pd.DataFrame({"day": pd.to_datetime(["2025-01-27"] * 61), "value": [None, *range(60)]})
    shown = markup.on_paper(rows, "Rows")
    assert shown.count("<tr>") == 1 + markup.MOST_ON_PAPER
    assert ">–</td>" in shown
    assert "2025-01-27<" in shown
    assert "1 more rows" not in shown
    assert "1 more row is on the screen" in shown
