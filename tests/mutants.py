"""Changes the program by one sign at a time and prints the changes that no test notices: `make mutants`.

mutmut makes the changes, finds the tests that run through each and tries these (`[tool.mutmut]` in `pyproject.toml`).
What survives is printed, but for what `tests/mutants.toml` explains. Without a name everything is tried that has not
been, so that a run can be stopped and taken up again; with the names of modules these are tried again.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MUTMUT = (sys.executable, "-m", "mutmut")
SURVIVED, UNTRIED = "survived", "no tests"


def results() -> dict[str, str]:
    """What became of each change that was not noticed, by its name."""
    said = subprocess.run([*MUTMUT, "results"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"^\s+(\S+): (.+)$", said, re.MULTILINE))


def change(name: str) -> tuple[str, str]:
    """The lines that a change takes out and those that it puts in."""
    said = subprocess.run(
        [*MUTMUT, "show", name], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    lines = re.findall(r"^([-+])(?!--|\+\+)\s*(.*)$", said, re.MULTILINE)
    old, new = ("\n".join(line for sign, line in lines if sign == side) for side in "-+")
    return old, new


def explained(name: str, old: str, new: str) -> bool:
    """Whether `tests/mutants.toml` says why no test need notice this change."""
    rules = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))
    if old.lower() == new.lower():
        return any(fnmatch(name, functions) for functions in rules["case"]["of"])
    return any(
        fnmatch(name, f"{rule['of']}__mutmut_*") and rule["old"] in old and rule["new"] in new
        for rule in rules["survivor"]
    )


def unexplained(names: list[str]) -> Iterator[str]:
    """Each surviving change of these modules, of all where there are none, as it is printed."""
    for name, fate in results().items():
        if fate in (UNTRIED, "not checked") or (names and not name.startswith(tuple(f"{n}." for n in names))):
            continue
        old, new = change(name)
        if fate != SURVIVED or not explained(name, old, new):
            yield f"{name}: {fate}\n  - {old}\n  + {new}"


def main(names: list[str]) -> int:
    """Try the changes and print what survives; the exit code is 1 where something unexplained does."""
    tried = subprocess.run([*MUTMUT, "run", *(f"{name}.*" for name in names)], cwd=ROOT, check=False)
    if tried.returncode:
        return tried.returncode
    found = list(unexplained(names))
    print(
        "\n\n".join([*found, f"{len(found)} changes survive without an explanation in tests/mutants.toml."])
    )
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
