"""Many kits, made side by side, written and reported as they are done; one that fails does not stop the others."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue

import duckdb
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dashboard.export import kit as kits
from dashboard.export.kit import Kit
from dashboard.export.presets import BadSpec
from dashboard.export.spec import Spec
from dashboard.views.request import NothingToShow
from etl.console import ExitCode, console, errors
from etl.errors import first_line
from etl.warehouse import WarehouseError, published_version

AT_ONCE = 2
"""Charts in hand at the same time: one is read from the warehouse while the browser draws the other."""
WATCH_SECONDS = 20.0
Placing = Callable[[Spec], Path]


@dataclass(frozen=True)
class Result:
    """What became of one spec: the files written into `folder`, and why others are missing."""

    spec: Spec
    folder: Path
    written: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    kit: Kit | None = field(default=None, repr=False)


def export(spec: Spec, place: Placing, state: str | None = None) -> Result:
    """Make one kit, from the state named, and write it where `place` says; whatever fails is named in the result."""
    folder = Path()
    try:
        folder = place(spec)
        kit = kits.build(spec, state)
    except NothingToShow as nothing:
        return Result(spec, folder, failures={"nothing to show": nothing.in_full})
    except (BadSpec, WarehouseError) as error:
        return Result(spec, folder, failures={"chart": str(error)})
    except duckdb.Error as error:
        said = f"The warehouse could not be read: {first_line(error)}"
        return Result(spec, folder, failures={"chart": said})
    except Exception as error:
        said = f"{type(error).__name__}: {first_line(error)}"
        return Result(spec, folder, failures={"chart": f"The chart could not be made ({said})"})
    if set(spec.formats) <= set(kit.failures):  # words about a chart that is not there are no kit
        return Result(spec, folder, failures=kit.failures, warnings=kit.warnings)
    written, failures = kits.write(kit, folder)
    return Result(spec, folder, written, failures, kit.warnings, kit)


def export_all(
    specs: Sequence[Spec], place: Placing, done: Callable[[Result], None], state: str | None = None
) -> list[Result]:
    """Make and write the kits of all specs, calling `done` with each as it is finished; results in their order.

    All come from one state of the warehouse: the one named, by default the one that is published now.
    """
    with suppress(WarehouseError):  # each spec then says what is wrong
        state = state or published_version()
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="export")
    try:
        futures = [pool.submit(export, spec, place, state) for spec in specs]
        results = []
        for future in futures:
            results.append(future.result())
            done(results[-1])
        return results
    finally:
        pool.shutdown(cancel_futures=True)


def settled(result: Result) -> Result:
    """A chart that nobody asked for by name, and that there is nothing for, is no fault."""
    return replace(result, failures={}) if set(result.failures) == {"nothing to show"} else result


def exit_code(results: Sequence[Result]) -> int:
    """0 when everything that was asked for is there, 1 when part of it is, 2 when nothing is."""
    if not any(result.written for result in results):
        return ExitCode.NOTHING
    return ExitCode.PART if any(result.failures for result in results) else ExitCode.ALL


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, nothing elsewhere; call it with the name of each thing that is done."""
    if not errors.is_terminal:
        yield lambda name: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bars:
        task = bars.add_task("Exporting", total=total)
        yield lambda name: bars.update(task, advance=1, description=name)


def summary(results: Sequence[Result]) -> None:
    """A row a chart: its folder, its size, the files, how large they are; then a sentence for each fault."""
    table = Table("Chart", "Folder", "Size", "Files", box=None, pad_edge=False)
    table.add_column("KB", justify="right")
    for result in results:
        names = [name for name in result.written if name.startswith(result.spec.name)]
        formats = [form for form in result.spec.formats if any(name.endswith(f".{form}") for name in names)]
        sizes = sum(len(result.kit.files.get(name, b"")) for name in result.written) if result.kit else 0
        row = (result.folder.name, _size(result), ", ".join(formats) or "none", f"{sizes / 1024:,.0f}")
        table.add_row(result.spec.name, *row)
    console.print(table)
    for result in results:
        for sentence in dict.fromkeys(result.warnings):
            errors.print(f"{result.spec.name}: {sentence}")
        for reason in dict.fromkeys(result.failures.values()):
            missing = ", ".join(name for name, why in result.failures.items() if why == reason)
            errors.print(f"{result.spec.name} ({missing}): {reason}")
    made = [result for result in results if result.written]
    count = sum(len(result.written) for result in made)
    where = f" to {made[0].folder.parent}" if made else ""
    errors.print(f"{len(made)} of {len(results)} charts exported{where}, {count} files.")


def _size(result: Result) -> str:
    size, shape = result.kit.size if result.kit else None, result.spec.shape()
    if size is None:
        return "–"
    if shape.unit == "mm":
        return " × ".join(length.removesuffix("mm") for length in shape.lengths(size[1])) + " mm"
    return f"{size[0]:g} × {size[1]:g} px"


def perhaps_watching(watch: bool, work: Callable[[], int]) -> int:
    """The exit code of some work, done once or, where `watch` is set, again after each publication."""
    if not watch:
        return work()
    with _stopped_by_signals() as stop:
        return watched(work, WATCH_SECONDS, errors.print, stop)


def watched(
    export: Callable[[], int], seconds: float, say: Callable[[str], None], stop: "SimpleQueue[None]"
) -> int:
    """Call `export` now and after each publication, until `stop` has something; returns the last exit code.

    A warehouse that cannot be read is waited for, and one that goes away in the middle is exported again.
    """

    def attempt(version: str | None) -> tuple[str | None, int]:
        try:
            return version, export()
        except WarehouseError as error:
            say(str(error))
            return None, 2

    seen, code = attempt(_version())
    say(f"Watching for the next refresh, every {seconds:g} seconds (Ctrl-C stops).")
    while not _told(stop, seconds):
        now = _version()
        if now and now != seen:
            say(f"{now} has been published.")
            seen, code = attempt(now)
    return code


@contextmanager
def _stopped_by_signals() -> Iterator["SimpleQueue[None]"]:
    """What Ctrl-C and SIGTERM fill instead of ending the process in the middle of a file.

    No event: its lock may be held by the wait that a signal comes into, and is then waited for without end.
    """
    stop: SimpleQueue[None] = SimpleQueue()
    before = {
        number: signal.signal(number, lambda *_: stop.put(None)) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _told(stop: "SimpleQueue[None]", seconds: float) -> bool:
    try:
        stop.get(timeout=seconds)
    except Empty:
        return False
    return True


def _version() -> str | None:
    try:
        return published_version()
    except WarehouseError:
        return None
