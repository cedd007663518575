"""What is shown under the name of a state was read from that state, whatever is published meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.app_pages import shared
from dashboard.export.provenance import make
from dashboard.export.spec import Spec
from etl.settings import PROJECT_ROOT
from etl.warehouse import StateGoneError, published_version
from etl.warehouse.files import FileWarehouse

EVENT = "deepseek-selloff"


@pytest.fixture
def warehouse(own_database: Path, use_database: Callable[[Path], None]) -> Iterator[FileWarehouse]:
    """A warehouse of two states; in the second one, which is published, NVIDIA fell from ten times its price."""
    use_database(own_database)
    found = FileWarehouse(own_database)
    with found.writing() as con:
        con.execute("DELETE FROM dividend")
    st.cache_resource.clear()
    yield found
    st.cache_resource.clear()


def publish_another(warehouse: FileWarehouse) -> None:
    with warehouse.writing() as con:
        con.execute(
            "UPDATE price_daily SET close = close * 10 WHERE ticker = 'NVDA' AND date = DATE '2025-01-24'"
        )
        con.execute("INSERT INTO company (ticker, name) VALUES ('NEW', 'New')")


READERS: dict[str, Callable[[str], object]] = {
    "the headline": lambda state: shared.event_words(state, EVENT).sentence,
    "the figures": lambda state: shared.event_words(state, EVENT).figures,
    "the record book": lambda state: shared.records(state).moves.to_csv(),
    "a chart's table": lambda state: make(Spec("shock-losses-dollars"), state).chart.table.to_csv(),
    "the state of a kit": lambda state: make(Spec("shock-losses-dollars"), state).state,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_publication_during_a_read_and_a_rollback_show_the_figures_of_the_state_named(
    warehouse: FileWarehouse, read: Callable[[str], object]
) -> None:
    state = published_version()
    right = read(state)
    st.cache_resource.clear()
    publish_another(warehouse)
    assert read(state) == right
    assert read(published_version()) != right
    warehouse.rollback()
    assert published_version() == state
    assert read(published_version()) == right


def test_every_reader_of_the_dashboard_names_the_state_it_reads() -> None:
    for path in (PROJECT_ROOT / "dashboard").rglob("*.py"):
        if path.parts[-2:] != ("event_study", "__main__.py"):  # a command reads once and keeps nothing
            unnamed = re.findall(r"connect_read_only\((?!version=)[^)]*\)", path.read_text("utf-8"))
            assert not unnamed, path


def test_a_page_whose_state_is_gone_is_drawn_again_with_the_newest(
    warehouse: FileWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = "market-20200101T000000.000000Z-0000.duckdb"
    with pytest.raises(StateGoneError, match="not kept any more"):
        shared.price_reach(gone)
    told = iter([gone])
    monkeypatch.setattr("dashboard.state.published_version", lambda: next(told, None) or published_version())
    app = AppTest.from_file(str(PROJECT_ROOT / "dashboard" / "app.py"), default_timeout=90).run()
    assert not app.exception
    assert app.title[0].value
    assert next(told, "asked") == "asked"
