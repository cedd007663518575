"""The story page: its figures, its address, and what it says where there is nothing to tell."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from etl.product import NAME
from etl.settings import PROJECT_ROOT
from etl.warehouse.files import FileWarehouse
from tests.dashboard.pages import seen

APP = str(PROJECT_ROOT / "dashboard" / "app.py")


def run(**query: str | list[str]) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def titles(app: AppTest) -> list[str]:
    return [title.value.replace("\\", "") for title in app.title]


@pytest.mark.usefixtures("on_bundled_data")
def test_the_page_opens_on_the_deepseek_sell_off() -> None:
    app = run()
    assert not app.exception
    assert titles(app)[0].startswith("NVIDIA lost $592.7 billion of market value on Mon 27 Jan 2025")
    shown = "".join(part.proto.body for part in app.get("html"))
    assert re.findall(r'"value">(.*?)<', shown) == ["−16.97%", "$1.52tn", "+0.07%"]
    pictured = (PROJECT_ROOT / "tests" / "pictures" / "readme" / "story-light.txt").read_text(
        encoding="utf-8"
    )
    assert seen(app) == pictured, "the README shows an older page: run `make screenshots`"


@pytest.mark.usefixtures("on_bundled_data")
def test_the_address_chooses_another_event_or_a_day() -> None:
    day = run(event="day", day="2024-09-03")
    assert titles(day)[0].startswith("NVIDIA lost $278.9 billion of market value on Tue 3 Sep 2024")
    assert not day.exception


@pytest.mark.usefixtures("on_bundled_data")
def test_a_day_outside_the_data_gets_a_sentence() -> None:
    app = run(event="day", day="1999-12-31")
    assert not app.exception
    assert "choose an event from the list or a day inside the data" in app.warning[0].value.replace("\\", "")


@pytest.mark.usefixtures("on_bundled_data")
def test_the_address_names_the_companies_in_colour() -> None:
    assert any("NVIDIA" in label for label in timeline_labels(run()))
    chosen = timeline_labels(run(show=["ORCL", "GOOGL", "<b>"]))
    assert any("Oracle" in label for label in chosen)
    assert not any("NVIDIA" in label for label in chosen)


def timeline_labels(app: AppTest) -> list[str]:
    layout = json.loads(app.get("plotly_chart")[1].proto.spec)["layout"]
    return [annotation["text"] for annotation in layout["annotations"] if annotation.get("text")]


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            {"event": "deepseek-seloff"},
            "There is no event “deepseek-seloff”; the nearest is deepseek-selloff",
        ),
        ({"event": "day", "day": "foo"}, "“foo” is not a date like 2025-01-27"),
        ({"event": "1999-12-31"}, "choose an event from the list or a day inside the data"),
        ({"show": "NVDIA"}, "There is no company “NVDIA”; the nearest is NVDA (NVIDIA)"),
    ],
)
def test_what_the_address_names_and_nobody_knows_is_refused_by_name(query: dict[str, str], said: str) -> None:
    app = run(**query)
    assert not app.exception
    assert said in " ".join(part.value.replace("\\", "") for part in app.warning)
    if "event" in query:
        assert not app.get("plotly_chart")


@pytest.mark.usefixtures("on_bundled_data")
def test_the_case_of_letters_does_not_matter() -> None:
    app = run(event="DeepSeek-Selloff", show="nvda")
    assert not app.warning
    assert titles(app)[0].startswith("NVIDIA lost")


def test_an_event_outside_the_data_keeps_its_description_and_its_source(
    own_database: Path, use_database: Callable[[Path], None]
) -> None:
    with FileWarehouse(own_database).writing() as con:
        con.execute("DELETE FROM price_daily WHERE date > '2025-03-14'")
    use_database(own_database)
    app = run(event="oracle-backlog")
    assert not app.exception
    assert titles(app) == ["Oracle jumps on its AI backlog"]
    shown = "".join(part.proto.body for part in app.get("html"))
    assert "455 billion" in shown
    assert "Source: <a href=" in shown
    assert "There are no prices around Wed 10 Sep 2025" in app.info[0].value.replace("\\", "")
    assert not app.get("plotly_chart")
    assert any(label.endswith("(no prices)") for label in app.selectbox(key="event").options)


@pytest.mark.usefixtures("on_bundled_data")
def test_the_event_goes_along_to_the_next_page() -> None:
    app = run(event="oracle-backlog")
    app.switch_page("app_pages/companies.py").run()
    assert app.query_params["event"] in ("oracle-backlog", ["oracle-backlog"])
    assert str(app.selectbox(key="event").value) == "oracle-backlog"


@pytest.mark.usefixtures("on_bundled_data")
def test_a_chart_is_linked_saved_and_cited_where_its_title_is() -> None:
    shown = "".join(part.proto.body for part in run(event="oracle-backlog").get("html"))
    assert 'href="chart/record-book.png?event=oracle-backlog&amp;theme=light"' in shown
    assert 'data-copy="{address}#record-book"' in shown
    assert re.search(rf'data-copy="{NAME}, “Oracle’s was [^"]+; state market-[^"]+retrieved [^"]+"', shown)
