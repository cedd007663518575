"""Tells somebody of what has failed or is stale, once, and once when it is over."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from etl.errors import ProductError, first_line
from etl.settings import settings
from etl.status import read_status
from etl.warehouse import Warehouse

PATIENCE = 60
"""Seconds that the command may take."""
TITLE = "AI Market Impact"

logger = logging.getLogger("etl")


def tell(warehouse: Warehouse, jobs: Mapping[str, str | None] | None = None) -> list[str]:
    """Tell what is new since the last time: a line for each trouble and each recovery, which are returned.

    ``jobs`` are those that have just ended, with what was in their way. Where nobody can be told, the same lines
    come again the next time.
    """
    options = settings()
    if not (options.alert_command or options.alert_urls):
        return []
    known = _known()
    troubles = {key: said for key, said in known.items() if key.startswith("job ")}
    troubles |= {key: said for key, said in (jobs or {}).items() if said}
    for name, said in (jobs or {}).items():
        if said is None:
            troubles.pop(name, None)
    troubles |= _of_the_status(warehouse)
    lines = [
        f"Trouble: {key}: {said}"
        for key, said in troubles.items()
        if key not in known and key.startswith("job ")
    ]
    lines += [
        f"Trouble: {said}"
        for key, said in troubles.items()
        if key not in known and not key.startswith("job ")
    ]
    lines += [f"Recovered: {said}" for key, said in known.items() if key not in troubles]
    if lines and _sent("\n".join(lines)):
        _keep(troubles)
    return lines


def _of_the_status(warehouse: Warehouse) -> dict[str, str]:
    """What is stale, by the sentence without its figures, which change while the trouble is the same."""
    try:
        stale = read_status(warehouse).stale
    except ProductError as error:
        return {"warehouse": str(error)}
    return {re.sub(r"\(.*\)|[\d,]+", "", sentence): sentence for sentence in stale}


def _sent(text: str) -> bool:
    """Whether everybody has been told."""
    options = settings()
    done = [_run(options.alert_command, text)] if options.alert_command else []
    return all([*done, *(_notify(url, text) for url in options.alert_urls)])


def _run(command: str, text: str) -> bool:
    try:
        subprocess.run(
            shlex.split(command),
            input=f"{text}\n",
            text=True,
            timeout=PATIENCE,
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "AIMI_ALERT_TITLE": TITLE},
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        logger.warning("AIMI_ALERT_COMMAND did not take the alert: %s", first_line(error))
        return False
    return True


def _notify(url: SecretStr, text: str) -> bool:
    import apprise  # takes its time to import

    notifier = apprise.Apprise()
    done = notifier.add(url.get_secret_value()) and notifier.notify(
        title=TITLE, body=text, body_format=apprise.NotifyFormat.TEXT
    )
    if not done:
        logger.warning("One of AIMI_ALERT_URLS did not take the alert.")
    return bool(done)


def _place() -> Path:
    return settings().cache_dir / "alerts.json"


def _known() -> dict[str, str]:
    try:
        known = json.loads(_place().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _keep(troubles: dict[str, str]) -> None:
    try:
        _place().parent.mkdir(parents=True, exist_ok=True)
        temporary = _place().with_name(".alerts.json")
        temporary.write_text(json.dumps(troubles, ensure_ascii=False), encoding="utf-8")
        temporary.replace(_place())
    except OSError as error:
        logger.warning("What was told cannot be remembered, and will be told again: %s", first_line(error))
