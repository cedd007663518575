"""What stands behind the figures: how fresh, how complete, where from, on which terms, and all of it to download."""

import pandas as pd
import streamlit as st

from dashboard.app_pages import markup
from dashboard.app_pages.audience import is_operator, say_nothing
from dashboard.app_pages.markdown import plain
from dashboard.app_pages.reading import reading
from dashboard.app_pages.refresh_button import refresh_part
from dashboard.app_pages.shared import citation, grid, price_freshness, require_state, show, theme
from dashboard.app_pages.signals_part import computed_line
from dashboard.charts.chart import Chart
from dashboard.serving import base_path
from dashboard.views.coverage import coverage_chart
from dashboard.views.holdings import (
    SOURCES,
    TABLE_WORDS,
    Holdings,
    figures,
    read_holdings,
    status_words,
    title,
    within_words,
)
from dashboard.views.request import NothingToShow, Request
from etl.warehouse import run_history, run_history_version


@st.cache_resource(max_entries=2, show_spinner="Counting what is there…")
def holdings(state: str, told: str) -> Holdings:
    """What a published state holds and the runs logged by then, read once for all readers."""
    with reading(state) as con:
        return read_holdings(con, run_history())


@st.cache_resource(max_entries=8, show_spinner="Comparing with the exchanges’ calendars…")
def coverage(state: str, look: str) -> Chart:
    """The coverage chart of a published state, drawn once for all readers."""
    with reading(state) as con:
        return coverage_chart(con, Request(theme=look))


def rows(table: pd.DataFrame, labels: dict[str, str], alt: str) -> None:
    """A table with its columns named and its times in UTC."""
    times = {
        label: st.column_config.DatetimeColumn(f"{label} (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC")
        for name, label in labels.items()
        if isinstance(table[name].dtype, pd.DatetimeTZDtype)
    }
    grid(table[list(labels)].rename(columns=labels), alt, times)


def runs_part(held: Holdings) -> None:
    """The runs, and what did not come in the latest of each source."""
    st.header("Runs", anchor="runs")
    if held.runs.empty:
        step = " `python -m etl refresh` starts the first." if is_operator() else ""
        st.markdown(f"No run has been logged yet.{step}")
        return
    rows(
        held.runs.assign(status=held.runs["status"].map(status_words)),
        {
            "started_at": "started",
            "source": "source",
            "status": "outcome",
            "rows_received": "received",
            "rows_inserted": "inserted",
            "rows_updated": "updated",
            "rows_rejected": "refused",
            "message": "message",
        },
        f"The latest {len(held.runs)} runs, newest first",
    )
    if not held.troubled.empty:
        st.markdown("**Incomplete or failed in the latest run of its source**")
        columns = {name: name for name in ("source", "item", "status", "message")}
        rows(held.troubled, columns, "What was incomplete or failed")


def revisions_part(held: Holdings) -> None:
    """What refreshes changed in figures that were there."""
    st.header("Revised by refreshes", anchor="revisions")
    count = held.sizes["revision"]
    if not count:
        st.markdown("No refresh has changed a figure that was there.")
        return
    st.markdown(f"Revised so far: {_counted(count, 'figure')}{_latest(count, len(held.revisions))}.")
    rows(
        held.revisions,
        {
            "revised_at": "revised",
            "table_name": "table",
            "key": "row",
            "column_name": "column",
            "old_value": "before",
            "new_value": "since",
        },
        "Figures that refreshes revised, newest first",
    )


def refused_part(held: Holdings) -> None:
    """The rows in quarantine, with the reason."""
    st.header("Refused rows", anchor="quarantine")
    count = held.sizes["quarantine"]
    if not count:
        st.markdown("Every row that arrived passed the checks: nothing is in quarantine.")
        return
    st.markdown(
        f"Kept out of the figures: {_counted(count, 'row')} that failed a check"
        f"{_latest(count, len(held.quarantined))}."
    )
    rows(
        held.quarantined,
        {
            "refused_at": "refused",
            "source": "source",
            "item": "item",
            "reason": "reason",
            "row_json": "row as it came",
        },
        "Rows in quarantine, newest first",
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _latest(count: int, shown: int) -> str:
    return f"; the latest {shown:,} are shown" if shown < count else ""


def downloads_part(held: Holdings) -> None:
    """Every table as CSV and Parquet; the files are written when asked for."""
    st.header("Download the data", anchor="downloads")
    st.markdown(
        "Each file is written from the published state when you ask for it. The addresses stay the same, so a "
        "notebook can read them: `pandas.read_parquet`, DuckDB’s `read_parquet`, `read.csv`."
    )
    base = base_path()
    lines = [
        f"| {what} (`{name}`) | {held.sizes[name]:,} | [CSV]({base}/table/{name}.csv) · "
        f"[Parquet]({base}/table/{name}.parquet) |"
        for name, what in TABLE_WORDS.items()
    ]
    st.markdown("\n".join(["| Table | Rows | Files |", "| :-- | --: | :-- |", *lines]))


def rules_part(held: Holdings) -> None:
    """Who belongs to the AI companies and since when, as `companies.toml` says it."""
    if held.rules:
        st.header("Who counts as an AI company", anchor="rule")
        for text in held.rules.values():
            st.markdown(plain(text))


def terms_part() -> None:
    """Where the figures come from and what may be done with them."""
    st.header("Sources and terms", anchor="sources")
    for what, terms in SOURCES:
        st.markdown(f"**{plain(what)}.** {plain(terms)}")


state = require_state()
held = holdings(state, run_history_version())
st.title(plain(title(held)), anchor=False)
st.html(markup.figures(figures(held, price_freshness(state))))
refresh_part()
try:
    chart = coverage(state, theme())
    show(chart, citation(state, chart, Request(theme=theme())), first=True)
except NothingToShow as nothing:
    say_nothing(nothing)
rules_part(held)
downloads_part(held)
st.caption(plain(computed_line(state)))
st.caption(plain(within_words(held)))
runs_part(held)
revisions_part(held)
refused_part(held)
terms_part()
