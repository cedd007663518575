"""What the commands share: where they print, and the options that several have."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

errors = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)
console = Console(soft_wrap=True, markup=False, highlight=False)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on the standard output.")]
