"""Noticing and telling signals costs little of a refresh."""

import pytest

from tests.benchmarks.signals import MOST, refresh_and_tell
from tests.conftest import SOAK
from tests.etl.conftest import Operator
from tests.loopback.targets import Receiver


@pytest.mark.skipif(
    not SOAK, reason="times a part of a program beside the whole, which needs a quiet machine"
)
@pytest.mark.timeout(900)
def test_signals_take_less_than_a_tenth_of_a_refresh_of_a_thousand_companies(operator: Operator) -> None:
    receiver = Receiver()
    try:
        seconds, spent = refresh_and_tell(operator, 1000, receiver)
    finally:
        receiver.shutdown()
        receiver.server_close()
    assert receiver.ids()
    assert max(receiver.ids().values()) == 1
    assert spent <= MOST * seconds
