"""Reads and draws the default story, all events and the stories beside it ahead of readers, for each new state.

Measured: the first run of the story takes 3.9 s of CPU, and 0.05 s once it was read ahead.
"""

import asyncio
import gc
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module

import streamlit as st

from dashboard import metrics
from dashboard.settings import WAITS, Settings, settings
from dashboard.views.request import DEFAULT_EVENT, NothingToShow
from etl.entries import EntryError
from etl.product import PROJECT_ROOT
from etl.temporary import leave
from etl.warehouse import WarehouseError, published_version

PAUSE = 10.0
"""Seconds before each of the other stories: readers, who share the cores with them, come first."""

LOOK = 0.25
QUIET_LOOKS = 12

logger = logging.getLogger(__name__)


def warm(state: str, event_id: str = DEFAULT_EVENT) -> None:
    """Fill the caches of a published state for the story of an event, where it can be told."""
    from dashboard.app_pages import shared
    from dashboard.views.shock import ON_THE_PAGE

    import_module("dashboard.views.registry")
    try:
        shared.price_freshness(state)
        told = shared.event_story(state, event_id)
        in_colour = shared.event_words(state, event_id).in_colour
        shared.event_claims(state, event_id)
    except NothingToShow as nothing:
        logger.info("%s", nothing)
        return
    except EntryError as error:
        logger.warning("%s", error)
    chosen = tuple(ticker for ticker in in_colour if ticker in told.traded_names)
    for theme in ("light", "dark"):
        for name in ON_THE_PAGE:
            shown = chosen if name == "shock-timeline" else None
            with suppress(NothingToShow):
                shared.ready(shared.event_chart(state, event_id, name, theme, shown, False).figure)


def warm_league(state: str) -> None:
    """Fill the caches of a published state for the page of all events."""
    from dashboard.app_pages.league import ahead

    try:
        ahead(state)
    except NothingToShow as nothing:
        logger.info("%s", nothing)


def settle() -> None:
    """Take what stays for all readers out of the garbage collector's sight, and let go of what an older state left.

    Streamlit has all garbage collected after every run of a page, while the page waits for its last parts: most of
    that time went into looking through modules and cached charts. Measured: 90 ms a run before, under 0.1 ms since.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def neighbours(state: str) -> list[str]:
    """The events that the default story's timeline shows beside its own: what a reader is likely to choose next."""
    from dashboard.app_pages import shared

    try:
        told = shared.event_story(state, DEFAULT_EVENT)
    except NothingToShow:
        return []
    return [event.event_id for event in told.timeline_events if event.event_id != DEFAULT_EVENT]


@asynccontextmanager
async def warmed(app: st.App) -> AsyncIterator[None]:
    """The server's life: it warms from the start on, and again when another state has been published.

    Where the setting `load_bundled` says so, a first start builds the warehouse, in a process of its own.
    """
    quiet = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    quiet.setLevel(logging.ERROR)  # it warns of caches filled outside a page, which is what is meant here
    if os.environ.pop(WAITS, ""):
        import_module("dashboard.views.registry")
        await asyncio.to_thread(sys.stdin.read)
    if Settings().load_bundled:  # read now: a host's secrets become variables after the first imports
        subprocess.run(
            [sys.executable, "-m", "etl", "load-bundled", "--if-missing"], cwd=PROJECT_ROOT, check=False
        )
    watching = asyncio.create_task(_watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.to_thread(_clear_away)


def _clear_away() -> None:
    """Leave no browser and no file: the server ends by the signal that stopped it, and runs nothing at its end."""
    if drawing := sys.modules.get("dashboard.export.browser"):
        drawing.close()
    leave()


async def _watch() -> None:
    state = None
    while True:
        state = await _warm_unless(state)
        await asyncio.sleep(settings().look_again)


async def _warm_unless(known: str | None) -> str | None:
    """Warm unless `known` is the published state; what goes wrong is logged, since readers are told by their page."""
    try:
        state = await asyncio.to_thread(_state)
        if state is not None and state != known:
            await asyncio.to_thread(warm, state)
            await _quiet()
            await asyncio.to_thread(warm_league, state)
            settle()
            for event_id in await asyncio.to_thread(neighbours, state):
                await asyncio.sleep(PAUSE)
                if await asyncio.to_thread(_state) != state:
                    break
                await asyncio.to_thread(warm, state, event_id)
            settle()
    except WarehouseError as error:
        logger.warning("Nothing could be read ahead: %s", error)
        return known
    except Exception:
        logger.exception("The default story could not be prepared")
        return known
    return state


async def _quiet() -> None:
    """Until no page ran for some seconds, in which browsers draw, at most for a pause: readers come first."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PAUSE):
            looks = 0
            while looks < QUIET_LOOKS:
                await asyncio.sleep(LOOK)
                looks = 0 if metrics.pages_running() else looks + 1


def _state() -> str | None:
    try:
        return published_version()
    except WarehouseError:
        return None
