"""Figures on horizontal bars: within a long bar, beside a short one, level at any width of the chart."""

from collections.abc import Sequence
from typing import Any

from dashboard.charts.style import Palette, readable_on

LONG = 0.5  # from this share of the longest bar on, a bar has its figure within it
FITS = 0.3  # and from this share of the axis on, which is what a figure takes on a phone


def with_figures(
    figures: Sequence[str], shades: Sequence[str], long: Sequence[bool], colours: Palette, size: int = 11
) -> dict[str, Any]:
    """Settings of a bar trace: its figures as text of `size` pixels, the `shades` of its bars, and which are `long`."""
    return {
        "text": list(figures),
        "textposition": ["inside" if within else "outside" for within in long],
        "insidetextanchor": "end",
        "textangle": 0,
        "constraintext": "none",
        "cliponaxis": False,
        "marker": {"color": list(shades)},
        "textfont": {
            "size": size,
            "color": [
                readable_on(shade, colours) if within else colours.ink
                for shade, within in zip(shades, long, strict=True)
            ],
        },
    }
