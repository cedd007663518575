"""Each fault of a source ends with a clear line in the run log, the right exit code, and no loss."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from etl.refresh import Outcome
from etl.sources.apple import AppleCharts
from etl.sources.yahoo import YahooPrices
from tests.etl.conftest import an_operator
from tests.loopback.apple import apps
from tests.loopback.world import Asked, Reply, World, zipped
from tests.loopback.yahoo import chart

LAST_ITEMS = "etl_run_item WHERE run_id = (SELECT max(run_id) FROM etl_run)"
STORED = "SELECT ticker, date, close FROM price_daily ORDER BY ALL"


@pytest.fixture
def loaded(operator, refreshed):
    """An operator who has refreshed once, and asks for the whole history again in each refresh."""
    shutil.copyfile(refreshed, operator.warehouse.path)
    operator.apple.updated += timedelta(minutes=1)
    operator.before = operator.rows(STORED)
    return operator


def again(operator, *groups: str) -> Outcome:
    return operator.refresh(*(groups or ("prices",)), since=date(2025, 1, 2))


def on(path: str, reply: Reply | Callable[[], Reply], times: int = 1000) -> Callable[[Asked], Reply | None]:
    """A fault of the address that ends with ``path``, the first ``times`` that it is asked for."""
    left = [times]

    def fault(asked: Asked) -> Reply | None:
        if not asked.path.endswith(path) or not left[0]:
            return None
        left[0] -= 1
        return reply() if callable(reply) else reply

    return fault


def messages(operator) -> dict[str, str]:
    return dict(operator.rows(f"SELECT item, message FROM {LAST_ITEMS}"))


def nothing_lost(operator) -> bool:
    return operator.rows(STORED) == operator.before


PASSING = {
    "429 with Retry-After": Reply(status=429, headers={"Retry-After": "0.02"}),
    "429 without Retry-After": Reply(status=429),
    "500": Reply(status=500),
    "502": Reply(b"<html>Bad gateway</html>", 502),
    "connection reset": Reply(reset=True),
    "broken gzip": Reply(zipped(b"{}" * 2000).body[:20], headers={"Content-Encoding": "gzip"}),
    "answer cut off": Reply(b"{" + b" " * 5000, keep=100),
}


def test_a_fault_that_passes_is_overcome(loaded):
    names = ["429 with Retry-After", "429 without Retry-After", "500", "502", "connection reset"]
    loaded.set("AIMI_RANKING_COUNTRIES", "us,gb,de,fr,kr")
    loaded.follow_also(*(f"T{number}" for number in range(len(names))))
    loaded.world.faults = [
        fault
        for number, (name, country) in enumerate(zip(names, ("us", "gb", "de", "fr", "kr"), strict=True))
        for fault in (
            on(f"/chart/T{number}", PASSING[name], times=1),
            on(f"/{country}/apps/top-free/100/apps.json", PASSING[name], times=1),
        )
    ]
    assert again(loaded, "prices", "rankings").exit_code == 0
    assert not any(messages(loaded).values())
    assert loaded.rows("SELECT count(DISTINCT ticker) FROM price_daily WHERE ticker LIKE 'T%'") == [(5,)]
    assert loaded.rows("SELECT count(*) FROM app_ranking") == [(600,)]


LASTING = {
    "429": (Reply(status=429), "Yahoo asks for fewer requests (HTTP 429)"),
    "429 with a long Retry-After": (Reply(status=429, headers={"Retry-After": "3600"}), "HTTP 429"),
    "500": (Reply(b"oops", 500), "Yahoo answered HTTP 500"),
    "403": (Reply(b"<html>", 403), "Yahoo answered HTTP 403"),
    "connection reset": (Reply(reset=True), "Yahoo cannot be reached"),
    "truncated JSON": (Reply(b'{"chart": {"result": [{"meta"'), "not JSON"),
    "HTML instead of JSON": (Reply(b"<html>Will be right back</html>"), "Yahoo is closed for maintenance"),
    "other HTML": (Reply(b"<html>consent</html>"), "not JSON"),
    "broken gzip": (PASSING["broken gzip"], "Yahoo"),
    "answer cut off": (PASSING["answer cut off"], "Yahoo"),
    "empty result": (Reply(b'{"chart": {"result": [], "error": null}}'), "does not know it"),
    "no result": (Reply(b'{"chart": {"result": null, "error": null}}'), "does not know it"),
    "another form": (Reply(b'{"finance": []}'), "does not know it"),
    "a list": (Reply(b"[1, 2]"), "does not know it"),
    "redirect elsewhere": (
        Reply(status=302, headers={"Location": "https://evil.example/"}),
        "Yahoo cannot be reached",
    ),
}


def ticker_of(name: str) -> str:
    return f"T{[*LASTING, *BAD_BARS, *ODD].index(name):02}"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """An operator after a refresh in which each fault struck a ticker of its own, which had been loaded before."""
    with pytest.MonkeyPatch.context() as patch, an_operator(tmp_path_factory.mktemp("faulty"), patch) as one:
        one.follow_also(*map(ticker_of, [*LASTING, *BAD_BARS, *ODD]))
        assert one.refresh("prices").exit_code == 0
        one.before = one.rows(STORED)
        one.world.faults = [
            *(on(f"/chart/{ticker_of(name)}", reply) for name, (reply, _) in LASTING.items()),
            *(spoil(case[0], ticker_of(name))(one) for name, case in (BAD_BARS | ODD).items()),
        ]
        patch.setattr(YahooPrices, "patience", 100)
        again(one)
        one.told, one.lost_nothing = messages(one), nothing_lost(one)
    return one


@pytest.mark.parametrize("name", LASTING)
def test_a_fault_that_lasts_names_the_ticker(faulty, name):
    assert LASTING[name][1] in faulty.told[ticker_of(name)]


def test_with_all_those_faults_the_others_load_and_nothing_is_lost(faulty, tell):
    tell("faults of a source", len(LASTING | BAD_BARS | ODD), not faulty.lost_nothing)
    assert faulty.last.exit_code == 1
    assert faulty.lost_nothing
    assert {faulty.told[ticker] for ticker in ("NVDA", "AMD", "SPY", "000660.KS")} == {""}
    assert faulty.rows("SELECT status FROM etl_run ORDER BY started_at DESC LIMIT 1") == [("part",)]


def test_a_server_that_hangs_is_waited_for_no_longer_than_the_timeout(loaded):
    loaded.set("AIMI_TIMEOUT", "0.5")
    loaded.world.faults = [on("/chart/AMD", Reply(hang=1.5))]
    assert again(loaded).exit_code == 1
    assert "did not answer within 0.5 seconds" in messages(loaded)["AMD"]
    assert nothing_lost(loaded)


@pytest.mark.parametrize("name", ["429", "connection reset"])
def test_when_every_ticker_fails_the_exit_code_is_2(loaded, name):
    loaded.world.faults = [on(f"/chart/{ticker}", LASTING[name][0]) for ticker in loaded.yahoo.listings]
    assert again(loaded).exit_code == 2
    assert nothing_lost(loaded)


def test_a_server_that_limits_us_is_not_asked_on_and_on(loaded):
    loaded.follow(*((f"T{n}", "XNYS", "USD") for n in range(30)))
    loaded.world.faults = [lambda asked: Reply(status=429) if "/chart/" in asked.path else None]
    assert again(loaded).exit_code == 2
    assert len({asked.path for asked in loaded.world.asked if "/chart/" in asked.path}) < 12
    assert sum("not asked for any more" in message for message in messages(loaded).values()) > 15


def test_a_retry_after_is_waited_for(loaded):
    loaded.world.faults = [on("apps.json", Reply(status=429, headers={"Retry-After": "1"}), times=1)]
    loaded.set("AIMI_MAX_WAIT", "5")
    started = time.monotonic()
    assert again(loaded, "rankings").exit_code == 0
    assert time.monotonic() - started > 1


def spoil(
    change: Callable[[dict], None], ticker: str = "AMD"
) -> Callable[[object], Callable[[Asked], Reply | None]]:
    """A fault in the bars of a ticker: what the site would have said, changed."""

    def fault(operator) -> Callable[[Asked], Reply | None]:
        def reply() -> Reply:
            one = operator.yahoo.listings[ticker]
            result = chart(one, sorted(one.bars))
            change(result)
            return Reply(json.dumps({"chart": {"result": [result], "error": None}}).encode())

        return on(f"/chart/{ticker}", reply)

    return fault


def put(position: int, **values: float | None) -> Callable[[dict], None]:
    def change(result: dict) -> None:
        for name, value in values.items():
            place = result["indicators"]["adjclose" if name == "adjclose" else "quote"][0][name]
            place[position] = value

    return change


def repeat_and_shuffle(result: dict) -> None:
    quote = result["indicators"]["quote"][0]
    adjusted = result["indicators"]["adjclose"][0]
    for values in (result["timestamp"], *quote.values(), adjusted["adjclose"]):
        values.append(values[3])
        values.reverse()


def add_day(stamp: int) -> Callable[[dict], None]:
    def change(result: dict) -> None:
        quote = result["indicators"]["quote"][0]
        for values in (*quote.values(), result["indicators"]["adjclose"][0]["adjclose"]):
            values.append(values[-1])
        result["timestamp"].append(stamp)

    return change


def scale(first: int, last: int, factor: float) -> Callable[[dict], None]:
    def change(result: dict) -> None:
        quote = result["indicators"]["quote"][0]
        prices = (quote[name] for name in ("open", "high", "low", "close"))
        for values in (*prices, result["indicators"]["adjclose"][0]["adjclose"]):
            values[first:last] = [value * factor for value in values[first:last]]

    return change


NOTHING = {"open": None, "high": None, "low": None, "close": None, "volume": None, "adjclose": None}
BAD_BARS = {
    "null bar": (put(30, **NOTHING), "1 × no close"),
    "null close": (put(30, close=None), "1 × no close"),
    "negative price": (put(30, close=-5.0), "1 × the close is not positive"),
    "zero price": (put(30, open=0.0), "1 × a price is not positive"),
    "high below low": (put(30, high=1.0, close=1.0), "1 × the high is below the low"),
    "close outside its range": (put(30, close=49.0 * 3), "1 × the close is outside the range of its session"),
    "a spike": (scale(30, 31, 10.0), "1 × after a jump that looks like an unadjusted split"),
    "an unadjusted split": (scale(40, 48, 0.1), "8 × after a jump that looks like an unadjusted split"),
    "a session never held": (add_day(1737390600), "1 × XNAS held no such session"),  # Martin Luther King Day
}


def meta(**values: str) -> Callable[[dict], None]:
    return lambda result: result["meta"].update(values)


NO_NUMBER = ".*(not JSON|1 × no close|1 × the adjusted close is missing).*"
REPEATED = "sent twice, the first is kept: 2025-01-07; the sessions came unsorted"
TOMORROW = int((datetime.now(UTC) + timedelta(days=40)).timestamp())
ODD = {
    "NaN": (put(30, close=float("nan")), NO_NUMBER, "failed|part"),
    "infinity": (put(30, adjclose=float("inf")), NO_NUMBER, "failed|part"),
    "an empty newest bar": (put(-1, **NOTHING), "", "ok"),
    "repeated and unsorted sessions": (repeat_and_shuffle, REPEATED, "ok"),
    "a session of the future": (add_day(TOMORROW), ".*", ".*"),
    "another currency": (meta(currency="EUR"), ".*mostly bad: 49 × the currency is EUR, not USD", "failed"),
    "a renamed ticker": (meta(symbol="X"), ".*answers for 'X': was the ticker renamed.*", "failed"),
}
"""What to change in the answer, and what message and status of the ticker it ends in."""


@pytest.mark.parametrize("name", BAD_BARS)
def test_bad_bars_go_to_quarantine_with_the_reason_and_the_good_ones_load(faulty, name):
    ticker = ticker_of(name)
    assert BAD_BARS[name][1] in faulty.told[ticker]
    held = faulty.rows(f"SELECT row_json FROM quarantine WHERE item = '{ticker}'")
    assert {json.loads(row)["ticker"] for (row,) in held} == {ticker}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_but_usable_is_taken_and_what_is_not_is_named(faulty, name):
    message, status = ODD[name][1:]
    ((found,),) = faulty.rows(f"SELECT status FROM {LAST_ITEMS} AND item = '{ticker_of(name)}'")
    assert re.fullmatch(message, faulty.told[ticker_of(name)])
    assert re.fullmatch(status, found)


def test_a_mostly_bad_batch_is_refused_whole_and_so_is_a_mostly_bad_source(loaded):
    for ticker in ("AMD", "NVDA", "SPY"):
        for day in sorted(loaded.yahoo.listings[ticker].bars)[:40]:
            loaded.yahoo.listings[ticker].bars[day].close = -1
    assert again(loaded).exit_code == 2
    assert "refused whole" in messages(loaded)["000660.KS"]
    assert nothing_lost(loaded)


def test_a_certificate_that_does_not_match_is_named(operator, tmp_path):
    (tmp_path / "other").mkdir()
    with World(
        tmp_path / "other", [operator.yahoo, operator.apple], certified=("somebody.example",)
    ) as world:
        operator.enter(world)
        assert operator.refresh("prices", "rankings").exit_code == 2
    assert not operator.warehouse.exists()
    assert {log.message for log in operator.last.logs} == {
        "the certificate of Yahoo is not valid here; name your authority in SSL_CERT_FILE",
        "the certificate of Apple is not valid here; name your authority in SSL_CERT_FILE",
    }


NAMES = {
    "markup": "<script>alert(1)</script> & <b>Chat</b>",
    "emoji": "Chat 🤖👩‍💻🇨🇳",
    "right-to-left": "صديق ذكي \u200fדיפסיק",
    "long": "x" * 10_000,
    "quotes": "Robert'); DROP TABLE app_ranking;--",
}


@pytest.mark.parametrize("name", NAMES)
def test_an_app_name_is_kept_as_text_whatever_it_holds(operator, name):
    operator.apple.chart[0] = ("1", NAMES[name], "P")
    assert operator.refresh("rankings").exit_code == 0
    assert operator.rows("SELECT app_name FROM app_ranking WHERE rank = 1") == [(NAMES[name],)]


def test_control_characters_and_halves_of_characters_are_no_part_of_a_name(operator):
    operator.apple.chart[0] = ("1", "Deep\x00Seek\x1b[31m\ud83d", "P")
    assert operator.refresh("rankings").exit_code == 0
    assert operator.rows("SELECT app_name FROM app_ranking WHERE rank = 1") == [("DeepSeek[31m",)]


def test_a_short_feed_is_kept_with_its_depth_and_said_to_be_short(operator):
    operator.apple.chart = apps(37)
    assert operator.refresh("rankings").exit_code == 0
    assert operator.rows("SELECT depth FROM ranking_capture") == [(37,)]
    assert messages(operator)["us top-free"] == "37 entries of the 100 asked for"


def test_an_app_without_an_id_and_one_that_is_twice_in_the_chart_are_refused(operator):
    operator.apple.chart[4] = ("", "Nameless", "P")
    operator.apple.chart[9] = operator.apple.chart[0]
    assert operator.refresh("rankings").exit_code == 1
    assert "1 × an app without an id, 1 × the app is in the chart twice" in messages(operator)["us top-free"]
    assert operator.rows("SELECT list(rank ORDER BY rank)[:6] FROM app_ranking") == [([1, 2, 3, 4, 6, 7],)]


FEED_FAULTS = {
    "500": Reply(status=500),
    "HTML": Reply(b"<html>"),
    "truncated": Reply(b'{"feed": {"results": [{"id":'),
    "another form": Reply(b'{"feed": {"results": 7}}'),
    "empty": Reply(b'{"feed": {"results": []}}'),
    "cut off": Reply(b"{" + b" " * 5000, keep=100),
    "broken gzip": PASSING["broken gzip"],
    "another country": Reply(b'{"feed": {"country": "fr", "results": [{"id": "1", "name": "A"}]}}'),
    "redirect elsewhere": Reply(status=302, headers={"Location": "https://query1.finance.yahoo.com/"}),
}


COUNTRIES = dict(zip(FEED_FAULTS, ("us", "gb", "de", "it", "kr", "jp", "ca", "es", "in"), strict=True))


def in_each_country(operator, path: str) -> None:
    """Give the charts of every country a fault of its own at the addresses that hold ``path``."""
    operator.set("AIMI_RANKING_COUNTRIES", ",".join(COUNTRIES.values()))
    operator.set("AIMI_THREADS", "1")
    replies = {country: FEED_FAULTS[name] for name, country in COUNTRIES.items()}

    def fault(asked: Asked) -> Reply | None:
        country = re.search("/([a-z]{2})/", asked.path)
        return replies.get(country[1]) if country and path in asked.path else None

    operator.world.faults = [fault]


def test_when_a_feed_fails_the_older_one_is_used_and_that_is_said(operator):
    in_each_country(operator, "/apps/top-free/100/apps.json")
    assert operator.refresh("rankings").exit_code == 0
    captures = dict(operator.rows("SELECT country, source_url FROM ranking_capture"))
    rows = dict(operator.rows("SELECT country, count(*) FROM app_ranking GROUP BY ALL"))
    told = messages(operator)
    for country in COUNTRIES.values():
        older = f"https://itunes.apple.com/{country}/rss/topfreeapplications/limit=100/json"
        assert (captures[country], rows[country]) == (older, 100)
        assert "another feed was used" in told[f"{country} top-free"]


def test_when_every_feed_fails_the_chart_is_named_and_the_prices_load(loaded, monkeypatch):
    monkeypatch.setattr(AppleCharts, "patience", 100)
    in_each_country(loaded, "")
    assert again(loaded, "prices", "rankings").exit_code == 1
    told = messages(loaded)
    assert all("Apple" in told[f"{country} top-free"] for country in COUNTRIES.values())
    assert [log.status for log in loaded.last.logs] == ["ok", "failed"]
    assert loaded.rows("SELECT count(*) FROM app_ranking") == [(100,)]


def test_a_redirect_between_apples_hosts_is_followed(operator):
    there = "https://rss.applemarketingtools.com/api/v2/us/apps/top-free/100/apps.json"
    operator.world.faults = [
        lambda asked: (
            Reply(status=301, headers={"Location": there})
            if asked.host == "rss.marketingtools.apple.com"
            else None
        )
    ]
    assert operator.refresh("rankings").exit_code == 0
    assert messages(operator)["us top-free"] == ""


def test_a_feed_stamped_in_the_future_is_dated_by_the_request(operator):
    operator.apple.updated = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    assert operator.refresh("rankings").exit_code == 0
    assert "in the future: is the clock right?" in messages(operator)["us top-free"]
    assert operator.rows("SELECT captured_at < now() FROM ranking_capture") == [(True,)]


def test_a_stale_feed_keeps_its_own_date_and_is_said_to_be_stale(operator):
    operator.apple.updated = datetime(2025, 1, 27, 12, tzinfo=UTC)
    assert operator.refresh("rankings").exit_code == 0
    assert "the feed was last updated" in messages(operator)["us top-free"]
    assert operator.rows("SELECT captured_at FROM ranking_capture") == [(operator.apple.updated,)]


def test_countries_and_charts_are_configurable(operator, monkeypatch):
    operator.set("AIMI_RANKING_COUNTRIES", "us, DE")
    operator.set("AIMI_RANKING_CHARTS", "top-free,top-free/productivity")
    assert operator.refresh("rankings").exit_code == 0
    captures = operator.rows(
        "SELECT country, chart, source_url LIKE '%/genre=6007/json' FROM ranking_capture ORDER BY 1, 2"
    )
    assert captures == [
        (country, chart_name, "/" in chart_name)
        for country in ("de", "us")
        for chart_name in ("top-free", "top-free/productivity")
    ]
