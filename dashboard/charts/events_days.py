"""Where a day stands: every session of the AI companies as a ribbon in time, the largest named."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.columns import headed
from dashboard.charts.style import Palette, halo, mixed, palette, template

HEIGHT = 600
NAMED, RINGED = 4, 25
"""How many sessions of each side are named, and among how many the unexplained have a ring."""
LINE_LENGTH = 17
AWAY = 3.5
"""Percent from zero at which the names begin, where hardly a day's bar reaches."""
APART = 0.095
"""Share of the ribbon that a name takes in the lowest picture."""
BESIDE = 0.6
"""How far a name keeps from a long bar, in shares of that."""
NO_EVENT = "no event on record"


def days(sessions: pd.DataFrame, source: str, theme: str = "light") -> Chart:
    """All sessions from the oldest on top to the newest, a bar for each; those with an event in colour.

    `sessions`: as `dashboard.views.league.League.days`: date, abnormal (fraction, missing on the first), event_id,
    title, kind, cause, explanation.
    """
    colours = palette(theme)
    known = sessions.dropna(subset=["abnormal"])
    lowest, highest = known.loc[known["abnormal"].idxmin()], known.loc[known["abnormal"].idxmax()]
    band = known["abnormal"].quantile([0.025, 0.975])
    known = known.assign(place=np.arange(len(known), dtype=float))
    figure = _ribbon(known, (float(band.iloc[0]), float(band.iloc[1])), colours)
    return Chart(
        name="events-days",
        figure=figure,
        title=f"{words.day(lowest['date'].date(), weekday=False)} was the worst of {words.number(len(known))} "
        f"sessions "
        f"for AI shares against the market, {words.day(highest['date'].date(), weekday=False)} the best",
        subtitle="Average abnormal return of the AI companies in each session against the S&P 500 (SPY), percent; "
        f"in colour the sessions of events. Shaded: {words.percent(band.iloc[0])} to "
        f"{words.percent(band.iloc[1])}, where 95% "
        "lie",
        source=source,
        alt=f"Ribbon of {words.number(len(known))} sessions in time. Lowest: {label_of(lowest)} on "
        f"{words.day(lowest['date'].date())}, {words.percent(lowest['abnormal'])}; highest: {label_of(highest)} on "
        f"{words.day(highest['date'].date())}, {words.percent(highest['abnormal'])}.",
        table=_table(sessions),
        note=_note(sessions, known),
    )


def label_of(row: pd.Series) -> str:
    """What a day is known for: its event, the cause that a source gives, or that there is no event on record."""
    if row["title"]:
        return str(row["title"])
    if row["explanation"]:
        return f"{row['cause']}, by a source"
    return NO_EVENT


def _ribbon(known: pd.DataFrame, band: tuple[float, float], colours: Palette) -> go.Figure:
    fig = go.Figure(layout={"template": template(colours), "height": HEIGHT})
    fig.add_shape(
        type="rect",
        xref="x",
        yref="paper",
        x0=band[0] * 100,
        x1=band[1] * 100,
        y0=0,
        y1=1,
        fillcolor=colours.band,
        line={"width": 0},
        layer="below",
    )
    plain = known["event_id"] == ""
    faint = mixed(colours.paper, colours.muted, 0.5)
    _sticks(fig, known[plain], faint, 0.8)
    for below, shade in ((True, colours.loss), (False, colours.gain)):
        _sticks(fig, known[~plain & ((known["abnormal"] < 0) == below)], shade, 2.0)
    _names(fig, known, band, colours)
    _rings(fig, known, colours)
    size = float(known["abnormal"].abs().max()) * 100
    size = max(size * 1.04, AWAY + 5.6)
    fig.update_xaxes(range=[-size, size], ticksuffix="%", side="top", showgrid=True, zeroline=True)
    years = known.groupby(known["date"].dt.year)["place"].min()
    fig.update_yaxes(
        range=[len(known) + 6, -6],
        tickvals=years.to_numpy()[1:],
        ticktext=[str(year) for year in years.index[1:]],
        showgrid=True,
    )
    return fig


def _sticks(fig: go.Figure, rows: pd.DataFrame, colour: str, width: float) -> None:
    """A line from zero for each session, as one trace."""
    x = np.column_stack([np.zeros(len(rows)), rows["abnormal"] * 100, np.full(len(rows), np.nan)]).ravel()
    y = np.repeat(rows["place"].to_numpy(), 3)
    fig.add_scatter(x=x, y=y, mode="lines", line={"color": colour, "width": width}, hoverinfo="skip")
    fig.add_scatter(
        x=rows["abnormal"] * 100,
        y=rows["place"],
        mode="markers",
        marker={"size": 5 if width > 1 else 3, "color": colour, "opacity": 1 if width > 1 else 0},
        hovertext=[_hover(row) for _, row in rows.iterrows()],
        hoverinfo="text",
    )


def _hover(row: pd.Series) -> str:
    text = f"<b>{words.day(row['date'].date())}</b>: {words.percent(row['abnormal'], 2)} abnormal, AI mean "
    return f"{text}{words.percent(row['change'], 2)}<br>{words.safe(label_of(row))}"


def _names(fig: go.Figure, known: pd.DataFrame, band: tuple[float, float], colours: Palette) -> None:
    """The largest of each side, named across the zero line, beyond what the bars of other days reach."""
    span = float(len(known))
    for side, rows in ((-1, known.nsmallest(NAMED, "abnormal")), (1, known.nlargest(NAMED, "abnormal"))):
        away = -side * (AWAY + max(0.0, 100 * band[1] - 2.0))
        across = known[known["abnormal"] * 100 * -side > abs(away)]["place"].tolist()
        taken: list[float] = []
        for _, row in rows.iterrows():
            taken.append(_free(row["place"], taken, across, span))
            _name_one(fig, row, taken[-1], away, colours)


def _free(wanted: float, taken: list[float], across: list[float], span: float) -> float:
    """The place nearest to the one wanted that neither another name nor a long bar of the other side needs."""
    grid = sorted(np.linspace(0.03, 0.97, 189) * span, key=lambda place: abs(place - wanted))
    gap = APART * span
    free = (
        place
        for place in grid
        if all(abs(place - other) >= gap for other in taken)
        and all(abs(place - bar) >= BESIDE * gap for bar in across)
    )
    return float(next(free, wanted))


def _rings(fig: go.Figure, known: pd.DataFrame, colours: Palette) -> None:
    """A ring at the end of the bar of each large move that nothing on record explains."""
    rows = unexplained(extremes(known, RINGED))
    fig.add_scatter(
        x=rows["abnormal"] * 100,
        y=rows["place"],
        mode="markers",
        marker={"size": 7, "color": colours.ground, "line": {"color": colours.ink, "width": 1.2}},
        hovertext=[_hover(row) for _, row in rows.iterrows()],
        hoverinfo="text",
    )


def extremes(known: pd.DataFrame, count: int) -> pd.DataFrame:
    """The `count` largest falls and as many rises."""
    return pd.concat([known.nsmallest(count, "abnormal"), known.nlargest(count, "abnormal")])


def unexplained(rows: pd.DataFrame) -> pd.DataFrame:
    """Those that no event of the list falls on and no source explains."""
    return rows[(rows["title"] == "") & (rows["explanation"] == "")]


def _name_one(fig: go.Figure, row: pd.Series, at: float, away: float, colours: Palette) -> None:
    shade = colours.loss if row["abnormal"] < 0 else colours.gain
    strong = bool(row["title"])
    known = row["title"] or f"{words.day(row['date'].date(), weekday=False)}: {row['cause'] or 'no event'}"
    text = wrapped(f"{known} {words.percent(row['abnormal'])}")
    fig.add_annotation(
        x=away,
        y=at,
        text=f"<b>{text}</b>" if strong else text,
        xanchor="left" if away > 0 else "right",
        align="left" if away > 0 else "right",
        xshift=3 if away > 0 else -3,
        showarrow=False,
        font={"size": 11, "color": shade if strong else colours.ink, "shadow": halo(colours)},
    )
    day, style = row["place"], {"color": shade, "width": 2 if strong else 1.2}
    fig.add_shape(type="line", x0=row["abnormal"] * 100, x1=0, y0=day, y1=day, line=style)
    leader = f"M 0,{day} L {away * 0.9},{day} L {away},{at}"
    fig.add_shape(type="path", path=leader, line={"color": shade, "width": 0.8, "dash": "dot"})


def wrapped(text: str, length: int = LINE_LENGTH) -> str:
    """Text in lines of at most `length` signs where its words allow, escaped for a Plotly label."""
    lines = [""]
    for word in text.split(" "):  # what is not to be broken holds other blanks
        if lines[-1] and len(lines[-1]) + 1 + len(word) > length:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(words.safe(line) for line in lines)


def _note(sessions: pd.DataFrame, known: pd.DataFrame) -> str:
    missing = len(sessions) - len(known)
    large = extremes(known, RINGED)
    parts = [
        f"Rings: the {len(unexplained(large))} days among the {RINGED} largest falls and {RINGED} largest rises with "
        "no event on record and no explanation by a source."
    ]
    if missing:
        parts.append(
            f"The first {missing} sessions are left out: there is no history before them to compare them with."
        )
    return " ".join(parts)


def _table(sessions: pd.DataFrame) -> pd.DataFrame:
    columns = [
        "date",
        "change",
        "companies",
        "abnormal",
        "event_id",
        "title",
        "cause",
        "explanation",
        "note_url",
    ]
    return headed(
        sessions[columns],
        date="session",
        change="AI mean, fraction",
        note_url="source of the explanation",
    )
