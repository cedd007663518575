"""What can go wrong with the warehouse; each message is one sentence that names the next step."""

from __future__ import annotations

from etl.errors import ProductError


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
    """Another refresh is writing. Wait until it has ended, or raise ``AIMI_LOCK_TIMEOUT``."""
