"""Tells somebody of what has failed or is stale, once, and once when it is over."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

from pydantic import SecretStr

from etl.delivery.ledger import LedgerError, ledger_place, left
from etl.errors import ProductError, first_line
from etl.product import NAME, variable
from etl.settings import settings
from etl.status import read_status
from etl.warehouse import Warehouse

PATIENCE = 60
"""Seconds that the command may take."""
MOST_OWED = 100
"""Lines that are kept for somebody who cannot be told."""

logger = logging.getLogger("etl")


@dataclass(frozen=True)
class Told:
    """The troubles that have been told, by what they are about, and the lines that a target has missed."""

    troubles: dict[str, str] = field(default_factory=dict)
    owed: dict[str, list[str]] = field(default_factory=dict)


def tell(warehouse: Warehouse, jobs: Mapping[str, str | None] | None = None) -> list[str]:
    """Tell what is new since the last time: a line for each trouble and each recovery, which are returned.

    ``jobs`` are those that have just ended, with what was in their way. Where nobody can be told, the same lines
    come again the next time; whoever could not be told while others were gets them with the next ones.
    """
    targets = _targets()
    if not targets:
        return []
    told = _told()
    known = told.troubles
    troubles = {key: said for key, said in known.items() if key.startswith("job ")}
    troubles |= {key: said for key, said in (jobs or {}).items() if said}
    for name, said in (jobs or {}).items():
        if said is None:
            troubles.pop(name, None)
    troubles |= _of_the_status(warehouse) | _of_the_signals()
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
    due = {name: (told.owed.get(name, []) + lines)[-MOST_OWED:] for name in targets}
    owed = {name: text for name, text in due.items() if text and not targets[name]("\n".join(text))}
    if any(due.values()) and len(owed) < len(targets):
        _keep(Told(troubles, owed))
    return lines


def _targets() -> dict[str, Callable[[str], bool]]:
    """How to tell everybody who is to be told, by a name that gives nothing of an address away."""
    options = settings()
    found: dict[str, Callable[[str], bool]] = {}
    if options.alert_command:
        found[_name(options.alert_command)] = partial(_run, options.alert_command)
    for url in options.alert_urls:
        found[_name(url.get_secret_value())] = partial(_notify, url)
    return found


def _name(target: str) -> str:
    return sha256(target.encode()).hexdigest()[:16]


def _of_the_status(warehouse: Warehouse) -> dict[str, str]:
    """What is stale, by the sentence without its figures, which change while the trouble is the same."""
    try:
        stale = read_status(warehouse).stale
    except ProductError as error:
        return {"warehouse": str(error)}
    return {re.sub(r"\(.*\)|[\d,]+", "", sentence): sentence for sentence in stale}


def _of_the_signals() -> dict[str, str]:
    """The messages that may not have arrived, since the delivery was killed once they had left."""
    try:
        messages = left(ledger_place(settings()))
    except LedgerError as error:
        return {"ledger": str(error)}
    return {
        f"signal {message_id} {target}": f"{message_id} is not known to have reached {target}: "
        "`python -m etl tell --again` sends it once more"
        for message_id, target in messages
    }


def _run(command: str, text: str) -> bool:
    try:
        subprocess.run(
            shlex.split(command),
            input=f"{text}\n",
            text=True,
            timeout=PATIENCE,
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, variable("alert_title"): NAME},
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        logger.warning("%s did not take the alert: %s", variable("alert_command"), first_line(error))
        return False
    return True


def _notify(url: SecretStr, text: str) -> bool:
    import apprise  # takes its time to import

    notifier = apprise.Apprise()
    done = notifier.add(url.get_secret_value()) and notifier.notify(
        title=NAME, body=text, body_format=apprise.NotifyFormat.TEXT
    )
    if not done:
        logger.warning("One of %s did not take the alert.", variable("alert_urls"))
    return bool(done)


def _place() -> Path:
    return settings().cache_dir / "alerts.json"


def _told() -> Told:
    try:
        return Told(**json.loads(_place().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Told()


def _keep(told: Told) -> None:
    try:
        _place().parent.mkdir(parents=True, exist_ok=True)
        temporary = _place().with_name(".alerts.json")
        temporary.write_text(json.dumps(asdict(told), ensure_ascii=False), encoding="utf-8")
        temporary.replace(_place())
    except OSError as error:
        logger.warning(
            "What was reported cannot be recorded, and will be reported again: %s", first_line(error)
        )
