"""What `/metrics` tells Prometheus: readers, runs of pages, drawings, states, freshness."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
"""A registry of our own, so that nothing else of the process is told."""

PREFIX = "ai_market_impact"

READERS = Gauge("readers", "Pages that are open.", namespace=PREFIX, registry=REGISTRY)
PAGE_RUNS = Counter("page_runs", "Runs of a page.", ["page"], namespace=PREFIX, registry=REGISTRY)
PAGES_RUNNING = Gauge("pages_running", "Runs of a page under way.", namespace=PREFIX, registry=REGISTRY)
PAGE_SECONDS = Histogram(
    "page_run_seconds", "Seconds that a run of a page took.", namespace=PREFIX, registry=REGISTRY
)
DRAWINGS = Counter(
    "drawings",
    "Pictures asked for at an address, by outcome.",
    ["outcome"],
    namespace=PREFIX,
    registry=REGISTRY,
)
DRAWINGS_WAITING = Gauge(
    "drawings_waiting", "Pictures being drawn or waiting for it.", namespace=PREFIX, registry=REGISTRY
)
WAREHOUSE_UP = Gauge(
    "warehouse_up",
    "Whether the published state can be read (1) or not (0).",
    namespace=PREFIX,
    registry=REGISTRY,
)
SESSIONS_BEHIND = Gauge(
    "sessions_behind", "Sessions closed since the latest prices.", namespace=PREFIX, registry=REGISTRY
)
STATES_KEPT = Gauge(
    "states_kept", "States that a rollback can return to.", namespace=PREFIX, registry=REGISTRY
)
ProcessCollector(registry=REGISTRY)


def pages_running() -> int:
    """How many readers wait for a page just now."""
    return int(REGISTRY.get_sample_value(f"{PREFIX}_pages_running") or 0)
