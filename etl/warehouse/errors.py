"""What can go wrong with the warehouse; each message is one sentence that names the next step."""

from __future__ import annotations

from etl.errors import ProductError, first_line
from etl.product import variable


class WarehouseError(ProductError):
    """The warehouse cannot be used; the message says why and what to do."""


class WarehouseMissingError(WarehouseError):
    """There is no warehouse yet. Build one with ``make run`` or ``python -m etl load-bundled``."""

    @classmethod
    def at(cls, place: str) -> WarehouseMissingError:
        """The error for that place."""
        return cls(f"There is no warehouse at {place}: run `make run` or `python -m etl load-bundled`.")


class NoSuchStateError(WarehouseError):
    """There is no such state to return to. ``python -m etl rollback --list`` names those that are kept."""

    exit_code = 3


class StateGoneError(WarehouseError):
    """The state that was named is not kept any more. Read the newest instead."""

    @classmethod
    def of(cls, version: str) -> StateGoneError:
        """The error for that state."""
        return cls(f"The state {version[:80]} is not kept any more: reload, and read the newest.")


class WarehouseBusyError(WarehouseError):
    """Another refresh is writing. Wait until it has ended, or raise the setting `lock_timeout`."""


def foreign(place: str, what: str) -> WarehouseError:
    """The error for a place where something else lies."""
    return WarehouseError(
        f"{place} cannot be read as a DuckDB database of this project ({what}): move it away, or set "
        f"{variable('database')} elsewhere."
    )


def barred(place: str, error: Exception) -> WarehouseError:
    """The error for a warehouse of another user, whose files this one may not read."""
    return WarehouseError(
        f"{place} may not be read by this user ({first_line(error)}): give it the right to read that and the folder "
        "beside it, or run as the user who writes there."
    )


def unreadable(place: str, error: Exception) -> WarehouseError:
    """The error for a warehouse whose tables are not those that this version reads."""
    return WarehouseError(
        f"{place} does not hold what this version reads ({first_line(error)}): `python -m etl rollback` returns "
        "to an earlier state, and `python -m etl load-bundled` adds what is missing."
    )


def unwritable(place: str, error: Exception) -> WarehouseError:
    """The error for a write that was given up."""
    return WarehouseError(
        f"{place} could not be written, and is as it was ({first_line(error)}): correct that and try again."
    )
