"""Where an intraday bar stands: its session and phase, by the clock of its exchange."""

from __future__ import annotations

import pandas as pd
import pytest

from etl.hours import placed


@pytest.mark.parametrize(
    ("exchange", "local", "phase"),
    [
        ("XNYS", "2025-01-27 03:55", None),
        ("XNYS", "2025-01-27 04:00", "pre"),
        ("XNYS", "2025-01-27 09:25", "pre"),
        ("XNYS", "2025-01-27 09:30", "regular"),
        ("XNYS", "2025-01-27 15:55", "regular"),
        ("XNYS", "2025-01-27 16:00", "post"),
        ("XNYS", "2025-01-27 19:55", "post"),
        ("XNYS", "2025-01-27 20:00", None),
        ("XNYS", "2024-11-29 12:55", "regular"),  # a half day
        ("XNYS", "2024-11-29 13:00", "post"),
        ("XNYS", "2025-07-07 09:30", "regular"),  # summer time
        ("XNYS", "2025-01-25 10:00", None),  # a Saturday
        ("XKRX", "2025-01-31 08:55", None),
        ("XKRX", "2025-01-31 09:00", "regular"),
        ("XKRX", "2025-01-31 15:40", "regular"),  # its closing auction
        ("XKRX", "2025-01-31 15:45", None),
        ("XKRX", "2025-01-27 10:00", None),  # a holiday
    ],
)
def test_a_bar_belongs_to_the_phase_in_which_it_begins(exchange: str, local: str, phase: str | None) -> None:
    zone = {"XNYS": "America/New_York", "XKRX": "Asia/Seoul"}[exchange]
    moment = pd.Timestamp(local, tz=zone)
    [row] = placed(exchange, pd.DatetimeIndex([moment.tz_convert("UTC")])).itertuples()
    assert row.phase == phase
    assert row.session == (moment.date() if phase else None)
    assert row.local_time == pd.Timestamp(local)
