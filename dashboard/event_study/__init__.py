"""Event studies: what an event did to a group of firms, with tests that hold when all share its date.

Pure functions from data frames to results: no database, no screen. `run_study` is one event and one group,
`run_contrast` two groups, `run_benchmark_check` several benchmarks,
`run_size_check` says which tests to believe on the user's own firms.
"""

from dashboard.event_study.benchmarks import (
    Benchmark,
    benchmark_choices,
    choose_benchmark,
    equal_weight_benchmark,
    market_without,
    run_benchmark_check,
)
from dashboard.event_study.catalogue import TESTS
from dashboard.event_study.contrast import Contrast, run_contrast
from dashboard.event_study.errors import EventStudyError
from dashboard.event_study.events import confounders
from dashboard.event_study.gaps import simple_returns
from dashboard.event_study.models import MODELS
from dashboard.event_study.size import run_size_check
from dashboard.event_study.study import Study, run_study

__all__ = [
    "MODELS",
    "TESTS",
    "Benchmark",
    "Contrast",
    "EventStudyError",
    "Study",
    "benchmark_choices",
    "choose_benchmark",
    "confounders",
    "equal_weight_benchmark",
    "market_without",
    "run_benchmark_check",
    "run_contrast",
    "run_size_check",
    "run_study",
    "simple_returns",
]
