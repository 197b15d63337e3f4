"""Finds out which runtimes this computer can run now, and says what is missing."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys

from pal_daemon.runtimes.base import Discovery, Runtime, Surroundings
from pal_daemon.runtimes.registry import REMEDIES, Registry, missing_note
from pal_server.contract.agents import RuntimeStateIn

LOOK_FOR = 10.0  # seconds a runtime may take to tell its version

log = logging.getLogger(__name__)


async def discover_runtimes(registry: Registry) -> list[RuntimeStateIn]:
    """One state for each runtime known here, those that are known by name only included. Never raises."""
    surroundings = Surroundings(env=os.environ, python=sys.executable, which=shutil.which)
    found = await asyncio.gather(*(_discover(runtime, surroundings) for runtime in registry))
    others = [
        RuntimeStateIn(name=name, available=False, note=missing_note(name))
        for name in REMEDIES
        if registry.get(name) is None
    ]
    return [*found, *others]


async def _discover(runtime: Runtime, surroundings: Surroundings) -> RuntimeStateIn:
    try:
        async with asyncio.timeout(LOOK_FOR):
            found = await asyncio.to_thread(runtime.discover, surroundings)
    except TimeoutError:
        found = Discovery(is_available=False, note=f"{runtime.name} did not tell its version within {LOOK_FOR:.0f} s")
    except Exception as error:  # an edge: a plugin's code
        log.exception("looking for a runtime failed", extra={"action": "discover", "runtime": runtime.name})
        found = Discovery(is_available=False, note=f"looking for {runtime.name} failed: {error}")
    return RuntimeStateIn(
        name=runtime.name,
        available=found.is_available,
        version=found.version,
        note=found.note,
        capabilities=runtime.capabilities.as_flags(),
    )
