"""What is imported is pinned, and the locks hold what was asked for, each with its hashes."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
NAMES = (
    "requirements",
    "requirements-lake",
    "requirements-dev",
    "requirements-bench",
    "requirements-mutants",
)


def asked(name: str) -> dict[str, str]:
    """The pins of an input file and of those that it includes, by the name of the package."""
    pins: dict[str, str] = {}
    for line in (ROOT / f"{name}.in").read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            pins |= asked(line.removeprefix("-r ").removesuffix(".in"))
        elif line and not line.startswith("#"):
            wanted = Requirement(line)
            pins[canonicalize_name(wanted.name)] = str(wanted.specifier)
    return pins


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each package in a lock."""
    found = {}
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    for block in re.split(r"\n(?=[A-Za-z])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)):
        wanted = Requirement(block.split("\\")[0].strip())
        found[canonicalize_name(wanted.name)] = (str(wanted.specifier), block.count("--hash=sha256:"))
    return found


def imported(*folders: str) -> set[str]:
    """The modules from outside that the Python files of those folders import."""
    modules = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.partition(".")[0])
    beside = {path.stem for path in (ROOT / "tests").rglob("*.py")}
    return modules - set(sys.stdlib_module_names) - {"etl", "dashboard", "tests"} - beside


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_holds_exactly_what_was_asked_for_with_hashes(name: str) -> None:
    lock = locked(name)
    assert {
        package: pin for package, pin in asked(name).items() if lock.get(package, ("", 0))[0] != pin
    } == {}
    assert [
        package for package, (pin, hashes) in lock.items() if not hashes or not pin.startswith("==")
    ] == []


@pytest.mark.parametrize("name", NAMES[1:])
def test_the_locks_agree_on_every_version(name: str) -> None:
    lock = locked(name)
    assert {
        package for package, (pin, _) in locked("requirements").items() if lock[package][0] != pin
    } == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_names_no_package_index(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    assert not re.search(r"https?:|--(extra-)?index|--find-links|file:", text)


@pytest.mark.parametrize(
    ("name", "folders"), [("requirements", ("etl", "dashboard")), ("requirements-bench", ("tests",))]
)
def test_what_is_imported_is_asked_for_by_name(name: str, folders: tuple[str, ...]) -> None:
    distributions = packages_distributions()
    pins = asked(name)
    missing = {
        module
        for module in imported(*folders)
        if not any(canonicalize_name(found) in pins for found in distributions.get(module, [module]))
    }
    assert missing == set()
