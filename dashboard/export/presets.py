"""The sizes that pictures come in, and what a theme means for one."""

import math
import re
from dataclasses import dataclass, replace

from etl.errors import UsageError

MM_PER_INCH = 25.4
CSS_DPI = 96
LARGEST_PIXELS = 12_000
SMALLEST_SCALE = 0.1
SMALLEST_SIDE, LARGEST_SIDE = 240, 4000
PRINT_SHEET = 1.3
"""How much larger than its size a sheet for print may be laid out: its smallest type is then 6.5 points."""
THEMES = ("light", "dark", "print", "transparent", "transparent-dark")


class BadSpec(UsageError):
    """What was asked for cannot be met whatever the data; the message says what is wrong with it."""


@dataclass(frozen=True)
class Preset:
    """A size for pictures.

    `width` and `height` are in `unit` ("px" or "mm"); without a height the chart takes the height it needs. `sheet` is
    the width in CSS pixels on which it is laid out: the narrower, the larger the words in the picture. `scale` is how
    many pixels a PNG has for one of the size's (for millimetres: of CSS pixels, 96 to the inch).
    """

    name: str
    width: float
    height: float | None
    unit: str
    sheet: int
    scale: float
    purpose: str

    @property
    def css_width(self) -> float:
        """The width in CSS pixels, 96 to the inch."""
        return _css(self.width, self.unit)

    @property
    def css_height(self) -> float | None:
        """The height in CSS pixels, None where the chart decides."""
        return None if self.height is None else _css(self.height, self.unit)

    def lengths(self, css_height: float) -> list[str]:
        """The width, and a height given in CSS pixels, as SVG writes them."""
        if self.unit == "px":
            return [f"{length:g}" for length in (self.css_width, css_height)]
        return [f"{length * MM_PER_INCH / CSS_DPI:.10g}mm" for length in (self.css_width, css_height)]

    def with_scale(self, scale: float | None) -> "Preset":
        """The same size with more or fewer pixels.

        Raises
        ------
        BadSpec
            When a PNG would be larger than 12,000 pixels on a side, or smaller than one.
        """
        if scale is None:
            return self
        limit = LARGEST_PIXELS / max(self.css_width, self.css_height or self.css_width * 2)
        if not math.isfinite(scale) or not SMALLEST_SCALE <= scale <= limit:
            raise BadSpec(
                f"A scale of {scale:g} gives no usable picture: choose one from {SMALLEST_SCALE} to {limit:.1f}."
            )
        return replace(self, scale=scale)


def _css(length: float, unit: str) -> float:
    return length if unit == "px" else length / MM_PER_INCH * CSS_DPI


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("article", 850, None, "px", 850, 2, "the column of an article, as high as the chart needs"),
        Preset("wide", 1200, 675, "px", 960, 1, "a social card or a slide, 16 to 9"),
        Preset("square", 1080, 1080, "px", 720, 1, "a post in a feed"),
        Preset("story", 1080, 1920, "px", 560, 1, "a full phone screen, 9 to 16"),
        Preset("print", 180, 120, "mm", 680, 300 / CSS_DPI, "a newspaper or a report, 300 dpi"),
    )
}

_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(?:x(\d{1,6}(?:\.\d{1,6})?))?(px|mm)?")


def sized(preset: Preset, size: str) -> Preset:
    """The preset with another size: "600x400", "120x80mm", or a width alone ("600px", "83mm").

    Raises
    ------
    BadSpec
        When the text is not a size, or one too small or too large to draw in.
    """
    found = _SIZE.fullmatch(size.strip().lower())
    if not found:
        raise BadSpec(
            f"“{size[:30]}” is not a size: write WIDTH or WIDTHxHEIGHT with px or mm, "
            "such as 600x400, 120x80mm or 83mm."
        )
    width, height, unit = float(found[1]), float(found[2]) if found[2] else None, found[3] or "px"
    css = [_css(length, unit) for length in (width, height) if length is not None]
    if min(css) < SMALLEST_SIDE or max(css) > LARGEST_SIDE:
        said = "×".join(f"{length:.0f}" for length in css)
        raise BadSpec(
            f"{size} is {said} pixels on a page: choose from {SMALLEST_SIDE} to {LARGEST_SIDE} a side."
        )
    sheet = max(round(css[0]), 420) if unit == "px" else round(min(max(css[0], 420), css[0] * PRINT_SHEET))
    scale = 300 / CSS_DPI if unit == "mm" else preset.scale
    return Preset(size.strip().lower(), width, height, unit, sheet, scale, "a size of your own")
