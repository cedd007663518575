"""What refreshes noticed by themselves, out of the warehouse."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

import duckdb
import pandas as pd


def signals(con: duckdb.DuckDBPyConnection, most: int = 200) -> pd.DataFrame:
    """The signals that hold, the newest first, at most `most`.

    Columns: signal_id, kind ("move", "record", "rank" or "coincidence"), session (datetime64), subject, name,
    direction ("up" or "down"), measure, size (fraction, US dollars or rank), unusual (share of the earlier days),
    earlier (how many those were), place (in the record book), title, detail, first_seen and updated (UTC), event
    (titles of the events of that session, "" where none is on record).
    """
    return con.execute(
        """
        SELECT signal_id, kind, session, subject, name, direction, measure, size, unusual, earlier, place, title,
            detail, first_seen, coalesce(corrected_at, first_seen) AS updated,
            coalesce((SELECT string_agg(event.title, '; ' ORDER BY event_id) FROM event
                WHERE market_session = session AND event.kind <> 'confounder'), '') AS event
        FROM signal WHERE withdrawn_at IS NULL
        ORDER BY session DESC, place NULLS LAST, unusual NULLS LAST, signal_id LIMIT $most
        """,
        {"most": most},
    ).df()


def signal_after(con: duckdb.DuckDBPyConnection, session: date) -> tuple[str, str] | None:
    """Identity and title of the newest signal of a later session than `session`, or None."""
    found = con.execute(
        """
        SELECT signal_id, title FROM signal WHERE withdrawn_at IS NULL AND session > $session
        ORDER BY session DESC, place NULLS LAST, unusual NULLS LAST, signal_id LIMIT 1
        """,
        {"session": session},
    ).fetchall()
    return found[0] if found else None


def signals_computed(con: duckdb.DuckDBPyConnection) -> tuple[datetime, date, float] | None:
    """When the signals were last computed (UTC), to which session, and for how many a year; None where never."""
    found = con.execute("SELECT computed_at, through, alarms FROM signal_run").fetchall()
    return found[0] if found else None


RECENT = timedelta(days=7)


def newest_versions(
    con: duckdb.DuckDBPyConnection, today: date, held: Collection[str]
) -> list[dict[str, str]]:
    """The present version of each signal of the last seven days, oldest first, and of those that are in `held`.

    Days are counted back from `today`, or from the newest prices where these are later. Keys: signal_id, kind,
    subject, session, title, detail, status ("new", "corrected" or "withdrawn"), version, which changes with each
    correction, and bars: until when bars within its session are held, "" where there are none. A withdrawn signal is
    told only where it is held.
    """
    rows = con.execute(
        """
        SELECT signal_id, kind, subject, strftime(session, '%Y-%m-%d'), title, detail,
            CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN corrected_at IS NOT NULL THEN 'corrected'
                ELSE 'new' END AS status,
            strftime(coalesce(withdrawn_at, corrected_at, first_seen), '%Y-%m-%dT%H:%M:%S.%fZ'),
            coalesce((SELECT strftime(max(local_time), '%H:%M') FROM price_intraday AS bar
                WHERE bar.session = signal.session), '')
        FROM signal
        WHERE list_contains($held::VARCHAR[], signal_id) OR (withdrawn_at IS NULL
            AND session >= greatest($today, (SELECT max(date) FROM price_daily)) - $days::INTEGER)
        ORDER BY session, signal_id
        """,
        {"held": list(held), "today": today, "days": RECENT.days},
    ).fetchall()
    names = ("signal_id", "kind", "subject", "session", "title", "detail", "status", "version", "bars")
    return [dict(zip(names, row, strict=True)) for row in rows]
