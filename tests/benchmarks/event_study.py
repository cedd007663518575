"""How fast the event study is, in ratios that do not depend on the machine.

Run as a script. Ends with 1 when a ratio is above its bar. When the package `eventstudy` 0.1a12 can be imported (it
needs matplotlib and openpyxl), it is timed on the same input: market model and independence t-test only.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm

from dashboard.event_study import run_size_check, run_study

DAYS, EVENT = 250, 275
BARS = {"study": 0.25, "growth": 12.0, "size check": 60.0}


def simulated(firms: int, sessions: int = 300) -> tuple[pd.DataFrame, pd.Series]:
    """Complete returns of firms that share a market and a common shock."""
    draw = np.random.default_rng(firms)
    market = draw.normal(0.0004, 0.01, sessions)
    shock = draw.normal(0, 0.008, (sessions, 1))
    own = draw.normal(0, 0.02, (sessions, firms))
    returns = 0.0002 + np.outer(market, draw.normal(1, 0.3, firms)) + shock + own
    index = pd.bdate_range("2023-01-02", periods=sessions)
    names = [f"F{number}" for number in range(firms)]
    return pd.DataFrame(returns, index, names), pd.Series(market, index, name="market")


def fastest(*works: Callable[[], object], rounds: int = 7) -> list[float]:
    """Least processor time of each work in seconds, taken in turns; what else the machine does hardly counts."""
    for work in works:
        work()
    times = [[0.0] * rounds for _ in works]
    for turn in range(rounds):
        for which, work in enumerate(works):
            start = time.process_time()
            work()
            times[which][turn] = time.process_time() - start
    return [min(each) for each in times]


def ols_fits(returns: pd.DataFrame, market: pd.Series) -> Callable[[], object]:
    """statsmodels' market model of every firm, fits alone."""
    window = slice(EVENT - 260, EVENT - 10)
    x = sm.add_constant(market.to_numpy()[window])
    columns = [returns[name].to_numpy()[window].copy() for name in returns]
    return lambda: [sm.OLS(y, x).fit() for y in columns]


def other_package(returns: pd.DataFrame, market: pd.Series) -> Callable[[], object] | None:
    """The same windows in `eventstudy`, or None when it cannot be imported."""
    try:
        from eventstudy import Multiple, Single
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "returns.csv"
        returns.assign(market=market).to_csv(path, index_label="date")
        Single.import_returns(str(path))
    date = np.datetime64(returns.index[EVENT], "D")

    def run() -> object:
        events = [
            Single.market_model(
                security_ticker=name,
                market_ticker="market",
                event_date=date,
                event_window=(-10, 10),
                estimation_size=DAYS,
                buffer_size=0,
            )
            for name in returns
        ]
        return Multiple(events)

    return run


def main() -> int:
    """Measure, print, and compare with the bars."""
    (small, small_market), (large, large_market) = simulated(500), simulated(5000)
    few, few_market = simulated(30, sessions=1300)
    tiny, tiny_market = simulated(50)
    date = small.index[EVENT]
    fits, study, all_tables = fastest(
        ols_fits(small, small_market),
        lambda: run_study(small, small_market, date),
        lambda: (lambda result: (result.car, result.firms))(run_study(small, small_market, date)),
    )
    study_again, growth = fastest(
        lambda: run_study(small, small_market, date),
        lambda: run_study(large, large_market, date),
        rounds=5,
    )
    one, check = fastest(
        lambda: run_study(few, few_market, few.index[EVENT]),
        lambda: run_size_check(few, few_market, dates=1000),
        rounds=5,
    )
    (fifty,) = fastest(lambda: run_study(tiny, tiny_market, date), rounds=5)
    ratios = {"study": study / fits, "growth": growth / study_again, "size check": check / one}
    print(f"500 OLS fits by statsmodels                       {fits * 1e3:8.1f} ms")
    print(f"500 firms × 250 days × 21 event days, every test  {study * 1e3:8.1f} ms")
    print(f"  with the two tables of the firms                {all_tables * 1e3:8.1f} ms")
    print(f"50 firms                                          {fifty * 1e3:8.1f} ms")
    print(f"5,000 firms                                       {growth * 1e3:8.1f} ms")
    print(f"30 firms                                          {one * 1e3:8.1f} ms")
    print(f"size check, 1,000 placebo dates × 30 firms        {check * 1e3:8.1f} ms")
    peer = other_package(small, small_market)
    if peer is None:
        print("eventstudy 0.1a12                                 not installed")
    else:
        (theirs,) = fastest(peer, rounds=3)
        print(f"eventstudy 0.1a12, 500 firms, one t-test          {theirs * 1e3:8.1f} ms")
    failed = False
    for name, bar in BARS.items():
        failed |= ratios[name] > bar
        verdict = "within" if ratios[name] <= bar else "ABOVE"
        print(f"{name}: {ratios[name]:.2f} ({verdict} {bar:g})")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
