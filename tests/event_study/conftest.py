"""Panels that many tests of the event study share."""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import simulated


@pytest.fixture(scope="session")
def complete() -> tuple[pd.DataFrame, pd.Series]:
    return simulated.panel()


@pytest.fixture(scope="session")
def gappy(complete: tuple[pd.DataFrame, pd.Series]) -> tuple[pd.DataFrame, pd.Series]:
    returns, market = complete
    return simulated.with_gaps(returns), market
