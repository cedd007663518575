"""Whatever the words and the data, nothing overlaps and nothing is cut off; what cannot be drawn is refused plainly."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest
from PIL import Image, ImageChops

from dashboard.charts.chart import Chart
from dashboard.charts.style import LIGHT, figure
from dashboard.export.drawing import Look, worded
from dashboard.export.presets import PRESETS, sized
from dashboard.export.render import CannotDraw, render
from tests.conftest import SOAK
from tests.export.samples import lines

SVG = "{http://www.w3.org/2000/svg}"
LONG = "What happened to the market when a new model was released, and all that followed on that day and the next"
CASES = {
    "a long title": lines(title=f"{LONG}, {LONG}"),
    "a word without end": lines(title="W" * 180),
    "right-to-left words": lines(
        title="NVIDIA הפסידה 592.7 מיליארד דולר ב-27 בינואר 2025",
        subtitle="نسبة التغير في سعر الإغلاق (2025)",
    ),
    "one series": lines(1),
    "negative values": lines(below=300),
    "markup": lines(title="<b>Bold</b> & <script>alert(1)</script> <img src=x onerror=alert(1)> ]]>"),
    "long notes": lines(subtitle="measure " * 40, note="note " * 300),
    "forty series": lines(40),
}
SIZES = ("article", "square", "print")
TOO_MUCH = ("forty series", "print")
# The short form draws each case in the next of the sizes, the long form in all of them.
SIZED = [
    (case, preset)
    for number, case in enumerate(CASES)
    for preset in (SIZES if SOAK else [SIZES[number % len(SIZES)]])
    if (case, preset) != TOO_MUCH
]


@pytest.mark.parametrize(("case", "preset"), SIZED, ids=lambda word: word.replace(" ", "-"))
def test_words_and_data_of_any_shape_fit(case: str, preset: str) -> None:
    chart = CASES[case]
    drawn = render(chart, Look(PRESETS[preset]), {"svg", "png"})
    shown = "".join(
        "".join(node.itertext()) for node in ElementTree.fromstring(drawn.files["svg"]).iter(f"{SVG}text")
    )
    for text in (chart.title, chart.note, chart.source):
        assert "".join(text.split()) in "".join(shown.split())
    assert not ink_at_the_edge(drawn.files["png"])


def test_more_lines_than_a_size_has_room_for_are_refused_with_the_way_out() -> None:
    case, preset = TOO_MUCH
    with pytest.raises(CannotDraw, match="choose a larger preset or fewer companies"):
        render(CASES[case], Look(PRESETS[preset]), {"png"})


def ink_at_the_edge(png: bytes) -> bool:
    """Whether anything but paper touches the left, right or lower edge (the house's mark hangs from the upper one)."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    width, height = picture.size
    paper = Image.new("RGB", picture.size, picture.getpixel((2, height - 3)))
    box = ImageChops.difference(picture, paper).getbbox()
    return box is None or box[0] < 8 or box[2] > width - 8 or box[3] > height - 4


def test_labels_at_the_end_of_forty_lines_stand_apart() -> None:
    drawn = render(lines(40), Look(), {"svg"})
    assert drawn.height > 600  # it grew to make room
    assert all(f">S{number}<" in drawn.files["svg"].decode() for number in range(40))


def test_markup_in_a_title_is_text() -> None:
    root = ElementTree.fromstring(render(CASES["markup"], Look(), {"svg"}).files["svg"])
    assert not list(root.iter(f"{SVG}script"))
    assert "<script>alert(1)</script>" in root.find(f"{SVG}title").text


def test_no_data_is_refused_with_a_sentence() -> None:
    with pytest.raises(CannotDraw, match="has no data to draw"):
        render(lines(0), Look(), {"png"})


def test_words_without_end_are_refused() -> None:
    with pytest.raises(match="title has 301 characters; 300 is the most"):
        worded(lines(), {"title": "x" * 301})


def test_words_that_leave_no_room_are_refused() -> None:
    narrow = replace(PRESETS["wide"], width=300, height=250, sheet=420)
    with pytest.raises(CannotDraw, match="shorten the title or the subtitle"):
        render(lines(title="Wide words " * 25, note="note " * 200), Look(narrow), {"png"})


def test_characters_that_no_font_has_are_named() -> None:
    drawn = render(lines(title="A sign of no script: \U0001fae9\U0002a6d6"), Look(), {"svg"})
    assert any("No font on this computer draws" in warning for warning in drawn.warnings)


def rows(values: list[int]) -> Chart:
    fig = figure(LIGHT, 30 + 22 * len(values))
    fig.add_bar(y=[f"Company {row}" for row in range(len(values))], x=values, orientation="h")
    fig.update_xaxes(range=[min(values) - 1, max(values) + 1])
    return Chart("rows", fig, "Many rows", "", "Source: a test", "Rows.", pd.DataFrame({"a": [1]}))


def test_a_chart_of_many_rows_shows_those_that_can_be_read_and_says_so() -> None:
    chart = rows(list(range(60)))
    text = render(chart, Look(PRESETS["wide"]), {"svg"}).files["svg"].decode()
    assert "Shown: the first " in text
    assert ">Company 59<" in text
    assert ">Company 0<" not in text
    assert ">Company 0<" in render(chart, Look(), {"svg"}).files["svg"].decode()


def test_where_the_gains_are_among_the_rows_left_out_they_keep_no_room() -> None:
    text = render(rows([20 - row for row in range(60)]), Look(PRESETS["wide"]), {"svg"}).files["svg"].decode()
    assert ">Company 59<" in text
    assert ">Company 20<" not in text
    ends = [sorted(map(float, found)) for found in re.findall(r"M([\d.]+),[\d.]+V[\d.]+H([\d.]+)V", text)]
    assert max(end - start for start, end in ends) > 900  # of 1,200; with the room for the gains it was 680


def test_small_type_is_set_larger_on_paper_and_never_left_out() -> None:
    chart = lines(1)
    chart.figure.add_annotation(x=0.5, y=0.9, xref="paper", yref="paper", text="a small word", font_size=8)
    shape = sized(PRESETS["print"], "64mm")
    svg = render(chart, Look(shape, "print"), {"svg"}).files["svg"].decode()
    text = re.search(r"<text[^>]*font-size: ([\d.]+)px[^>]*>a small word", svg)
    assert text
    assert float(text[1]) * shape.css_width / shape.sheet * 72 / 96 >= 6.49


def test_a_chart_that_must_not_be_pressed_flat_gets_a_larger_sheet() -> None:
    chart = lines(1)
    plain = render(chart, Look(PRESETS["wide"]), {"svg"}).files["svg"].decode()
    chart.figure.update_layout(meta={"wanted": 500})
    roomy = render(chart, Look(PRESETS["wide"]), {"svg"}).files["svg"].decode()
    width, larger = (float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1]) for svg in (plain, roomy))
    assert (width, larger) == (960, 960 * 1.25)
