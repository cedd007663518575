"""Tells what is new, each version of a signal once to each target, and what did not arrive again later."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from filelock import Timeout

from etl.delivery.ledger import Ledger, LedgerError, delivering, ledger_place
from etl.delivery.messages import Message, messages
from etl.delivery.targets import NotDelivered, Service, Target, Webhook
from etl.errors import first_line
from etl.settings import Settings, settings
from etl.warehouse import Warehouse

LONGEST = 60.0
"""Seconds after which a target that is slow is told no more, so that the next refresh is not late."""

logger = logging.getLogger("etl")


def targets(options: Settings) -> list[Target]:
    """The targets that the settings name, each called by its kind and number."""
    found: list[Target] = []
    if options.webhook_url is not None and options.webhook_secret is not None:
        found.append(Webhook("webhook", options.webhook_url, options.webhook_secret, options.dashboard_url))
    for number, url in enumerate(options.signal_urls, start=1):
        found.append(Service(f"service {number}", url, options.dashboard_url))
    return found


def deliver(warehouse: Warehouse, now: datetime | None = None, *, again: bool = False) -> int:
    """Tell every target what is due; returns how many messages arrived.

    With `again` what left and is not known to have arrived, and what was given up, is due too. Another delivery that
    is under way is left to its work. A target that is down holds nobody up: each has its own thread and its own tries.

    Raises
    ------
    etl.warehouse.WarehouseError
        When the warehouse cannot be read.
    etl.delivery.ledger.LedgerError
        When what was told cannot be read or noted.
    """
    options = settings()
    known = targets(options)
    if not known:
        return 0
    place = ledger_place(options)
    try:
        with delivering(place):
            moment = now or datetime.now(UTC)
            with warehouse.reading() as con:
                told = messages(con, moment)
            return _tell(known, told, Ledger(place), moment, again=again)
    except Timeout:
        return 0


def let_go(warehouse: Warehouse, now: datetime | None = None) -> list[tuple[str, str, str, str]]:
    """Settle what did not arrive and nothing sends any more: it is too old, or a later version took its place.

    Returns message, target, state and reason of each, this once. None while a delivery is under way.
    """
    place = ledger_place(settings())
    if not place.exists():
        return []
    try:
        with delivering(place):
            with warehouse.reading() as con:
                told = messages(con, now or datetime.now(UTC))
            ledger = Ledger(place)
            unsettled = ledger.unsettled()
            alive = {
                (one.message_id, target)
                for target in {target for _, target, _, _ in unsettled}
                for one in _concerning(told, target, ledger)
            }
            gone = [row for row in unsettled if row[:2] not in alive]
            ledger.let_go([row[:2] for row in gone])
            return gone
    except Timeout:
        return []


def deliver_quietly(warehouse: Warehouse) -> None:
    """Tell what is due after a refresh, which has succeeded whatever becomes of this."""
    try:
        deliver(warehouse)
    except Exception as error:
        logger.warning("the signals could not be told: %s", first_line(error))


def _tell(
    known: Sequence[Target], told: Sequence[Message], ledger: Ledger, now: datetime, *, again: bool
) -> int:
    arrived: list[int] = []
    faults: list[LedgerError] = []

    def tell(target: Target) -> None:
        try:
            arrived.append(_tell_one(target, _due(told, target, ledger, now, again=again), ledger, now))
        except LedgerError as fault:
            faults.append(fault)

    threads = [threading.Thread(target=tell, args=[target], daemon=True) for target in known]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return sum(arrived)


def _tell_one(target: Target, waiting: list[Message], ledger: Ledger, now: datetime) -> int:
    """Tell one target, for as long as that may take; what is left over is due the next time."""
    arrived, end = 0, time.monotonic() + LONGEST
    for together in [waiting] if target.together and waiting else [[one] for one in waiting]:
        ids = [one.message_id for one in together]
        try:
            target.send(together, now, partial(ledger.begin, ids, target.name, now))
        except Exception as failure:  # of whatever kind: it must not end the other targets
            why = str(failure) if isinstance(failure, NotDelivered) else type(failure).__name__
            ledger.end(ids, target.name, now, why)
            logger.warning("%s: %d signals not told (%s): tried again later", target.name, len(ids), why)
            break
        ledger.end(ids, target.name, now)
        arrived += len(ids)
        if time.monotonic() > end:
            break
    if arrived:
        logger.info("%s: %d signals told", target.name, arrived)
    return arrived


def _due(
    told: Sequence[Message], target: Target, ledger: Ledger, now: datetime, *, again: bool
) -> list[Message]:
    """What a target is to be told now."""
    chosen = _concerning(told, target.name, ledger)
    due = set(ledger.due([one.message_id for one in chosen], target.name, now, again=again))
    return [one for one in chosen if one.message_id in due]


def _concerning(told: Sequence[Message], target: str, ledger: Ledger) -> list[Message]:
    """What may be told to a target at all; a correction of what it was never told is told as new."""
    chosen = []
    for one in told:
        if one.what != "created" and ledger.told(one.first_id, target):
            chosen.append(one)
        elif one.what != "withdrawn" and one.recent:
            chosen.append(replace(one, message_id=one.first_id, what="created"))
    return chosen
