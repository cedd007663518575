"""Words that belong together as one element of HTML: as Markdown each would be an element that the browser draws.

Every text is escaped, and the looks are in `dashboard/style.css`.
"""

from collections.abc import Iterable
from html import escape

from dashboard.charts.chart import Chart
from dashboard.views.claims import FAILS, HOLDS, IN_PART, Checked
from dashboard.views.headline import Figure

VERDICTS = {HOLDS: "green", IN_PART: "orange", FAILS: "red"}


def heading(level: int, text: str, anchor: str) -> str:
    """A heading that an address can end with."""
    link = f'<a class="anchor" href="#{escape(anchor)}" aria-label="Link to this part">#</a>'
    return f'<h{level} id="{escape(anchor)}">{escape(text)}{link}</h{level}>'


def above(chart: Chart) -> str:
    """The title and the measure of a chart."""
    return f'{heading(3, chart.title, chart.name)}<p class="measure">{escape(chart.subtitle)}</p>'


def below(chart: Chart) -> str:
    """The note and the source of a chart."""
    lines = (chart.note, f"{chart.source}.")
    return f'<p class="source">{"<br>".join(escape(line) for line in lines if line)}</p>'


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


def claims(checked: Iterable[Checked]) -> str:
    """Claims, each with the verdict, our figure and how it came about."""
    return f'<ul class="claims">{"".join(_claim(each) for each in checked)}</ul>'


def _claim(checked: Checked) -> str:
    claim, colour = checked.claim, VERDICTS.get(checked.verdict, "grey")
    source = f'<a href="{escape(claim.source_url)}" target="_blank" rel="noopener">{escape(claim.source)}</a>'
    return (
        f'<li><p><span class="verdict {colour}">{escape(checked.verdict)}</span> <b>“{escape(claim.text)}”</b></p>'
        f"<p><b>{escape(checked.figure)}.</b> {escape(checked.how)}</p>"
        f'<p class="said">Said by {source}</p></li>'
    )
