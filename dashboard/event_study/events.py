"""Many events, one group: a row for each event."""

from typing import Any

import pandas as pd

from dashboard.event_study.catalogue import TESTS
from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.panel import Market
from dashboard.event_study.study import Study, run_study
from dashboard.event_study.windows import Window

VALID = tuple(test.name for test in TESTS.values() if test.valid_with_common_date)


def run_events(
    returns: pd.DataFrame,
    market: Market,
    events: pd.DataFrame,
    market_values: pd.DataFrame | None = None,
    *,
    date_column: str = "date",
    **settings: Any,
) -> pd.DataFrame:
    """Run the study for every event of a table.

    Args:
        returns: as in `run_study`.
        market: as in `run_study`.
        events: one row an event; `date_column` holds the date (of the first session that could react), the
            other columns are carried over.
        market_values: dollars, sessions × firms (close × shares of that date); gives the value moved.
        date_column: name of the column with the date.
        settings: further arguments of `run_study`.

    Returns:
        One row an event, in the order given: the columns of `events`, then event_session, firms, dropped
        (numbers), aar and `<test>_p` (each valid test on day 0), `caar[a,b]` and `<test>_p[a,b]` for each
        window, value_moved and abnormal_value_moved (dollars; only with `market_values`: change of the
        market value on day 0, and value before × abnormal return, over the firms with both values),
        problem. An event that cannot be studied keeps its row: `problem` says why ("" otherwise) and its
        figures are missing.

    Raises:
        EventStudyError: the table is empty or lacks the date column, or a setting is wrong for every event.
    """
    if not len(events):
        raise EventStudyError("There are no events.")
    if date_column not in events.columns:
        raise EventStudyError(f"The events have no column {date_column!r}.")
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for date in events[date_column]:
        try:
            study = run_study(returns, market, date, **settings)
        except EventStudyError as error:
            rows.append({})
            problems.append(str(error))
        else:
            rows.append(_row(study, market_values))
            problems.append("")
    if all(problems):
        raise EventStudyError(f"No event could be studied. The first: {problems[0]}")
    figures = pd.DataFrame(rows, index=events.index)
    return pd.concat([events, figures, pd.Series(problems, index=events.index, name="problem")], axis=1)


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
