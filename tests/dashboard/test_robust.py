"""Whatever stands in the address, a page stays usable and nothing is logged as an error."""

import logging

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.app_pages import PAGES
from etl.settings import PROJECT_ROOT
from tests.conftest import SOAK, Tell
from tests.dashboard.hostile import Query, queries

APP = str(PROJECT_ROOT / "dashboard" / "app.py")
COUNT = 500 if SOAK else 3


def describe(query: Query) -> dict[str, object]:
    """A query short enough to be read in a report."""
    return {
        key: [text[:60] for text in ([value] if isinstance(value, str) else value)]
        for key, value in query.items()
    }


def open_page(name: str, query: Query) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=90)
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
