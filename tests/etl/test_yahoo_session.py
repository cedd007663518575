"""What yfinance needs to be asked from several threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import yfinance

from etl.sources.yahoo_session import YahooClient


def test_threads_take_turns_in_yfinances_cache_which_locks_out_whoever_opens_it_meanwhile(monkeypatch):
    taken = threading.Lock()

    class Cache:
        def store(self, symbol: str, zone: str) -> None:
            assert taken.acquire(blocking=False), "database is locked"
            time.sleep(0.005)
            taken.release()

    client = YahooClient()
    monkeypatch.setattr(yfinance.cache, "get_tz_cache", Cache)
    with ThreadPoolExecutor(8) as threads:
        assert len(list(threads.map(lambda name: client.ticker(name, "America/New_York"), "ABCDEFGH"))) == 8
    client.close()
