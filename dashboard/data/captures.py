"""Ranks with the capture or the report that each comes from; what is not in a chart is told from what was not fetched.

A measured capture holds a chart down to its depth: an app that is missing there was not that high; it may stand lower.
Between captures nothing is known. Captures follow each other in rhythm when they are at most 36 hours apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import pandas as pd

RHYTHM_HOURS = 36
MOST_APPS = 1000


@dataclass(frozen=True)
class Ranking:
    """A chart of a store in a country, such as Apple's top free iPhone apps in the US."""

    store: str = "apple"
    country: str = "us"
    chart: str = "top-free"
    device: str = "iphone"

    def parameters(self) -> dict[str, str]:
        """As the parameters of a query."""
        return {"store": self.store, "country": self.country, "chart": self.chart, "device": self.device}


TIME_KNOWN = "coalesce(time_known, evidence = 'measured' OR captured_at <> date_trunc('day', captured_at))"
"""Whether a rank has an hour: where nothing is said of it, a report at midnight UTC gives only its day."""
_SAME_CHART = "store = $store AND country = $country AND chart = $chart AND device = $device"
_BETWEEN = "CAST(captured_at AS DATE) BETWEEN $start AND $end"

# One capture a moment: the deepest where several sources captured the chart at once.
_CAPTURES = f"""
    captures AS (
        SELECT captured_at, depth, source, source_url, time_known FROM (
            SELECT captured_at, depth, source, source_url, {TIME_KNOWN} AS time_known FROM ranking_capture
            WHERE evidence = 'measured' AND {_SAME_CHART} AND {_BETWEEN}
            UNION ALL
            SELECT DISTINCT captured_at, CAST(NULL AS INTEGER), source, source_url, {TIME_KNOWN} FROM app_ranking
            WHERE evidence = 'measured' AND {_SAME_CHART} AND {_BETWEEN}
        )
        QUALIFY row_number() OVER (PARTITION BY captured_at ORDER BY depth DESC NULLS LAST, source_url) = 1
    )"""  # noqa: S608


def rankings(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every chart of which anything is known, one row each, the one with the most captures and reports first.

    Columns: store, country, chart, device, captures (measured), reports, first, last (times, UTC).
    """
    return con.execute(
        """
        SELECT store, country, chart, device,
            count(DISTINCT captured_at) FILTER (evidence = 'measured') AS captures,
            count(*) FILTER (evidence <> 'measured') AS reports,
            min(captured_at) AS first, max(captured_at) AS last
        FROM ranking_capture GROUP BY ALL
        ORDER BY captures DESC, reports DESC, store, country, chart, device
        """
    ).df()


def apps(con: duckdb.DuckDBPyConnection, ranking: Ranking) -> pd.DataFrame:
    """The apps of a chart, those with the best ranks first, at most 1,000.

    Columns: app (its id, or its name where none is known), name (the latest), best (rank), points (count). A report
    without an id belongs to the app of the same name, where one with an id is known.
    """
    return con.execute(
        f"""
        WITH known AS (
            SELECT lower(app_name) AS label, max(app_id) AS app_id FROM app_ranking
            WHERE {_SAME_CHART} AND app_id IS NOT NULL GROUP BY label
        )
        SELECT coalesce(rows.app_id, known.app_id, app_name) AS app, arg_max(app_name, captured_at) AS name,
            min(rank) AS best, count(*) AS points
        FROM (SELECT * FROM app_ranking WHERE {_SAME_CHART}) AS rows LEFT JOIN known ON lower(app_name) = label
        GROUP BY app ORDER BY best, points DESC, app LIMIT {MOST_APPS}
        """,  # noqa: S608
        ranking.parameters(),
    ).df()


_HISTORY = f"""
WITH {_CAPTURES}, chosen AS (
    SELECT unnest($apps::VARCHAR[]) AS app
), labels AS (
    SELECT DISTINCT app, lower(app_name) AS label
    FROM app_ranking JOIN chosen ON app = coalesce(app_id, app_name)
    WHERE {_SAME_CHART}
), points AS (
    SELECT chosen.app, rows.* EXCLUDE (app_id, publisher) FROM (
        SELECT * FROM app_ranking WHERE {_SAME_CHART} AND {_BETWEEN}
    ) AS rows JOIN chosen ON rows.app_id = chosen.app OR (rows.app_id IS NULL AND EXISTS (
        FROM labels WHERE labels.app = chosen.app AND label = lower(rows.app_name)))
), best AS (
    SELECT * FROM points WHERE evidence = 'measured'
    QUALIFY row_number() OVER (PARTITION BY app, captured_at, source_url ORDER BY rank) = 1
), measured AS (
    SELECT app, captures.captured_at, captures.depth, captures.source, captures.source_url, captures.time_known,
        best.rank, best.app_name, best.note, best.confidence
    FROM captures CROSS JOIN chosen LEFT JOIN best USING (app, captured_at, source_url)
    WHERE best.rank IS NOT NULL OR (captures.depth IS NOT NULL AND chosen.app IN (
        SELECT app_id FROM app_ranking WHERE evidence = 'measured' AND {_SAME_CHART}))
), steps AS (
    SELECT *, rank IS NULL OR lag(rank) OVER in_time IS NULL
        OR captured_at - lag(captured_at) OVER in_time > to_hours({RHYTHM_HOURS}) AS breaks
    FROM measured WINDOW in_time AS (PARTITION BY app ORDER BY captured_at)
), segments AS (
    SELECT *, CAST(sum(breaks::INTEGER) OVER (PARTITION BY app ORDER BY captured_at) AS INTEGER) AS segment
    FROM steps
), kept AS (
    SELECT * FROM segments QUALIFY NOT $daily OR row_number() OVER (
        PARTITION BY app, CAST(captured_at AS DATE), CASE WHEN rank IS NOT NULL THEN segment END
        ORDER BY captured_at DESC
    ) = 1
)
SELECT * FROM (
    SELECT app, captured_at, time_known, app_name, rank, depth, 'measured' AS evidence, source, source_url,
        coalesce(note, '') AS note, coalesce(confidence, '') AS confidence, segment
    FROM kept
    UNION ALL
    SELECT app, captured_at, {TIME_KNOWN}, app_name, rank, NULL, evidence, source, source_url, coalesce(note, ''),
        coalesce(confidence, ''), NULL
    FROM points WHERE evidence <> 'measured'
)
ORDER BY list_position($apps::VARCHAR[], app), captured_at, evidence, rank
"""  # noqa: S608


def history(
    con: duckdb.DuckDBPyConnection,
    ranking: Ranking,
    chosen: Sequence[str],
    start: date,
    end: date,
    *,
    daily: bool = False,
) -> pd.DataFrame:
    """What is known of the ranks of `chosen` apps between two days inclusive (UTC), in the order of the apps and time.

    Columns: app, captured_at (UTC), time_known (else it gives a day), app_name (missing where the app is), rank
    (missing where a capture down to
    `depth` does not hold the app), depth, evidence, source, source_url, note, confidence (of a report: A, B, C for an
    approximate one, or ""), segment. Measured points of one app
    with the same `segment` follow each other in captures at most 36 hours apart and may be joined; reports have
    none. An app that no capture ever held is not said to be missing from captures: its report may use another name.
    `daily` keeps the last measured point of each day and segment.
    """
    return con.execute(
        _HISTORY,
        {**ranking.parameters(), "apps": list(chosen), "start": start, "end": end, "daily": daily},
    ).df()


def pauses(con: duckdb.DuckDBPyConnection, ranking: Ranking, start: date, end: date) -> pd.DataFrame:
    """The times between two captures of a chart that are more than 36 hours apart: columns since, until (UTC)."""
    return con.execute(
        f"""
        WITH {_CAPTURES}
        SELECT since, until FROM (
            SELECT lag(captured_at) OVER (ORDER BY captured_at) AS since, captured_at AS until FROM captures
        ) WHERE until - since > to_hours({RHYTHM_HOURS}) ORDER BY since
        """,  # noqa: S608
        {**ranking.parameters(), "start": start, "end": end},
    ).df()


def captured(con: duckdb.DuckDBPyConnection, ranking: Ranking, start: date, end: date) -> int:
    """How many measured captures of a chart there are between two days inclusive."""
    rows = con.execute(
        f"WITH {_CAPTURES} SELECT count(*) FROM captures",  # noqa: S608
        {**ranking.parameters(), "start": start, "end": end},
    ).fetchall()
    return int(rows[0][0])


def top(
    con: duckdb.DuckDBPyConnection,
    ranking: Ranking,
    start: date,
    end: date,
    *,
    depth: int = 10,
    step: str = "capture",
) -> pd.DataFrame:
    """The first `depth` apps of each measured capture between two days, fewer where it holds fewer, by app and time.

    `step` is "capture", or "day" or "week" for the last capture of each. Columns: app, app_name, captured_at (UTC),
    rank, depth (of the capture), source, source_url, segment: points of one app with the same segment may be joined,
    since it was in the first `depth` of every capture between them, each at most 36 hours behind the one before.
    """
    return con.execute(
        f"""
        WITH {_CAPTURES}, numbered AS (
            SELECT *, row_number() OVER in_time AS number,
                coalesce(captured_at - lag(captured_at) OVER in_time > to_hours({RHYTHM_HOURS}), false) AS late,
                CASE $step WHEN 'capture' THEN captured_at ELSE date_trunc($part, captured_at) END AS bucket
            FROM captures WHERE depth IS NOT NULL WINDOW in_time AS (ORDER BY captured_at)
        ), runs AS (
            SELECT *, sum(late::INTEGER) OVER (ORDER BY captured_at) AS run,
                row_number() OVER (PARTITION BY bucket ORDER BY captured_at DESC) = 1 AS kept
            FROM numbered
        ), ranked AS (
            SELECT coalesce(app_id, app_name) AS app, app_name, runs.captured_at, runs.time_known, rank, runs.source,
                runs.source_url, depth, number, run, kept
            FROM runs JOIN app_ranking AS rows ON rows.captured_at = runs.captured_at
                AND rows.source_url = runs.source_url
            WHERE evidence = 'measured' AND {_SAME_CHART} AND rank <= least($depth, depth)
        ), islands AS (
            SELECT *, number - row_number() OVER (PARTITION BY app, run ORDER BY number) AS island FROM ranked
        )
        SELECT app, app_name, captured_at, time_known, rank, depth, source, source_url,
            CAST(dense_rank() OVER (ORDER BY run, island) AS INTEGER) AS segment
        FROM islands WHERE kept ORDER BY app, captured_at
        """,  # noqa: S608
        {
            **ranking.parameters(),
            "start": start,
            "end": end,
            "depth": depth,
            "step": step,
            "part": "day" if step == "capture" else step,
        },
    ).df()


def first_at_top(
    con: duckdb.DuckDBPyConnection, store: str, chart: str, device: str, start: date, end: date
) -> pd.DataFrame:
    """When each app is first known as no. 1 of a chart in each country, one row an app, country and evidence.

    Columns: app, name, country, evidence, captured_at (UTC), source, source_url, note, already (measured at no. 1 in
    the country's first capture: it may have been so before).
    """
    return con.execute(
        f"""
        WITH leaders AS (
            SELECT coalesce(app_id, max(app_id) OVER (PARTITION BY lower(app_name)), app_name) AS app, *
                EXCLUDE (app_id)
            FROM app_ranking
            WHERE rank = 1 AND store = $store AND chart = $chart AND device = $device AND {_BETWEEN}
        ), opened AS (
            SELECT country, min(captured_at) AS opened FROM ranking_capture
            WHERE evidence = 'measured' AND store = $store AND chart = $chart AND device = $device AND {_BETWEEN}
            GROUP BY country
        ), named AS (
            SELECT app, arg_max(app_name, captured_at) AS name FROM leaders GROUP BY app
        )
        SELECT app, name, country, evidence, captured_at, {TIME_KNOWN} AS time_known, source, source_url,
            coalesce(note, '') AS note, evidence = 'measured' AND captured_at = opened AS already
        FROM leaders JOIN named USING (app) LEFT JOIN opened USING (country)
        QUALIFY row_number() OVER (PARTITION BY app, country, evidence ORDER BY captured_at, source_url) = 1
        ORDER BY captured_at, country, app, evidence
        """,  # noqa: S608
        {"store": store, "chart": chart, "device": device, "start": start, "end": end},
    ).df()
