"""The shape of the code: layers in one direction, short files, short functions."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from etl.product import NAME, PREFIX, SLUG

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for top in ("etl", "dashboard", "tests") for path in (ROOT / top).rglob("*.py"))
LAYERS = ["data", "analysis", "charts", "views", "app_pages"]
READING_SIDE = {
    "etl.warehouse",
    "etl.settings",
    "etl.calendars",
    "etl.entries",
    "etl.factors",
    "etl.freshness",
    "etl.errors",
    "etl.product",
    "etl.console",
    "etl.temporary",
}
WRITTEN = {".py", ".js", ".j2", ".css", ".svg", ".toml", ".xml", ".html"}
MAX_FILE, MAX_FUNCTION = 400, 50


@cache
def parsed(path: Path) -> list[ast.AST]:
    """Every node of a file's syntax tree."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imported(path: Path) -> set[str]:
    found = set()
    for node in parsed(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def under(*parts: str) -> list[Path]:
    return sorted(ROOT.joinpath(*parts).rglob("*.py"))


@pytest.mark.parametrize("path", under("etl"), ids=lambda path: path.name)
def test_the_etl_does_not_import_the_dashboard(path: Path) -> None:
    assert not {name for name in imported(path) if name.split(".")[0] == "dashboard"}


@pytest.mark.parametrize("path", under("dashboard"), ids=lambda path: path.name)
def test_the_dashboard_imports_only_the_reading_side_of_the_etl(path: Path) -> None:
    used = {".".join(name.split(".")[:2]) for name in imported(path) if name.startswith("etl")}
    assert used - {"etl"} <= READING_SIDE


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_of_the_dashboard_imports_only_those_before_it(layer: str) -> None:
    later = {f"dashboard.{name}" for name in LAYERS[LAYERS.index(layer) + 1 :]}
    for path in under("dashboard", layer):
        used = {".".join(name.split(".")[:2]) for name in imported(path)}
        assert not used & later, f"{path.relative_to(ROOT)} imports {used & later}"


@pytest.mark.parametrize("layer", ["data", "analysis", "charts", "views"])
def test_only_pages_know_streamlit(layer: str) -> None:
    assert not names([path for path in under("dashboard", layer) if "streamlit" in imported(path)])


def test_pages_have_no_sql() -> None:
    assert not names(
        [path for path in under("dashboard", "app_pages") if ".execute(" in path.read_text(encoding="utf-8")]
    )


def test_no_file_is_longer_than_one_can_keep_in_mind() -> None:
    assert not names(
        [path for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > MAX_FILE]
    )


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in FILES
        for node in parsed(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION
    ]
    assert not long


def test_no_file_of_the_program_repeats_the_name_or_the_prefix() -> None:
    said = re.compile(rf"{NAME}|{SLUG}|{PREFIX.strip('_')}", re.IGNORECASE)
    files = [
        path
        for top in ("etl", "dashboard", ".streamlit")
        for path in (ROOT / top).rglob("*")
        if path.suffix in WRITTEN and not path.name.endswith(".min.js")
    ]
    assert len(files) > 200
    assert not [path for path in files if said.search(path.read_text(encoding="utf-8"))]


def test_readers_open_the_state_that_they_read() -> None:
    """A cursor of a reader's connection to a lake finds no table: it has left the catalog."""
    taking = [
        path
        for path in FILES
        if path.is_relative_to(ROOT / "dashboard")
        and any(isinstance(node, ast.Attribute) and node.attr == "cursor" for node in parsed(path))
    ]
    assert names(taking) == []
