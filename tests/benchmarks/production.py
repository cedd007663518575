"""Readers in numbers: of a lake beside those of a file, and a thousand who are connected to one dashboard.

The lake has its catalog in PostgreSQL and the same data as the file; sixty readers open the story on each. The thousand
hold a WebSocket each, as browsers do, to the story, twenty of them arriving at once. Ends with 1
when a bar is missed or anybody sees an error; `python -m tests.benchmarks.production [READERS]` takes fewer.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import websockets
from prometheus_client.parser import text_string_to_metric_families
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from dashboard.serving import raise_file_limit
from etl.bundled import load_bundled
from etl.settings import PROJECT_ROOT
from etl.warehouse.files import FileWarehouse
from etl.warehouse.lake import LakeWarehouse
from tests.benchmarks.dashboard import served
from tests.loopback.postgres import EXTENSION, postgres, programs

MOST_OF_FILE = 2.0
ROUNDS, BESIDE, AT_ONCE = 3, 60, 4
READERS, ARRIVING = 1000, 20
MOST_HANDLES, MOST_MEGABYTES = 5.0, 0.5
APP = PROJECT_ROOT / "dashboard" / "app.py"


async def seconds_of_readers(url: str) -> float:
    """Seconds until so many readers, some of them arriving at once, have the story."""
    await connect(url, asyncio.Semaphore(1))  # the first reader of a process waits for what it reads
    started = time.perf_counter()
    turn = asyncio.Semaphore(AT_ONCE)
    found = await asyncio.gather(*(connect(url, turn) for _ in range(BESIDE)))
    took = time.perf_counter() - started
    await asyncio.gather(*(reader.close() for reader, _ in found))
    assert not any(error for _, error in found)
    return took


def lake_beside_file(file: FileWarehouse, folder: Path) -> bool:
    """Print how readers of a lake do beside those of a file; whether they are within the bar."""
    binaries = programs()
    if binaries is None or not EXTENSION:
        print("  readers of a lake: left out, for want of PostgreSQL")
        return True
    with postgres(binaries) as server:
        address = f"ducklake:postgres:{server.make('lake')}"
        load_bundled(LakeWarehouse(address, str(folder / "lake")), PROJECT_ROOT / "data")
        with served(APP, address) as on_lake, served(APP, file.path) as on_file:
            for url in (on_lake, on_file):
                ready(url)
            rounds = [
                [asyncio.run(seconds_of_readers(url)) for url in (on_lake, on_file)] for _ in range(ROUNDS)
            ]
    ours, theirs = (statistics.median(found) for found in zip(*rounds, strict=True))
    print(
        f"  {BESIDE} readers, {AT_ONCE} at once: lake {ours:6.2f} s  file {theirs:6.2f} s  "
        f"ratio {ours / theirs:5.2f} (at most {MOST_OF_FILE:g})",
        flush=True,
    )
    return ours <= MOST_OF_FILE * theirs


def ready(url: str) -> None:
    """Wait until a chart of the newest state can be drawn."""
    with urlopen(f"{url}/readyz", timeout=300):
        pass


async def connect(url: str, turn: asyncio.Semaphore) -> tuple[websockets.ClientConnection, bool]:
    """A reader who has the whole story, and whether an error was in it."""
    async with turn:
        place = url.replace("http", "ws", 1) + "/_stcore/stream"
        reader = await websockets.connect(place, subprotocols=["streamlit"], max_size=None, open_timeout=300)  # type: ignore[list-item]
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        await reader.send(asked.SerializeToString())
        wrong = False
        async for data in reader:
            told = ForwardMsg.FromString(data)
            kind = told.WhichOneof("type")
            element = told.delta.new_element.WhichOneof("type") if kind == "delta" else None
            wrong |= element in ("exception", "alert")
            if kind == "script_finished":
                return reader, wrong
    return reader, True


async def crowd(url: str, readers: int) -> int:
    """Connect so many readers, print what they cost the server, and how many saw an error or were lost."""
    empty, calm = figures(url), healthy(url)
    turn = asyncio.Semaphore(ARRIVING)
    started = time.perf_counter()
    found = await asyncio.gather(*(connect(url, turn) for _ in range(readers)), return_exceptions=True)
    took = time.perf_counter() - started
    there = [one for one in found if not isinstance(one, BaseException)]
    wrong = readers - sum(not error for _, error in there)
    full = await asyncio.to_thread(figures, url)
    busy = await asyncio.to_thread(healthy, url)
    handles = (full["process_open_fds"] - empty["process_open_fds"]) / readers
    memory = (full["process_resident_memory_bytes"] - empty["process_resident_memory_bytes"]) / readers / 1e6
    print(
        f"  {readers:,} readers connected within {took:.0f} s: {handles:.1f} handles (at most {MOST_HANDLES:g}) and "
        f"{memory:.2f} MB (at most {MOST_MEGABYTES}) each; /healthz takes {busy / calm:.1f} "
        f"times as long as before them; {wrong} saw an error",
        flush=True,
    )
    await asyncio.gather(*(reader.close() for reader, _ in there))
    return wrong + (handles > MOST_HANDLES) + (memory > MOST_MEGABYTES)


def figures(url: str) -> dict[str, float]:
    """What the server says of itself."""
    with urlopen(f"{url}/metrics", timeout=60) as answer:
        told = answer.read().decode()
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }


def healthy(url: str) -> float:
    """Median seconds until the server says that it is alive."""
    spent = []
    for _ in range(5):
        started = time.perf_counter()
        with urlopen(f"{url}/healthz", timeout=60):
            spent.append(time.perf_counter() - started)
    return statistics.median(spent)


def main(readers: int = READERS) -> int:
    """Print the measures; 1 when a bar was missed or a reader saw an error."""
    raise_file_limit()
    with tempfile.TemporaryDirectory() as name:
        file = FileWarehouse(Path(name) / "market.duckdb")
        load_bundled(file, PROJECT_ROOT / "data")
        within = lake_beside_file(file, Path(name))
        with served(APP, file.path) as url:
            ready(url)
            lost = asyncio.run(crowd(url, readers))
    return int(not within or lost > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
