"""Nothing from after a day enters its figures: the warehouse cut off after the day gives the same ones."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from dashboard.data.study_inputs import NEW_YORK
from dashboard.views.league import League, read_league
from tests.conftest import SOAK, Tell

DAYS = 16 if SOAK else 2
OF_THE_DAY = [
    *(
        "title",
        "kind",
        "session",
        "mean_change",
        "companies",
        "abnormal",
        "firms",
        "lost",
        "gained",
        "value_change",
    ),
    *("valued", "lead", "lead_name", "lead_change", "ordinary_days", "as_large", "share", "t", "p"),
]
CUT = (
    ("price_daily", "date"),
    ("dividend", "ex_date"),
    ("exchange_rate", "date"),
    ("shares_outstanding", "coalesce(filed, date)"),
    ("event", "market_session"),
    ("day_note", "date"),
    ("company", "coalesce(ai_from, DATE '2000-01-01')"),
)
ABROAD = {
    "price_daily": f"ticker IN (SELECT ticker FROM company WHERE exchange NOT IN {NEW_YORK})",
    "exchange_rate": "currency <> 'USD'",
}


@pytest.fixture(scope="module")
def whole(bundled_database: Path) -> League:
    with duckdb.connect(str(bundled_database.resolve()), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        return read_league(con)


def cut_after(day: date, bundled: Path, folder: Path) -> League:
    """The league of a warehouse that knows nothing from after a day.

    Prices and rates abroad are kept for the days in which exchanges there answer what happened on the day.
    """
    path = folder / f"{day}.duckdb"
    shutil.copyfile(bundled.resolve(), path)
    with duckdb.connect(str(path)) as con:
        con.execute("SET TimeZone = 'UTC'")
        for table, column in CUT:
            kept = f"AND NOT ({ABROAD[table]} AND date <= DATE '{day}' + 9)" if table in ABROAD else ""
            con.execute(f"DELETE FROM {table} WHERE {column} > DATE '{day}' {kept}")
        return read_league(con)


def random_days(whole: League) -> list[date]:
    """Sessions of events, each time the same: an event on the day itself is the one that could look ahead."""
    rng = np.random.default_rng(20250127)
    sessions = whole.table.loc[whole.table["p"].notna(), "session"].unique()
    return [pd.Timestamp(session).date() for session in rng.choice(sessions, size=DAYS, replace=False)]


def test_the_figures_of_a_day_are_those_of_a_warehouse_that_ends_with_it(
    whole: League, bundled_database: Path, tmp_path: Path, tell: Tell
) -> None:
    for day in random_days(whole):
        ended = cut_after(day, bundled_database, tmp_path)
        expected = whole.table[whole.table["session"] <= pd.Timestamp(day)]
        assert ended.table.index.tolist() == expected.index.tolist()
        pd.testing.assert_frame_equal(
            ended.table[OF_THE_DAY], expected[OF_THE_DAY], check_exact=False, rtol=1e-9, atol=1e-12
        )
        days = whole.days[whole.days["date"] <= pd.Timestamp(day)][
            ["date", "change", "companies", "abnormal"]
        ]
        pd.testing.assert_frame_equal(
            ended.days[days.columns], days, check_exact=False, rtol=1e-9, atol=1e-12
        )
    tell("warehouses cut off after a day", DAYS, 0)
