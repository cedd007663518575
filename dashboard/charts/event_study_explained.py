"""What explains who lost: slopes with the bands of ordinary dates, and the firms themselves."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.event_study import interval, spell
from dashboard.charts.style import Palette, palette, template

NAMES = {
    "beta": "Market loading (beta)",
    "volatility": "Volatility before",
    "run_up": "Abnormal run-up before",
    "size": "Market value (log)",
}
HIGH = {
    "beta": "a high market loading",
    "volatility": "high volatility before",
    "run_up": "a run-up before",
    "size": "a high market value",
}
STAND_OUT = 0.05
MOST_NAMED = 2
# Pixels between the outermost points of the scatter, width of a letter, and the sides on which a name may stand.
DRAWN, LETTER = (330, 330), 6.2
SIDES = {"top center": (0, 1), "middle right": (1, 0), "bottom center": (0, -1), "middle left": (-1, 0)}
JUDGED = "The firms move together, so the slopes are judged by the same regression on dates before the event."


def slopes(
    found: pd.DataFrame,
    base: str,
    notes: Sequence[str],
    window: tuple[int, int],
    source: str,
    theme: str = "light",
) -> Chart:
    """Slopes of the firms' CARs on what was known of them, each with the band of ordinary dates.

    `found`: name, slope, low, high (fractions), p_value, firms, dates; the name of a segment is its own. `base` is the
    segment that those of the segments are differences from ("" without them); `notes` are told under the chart.
    """
    out = found[found["p_value"] < STAND_OUT]
    out = out.sort_values("slope", key=abs, ascending=False)
    lower, higher = (
        [_high(name) for name in out.loc[side, "name"]] for side in (out["slope"] < 0, out["slope"] > 0)
    )
    parts = [
        f"{_first(group)} went with {kind} returns"
        for group, kind in ((lower, "lower"), (higher, "higher"))
        if group
    ]
    title = "; ".join(parts) or "Nothing known before explains which firms did worse"
    against = f"; for a segment, its difference from {base}" if base else ""
    return Chart(
        name="study-explained",
        figure=_slope_dots(found.iloc[::-1], palette(theme)),
        title=title[0].upper() + title[1:],
        subtitle=f"Abnormal return over {spell(window)} that went with one standard deviation more of each{against}, "
        f"the others held fixed, {int(found['firms'].iloc[0])} firms, percent; bars: what ordinary dates give in 95% "
        "of cases",
        source=source,
        alt="Dot chart of slopes. "
        + "; ".join(
            f"{NAMES.get(row.name, row.name)} {words.percent(row.slope, 2)}, p = {row.p_value:.3f}"
            for row in found.itertuples(index=False)
        )
        + ".",
        table=found.assign(base=[base if name not in NAMES else "" for name in found["name"]]),
        note=" ".join((JUDGED, *notes)),
    )


def _high(name: str) -> str:
    """What a positive slope goes with: "high volatility before", or a segment in quotation marks."""
    return HIGH.get(name, f"“{words.safe(name, 30)}”")


def _first(names: list[str]) -> str:
    """The first of a list in words; the others by their number."""
    more = len(names) - MOST_NAMED
    return words.listed(names if more < 2 else [*names[:MOST_NAMED], f"{more} more"])


def _slope_dots(rows: pd.DataFrame, colours: Palette) -> go.Figure:
    out = rows["p_value"] < STAND_OUT
    fig = go.Figure(layout={"template": template(colours), "height": 110 + 46 * len(rows)})
    fig.add_scatter(
        x=rows["slope"] * 100,
        y=[NAMES.get(name, words.safe(name, 30)) for name in rows["name"]],
        mode="markers",
        marker={"size": 11, "color": [colours.loss if each else colours.muted for each in out]},
        error_x=interval(rows, "slope", colours),
        hovertext=[_slope_hover(row) for row in rows.itertuples(index=False)],
        hoverinfo="text",
    )
    fig.add_vline(x=0, line={"color": colours.muted, "width": 1})
    fig.update_xaxes(ticksuffix="%", showgrid=True, side="top")
    fig.update_yaxes(showgrid=False, ticks="", tickfont={"color": colours.ink})
    return fig


def _slope_hover(row: object) -> str:
    name, slope, p, dates = (getattr(row, key) for key in ("name", "slope", "p_value", "dates"))
    unit = " for one standard deviation more" if name in NAMES else ""
    return (
        f"<b>{NAMES.get(name, words.safe(name))}</b>: {words.percent(slope, 2)}{unit}<br>"
        f"p = {p:.3f} among {dates} ordinary stretches"
    )


def scatter(cars: pd.DataFrame, window: tuple[int, int], source: str, theme: str = "light") -> Chart:
    """Each firm's CAR against its market loading, labelled, or its volatility where the model has no loading.

    `cars`: firm, name, segment, car, beta, sigma (fractions).
    """
    colours = palette(theme)
    across, what = ("beta", "market loading") if cars["beta"].notna().any() else ("sigma", "daily volatility")
    drawn = cars.dropna(subset=["car", across])
    names = [words.safe(name, 24) for name in drawn["name"]]
    places = _places(drawn[across].to_numpy(), drawn["car"].to_numpy(), names)
    fig = go.Figure(layout={"template": template(colours), "height": 420})
    fig.add_scatter(
        x=drawn[across],
        y=drawn["car"] * 100,
        mode="markers+text",
        text=[name if place else "" for name, place in zip(names, places, strict=True)],
        textposition=[place or "top center" for place in places],
        textfont={"size": 11, "color": colours.ink},
        marker={"size": 9, "color": colours.gain},
        hovertext=[
            f"<b>{words.safe(row.name)}</b> ({words.safe(row.segment)}): {words.percent(row.car, 2)}, "
            f"{what} {getattr(row, across):.2f}"
            for row in drawn.itertuples(index=False)
        ],
        hoverinfo="text",
    )
    fig.add_hline(y=0, line={"color": colours.faint, "width": 1})
    fig.update_xaxes(title_text=f"{what} before the event", showgrid=True)
    fig.update_yaxes(ticksuffix="%")
    fig.update_layout(margin={"b": 52})
    return Chart(
        name="study-scatter",
        figure=fig,
        title=f"Each firm’s abnormal return and its {what}",
        subtitle=f"Cumulative abnormal return over {spell(window)}, percent; named where there is room, the"
        " furthest out first",
        source=source,
        alt=f"Scatter of {len(drawn)} firms’ abnormal returns against their {what}.",
        table=drawn[["firm", "name", "segment", across, "car"]],
    )


def _places(across: NDArray[np.float64], up: NDArray[np.float64], names: Sequence[str]) -> list[str]:
    """Where each name stands beside its point so that none covers a point or another name; "" where it cannot.

    Boxes are in pixels of the narrowest page that draws names, the points furthest from the middle first.
    """
    if not len(names):
        return []
    x, y = ((each - each.min()) / (np.ptp(each) or 1.0) for each in (across, up))
    x, y = x * DRAWN[0], y * DRAWN[1]
    taken = [(left - 5, low - 5, left + 5, low + 5) for left, low in zip(x, y, strict=True)]
    places = [""] * len(names)
    for row in np.argsort(-np.abs(up - np.median(up)), kind="stable"):
        half = LETTER * len(names[row]) / 2
        for place, (right, above) in SIDES.items():
            middle, base = x[row] + right * (half + 8), y[row] + above * 14
            box = (middle - half, base - 6, middle + half, base + 6)
            if box[0] > -20 and box[2] < DRAWN[0] + 20 and not any(_cover(box, other) for other in taken):
                taken.append(box)
                places[row] = place
                break
    return places


def _cover(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
