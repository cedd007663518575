"""What noticing and telling the signals takes of a refresh: five years of so many companies, a webhook on the loopback.

The history is in the warehouse; the refresh asks a loopback server, which speaks Yahoo's format, for the sessions
since, and half of the companies fall on the newest one. Ends with 1 when the share is above its bar;
`python -m tests.benchmarks.signals [COMPANIES…]` takes other numbers.
"""

import sys
from datetime import date, timedelta

import pandas as pd

from etl import calendars
from etl.product import variable
from tests.benchmarks.etl import an_operator_of_its_own, figures
from tests.etl.conftest import Operator
from tests.etl.test_delivery import SECRET
from tests.loopback.targets import Receiver
from tests.loopback.yahoo import Bar, Listing, listing

SIZES = (5000,)
MOST = 0.1
ASKED_FOR = 3
REFRESH = """
import sys, time
from etl import refresh
from etl.delivery import deliver
from etl.warehouse import open_warehouse
import etl.sources.yahoo
spent = 0.0
def timed(work):
    def run(*words):
        global spent
        started = time.monotonic()
        try:
            return work(*words)
        finally:
            spent += time.monotonic() - started
    return run
refresh.notice, deliver.deliver_quietly = timed(refresh.notice), timed(deliver.deliver_quietly)
started = time.monotonic()
assert refresh.refresh(open_warehouse(), ["yahoo"]).exit_code == 0
print(time.monotonic() - started, spent)
"""


def refresh_and_tell(operator: Operator, companies: int, receiver: Receiver) -> tuple[float, float]:
    """The seconds of a refresh of so many companies, and how many of them its signals took."""
    last = calendars.last_closed_session("XNYS", pd.Timestamp.now("UTC"))
    names = [f"T{number:05}" for number in range(companies)]
    bars = listing("T", last - timedelta(days=5 * 365), last).bars
    held = sorted(bars)[:-ASKED_FOR]
    fallen = {**bars, last: _fallen(bars[last])}
    operator.follow(*((name, "XNYS", "USD") for name in names))
    operator.yahoo.listings = {
        name: Listing(name, fallen if number % 2 else bars, "USD", "XNYS")
        for number, name in enumerate(names)
    }
    operator.set(variable("overlap_sessions"), "1")
    operator.set(variable("history_start"), str(held[0]))
    operator.set(variable("webhook_url"), receiver.url)
    operator.set(variable("webhook_secret"), SECRET)
    _load(operator, names, {day: bars[day] for day in held})
    seconds, spent = figures(REFRESH, env=operator.surroundings())
    return seconds, spent


def _fallen(bar: Bar) -> Bar:
    return Bar(bar.open, bar.high, bar.close * 0.9, bar.close * 0.92, bar.volume, bar.close * 0.92)


def _load(operator: Operator, names: list[str], bars: dict[date, Bar]) -> None:
    """Put a history that all companies share into the warehouse."""
    rows = pd.DataFrame(
        [(day, bar.open, bar.high, bar.low, bar.close, bar.volume) for day, bar in bars.items()],
        columns=["date", "open", "high", "low", "close", "volume"],
    )
    with operator.warehouse.writing() as con:
        con.register("history", rows)
        con.execute("CREATE TEMP TABLE named AS SELECT unnest($names) AS ticker", {"names": names})
        con.execute(
            "INSERT INTO company (ticker, name, segment, exchange, currency, role, is_benchmark, bundled) "
            "SELECT ticker, ticker, 's', 'XNYS', 'USD', 'AI', false, false FROM named"
        )
        con.execute(
            "INSERT INTO price_daily (ticker, date, open, high, low, close, adj_close, volume, currency, source, "
            "run_id) SELECT ticker, date, open, high, low, close, close, volume, 'USD', 'yahoo', 'before' "
            "FROM named, history ORDER BY ticker, date"
        )
        con.execute(
            "INSERT INTO shares_outstanding (ticker, date, shares, basis, source) "
            "SELECT ticker, (SELECT min(date) FROM history), 1000000000, 'b', 'before' FROM named"
        )


def main(sizes: tuple[int, ...]) -> int:
    """Print a line for each number of companies; 1 when the signals took too much of a refresh."""
    failed = False
    for size in sizes:
        receiver = Receiver()
        with an_operator_of_its_own() as operator:
            seconds, spent = refresh_and_tell(operator, size, receiver)
        told = len(receiver.ids())
        receiver.shutdown()
        receiver.server_close()
        print(
            f"  {size:,} companies, 5 years: refresh {seconds:6.1f} s, {told} signals noticed and told in "
            f"{spent:5.2f} s, share {spent / seconds:.3f} (at most {MOST})",
            flush=True,
        )
        failed |= spent > MOST * seconds or not told
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(tuple(map(int, sys.argv[1:])) or SIZES))
