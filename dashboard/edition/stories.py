"""The charts of each event's page in the static edition: those of its story, the first of them also as a picture."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from dashboard.analysis.record_book import Records
from dashboard.charts import locales
from dashboard.charts.chart import Chart
from dashboard.data.events import Event
from dashboard.edition.parts import Entry, plain_picture
from dashboard.export import html
from dashboard.export.batch import AT_ONCE
from dashboard.export.browser import BrowserError
from dashboard.export.render import CannotDraw
from dashboard.export.spec import Spec
from dashboard.views import minutes, shock
from dashboard.views.headline import headline
from dashboard.views.records import read_records
from dashboard.views.request import NothingToShow
from dashboard.views.story import Story, read_story
from etl.warehouse import connect_read_only


@dataclass(frozen=True)
class Told:
    """An event's story as its page shows it: the sentence, the charts, their files by address; `fault`: what failed."""

    headline: str = ""
    entries: tuple[Entry, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    fault: str = ""


def stories(
    listed: Sequence[Event], spec: Spec, state: str, folder: str, done: Callable[[str], None]
) -> dict[str, Told]:
    """The stories of events by id, in the theme and locale of a spec, from one state; `done` is called with
    the id of each.

    The files of an event's charts lie in a folder of its own inside `folder`.
    """
    with connect_read_only(version=state) as con:
        records = read_records(con)

    def tell(event: Event) -> Told:
        with connect_read_only(version=state) as own, locales.written_in(spec.locale):
            told = _told(own, event, records, spec, f"{folder}{event.event_id}/")
        done(event.event_id)
        return told

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="stories") as pool:
        return dict(zip([event.event_id for event in listed], pool.map(tell, listed), strict=True))


def _told(con: duckdb.DuckDBPyConnection, event: Event, records: Records, spec: Spec, folder: str) -> Told:
    try:
        story = read_story(con, event.event_id)
    except NothingToShow:
        return Told()
    entries: list[Entry] = []
    files: list[tuple[str, bytes]] = []
    fault = ""
    for chart in charts_of(con, story, records, spec.theme):
        place, size = f"{folder}{chart.name}-", None
        files.append((f"{place}figure.js", html.figure_script(chart, spec.look()).encode()))
        if not entries:
            try:
                picture, size = plain_picture(chart, spec)
                files.append((f"{place}plain.png", picture))
            except (BrowserError, CannotDraw) as error:
                fault = str(error)
        entries.append(Entry(chart, place, html.height(chart), size, [], alone=False))
    return Told(headline(story), tuple(entries), tuple(files), fault)


def charts_of(con: duckdb.DuckDBPyConnection, story: Story, records: Records, theme: str) -> list[Chart]:
    """The charts of a story's page in their order, the day minute by minute where bars within it are held."""
    charts = []
    for name in shock.ON_THE_PAGE:
        with suppress(NothingToShow):
            charts.append(shock.draw(story, name, theme, None, records))
        if name == "shock-timeline":
            with suppress(NothingToShow):
                charts.append(minutes.by_minutes(story, minutes.read_bars(con, story), (), theme))
    leading = next((chart for chart in charts if chart.name in shock.FIRST), None)
    return charts if leading is None else [leading, *(chart for chart in charts if chart is not leading)]
