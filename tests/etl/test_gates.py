"""Each gate refuses a row that no other does, so that none can be switched off without a test that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from math import inf, nan
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from etl.quality import GATES, Screen, gates
from etl.quality.screen import ALONE
from etl.sources import SOURCES
from etl.warehouse.merge import Merge
from etl.warehouse.migrate import migrate
from tests.etl.within_day import WITHIN_CASES, WITHIN_EDGES, asked, within

NOW = pd.Timestamp("2025-03-20 23:00", tz="UTC")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse in memory that knows AMD and NVDA, with a few closes, counts and rates."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    migrate(con, constraints=True)
    companies = [
        {
            "ticker": ticker,
            "name": ticker,
            "segment": "s",
            "exchange": "XNAS",
            "currency": "USD",
            "role": "AI",
        }
        for ticker in ("AMD", "NVDA")
    ]
    listed = pd.DataFrame(companies).assign(is_benchmark=False, bundled=False)
    listed["history_from"] = [None, "2025-03-03"]
    Merge(con, "earlier").rows("company", listed)
    days = pd.to_datetime(["2025-03-06", "2025-03-07", "2025-03-10", "2025-03-12", "2025-03-13"])
    Merge(con, "earlier").rows("price_daily", pd.DataFrame([bar(date=day) for day in days]))
    counts = [count(date=day) for day in ("2024-02-01", "2024-05-01")]
    Merge(con, "earlier").rows("shares_outstanding", pd.DataFrame(counts))
    Merge(con, "earlier").rows(
        "exchange_rate", pd.DataFrame([rate(date=day) for day in ("2025-03-03", "2025-03-04")])
    )
    yield con
    con.close()


@pytest.fixture
def con(warehouse: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same for each test: what it does to the tables is taken back."""
    warehouse.begin()
    yield warehouse
    warehouse.rollback()


def bar(**values: Any) -> Row:
    usual = {"open": 100.0, "high": 102.0, "low": 98.0, "close": 101.0, "adj_close": 101.0, "volume": 1000}
    return {"ticker": "AMD", "date": "2025-03-11", **usual, "currency": "USD", "source": "yahoo"} | values


def dividend(**values: Any) -> Row:
    return {
        "ticker": "AMD",
        "ex_date": "2025-03-12",
        "amount": 1.0,
        "currency": "USD",
        "source": "yahoo",
    } | values


def split(**values: Any) -> Row:
    return {"ticker": "AMD", "date": "2025-03-11", "ratio": 2.0, "source": "yahoo"} | values


def count(**values: Any) -> Row:
    return {"ticker": "AMD", "date": "2025-03-11", "shares": 1_000_000, "source": "yahoo-shares"} | values


def rate(**values: Any) -> Row:
    return {"currency": "KRW", "date": "2025-03-11", "usd_per_unit": 0.0007, "source": "yahoo-rates"} | values


def factor(**values: Any) -> Row:
    usual = {
        "mkt_rf": 0.01,
        "smb": 0.001,
        "hml": 0.001,
        "rmw": 0.001,
        "cma": 0.001,
        "umd": 0.001,
        "rf": 0.0001,
    }
    return {"date": "2025-03-11", **usual, "source": "french"} | values


def capture(**values: Any) -> Row:
    chart = {
        "store": "apple",
        "country": "us",
        "chart": "top-free",
        "device": "iphone",
        "evidence": "measured",
    }
    return {
        "captured_at": "2025-03-11 12:00:00+00",
        **chart,
        "source_url": "",
        "depth": 100,
        "source": "x",
    } | values


def place(**values: Any) -> Row:
    app = {"rank": 1, "app_id": "1", "app_name": "A", "publisher": "P"}
    return {name: value for name, value in capture().items() if name != "depth"} | app | values


GOOD = {
    "price_daily": bar,
    "price_intraday": within,
    "intraday_asked": asked,
    "dividend": dividend,
    "split": split,
    "shares_outstanding": count,
    "exchange_rate": rate,
    "factor_daily": factor,
    "ranking_capture": capture,
    "app_ranking": place,
}
AHEAD = str((NOW + timedelta(days=3)).date())
LATER = str(datetime.now() + timedelta(hours=3))
NO_DAY = "XNAS held no such session"

CASES: dict[str, list[tuple[str, Row | list[Row]]]] = {
    "price_daily": [
        ("no company of that ticker", bar(ticker="WHO")),
        ("no date", bar(date="soon")),
        ("no close", bar(close=None)),
        ("the close is not positive", bar(close=-1.0, low=None)),
        ("the adjusted close is missing or not positive", bar(adj_close=0.0)),
        ("no number: volume 12.5K", bar(volume="12.5K")),
        ("the open, high or low is not a finite number", bar(open=inf, high=None, low=None)),
        ("a price is not positive", bar(open=-1.0, high=None, low=None)),
        ("the high is below the low", bar(high=100.0, low=100.005, close=100.0)),
        ("the close is outside the range of its session", bar(close=107.2)),
        ("the open is outside the range of its session", bar(open=10_000.0)),
        ("the high or the low is over 3 times off open and close", bar(high=10_200.0)),
        ("the volume is negative", bar(volume=-5)),
        ("the volume is over a million million shares", bar(volume=10**15)),
        (
            "from before the company's own history, 2025-03-03",
            bar(ticker="NVDA", date="2025-02-28"),
        ),
        ("the currency is EUR, not USD", bar(currency="EUR")),
        ("the session has not closed yet", bar(date="2025-03-21")),
        (NO_DAY, bar(date="2025-03-09")),
        (NO_DAY, bar(date="1970-01-01")),
        ("a second bar of its session", [bar(), bar()]),
    ],
    **WITHIN_CASES,
    "dividend": [
        ("no company of that ticker", dividend(ticker="WHO")),
        ("no ex-date", dividend(ex_date=None)),
        ("the dividend is not positive", dividend(amount=-0.5)),
        ("a dividend in JPY, not USD", dividend(currency="JPY")),
        ("the dividend is not less than the close before it", dividend(ex_date="2025-03-14", amount=101.0)),
        ("the close did not fall by so large a dividend", dividend(amount=25.0)),
        ("a second dividend of its day", [dividend(), dividend()]),
    ],
    "split": [
        ("no company of that ticker", split(ticker="WHO")),
        ("no date", split(date=None)),
        ("the ratio of the split is not positive", split(ratio=0.0)),
        ("it lies in the future", split(date=AHEAD)),
        ("a second split of its day", [split(), split()]),
    ],
    "shares_outstanding": [
        ("no date", count(date=None)),
        ("the share count is not positive", count(shares=-1, ticker="NVDA")),
        ("it lies in the future", count(date=AHEAD)),
        ("the share count is over 100 times off the others", count(shares=1_000)),
        ("a second count of its day", [count(), count()]),
    ],
    "exchange_rate": [
        ("no date", rate(date=None)),
        ("the rate is not positive", rate(usd_per_unit=-1.0, currency="TWD")),
        ("it lies in the future", rate(date=AHEAD)),
        ("the rate is over 3 times off the others", rate(usd_per_unit=1400.0)),
        ("a second rate of its day", [rate(), rate()]),
    ],
    "factor_daily": [
        ("no date", factor(date=None)),
        ("a factor or the risk-free rate is missing", factor(rf=None)),
        ("it lies in the future", factor(date=AHEAD)),
        ("a factor is not a finite number", factor(umd=inf)),
        ("the market moved by over 40% in a day: is it in per cent?", factor(mkt_rf=1.2)),
        ("a second row of its day", [factor(), factor()]),
    ],
    "ranking_capture": [
        ("no time of capture", capture(captured_at="then")),
        ("captured in the future", capture(captured_at=LATER)),
        ("no number: depth many", capture(depth="many")),
    ],
    "app_ranking": [
        ("no time of capture", place(captured_at=None)),
        ("captured in the future", place(captured_at=LATER)),
        ("no rank", place(rank=None)),
        ("the rank is not a whole number", place(rank=1.5)),
        ("the rank is outside 1 to 100", place(rank=101)),
        ("an app without an id", place(app_id=None)),
        ("an app without a name", place(app_name=None)),
        ("a second app of its rank", [place(), place(app_id="2")]),
        ("the app is in the chart twice", [place(), place(rank=2)]),
    ],
}
"""For each gate, in their order, the reason and what it refuses: a row, or the second of two."""
EACH = [(name, number) for name, cases in CASES.items() for number in range(len(cases))]


def judged(con: duckdb.DuckDBPyConnection, name: str, *rows: Row) -> dict[int, str]:
    """The reasons by the place of the row, from 1."""
    screen = Screen(con, "run", "test", NOW)
    if name == "app_ranking":
        screen.judge("ranking_capture", pd.DataFrame([capture()]))
    frame = pd.DataFrame(rows, dtype=object)
    screen.judge(name, pa.table({column: pa.array(frame[column].tolist()) for column in frame}))  # keeps NaN
    return dict(con.execute(f"SELECT position, reason FROM bad_{name}").fetchall())


def test_every_gate_has_a_case() -> None:
    assert {name: len(found) for name, found in GATES.items()} == {name: len(c) for name, c in CASES.items()}
    filled = set()
    for load in SOURCES.values():
        with closing(load()) as source:
            filled |= set(source.tables)
    assert filled == set(GATES)


@pytest.mark.parametrize("name", GATES)
def test_a_good_row_passes_every_gate(con, name):
    assert judged(con, name, GOOD[name]()) == {}


@pytest.mark.parametrize(("name", "number"), EACH)
def test_a_gate_refuses_what_no_other_does(con, name, number, monkeypatch):
    reason, found = CASES[name][number]
    rows = found if isinstance(found, list) else [found]
    assert judged(con, name, *rows) == {len(rows): reason}
    others = GATES[name][:number] + GATES[name][number + 1 :]
    monkeypatch.setitem(GATES, name, others)
    assert judged(con, name, *rows) == {}


NUMBERS = [
    (name, column)
    for name, row in GOOD.items()
    for column, value in row().items()
    if isinstance(value, int | float)
]


@pytest.mark.parametrize(("name", "column"), NUMBERS)
@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_no_number_of_any_table_may_be_nan_or_infinite(con, name, column, value):
    assert list(judged(con, name, GOOD[name](**{column: value}))) == [1]


@pytest.mark.parametrize("currency", [None, "", " "])
def test_an_empty_currency_is_refused(con, currency):
    assert judged(con, "price_daily", bar(currency=currency)) == {1: "the currency is no currency, not USD"}
    assert judged(con, "dividend", dividend(currency=currency)) == {1: "a dividend in no currency, not USD"}


def test_what_a_reader_of_files_could_not_read_is_the_reason(con):
    assert judged(con, "price_daily", bar(fault="no date: 'soon'", date=None)) == {1: "no date: 'soon'"}


EDGES: list[tuple[str, Row, Row]] = [
    ("price_daily", bar(close=102.0 * 1.00009), bar(close=102.0 * 1.0002)),
    ("price_daily", bar(close=98.0 / 1.00009), bar(close=98.0 / 1.0002)),
    ("price_daily", bar(date="2025-03-20"), bar(date="2025-03-21")),
    ("price_daily", bar(date="1999-03-11"), bar(date="1999-03-13")),
    ("price_daily", bar(date="1900-03-12"), bar(date="1899-03-13")),
    ("price_daily", bar(volume=0), bar(volume=-1)),
    ("price_daily", bar(volume=10**12), bar(volume=10**12 + 1)),
    ("price_daily", bar(open=103.0), bar(open=103.1)),
    ("price_daily", bar(open=97.1), bar(open=97.0)),
    ("price_daily", bar(high=303.0), bar(high=303.1)),
    ("price_daily", bar(low=33.4), bar(low=33.3)),
    ("price_daily", bar(ticker="NVDA", date="2025-03-03"), bar(ticker="NVDA", date="2025-02-28")),
    *WITHIN_EDGES,
    ("dividend", dividend(amount=20.0), dividend(amount=21.0)),
    ("split", split(date="2025-03-21"), split(date="2025-03-22")),
    ("shares_outstanding", count(shares=10_100), count(shares=9_900)),
    ("shares_outstanding", count(shares=99_000_000), count(shares=101_000_000)),
    ("exchange_rate", rate(usd_per_unit=0.00205), rate(usd_per_unit=0.00215)),
    ("exchange_rate", rate(usd_per_unit=0.00024), rate(usd_per_unit=0.00023)),
    ("factor_daily", factor(mkt_rf=-0.39), factor(mkt_rf=-0.41)),
    ("app_ranking", place(rank=100), place(rank=101)),
    ("app_ranking", place(rank=1), place(rank=0)),
    (
        "ranking_capture",
        capture(captured_at=datetime.now() + timedelta(minutes=50)),
        capture(captured_at=LATER),
    ),
]


@pytest.mark.parametrize(("name", "inside", "outside"), EDGES)
def test_a_bound_lies_where_it_is_said_to(con, name, inside, outside):
    assert judged(con, name, inside) == {}
    assert list(judged(con, name, outside)) == [1]


def test_a_close_before_that_arrives_counts_more_than_the_stored_one(con):
    """The bars of the same answer say what a dividend is a share of."""
    screen = Screen(con, "run", "test", NOW)
    screen.judge(
        "price_daily", pd.DataFrame([bar(close=100.9), bar(date="2025-03-12", close=77.0, low=76.0)])
    )
    screen.judge("dividend", pd.DataFrame([dividend(amount=24.0)]))
    assert con.execute("FROM bad_dividend").fetchall() == []


def items_refused(con: duckdb.DuckDBPyConnection, name: str, rows: list[Row]) -> list[str]:
    screen = Screen(con, "run", "test", NOW)
    screen.judge(name, pd.DataFrame(rows))
    return screen.mostly_bad(name)


DAYS = ["2025-03-06", "2025-03-07", "2025-03-10", "2025-03-11"]


def days(ticker: str, bad: int) -> list[Row]:
    spoiled = {"close": -1.0}
    return [bar(ticker=ticker, date=day, **(spoiled if one < bad else {})) for one, day in enumerate(DAYS)]


def test_a_ticker_of_which_more_than_half_is_bad_is_refused_whole(con):
    assert items_refused(con, "price_daily", days("AMD", 2)) == []
    assert items_refused(con, "price_daily", days("AMD", 3)) == ["AMD"]
    assert items_refused(con, "price_daily", days("AMD", 3) + days("NVDA", 1)) == ["AMD"]


def test_a_batch_of_which_more_than_half_is_bad_is_refused_whole(con):
    assert items_refused(con, "price_daily", days("AMD", 4) + days("NVDA", 1)) == ["AMD", "NVDA"]
    assert items_refused(con, "price_daily", days("AMD", 4) + days("NVDA", 0)[:1]) == ["AMD"]


@pytest.mark.parametrize("name", ALONE)
def test_a_bad_split_or_dividend_refuses_nothing_but_itself(con, name):
    bad = {"amount": -1.0} if name == "dividend" else {"ratio": -1.0}
    assert items_refused(con, name, [GOOD[name](**bad)]) == []


def test_an_item_refused_whole_keeps_none_of_its_rows(con):
    screen = Screen(con, "run", "test", NOW)
    screen.expect([("AMD", date(2025, 1, 2), date(2025, 3, 20))])
    screen.judge("price_daily", pd.DataFrame(days("AMD", 3) + days("NVDA", 0)))
    screen.judge("split", pd.DataFrame([split()]))
    for name in ("split", "price_daily"):
        screen.refuse_items(name, ["AMD"])
    assert {row[0] for row in con.execute(f"SELECT ticker FROM {screen.good('price_daily')}").fetchall()} == {
        "NVDA"
    }
    assert con.execute(f"FROM {screen.good('split')}").fetchall() == []
    assert con.execute("FROM asked").fetchall() == []


def test_a_firm_gate_is_one_that_nobody_can_make_an_exception_of(con):
    """The other reasons are judgements, which an operator may overrule."""
    needed = {name: [gate.reason for gate in found if gate.firm] for name, found in gates.GATES.items()}
    assert all(needed.values())
    assert "'no close'" in needed["price_daily"]
    assert "'the close is outside the range of its session'" not in needed["price_daily"]


def test_rows_that_an_operator_dropped_do_not_count_against_the_rest(con):
    for day in DAYS[:3]:
        con.execute(
            "INSERT INTO quarantine_decision (table_name, key, figure, verdict, decided_at) "
            "VALUES ('price_daily', ?, -1.0, 'dropped', now())",
            [f"AMD {day}"],
        )
    assert items_refused(con, "price_daily", days("AMD", 3)) == []
    assert con.execute("SELECT DISTINCT reason FROM bad_price_daily").fetchall() == [
        ("dropped by an operator",)
    ]
