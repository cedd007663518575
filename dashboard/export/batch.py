"""Many kits, made side by side and written as they are done; one that fails does not stop the others."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dashboard.export.kit import Kit, build, write
from dashboard.export.making import UnknownChart
from dashboard.export.order import Order
from dashboard.views.request import NothingToShow
from etl.warehouse import WarehouseError, published_version

AT_ONCE = 2
"""Charts in hand at the same time: one is read from the warehouse while the browser draws the other."""


@dataclass(frozen=True)
class Result:
    """What became of one order: the files written into `folder`, and why others are missing."""

    order: Order
    folder: Path
    written: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    kit: Kit | None = field(default=None, repr=False)


def export(
    order: Order, out: Path, folder_of: Callable[[Order], str] = Order.folder, state: str | None = None
) -> Result:
    """Make one kit, from the state named, and write it; whatever fails is named in the result."""
    folder = out / folder_of(order)
    try:
        kit = build(order, state)
    except NothingToShow as nothing:
        return Result(order, folder, failures={"nothing to show": nothing.in_full})
    except (UnknownChart, WarehouseError) as error:
        return Result(order, folder, failures={"chart": str(error)})
    except duckdb.Error as error:
        return Result(
            order, folder, failures={"chart": f"The warehouse could not be read: {_first_line(error)}"}
        )
    except Exception as error:
        said = f"{type(error).__name__}: {_first_line(error)}"
        return Result(order, folder, failures={"chart": f"The chart could not be made ({said})"})
    written, failures = write(kit, folder)
    return Result(order, folder, written, failures, kit.warnings, kit)


def export_all(
    orders: Sequence[Order],
    out: Path,
    done: Callable[[Result], None],
    folder_of: Callable[[Order], str] = Order.folder,
    state: str | None = None,
) -> list[Result]:
    """Make and write the kits of all orders, calling `done` with each as it is finished; results in their order.

    All come from one state of the warehouse: the one named, by default the one that is published now.
    """
    with suppress(WarehouseError):  # each order then says what is wrong
        state = state or published_version()
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="export")
    try:
        futures = [pool.submit(export, order, out, folder_of, state) for order in orders]
        results = []
        for future in futures:
            results.append(future.result())
            done(results[-1])
        return results
    finally:
        pool.shutdown(cancel_futures=True)


def exit_code(results: Sequence[Result]) -> int:
    """0 when everything ordered is there, 1 when part of it is, 2 when nothing is."""
    if not any(result.written for result in results):
        return 2
    return 1 if any(result.failures for result in results) else 0


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "no reason given")
