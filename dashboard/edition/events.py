"""The events in the static edition: a page of all of them, and a page for each, as text that needs no program."""

from html import escape
from typing import Any

import pandas as pd

from dashboard.analysis.league import CONFOUNDER
from dashboard.app_pages import events_markup
from dashboard.charts import words
from dashboard.charts.annotations import when
from dashboard.charts.events_league import without
from dashboard.data.events import Event
from dashboard.edition.stories import Told
from dashboard.export import html
from dashboard.views import events as view
from dashboard.views.league import League

FOLDER = "events/"
STYLE = html.STATIC.parent / "events.css"


def pages(told: League, stories: dict[str, Told], theme: str, shared: dict[str, Any]) -> dict[str, bytes]:
    """Each page's place in the site and its content; `shared` is what all templates are given."""
    one = html.environment.get_template("event.html.j2")
    content = {f"{FOLDER}index.html": _all(told, theme, shared)}
    for event in told.events:
        row = told.table.loc[event.event_id]
        content[f"{FOLDER}{event.event_id}.html"] = one.render(
            event=event,
            story=stories[event.event_id],
            when=when(event),
            figures=_figures(row),
            companies=_companies(told.moved[told.moved["event_id"] == event.event_id]),
            marks=_marks(told, row),
            source=told.source,
            **shared,
        ).encode()
    return content


def _all(told: League, theme: str, shared: dict[str, Any]) -> bytes:
    rows = view.ordered(told.table, "abnormal")
    other = rows["kind"] == CONFOUNDER
    known = {event.event_id for event in told.events}

    def link(event: str) -> str:
        return f"{escape(event)}.html" if event in known else ""

    parts = [
        ("league", "The league", events_markup.league(told, rows[~other], theme, link=link)),
        (
            "confounders",
            "Days that would be mistaken for AI events",
            events_markup.league(told, rows[other], theme, view.OTHERS, ranked=False, link=link)
            if other.any()
            else "",
        ),
        ("segments", "Events by segment", events_markup.segments(told, rows[~other], theme, link)),
        (
            "biggest",
            "The biggest AI days, explained and unexplained",
            events_markup.biggest(view.largest(told, "abnormal"), "abnormal", link),
        ),
    ]
    template = html.environment.get_template("events.html.j2")
    return template.render(
        finding=view.finding(told),
        standing=view.standing(told),
        parts=[{"id": name, "title": title, "body": body} for name, title, body in parts if body],
        source=told.source,
        **shared,
    ).encode()


def _figures(row: pd.Series) -> list[tuple[str, str, str]]:
    """What the league says of an event: label, figure and what it is of."""
    short = f" with enough earlier sessions{without(row['left_out'])}" if row["left_out"] else ""
    fitted = f"{row['firms']} companies{short}, against the S&P 500" if row["firms"] else ""
    valued = f"{row['valued']:.0f} companies" if row["valued"] else ""
    shown = [
        (
            "AI companies on average",
            _percent(row["mean_change"]),
            f"{row['companies']} companies in New York",
        ),
        ("Abnormal return", _percent(row["abnormal"]), fitted),
        ("Abnormal return, 0 to +1", _percent(row["abnormal_0_1"]), "this session and the next"),
        (
            "Market value",
            "–" if pd.isna(row["value_change"]) else words.compact(row["value_change"], plus=True),
            valued,
        ),
        ("Sessions to recover", events_markup.back(row["recovered"]), "of that average, with dividends"),
    ]
    if row["ordinary_days"]:
        often = f"{row['as_large']:.0f} of {row['ordinary_days']:.0f}"
        shown.append(("Ordinary days that moved as much", often, "in the year before"))
    return shown


def _percent(value: float) -> str:
    return "–" if pd.isna(value) else words.percent(value, 2)


def _companies(moved: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "name": row.name,
            "on": words.day(row.date.date()),
            "change": words.percent(row.change, 2),
            "value": "–" if pd.isna(row.value_change) else words.compact(row.value_change, plus=True),
        }
        for row in moved.sort_values("change").itertuples(index=False)
    ]


def _marks(told: League, row: pd.Series) -> list[Event]:
    """The events that share its session or lie in its two days."""
    ids = {*row["same_session"], *row["next_session"], *row["session_before"]}
    return [event for event in told.events if event.event_id in ids]
