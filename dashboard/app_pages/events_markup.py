"""The league, the biggest days and the grid of segments as HTML: text that wraps, prints and links at any width.

Every text is escaped, and the looks are in `dashboard/events.css`.
"""

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from dashboard.charts import words
from dashboard.charts.events_days import NO_EVENT
from dashboard.charts.events_league import stands_out
from dashboard.charts.events_segments import shade_of
from dashboard.charts.style import Palette, palette, readable_on
from dashboard.views.events import KINDS
from dashboard.views.league import League

WIDTH, HEIGHT, EDGE = 132, 38, 3
HEADS = (
    ("path", "Path, −10 to +20"),
    ("abnormal", "Abnormal return"),
    ("two", "0 to +1"),
    ("mean", "AI mean"),
    ("dollars", "Dollars"),
    ("lead", "Lead"),
    ("recovery", "Sessions to recover"),
    ("unusual", "Ordinary days as large"),
    ("p", "p, Holm’s, BH’s"),
)


Link = Callable[[str], str]
"""The address of the story of an event's id or of a day; "" where there is none."""


def story_address(event: str, base: str = "./") -> str:
    """The address of an event's or a day's story, seen from a page beside it."""
    return f"{base}?event={escape(event)}"


def league(
    told: League,
    rows: pd.DataFrame,
    theme: str,
    caption: str = "",
    *,
    ranked: bool = True,
    link: Link = story_address,
) -> str:
    """The league as a table, one row an event in the order of `rows`; `link` gives the address of an event's story."""
    size = float(np.nanquantile(np.abs(told.paths.to_numpy()), 0.99)) or 1.0
    heads = "".join(f'<th scope="col" class="{name}">{text}</th>' for name, text in HEADS)
    body = "".join(
        _row(told, row, size, palette(theme), ranked, link) for row in rows.reset_index().itertuples()
    )
    return (
        f'<table class="league">{f"<caption>{escape(caption)}</caption>" if caption else ""}'
        f'<thead><tr><th scope="col" class="event">Event</th>{heads}</tr></thead><tbody>{body}</tbody></table>'
    )


def _row(told: League, row: Any, size: float, colours: Palette, ranked: bool, link: Link) -> str:
    out = ranked and stands_out(row)
    side = "loss" if row.abnormal < 0 else "gain"
    cells = {
        "path": _sparkline(
            told.paths.loc[row.event_id], size, colours, colours.loss if side == "loss" else colours.gain
        ),
        "abnormal": f'<span class="dot" aria-hidden="true"></span>{_percent(row.abnormal)}'
        + ('<span class="said"> stands out</span>' if out else "")
        + (f"<small>without {escape(words.listed(row.left_out))}</small>" if row.left_out else ""),
        "two": _percent(row.abnormal_0_1),
        "mean": f"{_percent(row.mean_change)}<small>{_count(row.companies)}</small>",
        "dollars": "–" if pd.isna(row.value_change) else words.compact(row.value_change, plus=True),
        "lead": "–" if pd.isna(row.lead_change) else f"{escape(row.lead_name)} {_percent(row.lead_change)}",
        "recovery": back(row.recovered),
        "unusual": f"{row.as_large:.0f} of {row.ordinary_days:.0f}" if row.ordinary_days else "–",
        "p": _p_values(row, ranked),
    }
    titles = dict(HEADS)
    data = "".join(
        f'<td class="{name}" data-head="{escape(titles[name])}">{cell}</td>' for name, cell in cells.items()
    )
    return (
        f'<tr class="{side}{" out" if out else ""}"><th scope="row" class="event"><a href="{link(row.event_id)}">'
        f"{escape(row.title)}</a><small>{words.day(row.session.date())} · {escape(_kind(row.kind))}"
        f"{_marks(told, row)}</small></th>{data}</tr>"
    )


def _count(companies: float) -> str:
    return "one company" if companies == 1 else f"{companies:.0f} companies"


def _kind(kind: str) -> str:
    return KINDS.get(kind, kind).lower() if kind != "confounder" else "other cause"


def _percent(value: float) -> str:
    return "–" if pd.isna(value) else words.percent(value)


def back(sessions: float) -> str:
    """After how many sessions the AI companies were back, in words."""
    if pd.isna(sessions):
        return "–"
    return "not yet" if np.isinf(sessions) else "did not fall" if sessions == 0 else f"{sessions:.0f}"


def _p_values(row: Any, ranked: bool) -> str:
    if pd.isna(row.p):
        return "–"
    if not ranked:
        return _p(row.p)
    return f"{_p(row.p)}<small>Holm {_p(row.p_holm)}</small><small>BH {_p(row.p_bh)}</small>"


def _p(value: float) -> str:
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"


def _marks(told: League, row: Any) -> str:
    """With what an event shares its session or its two days, in words."""
    said = []
    for ids, text in (
        (row.same_session, "same session as"),
        (row.session_before, "a session after"),
        (row.next_session, "a session before"),
    ):
        if ids:
            titles = [f"“{told.table.at[other, 'title']}”" for other in ids]
            said.append(f"{text} {words.listed(titles)}")
    return f'<span class="marks">{escape("; ".join(said))}</span>' if said else ""


def _sparkline(path: pd.Series, size: float, colours: Palette, shade: str) -> str:
    """The cumulative abnormal return as a small picture, on one scale for all; a dot at the event's session."""
    known = path.dropna()
    if known.empty:
        return "–"
    first, last = path.index[0], path.index[-1]

    def x(day: float) -> float:
        return EDGE + (day - first) / (last - first) * (WIDTH - 2 * EDGE)

    def y(value: float) -> float:
        return HEIGHT / 2 - min(max(value / size, -1.0), 1.0) * (HEIGHT / 2 - EDGE)

    points = " ".join(f"{x(day):.1f},{y(value):.1f}" for day, value in known.items())
    dot = (
        f'<circle cx="{x(0):.1f}" cy="{y(known[0]):.1f}" r="2.6" fill="{shade}"/>' if 0 in known.index else ""
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="M0 {HEIGHT / 2}H{WIDTH}" stroke="{colours.faint}" stroke-width=".7"/>'
        f'<polyline points="{points}" fill="none" stroke="{colours.muted}" stroke-width="1.4"/>'
        f"{dot}</svg>"
    )
    alt = f"{words.percent(known.iloc[-1])} after {known.index[-1]} sessions"
    source = f"data:image/svg+xml,{quote(drawing)}"
    return f'<img src="{source}" width="{WIDTH}" height="{HEIGHT}" alt="{alt}" loading="eager">'


def biggest(days: pd.DataFrame, measure: str, link: Link = story_address, first: int | None = None) -> str:
    """The largest falls beside the largest rises, each with its event, its sourced cause, or neither.

    Those after the `first` of each are folded away.
    """
    most = float(days[measure].abs().max())
    columns = []
    for name, rows in (("falls", days[days[measure] < 0]), ("rises", days[days[measure] > 0])):
        rows = rows.sort_values(measure, key=abs, ascending=False)
        items = [_day(row, row[measure], most, link) for _, row in rows.iterrows()]
        listed = f'<ol class="{name}">{"".join(items[:first])}</ol>'
        if first is not None and len(items) > first:
            rest = f'<ol class="{name}" start="{first + 1}">{"".join(items[first:])}</ol>'
            listed += folded(f"The next {len(items) - first}", rest)
        columns.append(f"<section><h3>The {len(rows)} largest {name}</h3>{listed}</section>")
    return f'<div class="biggest">{"".join(columns)}</div>'


def folded(title: str, body: str) -> str:
    """HTML that opens on a click; on paper it is open."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def _day(row: pd.Series, value: float, most: float, link: Link) -> str:
    day = row["date"].date()
    known = bool(row["title"] or row["explanation"])
    if row["title"]:
        told = _linked(link(row["event_id"]), row["title"])
    elif row["explanation"]:
        told = escape(row["explanation"])
        if row["note_url"]:
            told += f' <a class="by" href="{escape(row["note_url"])}" rel="noopener">{escape(row["note_source"])}</a>'
    else:
        told = f"<i>{NO_EVENT}</i>"
    return (
        f'<li{"" if known else " class=open"}><b>{words.percent(value)}</b><span class="bar" '
        f'style="width:{abs(value) / most * 100:.1f}%"></span>'
        f'<span class="told">{_linked(link(day.isoformat()), words.day(day, weekday=False))} {told}</span></li>'
    )


def _linked(address: str, text: str) -> str:
    return f'<a href="{address}">{escape(text)}</a>' if address else f"<span>{escape(text)}</span>"


def segments(told: League, rows: pd.DataFrame, theme: str, link: Link = story_address) -> str:
    """Events by segment: filled cells stand out, the others are open."""
    colours = palette(theme)
    cells = told.cells.set_index(["event_id", "segment"])
    heads = "".join(f'<th scope="col">{escape(title)}</th>' for title in told.segments.values())
    body = []
    for row in rows.reset_index().itertuples():
        data = "".join(
            _cell(cells.loc[(row.event_id, name)], title, colours) for name, title in told.segments.items()
        )
        body.append(
            f'<tr><th scope="row"><a href="{link(row.event_id)}">{escape(row.title)}</a>'
            f"<small>{words.day(row.session.date(), weekday=False)}</small></th>{data}</tr>"
        )
    return (
        '<table class="cells"><thead><tr><th scope="col">Event</th>'
        f"{heads}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _cell(cell: pd.Series, segment: str, colours: Palette) -> str:
    head = f'data-head="{escape(segment.split(" and ")[0])}"'
    if pd.isna(cell["abnormal"]):
        return f"<td {head}>–</td>"
    text = words.percent(cell["abnormal"]).removesuffix("%")
    if not cell["p_bh"] < 0.05:
        return f"<td {head}>{text}</td>"
    shade = shade_of(cell["abnormal"], colours)
    style = f"background:{shade};color:{readable_on(shade, colours)}"
    return f'<td class="out" {head} style="{style}"><b>{text}</b></td>'
