"""Every chart of the dashboard fits every preset and theme, and its numbers read back; how they look is for eyes."""

from __future__ import annotations

import io
import re
from functools import lru_cache
from pathlib import Path

import duckdb
import pandas as pd
import plotly
import pytest
from PIL import Image

from dashboard.export import tables
from dashboard.export.html import PLOTLY_JS
from dashboard.export.presets import PRESETS, THEMES
from dashboard.export.provenance import Made, make
from dashboard.export.render import render
from dashboard.export.spec import Spec
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow
from tests.conftest import SOAK

ROOT = Path(__file__).resolve().parents[2]
LOOKS = [(preset, "light") for preset in PRESETS] + [
    ("article", theme) for theme in THEMES if theme != "light"
]
# The short form draws each chart in the next of the looks, the long form in all of them.
ORDERS = [
    Spec(name, preset=preset, theme=theme)
    for number, name in enumerate(CHARTS)
    for preset, theme in (LOOKS if SOAK else [LOOKS[number % len(LOOKS)]])
]
BY_NAME = {spec.name: spec for spec in ORDERS}.values()


@lru_cache
def made(name: str, theme: str) -> Made:
    try:
        return make(Spec(name, theme=theme))
    except NothingToShow:
        pytest.skip("the bundled data has nothing for it")


def test_every_preset_and_theme_is_tried() -> None:
    assert {spec.preset for spec in ORDERS} == set(PRESETS)
    assert {spec.theme for spec in ORDERS} == set(THEMES)
    assert {spec.name for spec in ORDERS} == set(CHARTS)


@pytest.mark.parametrize("spec", ORDERS, ids=lambda spec: f"{spec.name}-{spec.preset}-{spec.theme}")
def test_a_chart_fits_its_preset_and_theme(spec: Spec, on_bundled_data: Path) -> None:
    drawn = render(made(spec.name, spec.theme).chart, spec.look(), {"png"})
    assert Image.open(io.BytesIO(drawn.files["png"])).size[0] == round(drawn.width * spec.shape().scale)
    assert not drawn.warnings


@pytest.mark.parametrize("spec", BY_NAME, ids=lambda spec: spec.name)
def test_the_csv_of_every_chart_reads_back_equal_to_its_own_numbers(
    spec: Spec, on_bundled_data: Path, tmp_path: Path
) -> None:
    chart = made(spec.name, spec.theme).chart
    path = tmp_path / "chart.csv"
    path.write_bytes(tables.csv(chart))
    fields = {field["name"]: field["type"] for field in tables.schema(chart)["fields"]}
    dates = [column for column, kind in fields.items() if kind in ("date", "datetime")]
    frame = pd.read_csv(path, parse_dates=dates)
    texts = {column: "VARCHAR" for column, kind in fields.items() if kind == "string"}
    sql = duckdb.connect().read_csv(str(path), header=True, dtype=texts or None).df()
    assert list(fields) == list(chart.table.columns) == list(frame.columns) == list(sql.columns)
    for column, kind in fields.items():
        for read in (frame[column], sql[column]):
            same(read, chart.table[column].reset_index(drop=True), kind)


@pytest.mark.parametrize("spec", BY_NAME, ids=lambda spec: spec.name)
def test_the_library_that_travels_with_the_files_has_the_traces_of_every_chart(
    spec: Spec, on_bundled_data: Path
) -> None:
    kinds = (ROOT / ".ci" / "plotly" / "charts.js").read_text(encoding="utf-8")
    drawn = {trace.type for trace in made(spec.name, spec.theme).chart.figure.data}
    assert drawn <= {"scatter", *re.findall(r"lib/(\w+)'", kinds)} - {"core"}


def test_that_library_is_the_one_of_the_python_package() -> None:
    own, published = (
        re.search(r"plotly\.js v([\d.]+)", path.read_text(encoding="utf-8")[:400])[1]
        for path in (PLOTLY_JS, Path(plotly.__file__).parent / "package_data" / "plotly.min.js")
    )
    assert own == published


def same(read: pd.Series, own: pd.Series, kind: str) -> None:
    assert len(read) == len(own)
    if kind in ("number", "integer"):
        pd.testing.assert_series_equal(
            read.astype(float), own.astype(float), check_exact=True, check_names=False
        )
    elif kind in ("date", "datetime"):
        read, own = pd.to_datetime(read, utc=True), pd.to_datetime(own, utc=True)
        assert (read.isna() == own.isna()).all()
        assert (read.dropna().to_numpy() == own.dropna().to_numpy()).all()
    else:
        texts = [series.astype("string").fillna("").str.lower().tolist() for series in (read, own)]
        assert texts[0] == texts[1]
