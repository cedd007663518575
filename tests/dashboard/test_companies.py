"""The companies' charts: each figure equals an independent query over the warehouse."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from dashboard.analysis.periods import period
from dashboard.charts.annotations import with_gaps
from dashboard.charts.comparison import log_ticks
from dashboard.views.companies import CHARTS
from dashboard.views.request import NothingToShow, Request
from etl.warehouse import connect_read_only
from etl.warehouse.files import FileWarehouse
from etl.warehouse.merge import TABLES, Merge

JANUARY, MARCH = date(2025, 1, 2), date(2025, 3, 14)
SESSION = date(2025, 1, 27)


@pytest.fixture(scope="module")
def con(bundled_database):
    with connect_read_only(bundled_database) as opened:
        yield opened


def drawn(con, *tickers, start=JANUARY, end=MARCH, **options):
    asked = Request(tickers=tickers, start=start, end=end, options=tuple(options.items()))
    return CHARTS["companies-compare"](con, asked)


def points(chart, position=0):
    trace = chart.figure.data[position]
    values = pd.Series(np.asarray(trace.y, float), index=[x[:10] for x in trace.x])
    return values.dropna()


def assert_same(found, con, sql, *values):
    wanted = {str(day)[:10]: value for day, value in con.execute(sql, list(values)).fetchall()}
    assert list(found.index) == sorted(wanted)
    np.testing.assert_allclose(found, [wanted[day] for day in found.index], rtol=1e-9, atol=1e-9)


def test_rebased_prices_are_percent_of_the_last_close_before_the_event(con):
    assert_same(
        points(drawn(con, "NVDA")),
        con,
        """
        SELECT date, 100 * adj_close / (SELECT adj_close FROM price_daily WHERE ticker = ? AND date = '2025-01-24')
        FROM price_daily WHERE ticker = ? AND date BETWEEN '2025-01-02' AND '2025-03-14'
        """,
        "NVDA",
        "NVDA",
    )


def test_rebased_prices_can_start_at_100(con):
    found = points(drawn(con, "IBM", base="start"))
    assert found.iloc[0] == pytest.approx(100)


def test_prices_are_the_closes_and_each_currency_has_a_scale_of_its_own(con):
    chart = drawn(con, "NVDA", "005930.KS", measure="price")
    for position, ticker in enumerate(("NVDA", "005930.KS")):
        assert_same(
            points(chart, position),
            con,
            "SELECT date, close FROM price_daily WHERE ticker = ? AND date BETWEEN '2025-01-02' AND '2025-03-14'",
            ticker,
        )
    assert {trace.yaxis for trace in chart.figure.data} == {"y", "y2"}


def test_drawdown_is_the_distance_from_the_highest_close_so_far(con):
    chart = drawn(con, "NVDA", measure="drawdown")
    assert_same(
        points(chart),
        con,
        """
        SELECT date, 100 * (adj_close / (SELECT max(adj_close) FROM price_daily AS other WHERE other.ticker = day.ticker
            AND other.date BETWEEN '2025-01-02' AND day.date) - 1)
        FROM price_daily AS day WHERE ticker = 'NVDA' AND date BETWEEN '2025-01-02' AND '2025-03-14'
        """,
    )
    assert "−28.4%" in chart.title
    assert "10 Mar 2025" in chart.title


def test_volatility_is_that_of_the_last_21_daily_changes_even_at_the_start(con):
    assert_same(
        points(drawn(con, "NVDA", measure="volatility")),
        con,
        """
        WITH numbered AS (SELECT date, adj_close, row_number() OVER (ORDER BY date) AS n FROM price_daily
            WHERE ticker = 'NVDA'),
        change AS (SELECT b.n, b.date, ln(b.adj_close) - ln(a.adj_close) AS x FROM numbered a JOIN numbered b
            ON b.n = a.n + 1)
        SELECT day.date, 100 * sqrt(252) * stddev_samp(past.x) FROM change day JOIN change past
            ON past.n BETWEEN day.n - 20 AND day.n
        WHERE day.date BETWEEN '2025-01-02' AND '2025-03-14' GROUP BY day.date
        """,
    )


def test_volume_is_in_million_shares_with_a_panel_a_company_and_its_reach_is_said(con):
    chart = drawn(con, "NVDA", "IBM", measure="volume")
    assert_same(
        points(chart, 1),
        con,
        "SELECT date, volume / 1e6 FROM price_daily WHERE ticker = 'IBM' AND volume IS NOT NULL "
        "AND date BETWEEN '2025-01-02' AND '2025-03-14'",
    )
    assert len({trace.yaxis for trace in chart.figure.data}) == 2
    assert "Volume is in the data" not in chart.note
    whole = drawn(con, "NVDA", measure="volume", start=date(2026, 6, 1), end=date(2026, 10, 2))
    assert "Volume is in the data from Mon 1 Jun 2026 to Fri 21 Aug 2026 only" in whole.note


def test_a_line_runs_on_over_weekends_and_holidays(con):
    trace = drawn(con, "NVDA").figure.data[0]
    drawn_days = {x[:10] for x in trace.x}
    assert "2025-01-09" not in drawn_days  # the exchanges mourned a president
    assert not np.isnan(np.asarray(trace.y, dtype=float)).any()


def test_a_line_breaks_where_a_session_that_the_exchange_held_is_missing(con):
    path = con.execute("SELECT date, close FROM price_daily WHERE ticker = 'NVDA' AND year(date) = 2025").df()
    path = path[path["date"] != "2025-01-28"].sort_values("date", ignore_index=True)
    whole = with_gaps(path, "XNYS")
    assert list(whole.loc[whole["close"].isna(), "date"]) == [pd.Timestamp("2025-01-28")]


def test_the_table_holds_the_figures_that_are_drawn(con):
    chart = drawn(con, "NVDA", "IBM", measure="price")
    np.testing.assert_allclose(chart.table["IBM (IBM), USD"], points(chart, 1), atol=1e-4)


def test_a_log_scale_is_said_and_marked_at_round_figures(con):
    chart = drawn(con, "NVDA", measure="price", log="true")
    assert chart.figure.layout.yaxis.type == "log"
    assert "log scale" in chart.subtitle
    assert log_ticks(107, 149.5) == [110, 120, 130, 140]
    assert drawn(con, "NVDA", measure="drawdown", log="true").figure.layout.yaxis.type != "log"


def test_unknown_companies_are_ignored_and_those_without_prices_named(con):
    chart = drawn(con, "NVDA", "NO'SUCH", "0700.HK")
    assert [trace.name for trace in chart.figure.data] == ["NVIDIA"]
    assert "No prices yet: Tencent" in chart.note


def test_a_company_without_any_price_says_what_to_do(con):
    with pytest.raises(NothingToShow, match=r"no prices of Tencent yet") as nothing:
        drawn(con, "0700.HK")
    assert "etl refresh" in nothing.value.step


def test_days_outside_the_data_say_how_far_they_reach(con):
    with pytest.raises(NothingToShow, match="reach from Fri 1 Oct 2021 to Fri 2 Oct 2026"):
        drawn(con, "NVDA", start=date(2031, 1, 1), end=date(2031, 2, 1))


def test_days_in_the_wrong_order_and_of_any_century_do(con):
    assert len(points(drawn(con, "NVDA", start=MARCH, end=JANUARY))) == 49
    assert len(points(drawn(con, "NVDA", start=date.min, end=date.max))) == 1256


def test_any_day_can_stand_for_the_event(con):
    asked = Request(event_id="2024-09-03", tickers=("NVDA",))
    chart = CHARTS["companies-compare"](con, asked)
    assert "Fri 30 Aug 2024 = 100" in chart.subtitle
    with pytest.raises(NothingToShow, match="no event"):
        CHARTS["companies-compare"](con, Request(event_id="<script>"))


def test_the_events_day_ranks_where_a_count_of_worse_days_puts_it(con):
    for ticker in ("NVDA", "IBM"):
        chart = CHARTS["company-worst-days"](con, Request(tickers=(ticker,)))
        worse, change = con.execute(
            """
            WITH day AS (SELECT date, adj_close / lag(adj_close) OVER (ORDER BY date) - 1 AS change FROM price_daily
                WHERE ticker = $ticker)
            SELECT count(*), any_value(event.change) FROM day, (SELECT change FROM day WHERE date = $session) AS event
            WHERE day.change < event.change
            """,
            {"ticker": ticker, "session": SESSION},
        ).fetchall()[0]
        row = chart.table[chart.table["the event’s session"]].iloc[0]
        expected = (worse + 1, round(100 * change, 4)) if worse else (1, -16.9682)
        assert (row["place"], row["change, percent (with dividends)"]) == expected
    assert chart.title == "27 Jan 2025 was the 467th worst of IBM’s 1,255 days in the data"


def test_recovery_is_the_first_close_at_or_above_the_last_before_the_event(con):
    chart = CHARTS["company-recovery"](con, Request(event_id="2026-06-05", tickers=("CSCO",)))
    rows = con.execute(
        """
        SELECT min(date) FROM price_daily WHERE ticker = 'CSCO' AND date >= '2026-06-05' AND adj_close >=
            (SELECT adj_close FROM price_daily WHERE ticker = 'CSCO' AND date = '2026-06-04')
        """
    ).fetchall()
    assert rows == [(None,)]
    lowest, last = con.execute(
        """
        SELECT min(adj_close) / any_value(base), arg_max(adj_close, date) / any_value(base) FROM price_daily, (
            SELECT adj_close AS base FROM price_daily WHERE ticker = 'CSCO' AND date = '2026-06-04')
        WHERE ticker = 'CSCO' AND date >= '2026-06-05'
        """
    ).fetchall()[0]
    assert points(chart).min() == pytest.approx(100 * lowest - 100)
    assert f"still {100 - 100 * last:.1f}% below its old price on 2 Oct 2026" in chart.title


def test_candles_stand_where_open_high_and_low_are_known_and_closes_elsewhere(con):
    chart = CHARTS["company-candles"](
        con, Request(tickers=("NVDA",), start=date(2026, 6, 1), end=date(2026, 10, 2))
    )
    kinds = {trace.type: trace for trace in chart.figure.data}
    opened = con.execute(
        "SELECT open, high, low, close FROM price_daily WHERE ticker = 'NVDA' AND open IS NOT NULL "
        "AND date >= '2026-06-01' ORDER BY date"
    ).df()
    candles = kinds["candlestick"]
    for column in opened.columns:
        np.testing.assert_allclose(candles[column], opened[column])
    line = points(chart, [trace.type for trace in chart.figure.data].index("scatter"))
    assert line.index[-1] == "2026-10-02"
    assert "Candles from 1 Jun 2026 to 21 Aug 2026" in chart.note


def test_periods_never_leave_the_data():
    first, last = date(2024, 1, 2), date(2025, 3, 31)
    assert period("1m", first, last, SESSION) == (date(2025, 2, 28), last)
    assert period("ytd", first, last, SESSION) == (date(2025, 1, 1), last)
    assert period("1y", date(2025, 1, 2), last, SESSION) == (date(2025, 1, 2), last)
    assert period("event", first, last, SESSION) == (date(2025, 1, 6), date(2025, 3, 3))
    assert period("max", first, last, SESSION) == (first, last)


@pytest.fixture(scope="module")
def decades(tmp_path_factory):
    """Thirty years of two companies; one falls by half for a single Wednesday."""
    warehouse = FileWarehouse(tmp_path_factory.mktemp("decades") / "market.duckdb")
    days = pd.bdate_range("1996-01-02", "2025-12-31")
    frames = []
    for ticker, growth in (("AAA", 1.0002), ("BBB", 1.0001)):
        close = 10 * growth ** np.arange(len(days))
        if ticker == "AAA":
            close[days.get_loc("2010-06-16")] /= 2
        frames.append(pd.DataFrame({"ticker": ticker, "date": days, "close": close, "adj_close": close}))
    prices = pd.concat(frames).assign(currency="USD", source="yahoo", volume=1_000_000)
    prices = prices.assign(open=prices["close"], high=prices["close"] * 1.1, low=prices["close"] * 0.9)
    companies = pd.DataFrame(
        {"ticker": ["AAA", "BBB"], "name": ["Alpha", "Beta"], "role": "AI", "currency": "USD"}
    )
    event = pd.DataFrame(
        {
            "event_id": ["e"],
            "title": "E",
            "occurred_at": [pd.Timestamp("2010-06-16", tz="UTC")],
            "zone": "UTC",
        }
    ).assign(time_known=False, market_session=date(2010, 6, 16), market_open=False)
    with warehouse.writing() as con:
        merge = Merge(con, "run")
        for name, rows in (("price_daily", prices), ("company", companies), ("event", event)):
            assert name in TABLES
            merge.rows(name, rows)
    with connect_read_only(warehouse.path) as con:
        yield con


def test_thirty_years_are_drawn_by_week_and_say_so(decades):
    whole = Request("e", ("AAA", "BBB"), date.min, date.max, options=(("measure", "volume"),))
    chart = CHARTS["companies-compare"](decades, whole)
    assert all(len(trace.x) < 3000 for trace in chart.figure.data)
    assert "sums of each week" in chart.subtitle
    assert points(chart).iloc[10] == 5
    bars = CHARTS["company-candles"](decades, Request("e", ("AAA",), date.min, date.max))
    assert "each week" in bars.subtitle
    assert len(bars.table) < 3000


def test_the_deepest_day_survives_thinning_by_week(decades):
    whole = Request("e", ("AAA",), date.min, date.max, options=(("measure", "drawdown"),))
    found = points(CHARTS["companies-compare"](decades, whole))
    assert found.idxmin() == "2010-06-16"
    assert found.min() == pytest.approx(100 * (1.0002 / 2 - 1), abs=1e-6)
