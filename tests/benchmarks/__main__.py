"""Runs every benchmark and writes what they print to `results.md`, with the versions used: `make bench`."""

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
LIBRARIES = ("streamlit", "plotly", "kaleido", "duckdb", "pandas", "numpy", "yfinance", "statsmodels")


def main() -> int:
    """Run the benchmarks one after the other; ends with 1 where one of them missed its bar."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    parts = [
        "# Benchmarks",
        "Ratios taken in one run each, against a named peer: times alone would say more about the machine. "
        "`make bench` writes this file.",
        f"Python {platform.python_version()}, {versions}.",
    ]
    failed = False
    for script in sorted(FOLDER.glob("[a-z]*.py")):
        command = f"python -m tests.benchmarks.{script.stem}"
        print(f"$ {command}", flush=True)
        ended = subprocess.run(
            [sys.executable, "-m", f"tests.benchmarks.{script.stem}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        print(ended.stdout + ended.stderr, flush=True)
        failed |= ended.returncode != 0
        parts.append(
            f"## {script.stem.replace('_', ' ').capitalize()}\n\n`{command}`\n\n```\n{ended.stdout.strip()}\n```"
        )
        (FOLDER / "results.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
