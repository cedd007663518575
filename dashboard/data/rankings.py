"""App-store ranks: measured (a capture of a chart) and reported (somebody said so)."""

from collections.abc import Sequence
from datetime import date

import duckdb
import pandas as pd

from dashboard.data.captures import TIME_KNOWN


def ranks(
    con: duckdb.DuckDBPyConnection,
    start: date,
    end: date,
    names: Sequence[str],
    store: str = "apple",
    country: str = "us",
    chart: str = "top-free",
) -> pd.DataFrame:
    """Ranks of the apps whose name begins with one of `names`, between two days inclusive (UTC).

    In the order of `names`, then of time. Columns: captured_at (UTC), time_known (else it gives a day), app
    (the entry of `names`), app_name, rank, evidence, source, source_url, note, confidence (of a report: A, B,
    C for an approximate one, or "").
    """
    return con.execute(
        f"""
        SELECT captured_at, {TIME_KNOWN} AS time_known, wanted.app, app_name, rank, evidence, source, source_url,
            coalesce(note, '') AS note, coalesce(confidence, '') AS confidence
        FROM app_ranking
        JOIN (SELECT unnest($names::VARCHAR[]) AS app) AS wanted
            ON starts_with(lower(app_name), lower(wanted.app))
        WHERE store = $store AND country = $country AND chart = $chart
            AND CAST(captured_at AS DATE) BETWEEN $start AND $end
        ORDER BY list_position($names::VARCHAR[], wanted.app), captured_at, rank
        """,  # noqa: S608
        {
            "names": list(names),
            "store": store,
            "country": country,
            "chart": chart,
            "start": start,
            "end": end,
        },
    ).df()


def leaders(con: duckdb.DuckDBPyConnection, start: date, end: date) -> pd.DataFrame:
    """Who was at no. 1 of each chart in the measured captures between two days (UTC), that with the most first.

    Columns: store, country, chart, device, captures, last_at (UTC), last_app (no. 1 at the last capture), others (a
    list of the other apps that were no. 1).
    """
    rows = con.execute(
        """
        SELECT store, country, chart, device, count(DISTINCT captured_at) AS captures, max(captured_at) AS last_at,
            arg_max(app_name, captured_at) AS last_app, list_sort(list(DISTINCT app_name)) AS others
        FROM app_ranking
        WHERE evidence = 'measured' AND rank = 1 AND CAST(captured_at AS DATE) BETWEEN $start AND $end
        GROUP BY store, country, chart, device ORDER BY captures DESC, store, country, chart, device
        """,
        {"start": start, "end": end},
    ).df()
    others = [
        [app for app in apps if app != last]
        for apps, last in zip(rows["others"], rows["last_app"], strict=True)
    ]
    return rows.assign(others=others)
