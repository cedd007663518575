"""What the command line tells: progress on a terminal, a table of what was made, sentences on what was not."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dashboard.export.batch import Result

console = Console(markup=False, highlight=False, soft_wrap=True)
errors = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar of charts on a terminal, nothing elsewhere; call it with the name of each one that is done."""
    if not errors.is_terminal:
        yield lambda name: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bars:
        task = bars.add_task("Exporting", total=total)

        def advance(name: str) -> None:
            bars.update(task, advance=1, description=name)

        yield advance


def summary(results: Sequence[Result]) -> None:
    """A row a chart: its size, the files, how large they are; then a sentence for each fault."""
    table = Table(box=None, pad_edge=False)
    table.add_column("Chart", no_wrap=True)
    table.add_column("Size", no_wrap=True)
    table.add_column("Files", overflow="fold")
    table.add_column("KB", justify="right")
    for result in results:
        table.add_row(
            result.order.name,
            _size(result),
            ", ".join(_formats(result)) or "none",
            f"{_bytes(result) / 1024:,.0f}",
        )
    console.print(table)
    for result in results:
        for sentence in dict.fromkeys(result.warnings):
            errors.print(f"{result.order.name}: {sentence}")
        for reason in dict.fromkeys(result.failures.values()):
            missing = ", ".join(name for name, why in result.failures.items() if why == reason)
            errors.print(f"{result.order.name} ({missing}): {reason}")
    made = sum(bool(result.written) for result in results)
    errors.print(
        f"{made} of {len(results)} charts exported to {results[0].folder.parent}, {sum(map(_count, results))} files."
    )


def _formats(result: Result) -> list[str]:
    return [name for name in result.order.formats if any(file.endswith(f".{name}") for file in _own(result))]


def _own(result: Result) -> list[str]:
    return [name for name in result.written if name.startswith(result.order.name)]


def _size(result: Result) -> str:
    size = result.kit.size if result.kit else None
    shape = result.order.shape()
    if size is None:
        return "–"
    if shape.unit == "mm":
        return f"{shape.width:g}×{shape.height:g} mm"
    return f"{size[0]:g}×{size[1]:g} px"


def _bytes(result: Result) -> int:
    return sum(len(result.kit.files.get(name, b"")) for name in result.written) if result.kit else 0


def _count(result: Result) -> int:
    return len(result.written)
