"""What the pages of the static edition are made of: a chart's entry, and its picture without words."""

from dataclasses import dataclass, replace

from dashboard.charts.chart import Chart
from dashboard.export.render import render
from dashboard.export.spec import Spec


@dataclass(frozen=True)
class Entry:
    """A chart of the site: what its files' addresses begin with, and the files to offer.

    `height` is in pixels; `plain` is the size of its picture without words, None where there is none; `alone` is
    whether it has a page of its own.
    """

    chart: Chart
    folder: str
    height: int
    plain: tuple[int, int] | None
    downloads: list[dict[str, str]]
    alone: bool = True


def plain_picture(chart: Chart, spec: Spec) -> tuple[bytes, tuple[int, int]]:
    """The figure without words, for a page that has them as text, and its size in pixels; raises as `render` does."""
    bare = replace(chart, title="", subtitle="", note="", source="")
    drawn = render(bare, replace(spec.look(), credit=""), {"png"})
    return drawn.files["png"], (round(drawn.width), round(drawn.height))
