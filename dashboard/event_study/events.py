"""Many events, one group: a row for each event."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dashboard.event_study.catalogue import TESTS
from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.multiplicity import benjamini_hochberg, holm
from dashboard.event_study.panel import FloatArray, Market
from dashboard.event_study.study import ESTIMATION, EVENT_WINDOW, Study, run_study
from dashboard.event_study.windows import Window, read_date

VALID = tuple(test.name for test in TESTS.values() if test.allows_correlation)
SAME, WINDOW, ESTIMATION_PERIOD = "same session", "event window", "estimation window"


def confounders(
    sessions: pd.DatetimeIndex,
    session: pd.Timestamp,
    others: Mapping[str, object],
    estimation: Window = ESTIMATION,
    event_window: Window = EVENT_WINDOW,
) -> pd.DataFrame:
    """Other events that a study of `session` cannot tell from its own.

    Args:
        sessions: the calendar.
        session: day 0.
        others: name → date of the other events, which roll forward to a session.
        estimation: first and last session of the estimation window.
        event_window: first and last session of the event window.

    Returns:
        One row an event, nearest first: event, day (session from day 0), where: "same session" (the two
        cannot be separated), "event window" (a CAR over it holds both) or "estimation window" (it blurs what
        is normal).
    """
    zero = int(sessions.searchsorted(session))
    rows = []
    for name, date in others.items():
        day = int(sessions.searchsorted(read_date(date))) - zero
        where = SAME if day == 0 else WINDOW if event_window[0] <= day <= event_window[1] else ""
        where = where or (ESTIMATION_PERIOD if estimation[0] <= day <= estimation[1] else "")
        if where:
            rows.append((name, day, where))
    rows.sort(key=lambda row: (abs(row[1]), row[0]))
    return pd.DataFrame(rows, columns=["event", "day", "where"])


def run_events(
    returns: pd.DataFrame,
    market: Market,
    events: pd.DataFrame,
    market_values: pd.DataFrame | None = None,
    *,
    date_column: str = "date",
    name_column: str = "event_id",
    **settings: Any,
) -> pd.DataFrame:
    """Run the study for every event of a table.

    Args:
        returns: as in `run_study`.
        market: as above.
        events: one row an event; `date_column` holds the date (of the first session that could react), the
            other columns are carried over.
        market_values: dollars, sessions × firms (close × shares of that date); gives the value moved.
        date_column: name of the column with the date.
        name_column: name of the column that names an event; its row number where there is none.
        settings: further arguments of `run_study`.

    Returns:
        One row an event, in the order given: the columns of `events`, then event_session, firms, dropped
        (numbers), aar and `<test>_p` (each valid test on day 0), `caar[a,b]` and `<test>_p[a,b]` for each
        window, value_moved and abnormal_value_moved (dollars; only with `market_values`: change of the
        market value on day 0, and value before × abnormal return, over the firms with both values), for
        every `<test>_p…` the same adjusted for the number of events, `<test>_p…_holm` (Holm 1979) and
        `<test>_p…_bh` (Benjamini and Hochberg 1995), shares_session, shares_window and shares_estimation (the
        other events of the table on the same session, inside the event window, inside the estimation window:
        their names), problem. An event that cannot be studied keeps its row: `problem` says why ("" otherwise).

    Raises:
        EventStudyError: the table is empty or lacks the date column, or a setting is wrong for every event.
    """
    _check_events(events, date_column)
    rows, problems = _study_each(returns, market, events[date_column], market_values, settings)
    figures = pd.DataFrame(rows, index=events.index).assign(problem=problems)
    flags = _flags(returns, events, date_column, name_column, settings)
    return pd.concat(
        [events, figures.drop(columns="problem"), _adjusted(figures), flags, figures["problem"]], axis=1
    )


def _study_each(
    returns: pd.DataFrame,
    market: Market,
    dates: pd.Series,
    values: pd.DataFrame | None,
    settings: dict[str, Any],
) -> tuple[list[dict[str, Any]], list[str]]:
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for date in dates:
        try:
            study = run_study(returns, market, date, **settings)
        except EventStudyError as error:
            rows.append({})
            problems.append(str(error))
        else:
            rows.append(_row(study, values))
            problems.append("")
    if all(problems):
        raise EventStudyError(f"No event could be studied. The first: {problems[0]}")
    return rows, problems


def _check_events(events: pd.DataFrame, date_column: str) -> None:
    if not len(events):
        raise EventStudyError("There are no events.")
    if date_column not in events.columns:
        raise EventStudyError(f"The events have no column {date_column!r}.")


def _adjusted(figures: pd.DataFrame) -> pd.DataFrame:
    """Each p-value once more, adjusted for the number of events that were tested."""
    columns = [name for name in figures if any(name.startswith(f"{test}_p") for test in VALID)]
    adjusted: dict[str, FloatArray] = {}
    for name in columns:
        p_values = figures[name].to_numpy(dtype=np.float64)
        adjusted |= {f"{name}_holm": holm(p_values), f"{name}_bh": benjamini_hochberg(p_values)}
    return pd.DataFrame(adjusted, index=figures.index)


def _flags(
    returns: pd.DataFrame, events: pd.DataFrame, date_column: str, name_column: str, settings: dict[str, Any]
) -> pd.DataFrame:
    sessions = pd.DatetimeIndex(returns.index)
    named = events[name_column] if name_column in events else pd.Series(range(len(events)), events.index)
    names, dates = [str(name) for name in named], list(events[date_column])
    windows = {key: settings[key] for key in ("estimation", "event_window") if key in settings}
    rows = []
    for place, date in enumerate(dates):
        others = {
            name: other for at, (name, other) in enumerate(zip(names, dates, strict=True)) if at != place
        }
        session = sessions[min(int(sessions.searchsorted(read_date(date))), len(sessions) - 1)]
        found = confounders(sessions, session, others, **windows)
        rows.append(
            [
                ", ".join(found["event"][found["where"] == where])
                for where in (SAME, WINDOW, ESTIMATION_PERIOD)
            ]
        )
    return pd.DataFrame(
        rows, columns=["shares_session", "shares_window", "shares_estimation"], index=events.index
    )


def _row(study: Study, market_values: pd.DataFrame | None) -> dict[str, Any]:
    tests = study.tests.set_index(["scope", "start", "end", "test"])["p_value"]
    row: dict[str, Any] = {
        "event_session": study.event_session,
        "firms": int(study.aar.loc[0, "n"]),
        "dropped": len(study.dropped),
        "aar": study.aar.loc[0, "aar"],
    }
    row |= {f"{name}_p": tests["day", 0, 0, name] for name in VALID}
    for start, end in study.windows:
        row[f"caar{_suffix((start, end))}"] = study.aar.loc[start:end, "aar"].sum(skipna=False)
        row |= {f"{name}_p{_suffix((start, end))}": tests["window", start, end, name] for name in VALID}
    if market_values is not None:
        row |= _value_moved(study, market_values)
    return row


def _suffix(window: Window) -> str:
    return f"[{window[0]},{window[1]}]"


def _value_moved(study: Study, market_values: pd.DataFrame) -> dict[str, float]:
    dates = pd.DatetimeIndex(market_values.index)
    firms = [firm for firm in study.abnormal_returns.columns if firm in market_values.columns]
    position = dates.get_indexer([study.event_session])[0]
    if position < 1 or not firms:
        return {"value_moved": float("nan"), "abnormal_value_moved": float("nan")}
    before, after = market_values[firms].iloc[position - 1], market_values[firms].iloc[position]
    abnormal = before * study.abnormal_returns.loc[0, firms]
    return {
        "value_moved": float((after - before).sum(min_count=1)),
        "abnormal_value_moved": float(abnormal.sum(min_count=1)),
    }
