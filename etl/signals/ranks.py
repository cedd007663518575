"""Apps that enter the first ten of a followed chart, take no. 1 or lose it, in measured captures alone."""

from dataclasses import dataclass
from datetime import date, datetime

import duckdb

TOP = 10
QUIET_DAYS = 30
RHYTHM_HOURS = 36


@dataclass(frozen=True)
class Step:
    """What an app did in the charts of a store on one day (UTC), and in which countries.

    `rank` is None where the app left the chart, of which the first `depth` were captured.
    """

    day: date
    store: str
    chart: str
    app: str
    name: str
    what: str
    rank: int | None
    depth: int
    before: int | None
    countries: tuple[str, ...]
    captured_at: datetime


_STEPS = f"""
    WITH captures AS (
        SELECT DISTINCT store, country, chart, device, captured_at, depth, source_url FROM ranking_capture
        WHERE evidence = 'measured' AND depth >= {TOP}
        QUALIFY row_number() OVER (
            PARTITION BY store, country, chart, device, captured_at ORDER BY depth DESC, source_url) = 1
    ), numbered AS (
        SELECT *, lag(captured_at) OVER in_time AS before, min(captured_at) OVER in_time AS opened
        FROM captures WINDOW in_time AS (PARTITION BY store, country, chart, device ORDER BY captured_at)
    ), charted AS (
        SELECT numbered.* EXCLUDE (source_url), coalesce(app_id, app_name) AS app, app_name, rank
        FROM numbered JOIN app_ranking AS rows USING (store, country, chart, device, captured_at, source_url)
        WHERE rows.evidence = 'measured'
    ), ranked AS (FROM charted WHERE rank <= {TOP}
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
    ), led AS (
        SELECT now.* EXCLUDE (source_url), prior.app, prior.app_name, own.rank, 1 AS rank_before
        FROM ranked AS prior JOIN numbered AS now ON now.store = prior.store AND now.country = prior.country
            AND now.chart = prior.chart AND now.device = prior.device AND now.before = prior.captured_at
        LEFT JOIN charted AS own ON own.store = now.store AND own.country = now.country AND own.chart = now.chart
            AND own.device = now.device AND own.captured_at = now.captured_at AND own.app = prior.app
        WHERE prior.rank = 1 AND now.before >= now.captured_at - INTERVAL {RHYTHM_HOURS} HOUR
    ), told AS (
        SELECT * EXCLUDE (seen), 'takes no. 1' AS what FROM compared
        WHERE rank = 1 AND rank_before IS DISTINCT FROM 1
        UNION ALL BY NAME SELECT *, 'loses no. 1' AS what FROM led WHERE rank > 1 OR (rank IS NULL
            AND EXISTS (FROM ranked AS first WHERE first.store = led.store AND first.country = led.country
                AND first.chart = led.chart AND first.device = led.device
                AND first.captured_at = led.captured_at AND first.rank = 1))
        UNION ALL BY NAME SELECT * EXCLUDE (seen), 'enters the top ten' AS what FROM compared
        WHERE NOT seen AND rank > 1 AND opened <= captured_at - INTERVAL {QUIET_DAYS} DAY
    )
    SELECT CAST(captured_at AS DATE) AS day, store, chart, app, arg_min(app_name, captured_at), what, min(rank),
        min(depth), min(rank_before), list_sort(list_distinct(list(country))), min(captured_at)
    FROM told WHERE CAST(captured_at AS DATE) >= $since GROUP BY day, store, chart, app, what
    ORDER BY day, store, chart, what, app"""  # noqa: S608


def steps(con: duckdb.DuckDBPyConnection, since: date) -> list[Step]:
    """The steps of the days from `since` on: "takes no. 1", "loses no. 1" or "enters the top ten".

    Each is between two captures of one chart at most 36 hours apart. An app enters the top ten where no capture of
    the 30 days before held it there and the chart has been captured for as long. It loses no. 1 where it stands lower,
    or where it is no longer in the chart and another one leads.
    """
    rows = con.execute(_STEPS, {"since": since}).fetchall()
    return [
        Step(day, store, chart, app, name, what, rank, depth, before, tuple(countries), captured_at)
        for day, store, chart, app, name, what, rank, depth, before, countries, captured_at in rows
    ]
