"""Every chart of the dashboard fits every preset and theme; how they look is for eyes."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import pytest
from PIL import Image

from dashboard.export.making import Made, make
from dashboard.export.order import Order
from dashboard.export.presets import PRESETS, THEMES
from dashboard.export.render import render
from dashboard.views.registry import CHARTS
from dashboard.views.request import NothingToShow

LOOKS = [(preset, "light") for preset in PRESETS] + [
    ("article", theme) for theme in THEMES if theme != "light"
]


@lru_cache
def made(name: str, theme: str) -> Made:
    try:
        return make(Order(name, theme=theme))
    except NothingToShow:
        pytest.skip("the bundled data has nothing for it")


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_fits_every_preset_and_theme(name: str, on_bundled_data: Path) -> None:
    for preset, theme in LOOKS:
        order = Order(name, preset=preset, theme=theme)
        drawn = render(made(name, theme).chart, order.look(), {"png"})
        assert Image.open(io.BytesIO(drawn.files["png"])).size[0] == round(drawn.width * order.shape().scale)
        assert not drawn.warnings
