"""Kenneth French's library on the loopback: two archives in the layout of his files."""

from __future__ import annotations

import io
import zipfile
from datetime import date

from tests.loopback.world import Asked, Reply

FIVE = "F-F_Research_Data_5_Factors_2x3_daily_CSV.zip"
MOMENTUM = "F-F_Momentum_Factor_daily_CSV.zip"


class French:
    """The site; change ``days`` (per cent: the five factors and the rate, then momentum) or ``files``."""

    hosts = ("mba.tuck.dartmouth.edu",)

    def __init__(self) -> None:
        self.days: dict[date, tuple[float, ...]] = {
            date(2025, 1, 24): (-0.31, 0.2, -0.11, 0.05, -0.02, 0.017, 0.4),
            date(2025, 1, 27): (-1.67, 0.35, 1.9, 0.61, 0.98, 0.017, -4.9),
        }
        self.files: dict[str, bytes] = {}

    def reply(self, asked: Asked) -> Reply:
        name = asked.path.rpartition("/")[2]
        if name in self.files:
            return Reply(self.files[name])
        if name == FIVE:
            return Reply(
                packed("Mkt-RF,SMB,HML,RMW,CMA,RF", {day: row[:6] for day, row in self.days.items()})
            )
        if name == MOMENTUM:
            return Reply(packed("Mom   ", {day: row[6:] for day, row in self.days.items()}))
        return Reply(status=404)


def packed(names: str, days: dict[date, tuple[float, ...]]) -> bytes:
    """An archive with one file: lines of text, the table in per cent, a note."""
    rows = "\r\n".join(
        f"{day:%Y%m%d}," + ",".join(f"{value:9.4f}" for value in row) for day, row in days.items()
    )
    text = f"This file was created using the 202601 CRSP database.\r\n\r\n,{names}\r\n{rows}\r\n\r\nCopyright 2026\r\n"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("factors.csv", text)
    return target.getvalue()
