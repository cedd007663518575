"""Further charts of an event study: exposed against not exposed, what explains the losses, what would have been."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import words
from dashboard.charts.chart import Chart
from dashboard.charts.event_study import spell, within
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
MOST_WEIGHTS = 4


def contrasted(path: pd.DataFrame, group: str, source: str, theme: str = "light") -> Chart:
    """The group and the firms outside AI, cumulated from the event on, with the band of their difference.

    `path`: one row a session from the one before the event on, index day: session, exposed, unexposed, difference,
    difference_low, difference_high (cumulative, fractions), p_value (of the difference on day 0).
    """
    colours = palette(theme)
    fig = go.Figure(layout={"template": template(colours), "height": 420})
    fig.add_hline(y=0, line={"color": colours.faint, "width": 1})
    low = path["unexposed"] + path["difference_low"]
    high = path["unexposed"] + path["difference_high"]
    fig.add_scatter(
        x=[*path.index, *path.index[::-1]],
        y=[*(high * 100), *(low[::-1] * 100)],
        fill="toself",
        fillcolor=colours.grid,
        line={"width": 0},
        mode="lines",
        name="95% band of the difference",
        hoverinfo="skip",
    )
    for column, name, colour in (
        ("unexposed", "Outside AI", colours.muted),
        ("exposed", "Exposed", colours.loss),
    ):
        _line(fig, path, column, name, colour)
    fig.update_xaxes(title_text="sessions from the event", dtick=2)
    fig.update_yaxes(ticksuffix="%")
    fig.update_layout(margin={"r": 88, "b": 52})
    gap = float(path.loc[0, "difference"])
    return Chart(
        name="study-contrast",
        figure=fig,
        title=f"{words.percent(gap)} against firms outside AI on the event’s session",
        subtitle=f"Cumulative average abnormal return of {within(group)} and of firms outside AI, percent; grey: where "
        "the group would lie, in 95% of cases, were it like them in all but chance",
        source=source,
        alt=f"Line chart: {group} {words.percent(float(path.loc[0, 'exposed']))} and firms outside AI "
        f"{words.percent(float(path.loc[0, 'unexposed']))} on the event’s session.",
        table=path.reset_index(),
        note="What moved all firms alike cancels in the difference.",
    )


def _line(
    fig: go.Figure, path: pd.DataFrame, column: str, name: str, colour: str, dash: str = "solid"
) -> None:
    fig.add_scatter(
        x=path.index,
        y=path[column] * 100,
        mode="lines",
        name=name,
        line={"color": colour, "width": 2.6, "dash": dash},
        hovertext=[
            f"<b>Session {day:+d}, {words.day(row.session.date())}</b><br>"
            f"{name}: {words.percent(getattr(row, column), 2)}"
            for day, row in zip(path.index, path.itertuples(), strict=True)
        ],
        hoverinfo="text",
    )
    fig.add_annotation(
        x=1,
        xref="x domain",
        y=float(path[column].iloc[-1]) * 100,
        text=f"<b>{name}</b>",
        showarrow=False,
        xanchor="left",
        xshift=4,
        font={"color": colour, "size": 12},
    )


def slopes(found: pd.DataFrame, window: tuple[int, int], source: str, theme: str = "light") -> Chart:
    """Slopes of the firms' CARs on what was known of them, each with the band of ordinary dates.

    `found`: name, slope, low, high (fractions), p_value, firms, dates.
    """
    out = found[found["p_value"] < STAND_OUT]
    lower, higher = (
        [HIGH.get(name, name) for name in out.loc[side, "name"]]
        for side in (out["slope"] < 0, out["slope"] > 0)
    )
    parts = [
        f"{words.listed(group)} went with {kind} returns"
        for group, kind in ((lower, "lower"), (higher, "higher"))
        if group
    ]
    title = "; ".join(parts) or "Nothing known before explains who lost"
    title = title[0].upper() + title[1:]
    return Chart(
        name="study-explained",
        figure=_slope_dots(found.iloc[::-1], palette(theme)),
        title=title,
        subtitle=f"Abnormal return over {spell(window)} that went with one standard deviation more of each, the others "
        f"held fixed, {int(found['firms'].iloc[0])} firms, percent; bars: what ordinary dates give in 95% of cases",
        source=source,
        alt="Dot chart of slopes. "
        + "; ".join(
            f"{NAMES.get(row.name, row.name)} {words.percent(row.slope, 2)}, p = {row.p_value:.3f}"
            for row in found.itertuples(index=False)
        )
        + ".",
        table=found,
        note="The firms move together, so the slopes are judged by the same regression on dates before the event.",
    )


def _slope_dots(rows: pd.DataFrame, colours: Palette) -> go.Figure:
    out = rows["p_value"] < STAND_OUT
    fig = go.Figure(layout={"template": template(colours), "height": 110 + 46 * len(rows)})
    fig.add_scatter(
        x=rows["slope"] * 100,
        y=[NAMES.get(name, words.safe(name, 30)) for name in rows["name"]],
        mode="markers",
        marker={"size": 11, "color": [colours.loss if each else colours.muted for each in out]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (rows["high"] - rows["slope"]) * 100,
            "arrayminus": (rows["slope"] - rows["low"]) * 100,
            "color": colours.faint,
            "thickness": 1.6,
            "width": 0,
        },
        hovertext=[
            f"<b>{NAMES.get(row.name, row.name)}</b>: {words.percent(row.slope, 2)} for one standard deviation more<br>"
            f"p = {row.p_value:.3f} among {row.dates} ordinary stretches"
            for row in rows.itertuples(index=False)
        ],
        hoverinfo="text",
    )
    fig.add_vline(x=0, line={"color": colours.muted, "width": 1})
    fig.update_xaxes(ticksuffix="%", showgrid=True, side="top")
    fig.update_yaxes(showgrid=False, ticks="", tickfont={"color": colours.ink})
    return fig


def scatter(cars: pd.DataFrame, window: tuple[int, int], source: str, theme: str = "light") -> Chart:
    """Each firm's CAR against its market loading, labelled, or its volatility where the model has no loading.

    `cars`: firm, name, car, beta, sigma (fractions).
    """
    colours = palette(theme)
    across, what = ("beta", "market loading") if cars["beta"].notna().any() else ("sigma", "daily volatility")
    drawn = cars.dropna(subset=["car", across])
    far = (drawn["car"] - drawn["car"].median()).abs().rank(ascending=False) <= 10
    fig = go.Figure(layout={"template": template(colours), "height": 420})
    fig.add_scatter(
        x=drawn[across],
        y=drawn["car"] * 100,
        mode="markers+text",
        text=[words.safe(name, 16) if show else "" for name, show in zip(drawn["name"], far, strict=True)],
        textposition="top center",
        textfont={"size": 11, "color": colours.ink},
        marker={"size": 9, "color": colours.gain},
        hovertext=[
            f"<b>{words.safe(name)}</b>: {words.percent(car, 2)}, {what} {at:.2f}"
            for name, car, at in zip(drawn["name"], drawn["car"], drawn[across], strict=True)
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
        subtitle=f"Cumulative abnormal return over {spell(window)}, percent; the ten furthest out are named",
        source=source,
        alt=f"Scatter of {len(drawn)} firms’ abnormal returns against their {what}.",
        table=drawn[["firm", "name", across, "car"]],
    )


def rebuilt(
    days: pd.DataFrame,
    weights: pd.Series,
    fit: float,
    p_time: float,
    group: str,
    source: str,
    theme: str = "light",
) -> Chart:
    """The group's own path and that of its synthetic control, from the event on.

    `days`: index day: session, cumulative_actual, cumulative_synthetic (fractions), gap; `weights`: donor → weight.
    """
    colours: Palette = palette(theme)
    shown = days.loc[-1:] if -1 in days.index else days
    fig = go.Figure(layout={"template": template(colours), "height": 400})
    fig.add_hline(y=0, line={"color": colours.faint, "width": 1})
    _line(fig, shown, "cumulative_synthetic", "Synthetic", colours.muted, "dot")
    _line(fig, shown, "cumulative_actual", "Actual", colours.loss)
    fig.update_xaxes(title_text="sessions from the event", dtick=2)
    fig.update_yaxes(ticksuffix="%")
    fig.update_layout(margin={"r": 82, "b": 52})
    first = [
        f"{name} {weight:.0%}".replace("-", words.MINUS)
        for name, weight in weights.head(MOST_WEIGHTS).items()
    ]
    return Chart(
        name="study-synthetic",
        figure=fig,
        title=f"{words.percent(float(days.loc[0, 'gap']))} against what would have been on the event’s session",
        subtitle=f"Cumulative return of {within(group)} and of its synthetic control from firms outside AI, percent",
        source=source,
        alt=f"Line chart: actual {words.percent(float(days.loc[0, 'actual']))}, synthetic "
        f"{words.percent(float(days.loc[0, 'synthetic']))} on the event’s session.",
        table=days.reset_index(),
        note=f"Weights: {words.listed(first)}{', others less' if len(weights) > MOST_WEIGHTS else ''}. Before the "
        f"event the control explains {fit:.0%} of the variance on days that were not fitted; a gap as large on "
        f"{p_time:.1%} of those days.",
    )
