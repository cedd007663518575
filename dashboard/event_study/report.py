"""A study as readable text and as plain values for JSON."""

import datetime as dt
import math
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dashboard.event_study.catalogue import TESTS
from dashboard.event_study.study import Study
from dashboard.event_study.windows import Window, label


def study_to_dict(study: Study) -> dict[str, Any]:
    """Every figure of a study as numbers, texts, lists and None (for what is missing)."""
    sessions = study.estimation_sessions
    return {
        "model": study.model,
        "requested_date": _plain(study.requested_date),
        "event_session": _plain(study.event_session),
        "rolled": study.rolled,
        "estimation": {
            "first": _plain(sessions[0]),
            "last": _plain(sessions[-1]),
            "sessions": len(sessions),
        },
        "windows": [list(window) for window in study.windows],
        "mean_correlation": _plain(study.mean_correlation),
        "notes": list(study.notes),
        "dropped": records(study.dropped),
        "aar": records(study.aar.reset_index()),
        "tests": records(study.tests),
        "car": records(study.car),
        "firms": records(study.firms.reset_index()),
        "abnormal_returns": records(study.abnormal_returns.reset_index()),
        "raw_returns": records(study.raw_returns.reset_index()),
        "placebo": records(study.placebo),
    }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries of plain values."""
    return [
        {str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict(orient="records")
    ]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def print_study(study: Study, console: Console, left_out: pd.DataFrame) -> None:
    """Print the tables of a study: days, tests (the valid ones first), firms, dropped firms, notes."""
    sessions = study.estimation_sessions
    console.print(
        f"Day 0 is {study.event_session:%A %d %B %Y}. Model: {study.model}, estimated on {len(sessions)} sessions "
        f"from {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}."
        + ("" if math.isnan(study.mean_correlation) else f" Mean correlation: {study.mean_correlation:.3f}.")
    )
    for note in study.notes:
        console.print(f"Note: {escape(note)}")
    console.print(_days(study), _tests(study), _windows(study))
    console.print(_firms(study), _models(study))
    dropped = pd.concat([left_out, study.dropped], ignore_index=True)
    if len(dropped):
        table = _table("Left out", "Firm", "Reason")
        for row in dropped.itertuples():
            table.add_row(escape(str(row.firm)), escape(str(row.reason)))
        console.print(table)


def _days(study: Study) -> Table:
    table = _table(
        "Average abnormal return (95% band)", "Day", "Session", "Firms", "Raw", "AAR", "Band", "CAAR", "Band"
    )
    for day, row in study.aar.iterrows():
        table.add_row(
            f"{day:+d}",
            f"{row['session']:%Y-%m-%d}",
            f"{row['n']}",
            _percent(row["mean_return"]),
            _percent(row["aar"]),
            f"{_percent(row['aar_low'])} to {_percent(row['aar_high'])}",
            _percent(row["caar"]),
            f"{_percent(row['caar_low'])} to {_percent(row['caar_high'])}",
            style="bold" if day == 0 else None,
        )
    return table


def _tests(study: Study) -> Table:
    """The tests of day 0; those that do not hold for this group last and dimmed."""
    table = _table(
        "Tests of day 0: does each hold for a group like this (and its rejections of a true null at 5%, measured)?",
        "Test",
        "Statistic",
        "df",
        "p",
        "Shared date",
        "Volatile day",
        "Note",
    )
    rows = study.tests[(study.tests["scope"] == "day") & (study.tests["start"] == 0)]
    for row in rows.sort_values("valid_with_common_date", ascending=False, kind="stable").itertuples():
        table.add_row(
            TESTS[row.test].title,
            _percent(row.statistic) if row.test == "placebo" else _number(row.statistic),
            _number(row.df if row.statistic == row.statistic else math.nan, 0),
            _p(row.p_value),
            _holds(row.valid_with_common_date, row.size_common_date),
            _holds(row.valid_with_volatile_day, row.size_volatile_day),
            row.note,
            style=None if row.valid_with_common_date else "dim",
        )
    return table


def _holds(valid: bool, size: float) -> str:
    return f"{'yes' if valid else 'no'} ({_percent(size, 1, '')})"


def _windows(study: Study) -> Table:
    """CAAR and the p-value of each test that holds over the window, a column for each window."""
    table = _table("Windows: CAAR, and p-values of the tests that hold over them", "Test")
    windowed = study.tests[study.tests["scope"] == "window"].set_index(["test", "start", "end"])
    for window in study.windows:
        table.add_column(escape(label(window)), justify="right")
    caars = [study.aar.loc[start:end, "aar"].sum(skipna=False) for start, end in study.windows]
    table.add_row("CAAR", *[_percent(caar) for caar in caars], end_section=True)
    for name in windowed.index[windowed["valid_with_common_date"]].get_level_values("test").unique():
        rows = [windowed.loc[(name, *window)] for window in study.windows]
        cells = [_p(row["p_value"]) if row["valid_with_common_date"] else "–" for row in rows]
        table.add_row(TESTS[name].title, *cells)
    return table


def _firms(study: Study) -> Table:
    window = study.windows[0]
    table = _table(
        f"Firms, CAR over {escape(label(window))}",
        "Firm",
        "CAR",
        "s.e.",
        "t",
        "p",
        "Placebo p",
        "Holm",
        "BH",
        "BHAR",
    )
    rows = study.car[(study.car["start"] == window[0]) & (study.car["end"] == window[1])]
    for row in rows.sort_values("car").itertuples():
        table.add_row(
            escape(str(row.firm)),
            _percent(row.car),
            _percent(row.se, sign=""),
            _number(row.t),
            _p(row.p_value),
            _p(row.placebo_p),
            _p(row.placebo_p_holm),
            _p(row.placebo_p_bh),
            _percent(row.bhar),
        )
    return table


def _models(study: Study) -> Table:
    columns = ["Firm", "alpha", "beta", "sigma", "R²", "Days", "Autocorrelation", "ARCH p", "Jarque-Bera p"]
    table = _table("Models", *columns)
    for firm, row in study.firms.iterrows():
        table.add_row(
            escape(str(firm)),
            _percent(row["alpha"], 3),
            _number(row["beta"]),
            _percent(row["sigma"], sign=""),
            _number(row["r2"]),
            f"{row['n_obs']:.0f}",
            _number(row["autocorrelation"]),
            _p(row["arch_lm_p"]),
            _p(row["jarque_bera_p"]),
        )
    return table


def benchmark_table(check: pd.DataFrame) -> Table:
    """The same study against several benchmarks, from `run_benchmark_check`."""
    table = _table(
        "Sensitivity to the benchmark",
        "Benchmark",
        "Window",
        "Its return",
        "Raw",
        "CAAR",
        "Portfolio p",
        "Placebo p",
    )
    for row in check.itertuples():
        table.add_row(
            escape(row.benchmark),
            escape(label((row.start, row.end))),
            _percent(row.benchmark_return),
            _percent(row.mean_return),
            _percent(row.caar),
            _p(row.portfolio_regression_p),
            _p(row.placebo_p),
        )
    return table


def confounder_table(found: pd.DataFrame) -> Table:
    """Other events that the study cannot tell from its own, those of the estimation window in one row."""
    table = _table("Other events in its windows", "Event", "Session", "Where")
    near = found[found["where"] != "estimation window"]
    for row in near.itertuples():
        table.add_row(escape(row.event), f"{row.day:+d}", row.where)
    blurred = len(found) - len(near)
    if blurred:
        table.add_row(f"{blurred} more", "", "estimation window (see --exclude-events)")
    return table


def elsewhere_table(found: pd.DataFrame, window: Window) -> Table:
    """Firms on other clocks, from `dashboard.views.study_beyond.elsewhere`."""
    table = _table(
        f"Firms on other clocks, CAR over {escape(label(window))} against SPY of the day, the day before and after",
        "Firm",
        "Exchange",
        "Session",
        "Raw",
        "CAR",
        "95% interval",
        "p",
        "Placebo p",
    )
    for row in found.itertuples():
        table.add_row(
            escape(row.firm),
            row.exchange,
            f"{row.session:%Y-%m-%d}",
            _percent(row.raw),
            _percent(row.car),
            f"{_percent(row.low)} to {_percent(row.high)}",
            _p(row.p_value),
            _p(row.placebo_p),
        )
    return table


def slopes_table(found: pd.DataFrame, window: Window) -> Table:
    """What explains who lost, from `run_cross_section` with the column base."""
    base = found["base"].iloc[0]
    against = f"; segments against {base}" if base else ""
    table = _table(
        f"What explains the CAR over {escape(label(window))}: {found['firms'].iloc[0]} firms, a standard deviation "
        f"more of each{escape(against)}",
        "Known before",
        "Slope",
        "95% of ordinary dates",
        "p",
    )
    for row in found.itertuples():
        half = (row.high - row.low) / 2
        table.add_row(escape(row.name), _percent(row.slope), f"±{half:.2%}", _p(row.p_value))
    return table


def synthetic_table(days: pd.DataFrame) -> Table:
    """What would have been from day 0 on, from `run_synthetic`."""
    fit, p_time, p_donors = (days.attrs[name] for name in ("fit", "p_time", "p_donors"))
    table = _table(
        f"Synthetic control: explains {fit:.0%} of the days before; day 0 has p = {_p(p_time)} among them and "
        f"{_p(p_donors)} among the firms outside",
        "Day",
        "Actual",
        "Synthetic",
        "Gap",
        "Gap in sum",
    )
    for row in days[days["day"] >= 0].itertuples():
        figures = (row.actual, row.synthetic, row.gap, row.cumulative_gap)
        table.add_row(f"{row.day:+d}" if row.day else "0", *(_percent(each) for each in figures))
    return table


def weights_table(firms: pd.DataFrame) -> Table:
    """What the synthetic control is made of, and each firm's own gap when rebuilt from the others."""
    table = _table(
        "Firms of the synthetic control", "Firm", "Weight", "Its own gap", "Gap / usual", "Compared"
    )
    for row in firms.itertuples():
        compared = "yes" if row.compared else "no"
        table.add_row(escape(row.firm), _number(row.weight), _percent(row.gap), _number(row.ratio), compared)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    words = {
        "Firm",
        "Reason",
        "Test",
        "Note",
        "Session",
        "Window",
        "Benchmark",
        "Known before",
        "Holds: shared date",
        "Holds: volatile day",
    }
    for column in columns:
        table.add_column(column, justify="left" if column in words else "right", no_wrap=column == "Test")
    return table


def _percent(value: float, digits: int = 2, sign: str = "+") -> str:
    return "–" if math.isnan(value) else f"{value:{sign}.{digits}%}"


def _number(value: float, digits: int = 2) -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _p(value: float) -> str:
    return "–" if math.isnan(value) else "<0.001" if value < 0.001 else f"{value:.3f}"
