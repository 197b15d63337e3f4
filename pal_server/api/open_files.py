"""Says when the process is about to have no file left for another connection.

The event loop of a server (libuv's) drops connections it has no file for, or lets them wait, and tells nobody.
The system gives out the lowest free number, so the number of a new connection shows how many are taken.
"""

import logging
import time
from collections.abc import Callable

LEFT = 4  # files below the limit at which it is said
EVERY = 60.0  # seconds between two lines

log = logging.getLogger(__name__)


def soft_limit() -> int | None:
    """Files this process may have open; None where the system has no such limit."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


class OpenFiles:
    """One per server. Written by the event loop alone."""

    def __init__(
        self, *, limit: Callable[[], int | None] = soft_limit, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._next_line = float("-inf")

    def opened(self, number: int, /) -> None:
        """A connection was accepted under this file number."""
        limit = self._limit()
        if limit is None or number < limit - LEFT:
            return
        now = self._monotonic()
        if now >= self._next_line:
            self._next_line = now + EVERY
            log.error(
                "of %d files this process may open nearly all are open: further connections wait or are dropped. Raise"
                " the limit (ulimit -n), or see who keeps so many connections open",
                limit,
                extra={"action": "server.out_of_files", "limit": limit},
            )
