"""Pictures are what they say they are, look like the house, and come out the same every time."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from pypdf import PdfReader

from dashboard.charts.style import LIGHT, figure
from dashboard.export.browser import Renderer
from dashboard.export.drawing import Look
from dashboard.export.presets import PRESETS, sized
from dashboard.export.render import Pictures, render
from etl.product import NAME
from tests.export.samples import chromiums, lines, render_png

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn() -> Pictures:
    return render(lines(title="NVIDIA fell −17.0% in a day"), Look())


@pytest.mark.parametrize(
    ("preset", "size"),
    [("wide", (1200, 675)), ("square", (1080, 1080)), ("story", (1080, 1920)), ("print", (2126, 1417))],
)
def test_a_png_has_exactly_the_size_of_its_preset(preset: str, size: tuple[int, int]) -> None:
    assert Image.open(io.BytesIO(render_png(lines(), preset))).size == size


def test_an_article_picture_is_as_wide_as_its_column_and_as_high_as_it_needs(drawn: Pictures) -> None:
    picture = Image.open(io.BytesIO(drawn.files["png"]))
    assert picture.size == (1700, round(drawn.height * 2))
    assert drawn.height > 480


def test_a_size_of_ones_own_is_kept_to_the_pixel() -> None:
    look = Look(sized(PRESETS["article"], "613x411").with_scale(1.5))
    assert Image.open(io.BytesIO(render(lines(), look, {"png"}).files["png"])).size == (920, 616)


def test_a_png_says_what_it_shows_and_from_where(drawn: Pictures) -> None:
    picture = Image.open(io.BytesIO(drawn.files["png"]))
    assert picture.text["Title"] == "NVIDIA fell −17.0% in a day"
    assert picture.text["Description"] == "Lines that fall."
    assert picture.text["Source"] == "Source: a test"
    assert picture.text["Author"] == f"Chart: {NAME}"
    assert re.fullmatch(r"Data: sha256 [0-9a-f]{64}", picture.text["Comment"])
    assert picture.info["dpi"] == pytest.approx((192, 192), abs=0.1)


def test_a_print_has_300_dots_per_inch() -> None:
    picture = Image.open(io.BytesIO(render_png(lines(), "print")))
    assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_the_transparent_theme_lets_the_page_show_through() -> None:
    clear = Image.open(io.BytesIO(render_png(lines(theme="transparent"), "wide", "transparent")))
    paper = Image.open(io.BytesIO(render_png(lines(), "wide", "light")))
    assert clear.mode == "RGBA"
    assert clear.getpixel((5, 600)) == (0, 0, 0, 0)
    assert paper.getpixel((5, 600)) == (0xFC, 0xFB, 0xF8)


def test_an_svg_has_text_a_title_and_a_description_and_asks_nobody_for_anything(drawn: Pictures) -> None:
    text = drawn.files["svg"].decode()
    root = ElementTree.fromstring(text)
    assert root.find(f"{SVG}title").text == "NVIDIA fell −17.0% in a day"
    assert root.find(f"{SVG}desc").text.startswith("Lines that fall.")
    words = ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]
    assert "NVIDIA fell −17.0% in a day" in words
    assert "Source: a test" in words
    assert "S2" in words
    assert not {node.tag for node in root.iter()} & {f"{SVG}script", f"{SVG}foreignObject", f"{SVG}image"}
    assert not [key for node in root.iter() for key in node.attrib if key.startswith("on")]
    assert not re.search(r"(href|src|url)\s*[=(]\s*[\"']?(https?:|//|file:)", text)
    assert (root.get("width"), root.get("height")) == ("850", f"{drawn.height:g}")


def test_an_svg_carries_its_fonts_and_what_picture_desks_read(drawn: Pictures) -> None:
    text = drawn.files["svg"].decode()
    assert len(re.findall(r"@font-face\{[^}]*src:url\(data:font/woff2", text)) == 3
    root = ElementTree.fromstring(text)
    words = {node.tag.rpartition("}")[2]: "".join(node.itertext()) for node in root.iter()}
    assert words["AltTextAccessibility"] == "Lines that fall."
    assert words["Credit"] == f"Chart: {NAME}"
    assert words["Source"] == "Source: a test"
    assert "Nothing is real." in words["description"]
    assert words["DigitalSourceType"].endswith("/dataDrivenMedia")


def test_an_svg_carries_the_letters_of_other_languages_in_every_font_that_it_uses() -> None:
    title = "Źródło: Łódź"
    text = render(lines(title=title), Look(), {"svg"}).files["svg"].decode()
    faces = re.findall(
        r'font-family:"([^"]+)";font-weight:(\d+);src:[^;]+;base64,[^;]+;(unicode-range:U\+0100)?', text
    )
    further = {(family, weight) for family, weight, letters in faces if letters}
    assert further == {(family, weight) for family, weight, letters in faces if not letters}
    assert ("Source Serif", "600") in further


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_the_same_fields_are_in_a_picture_and_on_paper(drawn: Pictures, form: str) -> None:
    if form == "png":
        packet = Image.open(io.BytesIO(drawn.files["png"])).text["XML:com.adobe.xmp"]
    else:
        catalog = PdfReader(io.BytesIO(drawn.files["pdf"])).trailer["/Root"]
        packet = catalog["/Metadata"].get_data().decode()
    assert f"<photoshop:Credit>Chart: {NAME}</photoshop:Credit>" in packet
    assert '<rdf:li xml:lang="x-default">Lines that fall.</rdf:li>' in packet


def test_a_heatmap_is_drawn_as_rectangles() -> None:
    fig = figure(LIGHT, 300)
    fig.add_heatmap(x=[1, 2, 3], y=["a", "b"], z=[[1, 2, 3], [3, 2, None]], showscale=False)
    chart = replace(lines(), figure=fig)
    files = render(chart, Look(), {"svg", "pdf"}).files
    assert b"<image" not in files["svg"]
    assert files["svg"].count(b'fill-opacity="1.000"') == 3
    assert not list(PdfReader(io.BytesIO(files["pdf"])).pages[0].images)


def test_words_in_print_are_never_smaller_than_newsprint_takes() -> None:
    root = ElementTree.fromstring(
        render(lines(12), Look(sized(PRESETS["print"], "83mm")), {"svg"}).files["svg"]
    )
    points = 83 / 25.4 * 72 / float(root.get("viewBox").split()[2])
    sizes = [
        float(size) for size in re.findall(r'font-size[=:]"? ?([\d.]+)', ElementTree.tostring(root).decode())
    ]
    assert min(sizes) * points >= 6.45
    assert root.get("width") == "83mm"


def test_an_svg_for_print_is_measured_in_millimetres() -> None:
    root = ElementTree.fromstring(render(lines(), Look(PRESETS["print"]), {"svg"}).files["svg"])
    assert (root.get("width"), root.get("height")) == ("180mm", "120mm")


def test_a_pdf_has_text_that_can_be_found_embedded_fonts_and_a_title(drawn: Pictures) -> None:
    reader = PdfReader(io.BytesIO(drawn.files["pdf"]))
    assert len(reader.pages) == 1
    text = " ".join(reader.pages[0].extract_text().split())
    assert "NVIDIA fell" in text
    assert "Source: a test" in text
    assert reader.metadata.title == "NVIDIA fell −17.0% in a day"
    assert reader.metadata.author == f"Chart: {NAME}"
    fonts = reader.pages[0]["/Resources"]["/Font"].values()
    descendants = [font.get_object()["/DescendantFonts"][0].get_object() for font in fonts]
    assert {
        font["/FontDescriptor"].get_object()["/FontFile2"].get_object() is not None for font in descendants
    } == {True}
    names = {font["/BaseFont"].split("+")[1] for font in descendants}
    assert names == {"Inter-Regular", "Inter-Bold", "SourceSerif4-SemiBold"}
    assert not list(reader.pages[0].images)


def test_a_pdf_page_has_the_size_of_its_preset() -> None:
    page = PdfReader(io.BytesIO(render(lines(), Look(PRESETS["print"]), {"pdf"}).files["pdf"])).pages[0]
    assert float(page.mediabox.width) == pytest.approx(180 / 25.4 * 72, abs=0.01)
    assert float(page.mediabox.height) == pytest.approx(120 / 25.4 * 72, abs=0.01)


def test_the_same_chart_gives_the_same_bytes_again(drawn: Pictures) -> None:
    again = render(lines(title="NVIDIA fell −17.0% in a day"), Look())
    assert again.files == drawn.files


def test_the_fonts_do_not_depend_on_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser in a system with one foreign font draws the same picture to the last pixel."""
    usual = render_png(lines(), "wide")
    fonts = tmp_path / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>/usr/share/fonts/truetype/liberation</dir><cachedir>{tmp_path}</cachedir></fontconfig>"
    )
    monkeypatch.setenv("FONTCONFIG_FILE", str(fonts))
    before, bare = chromiums(), Renderer()
    monkeypatch.setattr("dashboard.export.browser.renderer", lambda: bare)
    try:
        assert render_png(lines(), "wide") == usual
    finally:
        bare.close()
    assert chromiums() == before
    assert list(tmp_path.glob("*.cache-*"))  # that browser has looked at those fonts
