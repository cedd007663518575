"""Each fault of a source ends with a clear line in the run log, the right exit code, and no loss."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from etl.product import variable
from etl.sources.yahoo import YahooPrices
from tests.etl.conftest import STORED, again, an_operator, messages, nothing_lost
from tests.loopback.world import Asked, Reply, World, zipped
from tests.loopback.yahoo import chart


def on(path: str, reply: Reply | Callable[[], Reply], times: int = 1000) -> Callable[[Asked], Reply | None]:
    """A fault of the address that ends with ``path``, the first ``times`` that it is asked for."""
    left = [times]

    def fault(asked: Asked) -> Reply | None:
        if not asked.path.endswith(path) or not left[0]:
            return None
        left[0] -= 1
        return reply() if callable(reply) else reply

    return fault


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
    loaded.set(variable("ranking_countries"), "us,gb,de,fr,kr")
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
    loaded.set(variable("timeout"), "0.5")
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
    loaded.set(variable("max_wait"), "5")
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
REPEATED = "sent twice, one is kept: 2025-01-07; the sessions came unsorted"
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
    (log,) = faulty.last.logs
    (found,) = [item.status for item in log.items if item.item == ticker_of(name)]
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
