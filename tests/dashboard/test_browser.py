"""Every page in a real browser."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_story_draws_without_a_complaint_in_the_console(visit, theme, width):
    page = visit("/", theme=theme, width=width)
    assert page.locator(".js-plotly-plot").count() >= 5
    assert page.locator("[data-testid=stException]").count() == 0
