"""Whatever stands in the address, a page stays usable and nothing is logged as an error."""

import logging

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.app_pages import PAGES, PARAMETERS
from etl.settings import PROJECT_ROOT
from tests.conftest import SOAK, Tell
from tests.dashboard.hostile import Query, queries
from tests.dashboard.pages import opened

APP = str(PROJECT_ROOT / "dashboard" / "app.py")
COUNT = 500 if SOAK else 3


def describe(query: Query) -> dict[str, object]:
    """A query short enough to be read in a report."""
    return {
        key: [text[:60] for text in ([value] if isinstance(value, str) else value)]
        for key, value in query.items()
    }


def open_page(name: str, query: Query) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=90).run()  # only then are the pages known by their files
    app.switch_page(f"app_pages/{name}.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def parameters(app: AppTest) -> list[str]:
    """The names that the page’s controls go by in the address: their keys; those of charts and files have a dash."""
    return sorted({key for part in app.main if (key := getattr(part, "key", None)) and "-" not in key})


@pytest.mark.timeout(7200 if SOAK else 120)
@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize("name", PAGES)
def test_a_page_stays_usable_whatever_is_in_its_address(
    name: str, caplog: pytest.LogCaptureFixture, tell: Tell
) -> None:
    names = parameters(open_page(name, {}))
    for query in queries(names, COUNT, seed=sum(map(ord, name))):
        app = open_page(name, query)
        assert not app.exception, (describe(query), app.exception[0].message)
        assert app.title[0].value, describe(query)
        assert not app.error, (describe(query), app.error[0].value)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    tell("hostile addresses", COUNT, 0)


@pytest.mark.usefixtures("on_bundled_data")
def test_the_names_tried_are_those_of_the_controls() -> None:
    assert {"event", "show"} <= set(parameters(open_page("shock", {})))
    assert {"compare", "measure", "log"} <= set(parameters(open_page("companies", {})))


LOCAL = {"choice", "first", "kit", "losers", "recovered", "watch"}
"""Keys that no address holds: of layout, of files and of the refresh."""


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize("name", PAGES)
def test_a_parameter_that_a_page_does_not_read_is_refused_with_the_nearest(name: str) -> None:
    usual = open_page(name, {})
    assert (usual.title[0].value == open_page("shock", {}).title[0].value) == (name == "shock")
    assert set(parameters(usual)) - LOCAL <= set(PARAMETERS[name])
    refused = [each.value for each in open_page(name, {"evnt": "gpt-5"}).warning]
    assert refused[0].replace("\\", "") == "There is no parameter “evnt”; the nearest is event."


@pytest.mark.usefixtures("on_bundled_data")
def test_a_parameter_in_capitals_counts_and_a_newsletters_mark_is_passed_over() -> None:
    page = open_page("shock", {"EVENT": "nvidia-329bn", "utm_source": "mail"})
    assert not page.warning
    assert "NVIDIA" in page.title[0].value
    assert "gained" in page.title[0].value


@pytest.mark.usefixtures("on_bundled_data")
def test_a_day_alone_is_the_day_that_is_told() -> None:
    assert "Wed 9 Apr 2025" in open_page("shock", {"day": "2025-04-09"}).title[0].value
    assert open_page("shock", {"day": "foo"}).title[0].value == "Nothing to show"


@pytest.mark.usefixtures("on_bundled_data")
def test_the_first_day_alone_is_heeded() -> None:
    page = open_page("companies", {"from": "2025-02-18", "compare": "SNDK"})
    assert [each.value.isoformat() for each in page.date_input][:1] == ["2025-02-18"]


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize(
    ("name", "query", "where"),
    [
        ("event_study", {"window": "5,1"}, "Window, benchmark and model"),
        ("export", {"chart": "companies-compare", "show": "ZZZZ"}, "Companies and days"),
    ],
)
def test_what_is_refused_lies_in_no_part_of_the_page_that_is_closed(
    name: str, query: Query, where: str
) -> None:
    for address, is_open in (
        ({**query}, True),
        ({"chart": query["chart"]} if "chart" in query else {}, False),
    ):
        found = {part.label: part.proto.expanded for part in open_page(name, address).expander}
        assert found[where] == is_open


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize(
    ("name", "query", "sentences"),
    [
        (
            "events",
            {
                "company": "CRWV",
                "year": "2019",
                "events": "nope",
                "of": "x",
                "sort": "x",
                "rows": "x",
                "by": "x",
            },
            [
                "There is no company “CRWV” that leads an event",
                "There is no year “2019” with an event:",
                "There is no event “nope”: choose from the list.",
                "There is no group “x”: choose from the list.",
                "There is no order “x”:",
                "There is no choice of rows “x”:",
                "There is no measure “x”:",
            ],
        ),
        ("app_rankings", {"country": "br"}, ["There is no country “br” with ranks here:"]),
    ],
)
def test_what_is_refused_is_called_by_what_it_is_and_only_what_is_nowhere_is_said_not_to_exist(
    name: str, query: Query, sentences: list[str]
) -> None:
    said = [each.value.replace("\\", "") for each in open_page(name, query).warning]
    assert all(any(one.startswith(sentence) for one in said) for sentence in sentences), said


@pytest.mark.usefixtures("on_bundled_data")
@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("shock", {"day": "2019-01-01"}, "(the prices reach from 1 October 2021 to 2 October 2026)"),
        ("companies", {"from": "2030-01-01"}, "1 Jan 2030 is outside of the data, which reach from"),
        ("companies", {"from": "2025-03-03", "to": "2025-01-02"}, "comes after Thu 2 Jan 2025"),
        ("export", {"from": "2025-01-02"}, "shock-proportion has no days to choose"),
        ("export", {"chart": "companies-compare", "to": "sunday"}, "“sunday” is not a date like 2025-01-27."),
        ("export", {"chart": "nope"}, "There is no chart “nope”: choose from the list."),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_what_an_address_asks_for_in_vain_is_named(name: str, query: dict[str, str], said: str) -> None:
    refused = [each.value.replace("\\", "") for each in opened(name, **query).warning]
    assert any(said in sentence for sentence in refused), refused
