"""What lies at the place of a warehouse of files: a pointer to the published state, a plain file, or something else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from etl.errors import first_line
from etl.warehouse.errors import WarehouseError, barred, foreign

_MAGIC = b"DUCK"  # at the ninth byte of every database file


def pointed_at(path: Path, kept: Sequence[str]) -> Path | None:
    """The file of the published state; None where there has never been one.

    Raises
    ------
    WarehouseError
        When something else lies there, or the file is lost while the states named ``kept`` are there.
    """
    try:
        current = path.resolve(strict=True)
    except FileNotFoundError:
        if not kept:
            return None
        others = f"{len(kept)} others are" if len(kept) > 1 else "1 other is"
        raise WarehouseError(
            f"The published state at {path} is gone, while {others} kept: `python -m etl rollback --to {kept[-1]}` "
            "brings the newest back."
        ) from None
    except PermissionError as error:
        raise barred(str(path), error) from None
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
        raise foreign(str(path), first_line(error)) from None
    try:
        with current.open("rb") as file:
            magic = file.read(12)[8:]
    except PermissionError as error:
        raise barred(str(path), error) from None
    except OSError as error:
        raise foreign(str(path), first_line(error)) from None
    if magic != _MAGIC:
        kind = "an empty file" if current.stat().st_size == 0 else "a file of another kind"
        raise foreign(str(path), kind)
    return current
