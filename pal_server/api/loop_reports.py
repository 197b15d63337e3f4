"""What the event loop itself reports: one line for what operators can change, the loop's own words for the rest."""

import asyncio
import errno
import logging
import time
from collections.abc import Callable
from typing import Any

EVERY = 60.0  # seconds between two lines; the loop reports each connection it cannot accept, up to a thousand at once

_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

log = logging.getLogger(__name__)


class LoopReports:
    """The loop's exception handler. asyncio itself tries to accept again after a second."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._next_line = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        problem = context.get("exception")
        if not (isinstance(problem, OSError) and problem.errno in _NO_ROOM and "accept" in context.get("message", "")):
            loop.default_exception_handler(context)
            return
        now = self._monotonic()
        if now >= self._next_line:
            self._next_line = now + EVERY
            log.error(
                "new connections wait: %s. Raise the limit of open files (ulimit -n), or see who keeps so many open",
                problem.strerror,
                extra={"action": "server.accept_failed", "errno": problem.errno},
            )
