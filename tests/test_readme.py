"""What the README promises exists: its commands, targets, files and pictures."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from etl.cli import app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"python -m etl ([a-z][a-z-]+)", README))))
def test_each_etl_command_of_the_readme_exists(name: str) -> None:
    assert name in get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z]+)\b", README))))
def test_each_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))))
def test_each_target_is_in_the_help(target: str) -> None:
    assert re.search(rf"^{target}:.*## \w", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_each_file_that_the_readme_links_to_is_there(link: str) -> None:
    assert (ROOT / link).exists()


NAMED = r"`((?:etl|dashboard|data|tests)/(?!market\.duckdb)[\w./]*)`"


@pytest.mark.parametrize("path", sorted(set(re.findall(NAMED, README))))
def test_each_path_that_the_readme_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()
