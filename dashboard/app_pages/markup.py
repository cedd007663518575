"""Words that belong together as one element of HTML: as Markdown each would be an element that the browser draws.

Every text is escaped, and the looks are in `dashboard/style.css`; `watch.js` answers the buttons with `data-copy`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from html import escape
from urllib.parse import urlencode

import pandas as pd

from dashboard.charts.chart import Chart
from dashboard.data.claims import Source
from dashboard.data.events import Event
from dashboard.views.claims import FAILS, HOLDS, IN_PART, Checked
from dashboard.views.context import Row
from dashboard.views.headline import Figure

VERDICTS = {HOLDS: "green", IN_PART: "orange", FAILS: "red"}
LONG_NOTE = 90
ADDRESS = ' class="address"'
MOST_ON_PAPER = 60
"""Rows of a grid that are printed: two sheets."""
COPY_ADDRESS = '<button type="button" class="copy" data-copy="{address}">Copy this page’s address</button>'


@dataclass(frozen=True)
class Taking:
    """What a reader who takes a chart gets: the query of its picture's address, and the words that cite it.

    "{address}" in `cite` stands for the page's own address, which the reader's browser knows.
    """

    query: str
    cite: str


def part(text: str, anchor: str) -> str:
    """The name of a part of a page, before the chart whose title says what is in it."""
    return heading(2, text, anchor, "part")


def heading(level: int, text: str, anchor: str, kind: str = "", *, first: bool = False) -> str:
    """A heading that an address can end with; one of a chart that stands `first` under the page's is one below it."""
    told = ' aria-level="2"' if first else ""
    link = f'<a class="anchor" href="#{escape(anchor)}" aria-label="Link to this part">#</a>'
    return f'<h{level} id="{escape(anchor)}" class="{kind}"{told}>{escape(text)}{link}</h{level}>'


def above(chart: Chart, taking: Taking | None = None, *, later: bool = False, first: bool = False) -> str:
    """The title of a chart with what takes it along, and its measure.

    With `later` a phone shows the title alone, and what follows in the same container once that is opened.
    """
    take = "" if taking is None else _take(chart, taking)
    opens = '<details class="later"><summary>Show the chart</summary></details>' if later else ""
    return (
        f"{heading(3, chart.title, chart.name, first=first)}{opens}"
        f'<p class="measure"><span>{escape(chart.subtitle)}</span>{take}</p>'
    )


def _take(chart: Chart, taking: Taking) -> str:
    address = f"{{address}}#{chart.name}"
    picture = f"chart/{chart.name}.png?{taking.query}"
    return (
        '<span class="take">'
        f'<button type="button" data-copy="{escape(address)}" title="Copy the address of this chart">Link</button>'
        f'<a href="{escape(picture)}" download="{escape(chart.name)}.png" title="Download as PNG">Picture</a>'
        f'<button type="button" data-copy="{escape(taking.cite)}" title="Copy a citation">Cite this</button>'
        "</span>"
    )


def below(chart: Chart, *, fold: bool = True) -> str:
    """The note and the source of a chart; a long note opens on demand (`fold`)."""
    note = f"<span>{escape(chart.note)}</span><br>" if chart.note else ""
    if fold and len(chart.note) > LONG_NOTE:
        note = f"<details><summary>How to read this</summary>{escape(chart.note)}</details>"
    return f'<div class="source">{note}<span class="origin">{escape(chart.source)}.</span></div>'


def kicker(text: str) -> str:
    """What stands above a story's sentence: kind, name and moment of the event."""
    return f'<p class="kicker">{escape(text)}</p>'


def happened(event: Event) -> str:
    """What the event was, and who says so."""
    source = ""
    if event.source_url:
        said = Source(
            event.source.replace(" (reprint)", ""), event.source_url, reprint="(reprint)" in event.source
        )
        host = "" if said.reprint else f' <span class="host">{escape(said.host)}</span>'
        source = f' <span class="said">Source: {_link(event.source_url, said.words)}{host}</span>'
    return (
        f'<p class="happened">{escape(event.description)}{source}</p>' if event.description or source else ""
    )


def _link(address: str, text: str) -> str:
    if not address.startswith(("https://", "http://")):
        return escape(text)
    return f'<a href="{escape(address)}" target="_blank" rel="noopener">{escape(text)}</a>'


def figures(shown: Iterable[Figure]) -> str:
    """Figures side by side; the definition of each opens below its question mark for the pointer and the keyboard."""
    return f'<dl class="figures">{"".join(_figure(*numbered) for numbered in enumerate(shown))}</dl>'


def _figure(number: int, figure: Figure) -> str:
    label, about = escape(figure.label), f"definition-{number}"
    return (
        f"<div><dt>{label}"
        f'<button type="button" aria-label="What is meant: {label}" aria-describedby="{about}">?</button>'
        f'<span role="tooltip" id="{about}">{escape(figure.definition)}</span></dt>'
        f'<dd class="value">{escape(figure.value)}</dd><dd class="detail">{escape(figure.detail)}</dd></div>'
    )


def context(rows: Iterable[Row]) -> str:
    """What coverage leaves out, a line each: what, how much, and in which words."""
    cells = "".join(
        f'<tr><th scope="row">{escape(row.label)}</th><td class="number">{escape(row.value)}</td>'
        f"<td>{escape(row.detail)}</td></tr>"
        for row in rows
    )
    return f'<table class="context"><tbody>{cells}</tbody></table>'


def table(rows: pd.DataFrame, caption: str) -> str:
    """A small table of text, which prints as it is; "" without rows.

    Columns of figures stand at the right; the rows that `rows.attrs["quiet"]` marks are greyed.
    """
    if rows.empty:
        return ""
    quiet = rows.attrs.get("quiet", [False] * len(rows))
    kinds = {name: ' class="number"' if rows[name].map(_is_figure).all() else "" for name in rows}
    head = "".join(f'<th scope="col"{kind}>{escape(str(name))}</th>' for name, kind in kinds.items())
    body = "".join(
        f"<tr{' class=quiet' if grey else ''}>"
        + "".join(
            f"<td{kind}>{escape(str(cell))}</td>" for kind, cell in zip(kinds.values(), row, strict=True)
        )
        + "</tr>"
        for grey, row in zip(quiet, rows.itertuples(index=False), strict=True)
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table class="plain">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def on_paper(rows: pd.DataFrame, caption: str) -> str:
    """The first rows of a table that the screen shows as a grid, which paper would cut off where it is scrolled."""
    shown = rows.head(MOST_ON_PAPER).map(_cell)
    left = len(rows) - len(shown)
    more = f"<p>{left:,} more {'row is' if left == 1 else 'rows are'} on the screen.</p>" if left else ""
    return f'<div class="on-paper">{table(shown, caption)}{more}</div>'


def _cell(value: object) -> str:
    if value is None or value is pd.NaT or value != value:
        return "–"
    if isinstance(value, pd.Timestamp | datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
    return f"{value:,g}" if isinstance(value, float) else str(value)


def _is_figure(cell: str) -> bool:
    return not any(letter.isalpha() for letter in cell)


def claims(checked: Iterable[Checked]) -> str:
    """Claims in a table: the sentence, the verdict that opens its computation, our figure, who published it.

    A phone shows the first three and opens to all.
    """
    checked = list(checked)
    head = "".join(
        f'<th scope="col">{name}</th>' for name in ("Claim", "Verdict", "Our figure", "Published by")
    )
    rows = "".join(_claim(each) for each in checked)
    more = (
        f'<details class="more"><summary>All {len(checked)} claims</summary></details>' if checked[3:] else ""
    )
    return f'<table class="claims"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}'


def _claim(checked: Checked) -> str:
    claim, colour = checked.claim, VERDICTS.get(checked.verdict, "grey")
    sources = "; ".join(_link(source.url, source.words) for source in claim.sources)
    return (
        f"<tr><td>{escape(claim.text)}</td>"
        f'<td><details><summary><span class="verdict {colour}">{escape(checked.verdict)}</span></summary>'
        f"<p>{escape(checked.how)}</p></details></td>"
        f'<td class="ours">{escape(checked.figure)}</td><td class="said">{sources}</td></tr>'
    )


def onward(links: Iterable[tuple[str, str, str]]) -> str:
    """Where to go next: address, what it is called, and what is there."""
    items = "".join(
        f'<li><a href="{escape(address)}" target="_self">{escape(name)}</a><span>{escape(what)}</span></li>'
        for address, name, what in links
    )
    return f'<ul class="onward">{items}</ul>'


def captured_charts(found: list[tuple[str, dict[str, str]]]) -> str:
    """The app-store charts of which captures are held, each a link to this page with that chart chosen."""
    links = [
        f'<a href="?{escape(urlencode(address))}" target="_self">{escape(name)}</a>'
        for name, address in found
    ]
    more = f"<details><summary>and {len(links) - 1} more</summary>{'<br>'.join(links[1:])}</details>"
    return f"<div>Captures are held of {links[0]}{more if len(links) > 1 else ''}</div>"
