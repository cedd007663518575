"""The sizes that pictures come in, and what a theme means for one."""

import math
import re
from dataclasses import dataclass, replace

MM_PER_INCH = 25.4
CSS_DPI = 96
LARGEST_PIXELS = 12_000
SMALLEST_SCALE = 0.1
THEMES = ("light", "dark", "print", "transparent")


class BadSize(ValueError):
    """A size or scale that no picture can have; the message says which can."""


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

    def with_scale(self, scale: float | None) -> "Preset":
        """The same size with more or fewer pixels.

        Raises
        ------
        BadSize
            When a PNG would be larger than 12,000 pixels on a side, or smaller than one.
        """
        if scale is None:
            return self
        longest = max(self.css_width, self.css_height or self.css_width * 2) * scale
        if not math.isfinite(scale) or scale < SMALLEST_SCALE or longest > LARGEST_PIXELS:
            limit = LARGEST_PIXELS / max(self.css_width, self.css_height or self.css_width * 2)
            raise BadSize(
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

_SIZE = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)(px|mm)?")


def sized(preset: Preset, size: str) -> Preset:
    """The preset with another size, such as "600x400", "600x400px" or "120x80mm".

    Raises
    ------
    BadSize
        When the text is no size, or one too small or too large to draw in.
    """
    found = _SIZE.fullmatch(size.strip().lower())
    if not found:
        raise BadSize(
            f"“{size[:30]}” is no size: write WIDTHxHEIGHT with px or mm, such as 600x400 or 120x80mm."
        )
    width, height, unit = float(found[1]), float(found[2]), found[3] or "px"
    css = (_css(width, unit), _css(height, unit))
    if min(css) < 240 or max(css) > 4000:
        raise BadSize(
            f"{size} is {css[0]:.0f}×{css[1]:.0f} pixels on a page: choose from 240 to 4000 a side."
        )
    scale = 300 / CSS_DPI if unit == "mm" else preset.scale
    return Preset(
        f"{found[1]}x{found[2]}{unit}",
        width,
        height,
        unit,
        max(round(css[0]), 420),
        scale,
        "a size of one's own",
    ).with_scale(scale)
