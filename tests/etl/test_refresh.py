from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta

import pytest

from etl.product import variable
from tests.conftest import SOAK
from tests.loopback.world import AUTHORITY_VARIABLES
from tests.loopback.yahoo import Bar, sessions


def closes(operator, ticker: str) -> dict[date, float]:
    return dict(operator.rows(f"SELECT date, close FROM price_daily WHERE ticker = '{ticker}'"))


WAYS = [(backend, name) for name in AUTHORITY_VARIABLES for backend in ("curl_cffi", "requests")]
if not SOAK:
    WAYS = [("curl_cffi", "REQUESTS_CA_BUNDLE"), ("requests", "SSL_CERT_FILE")]


@pytest.mark.parametrize(("backend", "variable"), WAYS)
def test_all_rows_arrive_whichever_variable_names_the_authority(operator, backend, variable):
    others = [name for name in AUTHORITY_VARIABLES if name != variable]
    done = operator.run_program(
        "refresh", "--json", without=tuple(others), YF_DISABLE_CURL_CFFI="1" if backend == "requests" else ""
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert [source["status"] for source in told["sources"]] == ["ok", "ok"]
    for ticker, one in operator.yahoo.listings.items():
        assert closes(operator, ticker) == {day: bar.close for day, bar in one.bars.items()}
    assert operator.rows("SELECT count(*), min(rank), max(rank) FROM app_ranking") == [(100, 1, 100)]
    assert {asked.host for asked in operator.world.asked} >= {"query2.finance.yahoo.com"}
    assert set(operator.world.connected) >= {"query2.finance.yahoo.com", "rss.marketingtools.apple.com"}


def everything(operator) -> dict[str, list[tuple]]:
    tables = ("price_daily", "dividend", "split", "ranking_capture", "app_ranking", "company", "event")
    return {table: operator.rows(f"FROM {table} ORDER BY ALL") for table in tables}


def asked_for(operator, ticker: str) -> list[tuple[str, str]]:
    """First and last day of each request for the bars of a ticker."""
    found = [
        asked.query
        for asked in operator.world.asked
        if asked.path.endswith(f"/chart/{ticker}") and "period1" in asked.query
    ]
    return [
        tuple(
            datetime.fromtimestamp(int(query[end]), UTC).date().isoformat() for end in ("period1", "period2")
        )
        for query in found
    ]


def test_a_second_refresh_changes_nothing(operator):
    assert operator.run("refresh").returncode == 0
    before = everything(operator)
    done = operator.run("refresh", "--json")
    assert done.returncode == 0
    assert [(one["rows_inserted"], one["rows_updated"]) for one in json.loads(done.stdout)["sources"]] == [
        (0, 0)
    ] * 2
    assert everything(operator) == before


def test_a_revised_close_and_a_new_session_are_picked_up(operator):
    operator.run("refresh")
    nvidia = operator.yahoo.listings["NVDA"]
    old = nvidia.bars[date(2025, 3, 12)].close
    nvidia.bars[date(2025, 3, 12)] = Bar(100.0, 200.0, 90.0, old + 1, 5, old + 1)
    nvidia.bars[date(2025, 3, 17)] = Bar(100.0, 200.0, 90.0, 101.0, 5, 101.0)
    done = operator.run("refresh", "--json")
    assert done.returncode == 0
    assert closes(operator, "NVDA") == {day: bar.close for day, bar in nvidia.bars.items()}
    yahoo = json.loads(done.stdout)["sources"][0]
    assert (yahoo["rows_inserted"], yahoo["rows_updated"]) == (1, 1)
    assert ("NVDA 2025-03-12", "close", str(old), str(old + 1)) in operator.rows(
        "SELECT key, column_name, old_value, new_value FROM revision"
    )


def test_a_ticker_that_fails_is_named_and_the_rest_is_loaded(operator):
    del operator.yahoo.listings["AMD"]
    done = operator.run("refresh")
    assert done.returncode == 1
    assert (
        "AMD: Yahoo does not know it or has delisted it: No data found, symbol may be delisted" in done.stderr
    )
    assert "Traceback" not in done.stderr
    assert operator.rows("SELECT DISTINCT ticker FROM price_daily ORDER BY 1") == [
        ("000660.KS",),
        ("NVDA",),
        ("SPY",),
    ]
    assert operator.rows("SELECT status FROM etl_run ORDER BY source") == [("ok",), ("part",)]
    assert operator.rows("SELECT item, status FROM etl_run_item WHERE status <> 'ok'") == [("AMD", "failed")]


def test_without_a_network_one_line_says_so_and_the_data_stays(operator):
    operator.run("refresh")
    before = everything(operator)
    done = operator.run("refresh", HTTPS_PROXY="http://127.0.0.1:9")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "Nothing arrived, the data is left as it was: Yahoo cannot be reached" in done.stderr
    assert "Apple cannot be reached" in done.stderr
    assert everything(operator) == before
    assert [run["status"] for run in operator.warehouse.history()[-2:]] == ["failed"] * 2


def test_without_a_network_no_empty_warehouse_is_made(operator):
    done = operator.run("refresh", HTTPS_PROXY="http://127.0.0.1:9")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert not operator.warehouse.exists()


def test_only_the_missing_sessions_are_asked_for_with_ten_before_them(operator):
    operator.run("refresh", "--source", "prices", "--tickers", "NVDA")
    assert asked_for(operator, "NVDA")[0][0] == "2021-10-01"
    operator.world.asked.clear()
    operator.run("refresh", "--source", "prices", "--tickers", "nvda")
    (window,) = asked_for(operator, "NVDA")
    assert window[0] == "2025-03-03"  # ten sessions that end with 14 March
    assert not [asked for asked in operator.world.asked if asked.query.get("range")]  # its time zone is known


@pytest.mark.parametrize("action", ["dividend", "split"])
def test_a_dividend_or_a_split_reloads_the_history(operator, action):
    operator.run("refresh", "--source", "prices")
    nvidia = operator.yahoo.listings["NVDA"]
    day = date(2025, 3, 14)
    if action == "dividend":
        nvidia.dividends[day] = 1.0
        nvidia.reinvest()
    else:
        nvidia.splits[day] = (10, 1)
        nvidia.rescale(0.1)
    assert operator.run("refresh", "--source", "prices").returncode == 0
    stored = operator.rows(
        "SELECT date, close, adj_close FROM price_daily WHERE ticker = 'NVDA' ORDER BY date"
    )
    for found, (held, bar) in zip(stored, sorted(nvidia.bars.items()), strict=True):
        assert found == (held, bar.close, pytest.approx(bar.adjusted))
    assert asked_for(operator, "AMD")[-1][0] == "2025-03-03"  # nobody else was reloaded
    query = (
        "SELECT ex_date, amount FROM dividend" if action == "dividend" else "SELECT date, ratio FROM split"
    )
    assert operator.rows(query) == [(day, 1.0 if action == "dividend" else 10.0)]


def test_a_refresh_replaces_the_bundled_prices_of_a_ticker_as_a_whole(operator, bundled_database):
    shutil.copyfile(bundled_database, operator.warehouse.path)
    operator.run("refresh", "--source", "prices", "--tickers", "NVDA")
    sources = operator.rows(
        "SELECT DISTINCT source FROM price_daily WHERE ticker = 'NVDA' "
        "AND date BETWEEN '2025-01-02' AND '2025-03-14'"
    )
    assert sources == [("yahoo",)]
    assert asked_for(operator, "NVDA")[0][0] == "2021-10-01"


def test_the_window_between_since_and_until_is_what_is_asked_for(operator):
    operator.run(
        "refresh", "--source", "prices", "--tickers", "NVDA", "--since", "2025-01-27", "--until", "2025-01-29"
    )
    assert sorted(closes(operator, "NVDA")) == [date(2025, 1, 27), date(2025, 1, 28), date(2025, 1, 29)]
    operator.run(
        "refresh", "--source", "prices", "--tickers", "NVDA", "--since", "2025-02-04", "--until", "2025-02-04"
    )
    assert sorted(closes(operator, "NVDA")) == sessions(date(2025, 1, 27), date(2025, 2, 4))  # and no hole


def test_a_market_that_was_closed_is_not_asked(operator):
    """Seoul kept the New Year from 27 to 30 January, while New York traded."""
    ended = operator.run("refresh", "--source", "prices", "--since", "2025-01-28", "--until", "2025-01-28")
    assert ended.returncode == 0, ended.stderr
    assert sorted(closes(operator, "NVDA")) == [date(2025, 1, 28)]


def test_the_sessions_from_today_on_can_be_asked_for(operator):
    asked = operator.refresh("prices", since=datetime.now(UTC).date())  # there may be none: it is not refused
    assert [log.source for log in asked.logs] == ["yahoo"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--tickers", "NVDAA"], "There is no company 'NVDAA' in companies.toml; the nearest is NVDA."),
        (["--since", "27.01.2025"], "'27.01.2025' is not a date like 2025-01-27."),
        (["--since", "2999-01-01"], "is in the future"),
        (["--since", "2025-02-01", "--until", "2025-01-01"], "is before"),
        (["--source", "weather"], "weather"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_3(operator, words, sentence):
    done = operator.run("refresh", *words)
    assert done.returncode == 3
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not operator.world.asked


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/no/such/authority.pem"),
        (variable("threads"), "many"),
        (variable("ranking_countries"), "us,../x"),
        (variable("ranking_charts"), "top-secret"),
        (variable("data_dir"), "/no/such/folder"),
    ],
)
def test_wrong_configuration_is_one_line_and_exit_code_3(operator, variable, value):
    at_import = variable == "SSL_CERT_FILE"
    done = (operator.run_program if at_import else operator.run)("refresh", **{variable: value})
    assert done.returncode == 3
    assert variable in done.stderr or value in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_log_lines_are_json_when_asked_for(operator):
    done = operator.run("refresh", "--log-format", "json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["level"] for line in lines} == {"info"}
    count = sum(len(one.bars) for one in operator.yahoo.listings.values())
    assert any(line["message"].startswith(f"yahoo: ok, {count} received, {count} inserted") for line in lines)


def test_a_chart_is_a_capture_of_the_moment_that_the_feed_names(operator):
    operator.run("refresh", "--source", "rankings")
    updated = operator.apple.updated
    assert operator.rows("SELECT captured_at, depth, evidence, country, chart FROM ranking_capture") == [
        (updated, 100, "measured", "us", "top-free")
    ]
    assert operator.rows("SELECT app_id, app_name, publisher FROM app_ranking WHERE rank = 1") == [
        ("6737597349", "DeepSeek - AI Assistant", "DeepSeek")
    ]
    operator.apple.updated += timedelta(hours=1)
    operator.run("refresh", "--source", "rankings")
    assert operator.rows("SELECT count(*) FROM app_ranking") == [(200,)]


def test_a_refresh_brings_nothing_from_before_a_companys_own_history(operator):
    companies = operator.data / "companies.toml"
    nvidia = 'ticker = "NVDA"\n'
    companies.write_text(companies.read_text().replace(nvidia, f"{nvidia}history_from = 2025-02-03\n"))
    assert operator.run("refresh", "--source", "prices", "--tickers", "NVDA").returncode == 0
    assert asked_for(operator, "NVDA")[0][0] == "2025-02-03"
    assert operator.rows("SELECT min(date) FROM price_daily") == [(date(2025, 2, 3),)]
    companies.write_text(companies.read_text().replace("2025-02-03", "2025-03-03"))
    operator.run("refresh", "--source", "prices", "--tickers", "NVDA", "--since", "2025-01-02")
    assert operator.rows("SELECT min(date) FROM price_daily") == [(date(2025, 3, 3),)]
