"""The house style: four palettes and the Plotly template made from each.

Colours are told apart by readers with any common colour blindness (losses are orange, gains blue) and text
has a contrast of at least 4.5 to 1 on its background (WCAG 2.2, success criterion 1.4.3).
"""

from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go

BODY_FONT = "Inter, Helvetica Neue, Arial, sans-serif"
HEADING_FONT = "Source Serif, Georgia, Times New Roman, serif"
LEAST_CONTRAST = 4.5

CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "showSendToCloud": False,
    "responsive": True,
    "scrollZoom": False,
    "displayModeBar": False,
    "modeBarButtonsToRemove": ["toImage", "select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as hex strings.

    `paper` is what text and lines are set against; `background` is given only where nothing is painted behind them.
    """

    paper: str
    ink: str
    muted: str
    faint: str
    grid: str
    band: str
    loss: str
    gain: str
    series: tuple[str, ...]
    background: str = ""

    @property
    def ground(self) -> str:
        """What a figure is drawn on: `background` where one is set, else the paper."""
        return self.background or self.paper


LIGHT = Palette(
    paper="#FCFBF8",
    ink="#1B1B1A",
    muted="#5F5D57",
    faint="#BDB9AE",
    grid="#E6E2D9",
    band="#F0EDE4",
    loss="#C2480F",
    gain="#0B5C9E",
    series=("#C2480F", "#0B5C9E", "#0B6E52", "#7A4B94", "#8A6100", "#B0306A", "#3F6C7A", "#5A5A16"),
)
DARK = Palette(
    paper="#14171A",
    ink="#ECEAE4",
    muted="#A5A39B",
    faint="#535A61",
    grid="#2A3036",
    band="#1D2328",
    loss="#F08A4B",
    gain="#7DB8EC",
    series=("#F08A4B", "#7DB8EC", "#4FBF9A", "#C9A0E0", "#E2B93B", "#F29CC0", "#8FC3D0", "#C6C66B"),
)
PRINT = Palette(
    paper="#FFFFFF",
    ink="#000000",
    muted="#4A4A4A",
    faint="#ABABAB",
    grid="#DDDDDD",
    band="#F0F0F0",
    loss="#C2480F",
    gain="#07406F",
    series=("#C2480F", "#07406F", "#0B6E52", "#7A4B94", "#8A6100", "#B0306A", "#3F6C7A", "#5A5A16"),
)
"""White paper and black text; gains are darker than losses, so that they differ on a grey printer too."""
TRANSPARENT = replace(LIGHT, paper="#FFFFFF", background="rgba(0,0,0,0)")
"""The light colours with nothing behind them, for a light page of any shade."""
TRANSPARENT_DARK = replace(DARK, background="rgba(0,0,0,0)")
"""The dark colours with nothing behind them, for a dark page of any shade."""
PALETTES = {
    "light": LIGHT,
    "dark": DARK,
    "print": PRINT,
    "transparent": TRANSPARENT,
    "transparent-dark": TRANSPARENT_DARK,
}


def palette(theme: str) -> Palette:
    """The palette of a theme's name (`PALETTES`); an unknown name gets the light one."""
    return PALETTES.get(theme, LIGHT)


def mixed(weak: str, strong: str, share: float) -> str:
    """The hex colour that lies `share` (0 to 1) of the way from one hex colour to another."""
    pairs = zip(_channels(weak), _channels(strong), strict=True)
    return "#" + "".join(f"{round(one + (other - one) * share):02X}" for one, other in pairs)


def readable_on(ground: str, colours: Palette) -> str:
    """The ink or the paper of a palette, or else black or white: the first that reads on a hex colour.

    One of the last two always does: their contrasts multiply to 21, so that the higher is at least 4.58.
    """
    choices = (colours.ink, colours.paper, "#000000", "#FFFFFF")
    return next(text for text in choices if _contrast(text, ground) >= LEAST_CONTRAST)


def _channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    shares = [part / 255 for part in _channels(colour)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def faded(colour: str, share: float) -> str:
    """A colour that lets what lies behind it through; `share` 1 is opaque."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:.2f})"


def halo(colours: Palette) -> str:
    """The shadow that keeps a label readable where a line passes behind it."""
    edges = ("1px 1px", "-1px 1px", "1px -1px", "-1px -1px", "2px 0", "-2px 0")
    return ", ".join(f"{edge} 2px {colours.paper}" for edge in edges)


def template(colours: Palette) -> go.layout.Template:
    """The Plotly template of a palette: horizontal grid only, no frame, figures in the body font."""
    axis = {
        "gridcolor": colours.grid,
        "linecolor": colours.faint,
        "zerolinecolor": colours.faint,
        "tickcolor": colours.faint,
        "tickfont": {"color": colours.muted, "size": 12},
        "title": {"font": {"color": colours.muted, "size": 12}},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": BODY_FONT, "size": 13, "color": colours.ink},
            "paper_bgcolor": colours.ground,
            "plot_bgcolor": colours.ground,
            "colorway": list(colours.series),
            "xaxis": {**axis, "showgrid": False, "ticks": "outside", "ticklen": 4},
            "yaxis": {**axis, "showgrid": True, "zeroline": False, "ticklabelstandoff": 4},
            "margin": {"l": 8, "r": 8, "t": 12, "b": 8},
            "hoverlabel": {
                "bgcolor": colours.band,
                "bordercolor": colours.faint,
                "font": {"family": BODY_FONT, "size": 13, "color": colours.ink},
                "align": "left",
            },
            "showlegend": False,
            "dragmode": False,
            "hovermode": "closest",
            "separators": ".,",
        }
    )


def figure(colours: Palette, height: int) -> go.Figure:
    """An empty figure in the house style, `height` pixels high."""
    return go.Figure(layout={"template": template(colours), "height": height})
