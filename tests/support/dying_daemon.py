"""A daemon that SIGKILLs itself at one named step: `python -m tests.support.dying_daemon STEP`, set up by environment.

Steps are `before:` or `after:` one of claim, claimed, open_run, spawning, launch, report_pid, add_events, finish, done.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pal_daemon import keeper_client
from pal_daemon.bus import Bus
from pal_daemon.daemon import run_daemon
from pal_daemon.journal import Journal
from pal_daemon.settings import resolve_settings


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(real: Callable[..., Awaitable[Any]], when: str, is_it: Callable[..., bool] = lambda *_: True) -> Any:
    async def step(*args: Any, **more: Any) -> Any:
        hit = is_it(*args)
        if hit and when == "before":
            die()
        answer = await real(*args, **more)
        if hit and when == "after":
            die()
        return answer

    return step


def main(step: str) -> None:
    when, _, name = step.partition(":")
    if name in ("claimed", "spawning", "done"):
        is_it = lambda journal, line: line.step == name  # noqa: E731  one comparison
        Journal.write = dying(Journal.write, when, is_it)  # type: ignore[method-assign]
    elif name == "launch":
        keeper_client.launch = dying(keeper_client.launch, when)
    elif name == "claim":
        claim = Bus.claim

        async def claim_and_die(self: Bus, request: Any) -> Any:
            answer = await claim(self, request)
            if answer.deliveries:
                die()
            return answer

        Bus.claim = claim_and_die  # type: ignore[method-assign]
    else:
        setattr(Bus, name, dying(getattr(Bus, name), when))
    settings = resolve_settings(env=os.environ, here=Path.cwd(), local_port=0, interval=300)
    asyncio.run(run_daemon(settings, stop=asyncio.Event()))


if __name__ == "__main__":
    main(sys.argv[1])
