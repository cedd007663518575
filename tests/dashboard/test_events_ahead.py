"""The page of all events is prepared when a state is published: its reader waits for nothing that is computed."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.warm import warm_league
from etl.settings import PROJECT_ROOT
from etl.warehouse import published_version


def test_the_first_visit_reads_and_draws_nothing(
    on_bundled_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm_league(published_version())

    def late(*_: object) -> None:
        raise AssertionError("this was not prepared")

    monkeypatch.setattr("dashboard.app_pages.league.read_league", late)
    monkeypatch.setattr("dashboard.views.events.draw", late)
    monkeypatch.setattr("dashboard.app_pages.events_markup.league", late)
    page = PROJECT_ROOT / "dashboard" / "app_pages" / "events.py"
    app = AppTest.from_file(str(page), default_timeout=60).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
