"""A kit holds the chart, its data and its proof, and can be made again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import plotly.io
import pytest

from dashboard.export import again, kit
from dashboard.export.kit import Kit, build
from dashboard.export.making import UnknownChart, make
from dashboard.export.order import BadOrder, Order, from_parameters
from etl.warehouse import connect_read_only


@pytest.fixture(scope="module")
def made(on_bundled_data_throughout: Path) -> Kit:
    return build(Order("shock-losses-dollars"))


@pytest.fixture(scope="module")
def earlier(made: Kit, tmp_path_factory: pytest.TempPathFactory) -> again.Earlier:
    """What the metadata of that kit says once it lies on a disk."""
    folder = tmp_path_factory.mktemp("kit")
    kit.write(made, folder)
    return again.read(folder / "metadata.json")


@pytest.fixture(scope="module")
def repeated(earlier: again.Earlier) -> Kit:
    return build(earlier.order)


def test_a_kit_has_every_file_that_an_article_needs(made: Kit) -> None:
    name = "shock-losses-dollars"
    assert not made.failures
    assert set(made.files) == {
        *(f"{name}.{form}" for form in ("png", "svg", "pdf", "html", "csv", "schema.json", "plotly.json")),
        "alt.txt",
        "caption.txt",
        "embed.txt",
    }
    with zipfile.ZipFile(io.BytesIO(made.zipped())) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {f"{name}/{file}" for file in (*made.files, "metadata.json")}


def test_the_same_order_gives_the_same_bytes_again(made: Kit, repeated: Kit) -> None:
    assert repeated.files == made.files
    assert repeated.metadata() == made.metadata()
    assert repeated.zipped() == made.zipped()


def test_the_metadata_holds_the_sql_that_selects_the_data(made: Kit) -> None:
    said = json.loads(made.metadata())
    prices = next(
        query
        for query in said["queries"]
        if "FROM price_daily" in query["sql"] and "adj_close" in query["sql"]
    )
    with connect_read_only() as con:
        rows = con.execute(prices["sql"], prices["parameters"]).fetchall()
    assert any(row[0] == "NVDA" and row[1] == date(2025, 1, 27) and row[5] == 118.42 for row in rows)


def test_the_metadata_names_event_sources_state_and_version(made: Kit) -> None:
    said = json.loads(made.metadata())
    assert said["event"]["market_session"] == "2025-01-27"
    assert said["event"]["source_url"].startswith("https://")
    prices = next(source for source in said["sources"] if source["table"] == "price_daily")
    assert prices["source"] == "bundled"
    assert prices["rows"] > 10_000
    assert prices["retrieved_last"].endswith("+00:00")
    assert said["warehouse"]["state"] == made.made.state
    assert said["software"]["version"] == "0.1.0"
    assert said["files"]["shock-losses-dollars.png"]["bytes"] == len(made.files["shock-losses-dollars.png"])


def test_the_plotly_json_is_the_figure(made: Kit) -> None:
    figure = plotly.io.from_json(made.files["shock-losses-dollars.plotly.json"].decode())
    assert json.loads(figure.to_json()) == json.loads(made.made.chart.figure.to_json())


def test_alt_text_and_caption_are_those_of_the_chart(made: Kit) -> None:
    chart = made.made.chart
    assert made.files["alt.txt"].decode().strip() == chart.alt
    caption = made.files["caption.txt"].decode()
    assert chart.title in caption
    assert chart.source in caption
    assert "Chart: AI Market Impact." in caption


def test_words_of_ones_own_replace_the_charts(on_bundled_data: Path) -> None:
    order = Order("shock-map", title="My words", subtitle="", credit="A. Reporter", formats=("svg", "html"))
    own = build(order)
    for form in ("svg", "html"):
        text = own.files[f"shock-map.{form}"].decode()
        assert "My words" in text
        assert "A. Reporter" in text
        assert "Area: market value" not in text


def test_a_kit_made_again_from_its_metadata_is_the_same(
    made: Kit, earlier: again.Earlier, repeated: Kit
) -> None:
    assert earlier.order == made.order
    assert repeated.files == made.files
    assert "the data is unchanged" in again.compare(earlier, repeated)


def test_a_kit_made_again_says_when_the_data_has_changed(
    own_database: Path, use_database: Callable[[Path], None], tmp_path: Path
) -> None:
    use_database(own_database)
    kit.write(build(Order("shock-losses-percent", formats=("csv",))), tmp_path)
    with duckdb.connect(str(own_database)) as con:
        con.execute(
            "UPDATE price_daily SET adj_close = adj_close * 0.9 WHERE ticker = 'NVDA' AND date = '2025-01-27'"
        )
    earlier = again.read(tmp_path / "metadata.json")
    sentence = again.compare(earlier, build(earlier.order))
    assert "THE DATA HAS CHANGED" in sentence
    assert "1 rows are new or different, 1 of the old ones are gone" in sentence


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no JSON"),
        ("[]", "is no metadata.json"),
        ('{"data": {}}', "no parameters of a chart"),
        ('{"data": {}, "parameters": {"name": "shock-map", "preset": "poster"}}', "no preset “poster”"),
        ('{"data": {}, "parameters": {"name": "shock-map", "evil": 1}}', "not known here: evil"),
        ('{"data": {}, "parameters": {"name": "shock-map", "start": "soon"}}', "soon"),
    ],
)
def test_a_file_that_is_no_metadata_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    path.write_text(text)
    with pytest.raises((BadOrder, ValueError), match=reason):
        again.read(path)


def test_parameters_survive_being_written_down() -> None:
    order = Order(
        "x",
        "2024-09-03",
        ("NVDA", "AMD"),
        date(2024, 1, 2),
        date(2025, 1, 2),
        (("log", "true"),),
        size="600x400",
        scale=1.5,
        theme="dark",
        locale="de",
        title="T",
        formats=("png",),
    )
    assert from_parameters(json.loads(json.dumps(order.parameters()))) == order


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"preset": "poster"}, "choose from article, wide"),
        ({"theme": "neon"}, "choose from light, dark"),
        ({"formats": ("gif",)}, "choose from png, svg"),
        ({"locale": "klingon"}, "There is no locale"),
        ({"size": "huge"}, "WIDTHxHEIGHT"),
        ({"size": "10x10"}, "choose from 240 to 4000"),
        ({"scale": 99.0}, "choose one from 0.1"),
        ({"scale": float("nan")}, "choose one from 0.1"),
        ({"start": date(2025, 2, 1), "end": date(2025, 1, 1)}, "comes after"),
        ({"title": "x" * 400}, "300 is the most"),
    ],
)
def test_an_order_that_cannot_be_met_is_refused(values: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Order("shock-map", **values)  # type: ignore[arg-type]


def test_a_name_that_is_almost_right_is_put_right(on_bundled_data: Path) -> None:
    with pytest.raises(UnknownChart, match="did you mean shock-map"):
        make(Order("shock-mapp"))


def test_without_a_browser_data_and_html_are_there(
    on_bundled_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard.export import browser

    monkeypatch.setattr(browser, "find_browser", lambda: None)
    lone = browser.Renderer()
    monkeypatch.setattr(browser, "renderer", lambda: lone)
    try:
        found = build(Order("shock-map"))
    finally:
        lone.close()
    assert set(found.failures) == {"png", "svg", "pdf"}
    assert "apt install chromium" in found.failures["png"]
    assert {f"shock-map.{form}" for form in ("html", "csv", "plotly.json")} < set(found.files)
