"""Apps that enter the first ten of a followed chart, take no. 1 or lose it, in measured captures alone."""

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

TOP = 10
QUIET_DAYS = 30
RHYTHM_HOURS = 36


@dataclass(frozen=True)
class Step:
    """What an app did in the charts of a store on one day (UTC), and in which countries."""

    day: date
    store: str
    chart: str
    app: str
    name: str
    what: str
    rank: int
    before: int | None
    countries: tuple[str, ...]
    captured_at: datetime


def steps(con: duckdb.DuckDBPyConnection, since: date) -> list[Step]:
    """The steps of the days from `since` on: "takes no. 1", "loses no. 1" or "enters the top ten".

    Each is between two captures of one chart at most 36 hours apart. An app enters the top ten where no capture of
    the 30 days before held it there and the chart has been captured for as long.
    """
    rows = con.execute(
        f"""
        WITH captures AS (
            SELECT DISTINCT store, country, chart, device, captured_at, source_url FROM ranking_capture
            WHERE evidence = 'measured' AND depth >= {TOP}
            QUALIFY row_number() OVER (
                PARTITION BY store, country, chart, device, captured_at ORDER BY depth DESC, source_url) = 1
        ), numbered AS (
            SELECT *, lag(captured_at) OVER in_time AS before, min(captured_at) OVER in_time AS opened
            FROM captures WINDOW in_time AS (PARTITION BY store, country, chart, device ORDER BY captured_at)
        ), ranked AS (
            SELECT numbered.* EXCLUDE (source_url), coalesce(app_id, app_name) AS app, app_name, rank
            FROM numbered JOIN app_ranking AS rows USING (store, country, chart, device, captured_at, source_url)
            WHERE rows.evidence = 'measured' AND rank <= {TOP}
        ), compared AS (
            SELECT now.*, prior.rank AS rank_before,
                EXISTS (FROM ranked AS old WHERE old.store = now.store AND old.country = now.country
                    AND old.chart = now.chart AND old.device = now.device AND old.app = now.app
                    AND old.captured_at < now.captured_at
                    AND old.captured_at >= now.captured_at - INTERVAL {QUIET_DAYS} DAY) AS seen
            FROM ranked AS now LEFT JOIN ranked AS prior ON prior.store = now.store AND prior.country = now.country
                AND prior.chart = now.chart AND prior.device = now.device AND prior.app = now.app
                AND prior.captured_at = now.before
            WHERE now.before >= now.captured_at - INTERVAL {RHYTHM_HOURS} HOUR
        ), told AS (
            SELECT *, 'takes no. 1' AS what FROM compared WHERE rank = 1 AND rank_before IS DISTINCT FROM 1
            UNION ALL SELECT *, 'loses no. 1' FROM compared WHERE rank_before = 1 AND rank <> 1
            UNION ALL SELECT *, 'enters the top ten' FROM compared
            WHERE NOT seen AND rank > 1 AND opened <= captured_at - INTERVAL {QUIET_DAYS} DAY
        )
        SELECT CAST(captured_at AS DATE) AS day, store, chart, app, arg_min(app_name, captured_at), what, min(rank),
            min(rank_before), list_sort(list_distinct(list(country))), min(captured_at)
        FROM told WHERE CAST(captured_at AS DATE) >= $since GROUP BY day, store, chart, app, what
        ORDER BY day, store, chart, what, app
        """,  # noqa: S608
        {"since": since},
    ).fetchall()
    return [
        Step(day, store, chart, app, name, what, rank, before, tuple(countries), captured_at)
        for day, store, chart, app, name, what, rank, before, countries, captured_at in rows
    ]
