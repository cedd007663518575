"""Readers query without pause while refreshes publish: no query fails, and each sees one state."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date

import pytest

from etl.settings import PROJECT_ROOT
from tests.conftest import SOAK

READERS, SECONDS, PAUSE = (8, 120, 0) if SOAK else (2, 2, 0.05)
LAST = date(2025, 3, 14)

READER = """
import sys, time
from etl.warehouse import connect_read_only
pause = float(sys.argv[1])
queries, states = 0, set()
sys.stdout.write("ready\\n"); sys.stdout.flush()
import select
while not select.select([sys.stdin], [], [], 0)[0]:
    with connect_read_only() as con:
        seen = con.execute("SELECT DISTINCT volume FROM price_daily WHERE date = '2025-03-14'").fetchall()
        runs = con.execute("SELECT max(volume) FROM price_daily WHERE date = '2025-03-14'").fetchall()
    assert len(seen) == 1 and seen == runs, seen
    queries += 1
    states.add(seen[0])
    time.sleep(pause)
print(queries, len(states))
"""


@pytest.mark.timeout(SECONDS + 120)
def test_no_reader_fails_or_sees_half_a_refresh(operator, tell):
    def state(number: int) -> None:
        for one in operator.yahoo.listings.values():
            one.bars[LAST].volume = number

    state(0)
    assert operator.refresh("prices").exit_code == 0
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(PAUSE)],
            cwd=PROJECT_ROOT,
            env=operator.surroundings(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(READERS)
    ]
    for reader in readers:
        assert reader.stdout.readline() == "ready\n"
    ends, published = time.monotonic() + SECONDS, 0
    while time.monotonic() < ends:
        published += 1
        state(published)
        began = time.monotonic()
        assert operator.refresh("prices").exit_code == 0
        time.sleep(max(0.0, (1 if SOAK else 0.5) - (time.monotonic() - began)))
    told = [reader.communicate("stop\n", timeout=60) for reader in readers]
    failed = sum(reader.returncode != 0 for reader in readers)
    tell(f"readers beside {published} publications", READERS, failed)
    assert not failed, told
    for output, _ in told:
        queries, states = map(int, output.split())
        assert queries > states > 1
