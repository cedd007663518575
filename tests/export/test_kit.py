"""A kit holds the chart, its data and its proof, and can be made again."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import plotly.io
import pytest

from dashboard.export import kit, reproduce
from dashboard.export.drawing import figure_words
from dashboard.export.kit import Kit, build
from dashboard.export.presets import BadSpec
from dashboard.export.provenance import make
from dashboard.export.spec import Spec, from_parameters
from etl.errors import UsageError
from etl.product import NAME, VERSION
from etl.warehouse import connect_read_only
from etl.warehouse.files import FileWarehouse


@pytest.fixture(scope="module")
def made(on_bundled_data_throughout: Path) -> Kit:
    return build(Spec("shock-losses-dollars"))


@pytest.fixture(scope="module")
def earlier(made: Kit, tmp_path_factory: pytest.TempPathFactory) -> reproduce.Earlier:
    """What the metadata of that kit says once it lies on a disk."""
    folder = tmp_path_factory.mktemp("kit")
    kit.write(made, folder)
    return reproduce.read(folder / "metadata.json")


@pytest.fixture(scope="module")
def repeated(earlier: reproduce.Earlier) -> Kit:
    return build(earlier.spec)


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


def test_the_same_data_in_another_folder_give_the_same_files(
    made: Kit, own_database: Path, use_database: Callable[[Path], None]
) -> None:
    with FileWarehouse(own_database).writing() as con:
        con.execute("UPDATE company SET name = name")
    use_database(own_database)
    elsewhere = build(Spec("shock-losses-dollars"))
    assert elsewhere.made.state != made.made.state
    assert elsewhere.files == made.files


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
    assert said["software"]["version"] == VERSION
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
    assert f"Chart: {NAME}." in caption


def test_words_of_ones_own_replace_the_charts(on_bundled_data: Path) -> None:
    spec = Spec("shock-map", title="My words", subtitle="", credit="A. Reporter", formats=("svg", "html"))
    own = build(spec)
    for form in ("svg", "html"):
        text = own.files[f"shock-map.{form}"].decode()
        assert "My words" in text
        assert "A. Reporter" in text
        assert "Area: market value" not in text


def test_a_kit_made_again_from_its_metadata_is_the_same(
    made: Kit, earlier: reproduce.Earlier, repeated: Kit
) -> None:
    assert earlier.spec == made.spec
    assert repeated.files == made.files
    assert reproduce.changes(earlier, repeated) == []
    assert "the data is unchanged" in reproduce.verdict(earlier, repeated, [])


def test_a_kit_made_again_says_when_the_data_has_changed(
    own_database: Path, use_database: Callable[[Path], None], tmp_path: Path
) -> None:
    use_database(own_database)
    kit.write(build(Spec("shock-losses-percent", formats=("csv",))), tmp_path)
    with duckdb.connect(str(own_database)) as con:
        con.execute(
            "UPDATE price_daily SET adj_close = adj_close * 0.9 WHERE ticker = 'NVDA' AND date = '2025-01-27'"
        )
    earlier = reproduce.read(tmp_path / "metadata.json")
    found = reproduce.changes(earlier, build(earlier.spec))
    assert len([sentence for sentence in found if sentence.startswith("NVDA")]) == 1
    row = next(sentence for sentence in found if sentence.startswith("NVDA"))
    assert re.search(r"change, percent .* was -16\.97?\d+, is -25\.27?\d+", row)


def test_a_second_spec_never_comes_into_the_folder_of_a_first(made: Kit, tmp_path: Path) -> None:
    first = kit.place(tmp_path, made.spec)
    kit.write(made, first)
    assert kit.place(tmp_path, made.spec) == first
    others = [
        Spec(made.spec.name, **{name: value})  # type: ignore[arg-type]
        for name, value in {
            "formats": ("csv",),
            "tickers": ("NVDA",),
            "title": "Mine",
            "credit": "A. Reporter",
            "scale": 1.0,
            "note": "",
            "figure": (("Intel", "INTC"),),
            "theme": "dark",
            "size": "600x400",
            "locale": "de",
            "event": "2024-09-03",
        }.items()
    ]
    folders = [kit.place(tmp_path, spec) for spec in others]
    assert len({first, *folders}) == len(others) + 1


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    spec = Spec("shock-map", formats=("csv",))
    for name in ("shock-map", "shock-map-csv"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.txt").write_text("a reporter's own")
    with pytest.raises(BadSpec, match="name another folder"):
        kit.place(tmp_path, spec)


def test_a_kit_that_lost_a_file_leaves_no_older_one_in_its_place(made: Kit, tmp_path: Path) -> None:
    kit.write(made, tmp_path)
    (tmp_path / "notes.txt").write_text("a reporter's own")
    name = f"{made.spec.name}.png"
    lesser = replace(
        made,
        files={key: content for key, content in made.files.items() if key != name},
        failures={"png": "no browser"},
    )
    written, failures = kit.write(lesser, tmp_path)
    assert not (tmp_path / name).exists()
    assert (tmp_path / "notes.txt").exists()
    listed = json.loads((tmp_path / "metadata.json").read_text())["files"]
    assert (
        set(listed)
        == set(written) - {"metadata.json"}
        == {path.name for path in tmp_path.iterdir()}
        - {
            "metadata.json",
            "notes.txt",
        }
    )
    assert failures == {"png": "no browser"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": "shock-map", "start": date(2025, 1, 2)}, "shock-map has no first day"),
        ({"name": "data-coverage", "event": "openai-o1"}, "data-coverage has no event"),
        ({"name": "shock-map", "options": (("log", "true"),)}, "shock-map has no settings"),
        ({"name": "shock-map", "formats": ("csv",), "scale": 2.0}, "no picture among csv"),
    ],
)
def test_what_a_chart_does_not_heed_is_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadSpec, match=reason):
        build(Spec(**values))


def test_the_metadata_records_only_what_was_heeded(on_bundled_data: Path) -> None:
    said = json.loads(build(Spec("data-coverage", formats=("csv",))).metadata())["parameters"]
    assert set(said) == {"name", "theme", "locale", "language", "credit", "formats"}


def test_an_editors_words_replace_every_word_of_a_chart(on_bundled_data: Path) -> None:
    usual = make(Spec("shock-losses-percent"))
    inside = figure_words(usual.chart)
    spec = Spec(
        "shock-losses-percent",
        title="Titel",
        subtitle="Maß",
        note="Hinweis",
        source="Quelle",
        alt="Beschreibung",
        caption="Bildzeile",
        figure=tuple((word, f"W{number}") for number, word in enumerate(inside)),
        language="de",
        credit="Grafik",
        formats=("svg", "html"),
    )
    own = build(spec)
    assert own.files["caption.txt"].decode() == "Bildzeile\n"
    assert own.files["alt.txt"].decode() == "Beschreibung\n"
    svg, page = (own.files[f"{spec.name}.{form}"].decode() for form in ("svg", "html"))
    assert 'lang="de"' in svg[:600]
    assert '<html lang="de">' in page
    assert figure_words(own.made.chart) == [f"W{number}" for number in range(len(inside))]
    assert "NVIDIA" not in svg
    assert f"<summary>W{inside.index('The numbers')}</summary>" in page
    assert f'<th scope="col">W{inside.index("segment")}</th>' in page
    assert "first traded" not in page
    assert " went from " not in page  # the house's sentences under a pointer


def test_words_that_are_not_in_the_figure_are_refused(on_bundled_data: Path) -> None:
    with pytest.raises(BadSpec, match="no words “Nividia”"):
        make(Spec("shock-losses-percent", figure=(("Nividia", "NVIDIA"),)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not JSON"),
        ("[]", "is not the metadata.json"),
        ('{"data": {}}', "no parameters of a chart"),
        ('{"data": {}, "parameters": {"name": "shock-map", "preset": "poster"}}', "no preset “poster”"),
        ('{"data": {}, "parameters": {"name": "shock-map", "evil": 1}}', "not known here: evil"),
        ('{"data": {}, "parameters": {"name": "companies-compare", "start": "soon"}}', "file’s start cannot"),
        ('{"data": {}, "parameters": {"name": "shock-map", "start": "2025-01-27"}}', "has no first day"),
        ('{"data": {}, "parameters": {"name": "../shock-map"}}', "no chart “../shock-map”"),
        ('{"data": {}, "parameters": {"name": "shock-map", "tickers": "NVDA"}}', "file’s tickers cannot"),
        ('{"data": {}, "parameters": {"name": "shock-map", "preset": ["x"]}}', "file’s preset cannot"),
        ('{"data": {}, "parameters": {"name": "shock-map", "scale": "big"}}', "file’s scale cannot"),
        ('{"data": {}, "parameters": {"name": "shock-map", "options": [1, 2]}}', "file’s options"),
        ('{"data": {}, "parameters": {"name": "shock-map", "formats": {"png": 1}}}', "file’s formats"),
        ('{"data": {}, "parameters": {"name": "shock-map", "locale": 7}}', "file’s locale"),
        ('{"data": {}, "parameters": [], "warehouse": 1}', "no parameters of a chart"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_is_no_metadata_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    path.write_text(text)
    with pytest.raises(BadSpec, match=reason):
        reproduce.read(path)


def test_what_a_file_says_of_itself_is_told_on_one_short_line(tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    long = "one\x1b[2J\ntwo " + "x" * 100_000
    said = {"data": {}, "parameters": {"name": "shock-map"}, "title": long, "warehouse": {"state": long}}
    path.write_text(json.dumps(said))
    earlier = reproduce.read(path)
    for told in (earlier.title, earlier.state):
        assert told.startswith("one [2J two x")
        assert len(told) == 300


def test_parameters_survive_being_written_down() -> None:
    spec = Spec(
        "companies-compare",
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
        note="",
        figure=(("One", "Eins"),),
        formats=("png",),
    )
    assert from_parameters(json.loads(json.dumps(spec.parameters()))) == spec


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
    with pytest.raises(UsageError, match=reason):
        Spec("shock-map", **values)  # type: ignore[arg-type]


def test_a_name_that_is_almost_right_is_put_right(on_bundled_data: Path) -> None:
    with pytest.raises(BadSpec, match="the nearest is shock-map"):
        make(Spec("shock-mapp"))


def test_without_a_browser_data_and_html_are_there(
    on_bundled_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard.export import browser

    monkeypatch.setattr(browser, "find_browser", lambda: None)
    lone = browser.Renderer()
    monkeypatch.setattr(browser, "renderer", lambda: lone)
    try:
        found = build(Spec("shock-map"))
    finally:
        lone.close()
    assert set(found.failures) == {"png", "svg", "pdf"}
    assert "apt install chromium" in found.failures["png"]
    assert {f"shock-map.{form}" for form in ("html", "csv", "plotly.json")} < set(found.files)
