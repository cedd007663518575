"""Pictures as files: each checked to be the one asked for, and given its words as metadata."""

import io
import re
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo
from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from dashboard.export.browser import STRIP
from dashboard.export.html import environment, font_data
from etl.product import NAME, VERSION

MARKER_BITS = 64
_STRONG = r"font-weight(=\"|: ?)(bold|[67]00)"
FONTS = (
    ("Inter", 400, "inter-400", "Inter"),
    ("Inter", 700, "inter-700", _STRONG),
    ("Source Serif", 600, "source-serif-600", "Source Serif"),
)
"""Family, weight and file of the fonts that travel in an SVG, and what in it asks for each."""
_FURTHER = re.compile("[\u0100-\u02ff\u1e00-\u1eff\u20a0-\u20c0]")
_FURTHER_RANGE = "unicode-range:U+0100-02FF,U+1E00-1EFF,U+20A0-20C0"
"""The letters and currency signs beyond those of western Europe: each font has them in a file of its own."""
WRAPPER = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{}<?xpacket end="r"?>'


class WrongPicture(Exception):
    """The browser gave back something else than the picture asked for."""


@dataclass(frozen=True)
class Label:
    """The words that travel inside a file, in the fields that picture desks read (IPTC Photo Metadata as XMP).

    `data` is the SHA-256 of the numbers drawn: the same numbers give the same file, wherever the warehouse lies.
    """

    title: str
    alt: str
    source: str
    credit: str
    caption: str = ""
    data: str = ""
    software: str = f"{NAME} {VERSION}"

    def xmp(self) -> str:
        """The words as an XMP packet without its wrapper."""
        return environment.get_template("label.xmp.j2").render(label=self)


def finish_png(
    raw: bytes, token: str, size: tuple[int, int], dpi: float, opaque: bool, label: Label
) -> bytes:
    """The picture without its marker, with text metadata and resolution.

    Raises
    ------
    WrongPicture
        When it does not decode, has another size, or its marker is not that of `token`.
    """
    width, height = size
    try:
        picture = Image.open(io.BytesIO(raw))
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise WrongPicture(f"the browser's PNG does not decode ({error})") from error
    if picture.size != (width, height + STRIP):
        raise WrongPicture(
            f"the picture is {picture.size[0]}×{picture.size[1] - STRIP}, not {width}×{height}"
        )
    if _marker(picture, width, height) != token[:16]:
        raise WrongPicture("the picture carries the marker of another chart")
    whole = picture.convert("RGB" if opaque else "RGBA").crop((0, 0, width, height))
    out = io.BytesIO()
    whole.save(out, "PNG", pnginfo=_png_words(label), dpi=(dpi, dpi))
    return out.getvalue()


def _marker(picture: Image.Image, width: int, height: int) -> str:
    row = picture.convert("L").crop((0, height + STRIP // 2, width, height + STRIP // 2 + 1)).tobytes()
    bits = "".join(
        "1" if row[int((position + 0.5) * width / MARKER_BITS)] > 127 else "0"
        for position in range(MARKER_BITS)
    )
    return f"{int(bits, 2):016x}"


def _png_words(label: Label) -> PngInfo:
    info = PngInfo()
    words = {
        "Title": label.title,
        "Author": label.credit,
        "Description": label.alt,
        "Source": label.source,
        "Software": label.software,
        "Comment": f"Data: sha256 {label.data}" if label.data else "",
    }
    for key, text in words.items():
        if text.isascii():
            info.add_text(key, text)
        elif text:
            info.add_itxt(key, text)
    info.add_itxt("XML:com.adobe.xmp", label.xmp())
    return info


def finish_svg(text: str, token: str, label: Label) -> bytes:
    """The SVG as a file.

    Raises
    ------
    WrongPicture
        When it is not the drawing of `token`.
    """
    if f'data-spec="{token}"' not in text[:2000]:
        raise WrongPicture("the SVG is the drawing of another chart")
    text = text.replace(f' data-spec="{token}"', "", 1)
    text = text.replace("</desc>", f"</desc><metadata>{label.xmp()}</metadata>{_fonts(text)}", 1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _fonts(svg: str) -> str:
    """A style sheet with those of the house's fonts that an SVG uses, for computers that lack them."""
    files = [("", "")] + ([("-ext", _FURTHER_RANGE)] if _FURTHER.search(svg) else [])
    faces = "".join(
        f'@font-face{{font-family:"{family}";font-weight:{weight};'
        f'src:url({font_data(f"{name}{part}.woff2")}) format("woff2");{letters}}}'
        for family, weight, name, used in FONTS
        if re.search(used, svg)
        for part, letters in files
    )
    return f"<style>{faces}</style>" if faces else ""


def finish_pdf(raw: bytes, token: str, size: tuple[float, float], label: Label) -> bytes:
    """The PDF with its own title, author and words, in place of the browser's.

    `size` is in points: the browser rounds a page up to whole pixels.

    Raises
    ------
    WrongPicture
        When it is not one page, or not the drawing of `token`.
    """
    try:
        reader = PdfReader(io.BytesIO(raw))
        pages, title = len(reader.pages), reader.metadata.title if reader.metadata else None
    except (PyPdfError, ValueError, KeyError) as error:
        raise WrongPicture(f"the browser's PDF does not open ({error})") from error
    if title != token:
        raise WrongPicture("the PDF is the drawing of another chart")
    if pages != 1:
        raise WrongPicture(f"the PDF has {pages} pages instead of one")
    writer = PdfWriter(clone_from=reader)
    writer.pdf_header = reader.pdf_header
    page = writer.pages[0]
    top = float(page.mediabox.top)
    for box in (page.mediabox, page.cropbox, page.trimbox, page.bleedbox, page.artbox):
        box.lower_left, box.upper_right = (0, top - size[1]), (size[0], top)
    writer.metadata = {
        "/Title": label.title,
        "/Author": label.credit,
        "/Subject": label.alt,
        "/Keywords": label.source,
        "/Creator": label.software,
    }
    writer.xmp_metadata = WRAPPER.format(label.xmp()).encode()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
