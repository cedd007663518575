"""The Export page: what it offers, what its address restores, and what it says without a browser."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.dashboard.pages import opened as open_page

opened = partial(open_page, "export")


def test_it_offers_each_file_and_the_kit(on_bundled_data: Path) -> None:
    page = opened(chart="shock-map")
    assert not page.exception
    labels = [button.proto.label for button in page.get("download_button")]
    assert labels == ["The whole kit", "PNG", "SVG", "PDF", "HTML", "CSV", "Plotly JSON"]
    copied = [code.value for code in page.code]
    assert copied[0].startswith("Tiles of AI companies")
    assert copied[2].startswith('<iframe src="shock-map.html"')
    assert "/chart/shock-map.png?event=deepseek-selloff" in copied[3]


def test_the_address_restores_the_choices(on_bundled_data: Path) -> None:
    page = opened(chart="shock-recovery", size="square", theme="dark", locale="de", title="Mine")
    assert page.selectbox(key="chart").value == "shock-recovery"
    assert page.text_input(key="title").value == "Mine"
    assert "1080 × 1080 pixels" in [caption.value for caption in page.caption]
    assert "Mine." in page.code[1].value


def test_a_last_day_before_the_first_is_one_sentence(on_bundled_data: Path) -> None:
    page = opened(chart="companies-compare", **{"from": "2025-02-10", "to": "2025-02-03"})
    assert not page.exception
    assert "comes after the last" in page.warning[0].value.replace("\\", "")


def test_only_what_a_chart_heeds_is_offered(on_bundled_data: Path) -> None:
    keys = [field.key for field in opened(chart="shock-map").date_input]
    assert "from" not in keys


def test_an_editors_own_words_are_taken(on_bundled_data: Path) -> None:
    page = opened(chart="shock-map", alt="Eine Karte.", caption="Die Bildzeile.", locale="de")
    assert [page.code[at].value for at in (0, 1)] == ["Eine Karte.", "Die Bildzeile."]


def test_a_chart_that_the_data_does_not_hold_is_said(on_bundled_data: Path) -> None:
    page = opened(chart="rank-bump")
    assert not page.exception
    assert page.info[0].value


def test_without_a_browser_the_page_offers_the_readers_own_picture(
    on_bundled_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard.export import render
    from dashboard.export.browser import NO_BROWSER, NoBrowser

    class Nobody:
        def draw(self, *_: object) -> None:
            raise NoBrowser(NO_BROWSER)

    monkeypatch.setattr(render.browser, "renderer", Nobody)
    page = opened(chart="shock-losses-percent", title="no cache")
    assert not page.exception
    assert page.warning[0].value.replace("\\", "") == "No files of pictures can be made here."
    assert len(page.get("plotly_chart")) == 1
    labels = [button.proto.label for button in page.get("download_button")]
    assert labels == ["The whole kit", "HTML", "CSV", "Plotly JSON"]
