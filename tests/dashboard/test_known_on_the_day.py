"""No count, rate, membership or event from after a day enters the figures of that day."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from dashboard.analysis.losses import session_changes
from dashboard.data import market
from dashboard.data.study_inputs import index_parts, load_study_inputs
from tests.conftest import SOAK

Con = duckdb.DuckDBPyConnection
FIGURES = ["change", "value_before", "value_change", "shares_as_of", "rate", "is_ai"]
SESSIONS = [day.date() for day in pd.bdate_range("2021-11-01", "2026-09-15")]
CHOSEN = np.random.default_rng(20250127).choice(len(SESSIONS), 300 if SOAK else 5, replace=False)
DAYS = [SESSIONS[number] for number in CHOSEN]
SPECIAL = [date(2024, 6, 7), date(2024, 6, 10), date(2025, 2, 26), date(2025, 12, 17), date(2026, 6, 11)]
"""Around the splits of NVIDIA, ServiceNow and KLA, and a day on which NVIDIA filed a count."""

KNOWN_BY = {
    "shares_outstanding": "coalesce(filed, date) <= $day",
    "split": "date <= $day",
    "exchange_rate": "date <= $day",
    "event": "occurred_at::DATE <= $day",
    "company": "true",
}


@pytest.fixture(scope="module")
def con(bundled_database: Path) -> Iterator[Con]:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{bundled_database.resolve()}' AS whole (READ_ONLY)")
        connection.execute("USE whole")
        yield connection


def as_known_on(con: Con, day: date) -> Con:
    """The warehouse as somebody could have filled it on a day: later rows are gone and later splits undone."""
    then = con.cursor()
    then.execute("ATTACH ':memory:' AS known")
    for table, known in KNOWN_BY.items():
        then.execute(
            f"CREATE OR REPLACE TABLE known.{table} AS FROM whole.{table} WHERE {known}",
            {"day": day} if "$day" in known else None,
        )
    then.execute(
        """
        CREATE OR REPLACE TABLE known.price_daily AS
        SELECT p.* REPLACE (close * coalesce(ratio, 1) AS close, adj_close * coalesce(ratio, 1) AS adj_close)
        FROM whole.price_daily AS p LEFT JOIN (
            SELECT ticker, product(ratio) AS ratio FROM whole.split WHERE date > $day GROUP BY ticker
        ) USING (ticker) WHERE p.date <= $day
        """,
        {"day": day},
    )
    then.execute("USE known")
    return then


@pytest.fixture(scope="module", params=[*SPECIAL, *DAYS], ids=str)
def both(request: pytest.FixtureRequest, con: Con) -> Iterator[tuple[date, Con, Con]]:
    then = as_known_on(con, request.param)
    yield request.param, con, then
    then.execute("USE whole")
    then.execute("DETACH known")
    then.close()


def test_a_days_figures_need_nothing_that_was_not_known_on_it(both: tuple[date, Con, Con]) -> None:
    day, now, then = both
    start = day - timedelta(days=400)
    seen = [
        market.value_moves(one, start, day).set_index(["ticker", "date"])[FIGURES].sort_index()
        for one in (now, then)
    ]
    pd.testing.assert_frame_equal(*seen, rtol=1e-9)
    largest = [market.value_moves(one, end=day)["value_change"].nsmallest(10).tolist() for one in (now, then)]
    assert largest[0] == pytest.approx(largest[1], rel=1e-9)


def test_the_share_counts_of_a_day_were_known_on_it(both: tuple[date, Con, Con]) -> None:
    day, now, then = both
    known = then.execute("SELECT ticker, date, coalesce(filed, date) FROM shares_outstanding").fetchall()
    for row in market.value_moves(now, day, day).dropna(subset=["shares_as_of"]).itertuples():
        filed = [
            filed
            for ticker, as_of, filed in known
            if (ticker, as_of) == (row.ticker, row.shares_as_of.date())
        ]
        assert filed
        assert min(filed) <= day


def test_the_changes_of_a_session_are_those_of_that_day(both: tuple[date, Con, Con]) -> None:
    day, now, then = both
    seen = []
    for one in (now, then):
        companies = market.companies(one, on=day)
        prices = market.daily_prices(one, day - timedelta(days=14), day)
        sessions = pd.Series(pd.Timestamp(day), index=companies["ticker"])
        moves = market.value_moves(one, day, day)
        seen.append(session_changes(prices, companies, moves, sessions)["value_change"].tolist())
    assert seen[0] == pytest.approx(seen[1], rel=1e-9, nan_ok=True)


def test_the_ai_companies_of_a_day_are_those_that_were_ai_and_had_a_price(
    both: tuple[date, Con, Con],
) -> None:
    day, now, _ = both
    later = now.execute(
        "SELECT ticker FROM company WHERE ai_from > $day OR history_from > $day", {"day": day}
    ).fetchall()
    listed_later = now.execute(
        "SELECT ticker FROM price_daily GROUP BY ticker HAVING min(date) > $day", {"day": day}
    ).fetchall()
    moves = market.value_moves(now, day, day)
    of_the_day = set(moves.loc[moves["is_ai"], "ticker"])
    assert not of_the_day & {ticker for (ticker,) in [*later, *listed_later]}
    studied = load_study_inputs(now, on=day).prices
    not_yet = {t for (t,) in now.execute("SELECT ticker FROM company WHERE ai_from > ?", [day]).fetchall()}
    assert not set(studied.columns) & not_yet


@pytest.mark.parametrize(
    ("day", "close_before", "trillion", "points"),
    [
        (date(2025, 1, 27), 6101.24, 51.86, 5881.63),
        (date(2025, 1, 8), 5909.03, 50.57, 5762.48),  # the figure of December came on the 10th
    ],
)
def test_the_worth_of_the_index_is_of_the_close_before_by_the_figure_that_was_known(
    con: Con, day: date, close_before: float, trillion: float, points: float
) -> None:
    worth, parts = index_parts(con, day)
    assert worth[pd.Timestamp(day)] == pytest.approx(close_before * trillion * 1e12 / points, rel=2e-6)
    inside = parts[parts["date"] == pd.Timestamp(day)]
    assert "NVDA" in set(inside["ticker"])
    assert not {"TSM", "SNDK", "CRWV", "QQQ"} & set(inside["ticker"])
