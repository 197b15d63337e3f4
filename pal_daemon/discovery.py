"""Finds out which runtimes this computer can run now and who is logged in, and says what is missing."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
from pathlib import Path

from pal_daemon.runtimes.base import Discovery, Runtime, Surroundings
from pal_daemon.runtimes.registry import REMEDIES, Registry, missing_note
from pal_daemon.runtimes.way_in import UNKNOWN, Login, LogsIn, Seen
from pal_server.contract.agents import RuntimeStateIn

LOOK_FOR = 10.0  # seconds a runtime may take to tell its version, and as long for its login

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
    seen = await _look_for_login(runtime, surroundings) if found.is_available else None
    note = found.note
    if not note and seen is not None and seen.login is Login.OUT:
        note = f"nobody is logged in: `pal cli auth login {runtime.name}`, or give the agent an account"
    return RuntimeStateIn(
        name=runtime.name,
        available=found.is_available,
        version=found.version,
        note=note,
        capabilities=runtime.capabilities.as_flags(),
        login=None if seen is None else seen.login.value,
        login_method="" if seen is None else seen.method,
        install=REMEDIES.get(runtime.name, ("", ""))[1],
    )


async def _look_for_login(runtime: Runtime, surroundings: Surroundings) -> Seen | None:
    """At the program's usual place, where agents without an account find it; None for a program without logins."""
    if not isinstance(runtime, LogsIn):
        return None
    way_in = runtime.way_in
    program = next((found for name in way_in.programs if (found := surroundings.which(name))), None)
    env = {**surroundings.env, **(way_in.quiet or {})}
    try:
        async with asyncio.timeout(LOOK_FOR):
            return await asyncio.to_thread(way_in.look, None if program is None else Path(program), env)
    except TimeoutError:
        return UNKNOWN
    except Exception:  # an edge: a plugin's code
        log.exception("looking for a login failed", extra={"action": "discover", "runtime": runtime.name})
        return UNKNOWN
