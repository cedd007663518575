"""Writes `docs/reference.md` from the code: every command and option, setting, table, chart, page and address."""

import re
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
from pydantic_settings import BaseSettings
from typer import Typer
from typer.main import get_command

from dashboard.app_pages import PAGES
from dashboard.routes import routes
from dashboard.settings import Settings as DashboardSettings
from dashboard.views.registry import CHARTS
from etl.product import variable
from etl.settings import PROJECT_ROOT
from etl.settings import Settings as WarehouseSettings
from etl.warehouse.files import FileWarehouse

PLACE = PROJECT_ROOT / "docs" / "reference.md"
PROGRAMS = {
    "python -m etl": "etl.cli",
    "python -m dashboard": "dashboard.__main__",
    "python -m dashboard.export": "dashboard.export.cli",
    "python -m dashboard.event_study": "dashboard.event_study.__main__",
}
HEAD = """# Reference

Written from the code by `make reference`; a test holds it to the code.
"""


def reference() -> str:
    """The whole page."""
    parts = [HEAD, "## Commands\n"]
    for name, module in PROGRAMS.items():
        app: Typer = import_module(module).app
        parts += commands(name, get_command(app))  # type: ignore[arg-type]
    parts += ["## Settings\n", "Variables of the environment. An empty one counts as not set.\n", *settings()]
    parts += [
        "## Tables\n",
        "Of the warehouse, for any DuckDB tool and at `/table/NAME.csv` or `.parquet`.\n",
        *tables(),
    ]
    parts += ["## Charts\n", *(f"- `{name}`" for name in sorted(CHARTS)), ""]
    parts += ["## Pages\n", *(f"- **{title}**, `/{path or ''}`" for title, path in PAGES.values()), ""]
    parts += ["## Other addresses\n", *(f"- `{route.path}`" for route in routes()), ""]
    return "\n".join(parts)


def commands(name: str, command: click.Command) -> Iterator[str]:
    """A command with its options, and those below it."""
    below = getattr(command, "commands", {})
    yield f"### `{name}`\n"
    yield f"{_line(command.help)}\n"
    options = [one for one in command.params if one.name != "help" and not getattr(one, "hidden", False)]
    for option in options:
        names = ", ".join(
            f"`{each}`" for each in (option.opts if option.param_type_name == "option" else [option.name])
        )
        yield f"- {names}: {_line(getattr(option, 'help', '') or '')}"
    if options:
        yield ""
    for key in sorted(below):
        yield from commands(f"{name} {key}", below[key])


def settings() -> Iterator[str]:
    """A table of the settings."""
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    known: dict[str, tuple[str, str]] = {}
    for kind in (WarehouseSettings, DashboardSettings):
        known |= _settings_of(kind)
    for name, (default, meaning) in sorted(known.items()):
        yield f"| `{name}` | {default} | {meaning} |"
    yield ""


def _settings_of(kind: type[BaseSettings]) -> dict[str, tuple[str, str]]:
    found = {}
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True)
        text = (
            ", ".join(map(str, default))
            if isinstance(default, tuple)
            else ""
            if default is None
            else str(default)
        )
        text = text.replace(f"{PROJECT_ROOT}/", "")
        found[variable(name)] = (f"`{text}`" if text else "", _line(field.description or ""))
    return found


def tables() -> Iterator[str]:
    """Every table with its columns and their kinds."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse = FileWarehouse(Path(folder) / "market.duckdb")
        with warehouse.writing():
            pass
        with warehouse.reading() as con:
            rows = con.execute(
                "SELECT table_name, string_agg(column_name || ' ' || lower(data_type), ', ' ORDER BY column_index) "
                "FROM duckdb_columns() WHERE NOT internal GROUP BY table_name ORDER BY table_name"
            ).fetchall()
    for name, columns in rows:
        yield f"- `{name}`: {columns}"
    yield ""


def _line(text: str | None) -> str:
    return re.sub(r"\[/?\w+\]", "", " ".join((text or "").split())).replace("|", "\\|")


if __name__ == "__main__":
    PLACE.write_text(reference(), encoding="utf-8")
    sys.stdout.write(f"{PLACE.relative_to(PROJECT_ROOT)} is written.\n")
